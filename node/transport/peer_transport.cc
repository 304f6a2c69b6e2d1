#include "node/transport/peer_transport.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "entente/v1/peer.grpc.pb.h"
#include "node/transport/acceptor.h"
#include "node/transport/tls.h"

namespace entente::transport {

using sync::SessionId;

// One stream, whichever side opened it: an outgoing queue and a way to end it.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual void Send(const v1::Frame& frame) = 0;
  virtual void Cancel() = 0;
};

struct PeerTransport::Impl : std::enable_shared_from_this<PeerTransport::Impl> {
  Options options;
  Events events;
  std::shared_ptr<PinSet> pins = std::make_shared<PinSet>();
  std::string certificate_pem;
  crypto::SecretBytes private_key_pem;

  std::mutex mutex;
  std::condition_variable changed;
  std::map<SessionId, std::shared_ptr<Channel>> sessions;
  std::map<SessionId, PartyId> session_party;
  SessionId next_session = 1;
  struct Dialling {
    Target target;
    bool live = false;
    absl::Time next_try = absl::InfinitePast();
    absl::Duration backoff;
    size_t next_address = 0;
  };
  std::map<PartyId, Dialling> targets;
  bool stopping = false;
  std::thread dialler;
  std::minstd_rand jitter{static_cast<uint32_t>(absl::ToUnixNanos(absl::Now()))};

  std::unique_ptr<grpc::Service> service;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::unique_ptr<grpc::Server> server;

  SessionId Open(const PartyId& party, const Hash& spki, bool dialled,
                 std::shared_ptr<Channel> channel);
  void Ended(SessionId session, const PartyId& party, bool dialled, const std::string& reason);
  void Dial();
  void DialOnce(const PartyId& party, const Target& target, const std::string& address);
  absl::Status Listen();
  crypto::TlsIdentity Identity() const { return {certificate_pem, private_key_pem.Clone()}; }
};

namespace {

// The write half that both kinds of reactor share: one write at a time, the rest waits here.
template <class Message>
class Outgoing {
 public:
  explicit Outgoing(size_t bytes_max) : bytes_max_(bytes_max) {}

  // True when the caller must start writing `front()`; false when it only waits, or overflowed.
  bool Push(const v1::Frame& frame, bool* overflow) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    Message message;
    *message.mutable_frame() = frame;
    const size_t size = message.ByteSizeLong();
    if (bytes_ + size > bytes_max_) {
      *overflow = true;
      return false;
    }
    bytes_ += size;
    queue_.push_back(std::move(message));
    if (writing_) return false;
    writing_ = true;
    return true;
  }
  // After a write: drops the front; true when another one must be started.
  bool Pop() {
    const std::lock_guard lock(mutex_);
    bytes_ -= queue_.front().ByteSizeLong();
    queue_.pop_front();
    writing_ = !queue_.empty() && !closed_;
    return writing_;
  }
  const Message* front() {
    const std::lock_guard lock(mutex_);
    return &queue_.front();  // stable: a deque does not move its front on push_back
  }
  void CloseQueue() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // Coalesce while more waits.
  grpc::WriteOptions write_options() {
    const std::lock_guard lock(mutex_);
    grpc::WriteOptions options;
    if (queue_.size() > 1) options.set_buffer_hint();
    return options;
  }

 private:
  std::mutex mutex_;
  std::deque<Message> queue_;
  size_t bytes_ = 0;
  size_t bytes_max_;
  bool writing_ = false;
  bool closed_ = false;
};

class ServerStream;
// What the transport holds of a server stream; the reactor belongs to gRPC and leaves when done.
class ServerHandle : public Channel {
 public:
  explicit ServerHandle(ServerStream* stream) : stream_(stream) {}
  void Send(const v1::Frame& frame) override;
  void Cancel() override;
  void Detach() {
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
  }

 private:
  std::mutex mutex_;
  ServerStream* stream_;
};

class ServerStream : public grpc::ServerBidiReactor<v1::ExchangeRequest, v1::ExchangeResponse> {
 public:
  ServerStream(std::shared_ptr<PeerTransport::Impl> impl, grpc::CallbackServerContext* context,
               PartyId party, Hash spki)
      : impl_(std::move(impl)),
        context_(context),
        party_(party),
        outgoing_(impl_->options.send_queue_bytes_max),
        handle_(std::make_shared<ServerHandle>(this)) {
    session_ = impl_->Open(party, spki, /*dialled=*/false, handle_);
    StartSendInitialMetadata();
    StartRead(&request_);
  }

  void Push(const v1::Frame& frame) {
    bool overflow = false;
    if (outgoing_.Push(frame, &overflow)) {
      StartWrite(outgoing_.front(), outgoing_.write_options());
    }
    if (overflow) context_->TryCancel();
  }
  void Cut() { context_->TryCancel(); }

  void OnReadDone(bool ok) override {
    // The pin is looked at again per message: a body that is no longer trusted is cut here.
    if (!ok) return FinishOnce();
    impl_->events.frame(session_, std::move(*request_.mutable_frame()));
    request_.Clear();
    StartRead(&request_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return FinishOnce();
    if (outgoing_.Pop()) StartWrite(outgoing_.front(), outgoing_.write_options());
  }
  void OnCancel() override { FinishOnce(); }
  void OnDone() override {
    handle_->Detach();
    impl_->Ended(session_, party_, false, "the connection ended");
    delete this;
  }

 private:
  void FinishOnce() {
    outgoing_.CloseQueue();
    if (!finished_.exchange(true)) Finish(grpc::Status::OK);
  }

  std::shared_ptr<PeerTransport::Impl> impl_;
  grpc::CallbackServerContext* context_;
  PartyId party_;
  SessionId session_ = 0;
  v1::ExchangeRequest request_;
  Outgoing<v1::ExchangeResponse> outgoing_;
  std::shared_ptr<ServerHandle> handle_;
  std::atomic<bool> finished_ = false;
};

void ServerHandle::Send(const v1::Frame& frame) {
  const std::lock_guard lock(mutex_);
  if (stream_ != nullptr) stream_->Push(frame);
}
void ServerHandle::Cancel() {
  const std::lock_guard lock(mutex_);
  if (stream_ != nullptr) stream_->Cut();
}

class RefusedStream : public grpc::ServerBidiReactor<v1::ExchangeRequest, v1::ExchangeResponse> {
 public:
  RefusedStream() { Finish(grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "not pinned")); }
  void OnDone() override { delete this; }
};

class PeerServiceImpl : public v1::PeerService::CallbackService {
 public:
  explicit PeerServiceImpl(std::weak_ptr<PeerTransport::Impl> impl) : impl_(std::move(impl)) {}

  grpc::ServerBidiReactor<v1::ExchangeRequest, v1::ExchangeResponse>* Exchange(
      grpc::CallbackServerContext* context) override {
    const std::shared_ptr<PeerTransport::Impl> impl = impl_.lock();
    const absl::StatusOr<Hash> spki = PeerSpki(*context->auth_context());
    const std::optional<PartyId> party =
        impl != nullptr && spki.ok() ? impl->pins->Find(*spki) : std::nullopt;
    if (!party.has_value()) return new RefusedStream();
    for (const auto& acceptor : impl->acceptors) acceptor->Established(context->peer());
    return new ServerStream(impl, context, *party, *spki);
  }

 private:
  std::weak_ptr<PeerTransport::Impl> impl_;
};

// A dialled stream keeps itself alive until gRPC is done with it.
class ClientStream : public grpc::ClientBidiReactor<v1::ExchangeRequest, v1::ExchangeResponse>,
                     public Channel,
                     public std::enable_shared_from_this<ClientStream> {
 public:
  ClientStream(std::shared_ptr<PeerTransport::Impl> impl, const PartyId& party, const Hash& spki,
               std::shared_ptr<grpc::Channel> channel)
      : impl_(std::move(impl)),
        party_(party),
        spki_(spki),
        channel_(std::move(channel)),
        stub_(v1::PeerService::NewStub(channel_)),
        outgoing_(impl_->options.send_queue_bytes_max) {}

  void Begin() {
    self_ = shared_from_this();
    stub_->async()->Exchange(&context_, this);
    AddHold();  // writes start from outside the reactions
    StartRead(&response_);
    StartCall();
  }

  void Send(const v1::Frame& frame) override {
    bool overflow = false;
    if (outgoing_.Push(frame, &overflow)) {
      StartWrite(outgoing_.front(), outgoing_.write_options());
    }
    if (overflow) context_.TryCancel();
  }
  void Cancel() override {
    context_.TryCancel();
    ReleaseHold();
  }

  void OnReadInitialMetadataDone(bool ok) override {
    if (!ok) return;
    session_ = impl_->Open(party_, spki_, /*dialled=*/true, shared_from_this());
  }
  void OnReadDone(bool ok) override {
    if (!ok) {
      outgoing_.CloseQueue();
      context_.TryCancel();
      return ReleaseHold();
    }
    impl_->events.frame(session_, std::move(*response_.mutable_frame()));
    response_.Clear();
    StartRead(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) {
      outgoing_.CloseQueue();
      return ReleaseHold();
    }
    if (outgoing_.Pop()) StartWrite(outgoing_.front(), outgoing_.write_options());
  }
  void OnDone(const grpc::Status& status) override {
    impl_->Ended(session_, party_, true, status.error_message());
    self_.reset();
  }

 private:
  void ReleaseHold() {
    if (!released_.exchange(true)) RemoveHold();
  }

  std::shared_ptr<PeerTransport::Impl> impl_;
  PartyId party_;
  Hash spki_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::PeerService::Stub> stub_;
  grpc::ClientContext context_;
  SessionId session_ = 0;
  v1::ExchangeResponse response_;
  Outgoing<v1::ExchangeRequest> outgoing_;
  std::atomic<bool> released_ = false;
  std::shared_ptr<ClientStream> self_;
};

}  // namespace

SessionId PeerTransport::Impl::Open(const PartyId& party, const Hash& spki, bool dialled,
                                    std::shared_ptr<Channel> channel) {
  SessionId session = 0;
  {
    const std::lock_guard lock(mutex);
    session = next_session++;
    sessions[session] = std::move(channel);
    session_party[session] = party;
    if (dialled) targets[party].backoff = options.backoff_min;
  }
  events.opened({session, party, spki, dialled});
  return session;
}

void PeerTransport::Impl::Ended(SessionId session, const PartyId& party, bool dialled,
                                const std::string& reason) {
  {
    const std::lock_guard lock(mutex);
    sessions.erase(session);
    session_party.erase(session);
    if (dialled) {
      Dialling& dialling = targets[party];
      dialling.live = false;
      const double spread = 0.5 + static_cast<double>(jitter() % 1000) / 1000.0;
      dialling.next_try = absl::Now() + dialling.backoff * spread;
      dialling.backoff = std::min(dialling.backoff * 2, options.backoff_max);
    }
  }
  changed.notify_all();
  if (session != 0) events.closed(session, reason);
}

void PeerTransport::Impl::Dial() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    absl::Time next = absl::Now() + absl::Seconds(1);
    for (auto& [party, dialling] : targets) {
      if (!dialling.target.dial || dialling.live || dialling.target.addresses.empty()) continue;
      if (dialling.next_try > absl::Now()) {
        next = std::min(next, dialling.next_try);
        continue;
      }
      dialling.live = true;
      const Target target = dialling.target;
      const std::string address =
          target.addresses[dialling.next_address++ % target.addresses.size()];
      lock.unlock();
      DialOnce(party, target, address);
      lock.lock();
      next = absl::Now();
      break;  // the map may have changed meanwhile
    }
    changed.wait_for(lock, absl::ToChronoNanoseconds(
                               std::max(next - absl::Now(), absl::Milliseconds(1))));
  }
}

void PeerTransport::Impl::DialOnce(const PartyId& party, const Target& target,
                                   const std::string& address) {
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(address, ClientTls(Identity(), target.spki), ChannelDefaults());
  std::make_shared<ClientStream>(shared_from_this(), party, target.spki, channel)->Begin();
}

absl::Status PeerTransport::Impl::Listen() {
  if (options.listen.empty()) return absl::OkStatus();
  service = std::make_unique<PeerServiceImpl>(weak_from_this());
  grpc::ServerBuilder builder;
  builder.RegisterService(service.get());
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 4);
  std::vector<std::unique_ptr<Acceptor::External>> externals;
  for (const std::string& address : options.listen) {
    Acceptor::Options acceptor_options;
    acceptor_options.connections_max = options.connections_max;
    acceptor_options.handshake_timeout = options.handshake_timeout;
    absl::StatusOr<std::unique_ptr<Acceptor>> acceptor =
        Acceptor::Listen(address, acceptor_options);
    if (!acceptor.ok()) return acceptor.status();
    externals.push_back(builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        ServerTls(Identity(), pins)));
    acceptors.push_back(*std::move(acceptor));
  }
  server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError("the peer server did not start");
  for (size_t i = 0; i < acceptors.size(); ++i) acceptors[i]->Start(std::move(externals[i]));
  return absl::OkStatus();
}

PeerTransport::PeerTransport(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<PeerTransport>> PeerTransport::Start(
    const crypto::TlsIdentity& identity, Options options, Events events) {
  auto impl = std::make_shared<Impl>();
  impl->options = std::move(options);
  impl->events = std::move(events);
  impl->certificate_pem = identity.certificate_pem;
  impl->private_key_pem = identity.private_key_pem.Clone();
  if (absl::Status s = impl->Listen(); !s.ok()) return s;
  impl->dialler = std::thread([raw = impl.get()] { raw->Dial(); });
  return std::unique_ptr<PeerTransport>(new PeerTransport(std::move(impl)));
}

PeerTransport::~PeerTransport() { Stop(); }

void PeerTransport::SetPeers(const std::vector<Target>& targets) {
  std::map<Hash, PartyId> pins;
  std::vector<std::shared_ptr<Channel>> gone;
  {
    const std::lock_guard lock(impl_->mutex);
    std::map<PartyId, Impl::Dialling> next;
    for (const Target& target : targets) {
      pins[target.spki] = target.party;
      Impl::Dialling& dialling = next[target.party];
      if (const auto old = impl_->targets.find(target.party); old != impl_->targets.end()) {
        dialling = old->second;
      } else {
        dialling.backoff = impl_->options.backoff_min;
      }
      dialling.target = target;
    }
    for (const auto& [session, party] : impl_->session_party) {
      if (!next.contains(party)) gone.push_back(impl_->sessions[session]);
    }
    impl_->targets = std::move(next);
  }
  impl_->pins->Set(std::move(pins));
  impl_->changed.notify_all();
  for (const std::shared_ptr<Channel>& channel : gone) channel->Cancel();
}

void PeerTransport::Send(SessionId session, const v1::Frame& frame) {
  std::shared_ptr<Channel> channel;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto it = impl_->sessions.find(session);
    if (it == impl_->sessions.end()) return;
    channel = it->second;
  }
  channel->Send(frame);
}

void PeerTransport::Close(SessionId session, const std::string&) {
  std::shared_ptr<Channel> channel;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto it = impl_->sessions.find(session);
    if (it == impl_->sessions.end()) return;
    channel = it->second;
  }
  channel->Cancel();
}

void PeerTransport::Stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  if (impl_->dialler.joinable()) impl_->dialler.join();
  for (const auto& acceptor : impl_->acceptors) acceptor->Stop();
  std::vector<std::shared_ptr<Channel>> all;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [session, channel] : impl_->sessions) all.push_back(channel);
  }
  for (const std::shared_ptr<Channel>& channel : all) channel->Cancel();
  if (impl_->server != nullptr) impl_->server->Shutdown(std::chrono::system_clock::now());
}

std::vector<std::string> PeerTransport::listening() const {
  std::vector<std::string> out;
  for (const auto& acceptor : impl_->acceptors) out.push_back(acceptor->address());
  return out;
}

}  // namespace entente::transport

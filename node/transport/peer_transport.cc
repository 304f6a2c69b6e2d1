#include "node/transport/peer_transport.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "entente/v1/peer.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/resource_quota.h"
#include "node/transport/frame_guard.h"
#include "node/transport/stream.h"
#include "node/transport/tls.h"

namespace entente::transport {
namespace {

using sync::SessionId;

// Tells a dialler that the peer has taken the stream: gRPC alone does not say so before the first
// message.
constexpr char kTakenKey[] = "entente-exchange";
constexpr char kTaken[] = "1";
constexpr int kKeepaliveTimeoutMs = 10'000;

constexpr char kExchangeMethod[] = "/entente.v1.PeerService/Exchange";
// More than this is not worth waiting for when a session is closed.
constexpr size_t kWorthSendingAtClose = 1 << 20;

using ServerReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
using ClientReactor = grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
class ServerStream;
class ClientStream;
class PeerServiceImpl;

}  // namespace

struct PeerTransport::Impl : std::enable_shared_from_this<PeerTransport::Impl> {
  Impl(Options given, Entropy& entropy_source, Events outlets)
      : options(std::move(given)), entropy(entropy_source), events(std::move(outlets)) {}

  const Options options;
  Entropy& entropy;
  const Events events;
  const std::shared_ptr<PinSet> pins = std::make_shared<PinSet>();
  crypto::TlsIdentity identity;

  struct Session {
    std::shared_ptr<Stream> stream;
    PartyId party;
    Hash spki;
    absl::Time cut_at = absl::InfiniteFuture();
    std::string reason;
  };
  struct Dialling {
    Target target;
    bool under_way = false;
    absl::Time next_try = absl::InfinitePast();
    absl::Duration back_off;
    size_t next_address = 0;
  };

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::map<SessionId, Session> sessions;
  std::set<std::shared_ptr<Stream>> live;  // also those that are not open yet
  std::map<PartyId, Dialling> targets;
  SessionId next_session = 1;
  bool stopping = false;
  bool stopped = false;
  std::thread dialler;

  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> external;
  std::unique_ptr<grpc::Server> server;

  StreamLimits Limits() const {
    return {options.send_bytes_max, options.receive_bytes_max, options.receive_frames_max};
  }

  absl::Status Listen();
  void RunDialler();
  absl::Time DialWhoIsDue(std::unique_lock<std::mutex>& lock);
  absl::Time CutOverdue(std::unique_lock<std::mutex>& lock);
  void Dial(const Target& target, const std::string& address);

  bool Take(const std::shared_ptr<Stream>& stream, const PartyId& party);
  void Drop(const std::shared_ptr<Stream>& stream);
  SessionId Open(const std::shared_ptr<Stream>& stream, const PartyId& party, const Hash& spki,
                 bool dialled);
  void Ended(const std::shared_ptr<Stream>& stream, SessionId session,
             std::optional<PartyId> dialled, std::string reason);
  void BackOff(const PartyId& party, bool failed);
  size_t SessionsOf(const PartyId& party) const;
};

namespace {

class ServerStream : public Duplex<ServerReactor> {
 public:
  ServerStream(std::shared_ptr<PeerTransport::Impl> impl, grpc::CallbackServerContext* context,
               const PartyId& party, const Hash& spki)
      : Duplex(impl->Limits()),
        impl_(std::move(impl)),
        context_(context),
        connection_(context->peer()),
        party_(party),
        spki_(spki) {}

  void Begin() {
    self_ = shared_from_this();
    session_ = impl_->Open(self_, party_, spki_, /*dialled=*/false);
    context_->AddInitialMetadata(kTakenKey, kTaken);
    StartSendInitialMetadata();
    ReadOn();
  }

  void OnCancel() override { SayOver(); }
  void OnDone() override {
    {
      const std::lock_guard lock(context_mutex_);
      context_ = nullptr;
    }
    // A connection without a session is a stranger's again, and goes the way of those.
    impl_->acceptor->Release(connection_);
    const std::shared_ptr<Stream> self = std::move(self_);
    impl_->Ended(self, session_, std::nullopt, "the peer ended the connection");
  }

 private:
  void Deliver(v1::Frame frame, std::function<void()> release) override {
    impl_->events.frame(session_, std::move(frame), std::move(release));
  }
  void SayEnd() override {
    MarkEndedLocked();
    FinishOnce();
  }
  void Abort() override {
    const std::lock_guard lock(context_mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }
  void PeerEnded() override { SayOver(); }
  void SayOver() {
    MarkEnded();
    FinishOnce();
  }
  void FinishOnce() {
    if (!finished_.exchange(true)) Finish(grpc::Status::OK);
  }

  const std::shared_ptr<PeerTransport::Impl> impl_;
  std::mutex context_mutex_;
  grpc::CallbackServerContext* context_;
  const std::string connection_;
  std::atomic<bool> finished_ = false;
  const PartyId party_;
  const Hash spki_;
  SessionId session_ = 0;
  std::shared_ptr<Stream> self_;  // until gRPC is done with it
};

class RefusedStream : public ServerReactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

class ClientStream : public Duplex<ClientReactor> {
 public:
  ClientStream(std::shared_ptr<PeerTransport::Impl> impl, const PartyId& party, const Hash& spki,
               const std::shared_ptr<grpc::Channel>& channel)
      : Duplex(impl->Limits()),
        impl_(std::move(impl)),
        party_(party),
        spki_(spki),
        stub_(channel) {}

  void Begin() {
    self_ = shared_from_this();
    stub_.PrepareBidiStreamingCall(&context_, kExchangeMethod, grpc::StubOptions(), this);
    AddHold();  // writes start from outside the reactions
    StartCall();
  }

  void OnReadInitialMetadataDone(bool ok) override {
    if (!ok || !context_.GetServerInitialMetadata().contains(kTakenKey)) return Cut();
    session_ = impl_->Open(self_, party_, spki_, /*dialled=*/true);
    ReadOn();
  }
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Stream> self = std::move(self_);
    impl_->Ended(self, session_, party_,
                 status.ok() ? "the peer ended the connection" : status.error_message());
  }

 private:
  void Deliver(v1::Frame frame, std::function<void()> release) override {
    impl_->events.frame(session_, std::move(frame), std::move(release));
  }
  void SayEnd() override { StartWritesDone(); }
  void PeerEnded() override { Cut(); }
  void Abort() override {
    context_.TryCancel();
    if (!released_.exchange(true)) RemoveHold();
  }

  const std::shared_ptr<PeerTransport::Impl> impl_;
  const PartyId party_;
  const Hash spki_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  SessionId session_ = 0;
  std::atomic<bool> released_ = false;
  std::shared_ptr<Stream> self_;
};

class PeerServiceImpl
    : public v1::PeerService::WithRawCallbackMethod_Exchange<v1::PeerService::Service> {
 public:
  explicit PeerServiceImpl(std::weak_ptr<PeerTransport::Impl> impl) : impl_(std::move(impl)) {}

  ServerReactor* Exchange(grpc::CallbackServerContext* context) override {
    const std::shared_ptr<PeerTransport::Impl> impl = impl_.lock();
    const absl::StatusOr<Hash> spki = PeerSpki(*context->auth_context());
    const std::optional<PartyId> party =
        impl != nullptr && spki.ok() ? impl->pins->Find(*spki) : std::nullopt;
    if (!party.has_value()) {
      return new RefusedStream({grpc::StatusCode::UNAUTHENTICATED, "this key is not pinned here"});
    }
    auto stream = std::make_shared<ServerStream>(impl, context, *party, *spki);
    // In this order: a peer that has all its sessions takes no connection from others either.
    if (!impl->Take(stream, *party)) {
      return new RefusedStream({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many connections"});
    }
    if (!impl->acceptor->Admit(context->peer())) {
      impl->Drop(stream);
      return new RefusedStream({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many connections"});
    }
    stream->Begin();
    return stream.get();
  }

 private:
  const std::weak_ptr<PeerTransport::Impl> impl_;
};

}  // namespace

// ---- sessions

size_t PeerTransport::Impl::SessionsOf(const PartyId& party) const {
  return static_cast<size_t>(std::count_if(sessions.begin(), sessions.end(), [&](const auto& item) {
    return item.second.party == party;
  }));
}

bool PeerTransport::Impl::Take(const std::shared_ptr<Stream>& stream, const PartyId& party) {
  const std::lock_guard lock(mutex);
  if (stopping || SessionsOf(party) >= options.sessions_per_peer_max) return false;
  live.insert(stream);
  return true;
}

void PeerTransport::Impl::Drop(const std::shared_ptr<Stream>& stream) {
  const std::lock_guard lock(mutex);
  live.erase(stream);
  changed.notify_all();
}

SessionId PeerTransport::Impl::Open(const std::shared_ptr<Stream>& stream, const PartyId& party,
                                    const Hash& spki, bool dialled) {
  SessionId id = 0;
  {
    const std::lock_guard lock(mutex);
    id = next_session++;
    sessions[id] = {stream, party, spki, absl::InfiniteFuture(), ""};
    if (dialled) BackOff(party, /*failed=*/false);
  }
  events.opened({id, party, spki, dialled});
  return id;
}

void PeerTransport::Impl::Ended(const std::shared_ptr<Stream>& stream, SessionId session,
                                std::optional<PartyId> dialled, std::string reason) {
  {
    const std::lock_guard lock(mutex);
    if (const auto it = sessions.find(session); it != sessions.end()) {
      if (!it->second.reason.empty()) reason = it->second.reason;
      sessions.erase(it);
    }
    if (dialled.has_value()) {
      if (const auto it = targets.find(*dialled); it != targets.end()) {
        it->second.under_way = false;
        BackOff(*dialled, /*failed=*/true);
      }
    }
  }
  if (session != 0) events.closed(session, reason);
  {
    // Last: Stop waits for it.
    const std::lock_guard lock(mutex);
    live.erase(stream);
    changed.notify_all();
  }
}

// ---- dialling

// Full jitter around the doubled wait, so that nodes that lost each other do not come back in step.
void PeerTransport::Impl::BackOff(const PartyId& party, bool failed) {
  const auto it = targets.find(party);
  if (it == targets.end()) return;
  Dialling& dialling = it->second;
  if (!failed) {
    dialling.back_off = options.back_off_min;
    return;
  }
  std::array<uint8_t, 2> drawn{};
  entropy.Fill(drawn);
  const double spread = 0.5 + (drawn[0] * 256 + drawn[1]) / 65536.0;
  dialling.next_try = absl::Now() + dialling.back_off * spread;
  dialling.back_off = std::min(dialling.back_off * 2, options.back_off_max);
}

absl::Time PeerTransport::Impl::DialWhoIsDue(std::unique_lock<std::mutex>& lock) {
  std::vector<std::pair<Target, std::string>> due;
  absl::Time next = absl::InfiniteFuture();
  const absl::Time now = absl::Now();
  for (auto& [party, dialling] : targets) {
    const Target& target = dialling.target;
    if (!target.dial || target.addresses.empty() || dialling.under_way) continue;
    if (SessionsOf(party) > 0) continue;  // it dialled us; its end wakes this thread
    if (dialling.next_try > now) {
      next = std::min(next, dialling.next_try);
      continue;
    }
    dialling.under_way = true;
    due.emplace_back(target, target.addresses[dialling.next_address++ % target.addresses.size()]);
  }
  lock.unlock();
  for (const auto& [target, address] : due) Dial(target, address);
  lock.lock();
  return next;
}

absl::Time PeerTransport::Impl::CutOverdue(std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<Stream>> overdue;
  absl::Time next = absl::InfiniteFuture();
  const absl::Time now = absl::Now();
  for (auto& [id, session] : sessions) {
    if (session.cut_at <= now) {
      overdue.push_back(session.stream);
      session.cut_at = absl::InfiniteFuture();
    }
    next = std::min(next, session.cut_at);
  }
  lock.unlock();
  for (const std::shared_ptr<Stream>& stream : overdue) stream->Cut();
  lock.lock();
  return next;
}

void PeerTransport::Impl::RunDialler() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const absl::Time cut = CutOverdue(lock);
    const absl::Time dial = DialWhoIsDue(lock);
    if (stopping) return;
    const absl::Duration wait =
        std::clamp(std::min(cut, dial) - absl::Now(), absl::Milliseconds(1), absl::Seconds(1));
    changed.wait_for(lock, absl::ToChronoNanoseconds(wait));
  }
}

void PeerTransport::Impl::Dial(const Target& target, const std::string& address) {
  grpc::ChannelArguments args = ChannelDefaults();
  args.SetMaxReceiveMessageSize(kPeerMessageBytesMax);
  args.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
              static_cast<int>(absl::ToInt64Milliseconds(options.keepalive)));
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
              static_cast<int>(absl::ToInt64Milliseconds(options.connect_timeout)));
  const auto stream = std::make_shared<ClientStream>(
      shared_from_this(), target.party, target.spki,
      grpc::CreateCustomChannel(address, ClientTls(identity, target.spki), args));
  {
    const std::lock_guard lock(mutex);
    if (stopping) return;
    live.insert(stream);
  }
  stream->Begin();
}

// ---- listening

absl::Status PeerTransport::Impl::Listen() {
  Acceptor::Options acceptor_options = options.acceptor;
  acceptor_options.addresses = options.listen;
  absl::StatusOr<std::unique_ptr<Acceptor>> listening =
      Acceptor::Listen(std::move(acceptor_options));
  if (!listening.ok()) return listening.status();
  acceptor = *std::move(listening);

  service = std::make_unique<PeerServiceImpl>(weak_from_this());
  grpc::ServerBuilder builder;
  builder.RegisterService(service.get());
  for (const auto& [name, value] : PeerServerSettings(options)) {
    builder.AddChannelArgument(name, value);
  }
  grpc::ResourceQuota quota("peers");
  quota.Resize(options.memory_max);
  quota.SetMaxThreads(options.threads_max);
  builder.SetResourceQuota(quota);
  external = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      ServerTls(identity,
                [pins = pins](const Hash& spki) { return pins->Find(spki).has_value(); }));
  server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError("the peer server did not start");
  acceptor->Start([this](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.fd = fd;
    external->HandleNewConnection(&parameters);
  });
  return absl::OkStatus();
}

std::vector<std::pair<std::string, int>> PeerServerSettings(const PeerTransport::Options& options) {
  return {
      {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, kPeerMessageBytesMax},
      {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, kPeerMessageBytesMax},
      {GRPC_ARG_MAX_METADATA_SIZE, 8 << 10},
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(options.sessions_per_peer_max)},
      {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
       static_cast<int>(absl::ToInt64Milliseconds(options.connect_timeout))},
      {GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(absl::ToInt64Milliseconds(options.keepalive))},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000},
      {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
      {GRPC_ARG_ALLOW_REUSEPORT, 0},
      {GRPC_ARG_ENABLE_CHANNELZ, 0},
  };
}

// ---- the public face

PeerTransport::PeerTransport(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
PeerTransport::~PeerTransport() { Stop(); }

absl::StatusOr<std::unique_ptr<PeerTransport>> PeerTransport::Start(
    Options options, const crypto::TlsIdentity& identity, Entropy& entropy, Events events) {
  auto impl = std::make_shared<Impl>(std::move(options), entropy, std::move(events));
  impl->identity = {identity.certificate_pem, identity.private_key_pem.Clone()};
  if (absl::Status s = impl->Listen(); !s.ok()) return s;
  impl->dialler = std::thread([raw = impl.get()] { raw->RunDialler(); });
  return std::unique_ptr<PeerTransport>(new PeerTransport(std::move(impl)));
}

void PeerTransport::SetPeers(std::vector<Target> targets) {
  std::map<Hash, PartyId> pins;
  std::vector<std::shared_ptr<Stream>> gone;
  {
    const std::lock_guard lock(impl_->mutex);
    std::map<PartyId, Impl::Dialling> next;
    for (Target& target : targets) {
      pins[target.spki] = target.party;
      Impl::Dialling& dialling = next[target.party];
      if (const auto old = impl_->targets.find(target.party); old != impl_->targets.end()) {
        dialling = old->second;
      } else {
        dialling.back_off = impl_->options.back_off_min;
      }
      dialling.target = std::move(target);
    }
    for (const auto& [id, session] : impl_->sessions) {
      const auto trusted = next.find(session.party);
      if (trusted == next.end() || trusted->second.target.spki != session.spki) {
        gone.push_back(session.stream);
      }
    }
    impl_->targets = std::move(next);
    impl_->changed.notify_all();
  }
  impl_->pins->Set(std::move(pins));
  for (const std::shared_ptr<Stream>& stream : gone) stream->Cut();
}

void PeerTransport::Send(SessionId session, v1::Frame frame) {
  std::shared_ptr<Stream> stream;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto it = impl_->sessions.find(session);
    if (it == impl_->sessions.end()) return;
    stream = it->second.stream;
  }
  stream->Send(std::move(frame));
}

void PeerTransport::Close(SessionId session, std::string reason) {
  std::shared_ptr<Stream> stream;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto it = impl_->sessions.find(session);
    if (it == impl_->sessions.end()) return;
    it->second.reason = std::move(reason);
    it->second.cut_at = absl::Now() + impl_->options.close_grace;
    stream = it->second.stream;
    impl_->changed.notify_all();
  }
  if (stream->QueuedBytes() > kWorthSendingAtClose) return stream->Cut();
  stream->EndWhenSent();
}

void PeerTransport::DialNow() {
  const std::lock_guard lock(impl_->mutex);
  for (auto& [party, dialling] : impl_->targets) dialling.next_try = absl::InfinitePast();
  impl_->changed.notify_all();
}

void PeerTransport::Stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->stopped, true)) return;
    impl_->stopping = true;
    impl_->changed.notify_all();
  }
  impl_->dialler.join();
  impl_->acceptor->Stop();
  std::set<std::shared_ptr<Stream>> live;
  {
    const std::lock_guard lock(impl_->mutex);
    live = impl_->live;
  }
  for (const std::shared_ptr<Stream>& stream : live) stream->Cut();
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->live.empty(); });
}

std::vector<std::string> PeerTransport::listening() const { return impl_->acceptor->addresses(); }

size_t PeerTransport::QueuedBytes(SessionId session) const {
  std::shared_ptr<Stream> stream;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto it = impl_->sessions.find(session);
    if (it == impl_->sessions.end()) return 0;
    stream = it->second.stream;
  }
  return stream->QueuedBytes();
}

Acceptor::Counts PeerTransport::connections() const { return impl_->acceptor->counts(); }

}  // namespace entente::transport

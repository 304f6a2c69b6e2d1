#include "node/relay/relay_service.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "entente/v1/relay.grpc.pb.h"
#include "node/relay/relay_admin.h"
#include "node/transport/tls.h"

namespace entente::relay {
namespace {

constexpr size_t kParcelsPerFetchMax = 64;

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(ToStd(status.message()))};
}

// A Fetch that waits. It belongs to gRPC, which calls OnDone after Finish, and to the list of the
// service until it is answered or cancelled: whoever takes it off the list may Finish it.
class FetchCall : public grpc::ServerUnaryReactor {
 public:
  explicit FetchCall(std::function<bool(FetchCall*)> take) : take_(std::move(take)) {}
  void OnCancel() override {
    if (take_(this)) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

  Hash fetcher;
  size_t parcels_max = 0;
  absl::Time until;
  v1::FetchResponse* response = nullptr;

 private:
  const std::function<bool(FetchCall*)> take_;
};

}  // namespace

struct RelayService::Impl : v1::RelayService::CallbackService {
  Impl(Options given, RelayCore& relay_core) : options(std::move(given)), core(relay_core) {}

  const Options options;
  RelayCore& core;
  Hash spki;
  const std::shared_ptr<transport::PinSet> pins = std::make_shared<transport::PinSet>();

  std::mutex mutex;  // guards core and everything below
  std::condition_variable changed;
  std::list<FetchCall*> waiting;
  absl::Time next_expiry;
  bool stopping = false;
  std::thread timer;

  std::unique_ptr<transport::Acceptor> acceptor;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> external;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<RelayAdmin> admin;

  absl::Status Listen(const crypto::TlsIdentity& identity);
  absl::Status StartAdmin();
  void RunTimer();
  void Stop(absl::Duration grace);

  // With the mutex held.
  void RefreshPins() { pins->Set(core.Pins()); }
  bool TryAnswer(FetchCall& call);
  bool Take(FetchCall* call);

  // OK and the caller's key, or why it is not let in.
  absl::StatusOr<Hash> Caller(grpc::CallbackServerContext* context);

  template <class Work>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const Work& work) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::StatusOr<Hash> caller = Caller(context);
    absl::Status status = caller.status();
    if (caller.ok()) {
      const std::lock_guard lock(mutex);
      status = work(*caller);
    }
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

  grpc::ServerUnaryReactor* OpenMailboxes(grpc::CallbackServerContext* context,
                                          const v1::OpenMailboxesRequest* request,
                                          v1::OpenMailboxesResponse* response) override;
  grpc::ServerUnaryReactor* Deposit(grpc::CallbackServerContext* context,
                                    const v1::DepositRequest* request,
                                    v1::DepositResponse* response) override;
  grpc::ServerUnaryReactor* Fetch(grpc::CallbackServerContext* context,
                                  const v1::FetchRequest* request,
                                  v1::FetchResponse* response) override;
  grpc::ServerUnaryReactor* Acknowledge(grpc::CallbackServerContext* context,
                                        const v1::AcknowledgeRequest* request,
                                        v1::AcknowledgeResponse* response) override;
};

absl::StatusOr<Hash> RelayService::Impl::Caller(grpc::CallbackServerContext* context) {
  const absl::StatusOr<Hash> key = transport::PeerSpki(*context->auth_context());
  if (!key.ok()) return key;
  // The key may have lost its pin since the handshake.
  if (!pins->Find(*key).has_value()) {
    return absl::UnauthenticatedError("this key is not known here [NOT_ADMITTED]");
  }
  if (!acceptor->Admit(context->peer())) {
    return absl::ResourceExhaustedError("too many connections [BUSY]");
  }
  return key;
}

grpc::ServerUnaryReactor* RelayService::Impl::OpenMailboxes(grpc::CallbackServerContext* context,
                                                            const v1::OpenMailboxesRequest* request,
                                                            v1::OpenMailboxesResponse*) {
  return Answer(context, [&](const Hash& caller) -> absl::Status {
    std::vector<RelayCore::Registration> mailboxes;
    for (const v1::MailboxRegistration& asked : request->mailboxes()) {
      const auto id = MailboxId::From(asked.mailbox_id());
      const auto deposit = Hash::From(asked.deposit_spki_sha256());
      if (!id.ok() || !deposit.ok()) return absl::InvalidArgumentError("a malformed mailbox");
      mailboxes.push_back({*id, *deposit});
    }
    if (absl::Status s = core.OpenMailboxes(caller, mailboxes, options.clock()); !s.ok()) return s;
    RefreshPins();
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RelayService::Impl::Deposit(grpc::CallbackServerContext* context,
                                                      const v1::DepositRequest* request,
                                                      v1::DepositResponse* response) {
  return Answer(context, [&](const Hash& caller) -> absl::Status {
    const absl::StatusOr<RelayCore::Deposited> deposited =
        core.Deposit(caller, request->parcel(), options.clock());
    if (!deposited.ok()) return deposited.status();
    response->set_erased_at_latest(absl::ToUnixSeconds(deposited->erased_at_latest));
    changed.notify_all();  // somebody may wait for it
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RelayService::Impl::Acknowledge(grpc::CallbackServerContext* context,
                                                          const v1::AcknowledgeRequest* request,
                                                          v1::AcknowledgeResponse*) {
  return Answer(context, [&](const Hash& caller) -> absl::Status {
    std::vector<ParcelId> ids;
    for (const std::string& raw : request->parcel_ids()) {
      const auto id = ParcelId::From(raw);
      if (!id.ok()) return absl::InvalidArgumentError("a malformed parcel id");
      ids.push_back(*id);
    }
    return core.Acknowledge(caller, ids);
  });
}

grpc::ServerUnaryReactor* RelayService::Impl::Fetch(grpc::CallbackServerContext* context,
                                                    const v1::FetchRequest* request,
                                                    v1::FetchResponse* response) {
  const absl::StatusOr<Hash> caller = Caller(context);
  if (!caller.ok()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(caller.status()));
    return reactor;
  }
  auto* call = new FetchCall([this](FetchCall* cancelled) {
    const std::lock_guard lock(mutex);
    return Take(cancelled);
  });
  call->fetcher = *caller;
  call->parcels_max = std::clamp<size_t>(request->parcels_max(), 1, kParcelsPerFetchMax);
  call->response = response;
  const absl::Duration wait = std::min(absl::Seconds(request->wait_seconds()), options.wait_max);
  const std::lock_guard lock(mutex);
  call->until = absl::Now() + wait;
  if (TryAnswer(*call)) return call;
  if (stopping || wait == absl::ZeroDuration() || waiting.size() >= options.waiting_max) {
    call->Finish(grpc::Status::OK);
  } else {
    waiting.push_back(call);
    changed.notify_all();
  }
  return call;
}

// True when it was answered; it must not be touched any more.
bool RelayService::Impl::TryAnswer(FetchCall& call) {
  absl::StatusOr<std::vector<RelayCore::Fetched>> fetched =
      core.Fetch(call.fetcher, call.parcels_max, options.clock());
  if (fetched.ok() && fetched->empty()) return false;
  if (fetched.ok()) {
    for (RelayCore::Fetched& parcel : *fetched) {
      v1::WaitingParcel* out = call.response->add_parcels();
      out->set_parcel_id(parcel.id.str());
      out->set_parcel(std::move(parcel.bytes));
    }
  }
  call.Finish(ToGrpc(fetched.status()));
  return true;
}

bool RelayService::Impl::Take(FetchCall* call) {
  const auto it = std::find(waiting.begin(), waiting.end(), call);
  if (it == waiting.end()) return false;
  waiting.erase(it);
  return true;
}

void RelayService::Impl::RunTimer() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const absl::Time now = absl::Now();
    absl::Time next = now + options.wait_max;
    for (auto it = waiting.begin(); it != waiting.end();) {
      FetchCall* call = *it;
      bool done = TryAnswer(*call);
      if (!done && call->until <= now) {
        call->Finish(grpc::Status::OK);
        done = true;
      }
      if (!done) next = std::min(next, call->until);
      it = done ? waiting.erase(it) : std::next(it);
    }
    if (const absl::Time today = options.clock(); today >= next_expiry) {
      // A relay that cannot erase says so to its operator through the next calls that fail alike.
      core.Expire(today).IgnoreError();
      RefreshPins();
      next_expiry = today + options.expire_every;
    }
    changed.wait_for(lock, absl::ToChronoNanoseconds(
                               std::clamp(next - now, absl::Milliseconds(1), absl::Seconds(60))));
  }
  for (FetchCall* call : waiting) call->Finish(grpc::Status::OK);
  waiting.clear();
}

absl::Status RelayService::Impl::Listen(const crypto::TlsIdentity& identity) {
  absl::StatusOr<std::unique_ptr<transport::Acceptor>> listening =
      transport::Acceptor::Listen(options.acceptor);
  if (!listening.ok()) return listening.status();
  acceptor = *std::move(listening);
  grpc::ServerBuilder builder;
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(transport::kMessageBytesMax);
  builder.SetMaxSendMessageSize(transport::kMessageBytesMax * 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  external = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      transport::ServerTls(identity,
                           [pins = pins](const Hash& key) { return pins->Find(key).has_value(); }));
  server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError("the relay did not start");
  acceptor->Start([this](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.fd = fd;
    external->HandleNewConnection(&parameters);
  });
  return absl::OkStatus();
}

absl::Status RelayService::Impl::StartAdmin() {
  RelayAdmin::Hooks hooks;
  hooks.admit = [this](const AdmittedNode& node) -> absl::Status {
    const std::lock_guard lock(mutex);
    if (absl::Status s = core.Admit(node); !s.ok()) return s;
    RefreshPins();
    return absl::OkStatus();
  };
  hooks.status = [this] {
    v1::GetRelayStatusResponse out;
    const std::lock_guard lock(mutex);
    const RelayCore::Totals totals = core.totals();
    out.set_admitted(static_cast<uint32_t>(totals.nodes));
    out.set_mailboxes(static_cast<uint32_t>(totals.mailboxes));
    out.set_parcels(totals.parcels);
    out.set_bytes(totals.bytes);
    out.set_oldest(totals.oldest);
    out.mutable_route()->set_address(options.address.empty() ? acceptor->addresses().front()
                                                             : options.address);
    out.mutable_route()->set_tls_spki_sha256(spki.str());
    return out;
  };
  absl::StatusOr<std::unique_ptr<RelayAdmin>> started =
      RelayAdmin::Start(options.data_dir, std::move(hooks));
  if (!started.ok()) return started.status();
  admin = *std::move(started);
  return absl::OkStatus();
}

void RelayService::Impl::Stop(absl::Duration grace) {
  admin.reset();
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(stopping, true)) return;
    changed.notify_all();
  }
  if (timer.joinable()) timer.join();
  if (acceptor != nullptr) acceptor->Stop();
  if (server != nullptr) {
    server->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
    server->Wait();
  }
}

absl::StatusOr<std::unique_ptr<RelayService>> RelayService::Start(
    Options options, const crypto::TlsIdentity& identity, RelayCore& core) {
  auto impl = std::make_unique<Impl>(std::move(options), core);
  Impl& relay = *impl;
  // Built before it is judged, so that what was started is stopped like any other.
  std::unique_ptr<RelayService> service(new RelayService(std::move(impl)));
  const absl::StatusOr<Hash> spki = crypto::SpkiSha256(identity.certificate_pem);
  if (!spki.ok()) return spki.status();
  relay.spki = *spki;
  relay.RefreshPins();
  relay.next_expiry = relay.options.clock() + relay.options.expire_every;
  if (absl::Status s = relay.Listen(identity); !s.ok()) return s;
  relay.timer = std::thread([&relay] { relay.RunTimer(); });
  if (absl::Status s = relay.StartAdmin(); !s.ok()) return s;
  return service;
}

RelayService::RelayService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelayService::~RelayService() { Stop(); }

void RelayService::Stop(absl::Duration grace) { impl_->Stop(grace); }

std::string RelayService::address() const { return impl_->acceptor->addresses().front(); }
Hash RelayService::spki() const { return impl_->spki; }
std::string RelayService::admin_address() const { return impl_->admin->address(); }

}  // namespace entente::relay

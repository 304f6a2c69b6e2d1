#include "node/transport/relay_client.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "entente/v1/relay.grpc.pb.h"
#include "node/transport/tls.h"

namespace entente::transport {
namespace {

constexpr uint32_t kParcelsPerFetch = 1;
constexpr uint32_t kLongPollSeconds = 20;
constexpr absl::Duration kRetryMin = absl::Milliseconds(300);
constexpr absl::Duration kRetryMax = absl::Seconds(20);
// Parcels that wait for a relay that cannot be reached; beyond it the oldest is given up, and the
// next comparison of digests sends its entries again.
constexpr size_t kWaitingMax = 256;

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::unique_ptr<v1::RelayService::Stub> Connect(const v1::RelayRoute& relay,
                                                const crypto::TlsIdentity& identity) {
  const absl::StatusOr<Hash> spki = Hash::From(relay.tls_spki_sha256());
  if (!spki.ok()) return nullptr;
  return v1::RelayService::NewStub(
      grpc::CreateCustomChannel(relay.address(), ClientTls(identity, *spki), ChannelDefaults()));
}

}  // namespace

struct RelayClient::Impl {
  crypto::TlsIdentity identity;
  absl::Duration cadence;
  Events events;

  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::vector<Route> routes;
  uint64_t routes_version = 0;
  std::vector<std::thread> fetchers;
  std::set<grpc::ClientContext*> calls;

  struct Outbox {
    struct Item {
      uint64_t seq;
      std::string parcel;
    };
    std::deque<Item> items;
    std::thread sender;
  };
  std::map<PartyId, Outbox> outboxes;

  bool Sleep(absl::Duration d) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, absl::ToChronoNanoseconds(d), [this] { return stopping; });
    return !stopping;
  }

  // A call that Stop can cancel.
  template <class F>
  absl::Status Call(absl::Duration timeout, const F& call) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    {
      const std::lock_guard lock(mutex);
      if (stopping) return absl::CancelledError("stopping");
      calls.insert(&context);
    }
    const absl::Status status = ToAbsl(call(&context));
    const std::lock_guard lock(mutex);
    calls.erase(&context);
    return status;
  }

  void Fetch(const v1::RelayRoute& relay);
  absl::Status Register(v1::RelayService::Stub& stub, uint64_t* registered);
  void SendAll(const PartyId& peer);
  absl::Status DepositOnce(const PartyId& peer, const std::string& parcel,
                           std::map<std::string, std::unique_ptr<v1::RelayService::Stub>>& stubs);
};

absl::Status RelayClient::Impl::Register(v1::RelayService::Stub& stub, uint64_t* registered) {
  v1::OpenMailboxesRequest request;
  uint64_t version = 0;
  {
    const std::lock_guard lock(mutex);
    version = routes_version;
    if (version == *registered) return absl::OkStatus();
    for (const Route& route : routes) {
      const absl::StatusOr<crypto::Secret32> seed =
          crypto::Secret32::From(route.incoming.deposit_seed);
      if (!seed.ok()) continue;
      const auto key = crypto::TlsIdentityFromSeed(*seed, "mailbox");
      const auto spki = key.ok() ? crypto::SpkiSha256(key->certificate_pem)
                                 : absl::StatusOr<Hash>(key.status());
      if (!spki.ok()) continue;
      v1::MailboxRegistration* mailbox = request.add_mailboxes();
      mailbox->set_mailbox_id(route.incoming.id.str());
      mailbox->set_deposit_spki_sha256(spki->str());
    }
  }
  v1::OpenMailboxesResponse response;
  const absl::Status s = Call(absl::Seconds(20), [&](grpc::ClientContext* context) {
    return stub.OpenMailboxes(context, request, &response);
  });
  if (s.ok()) *registered = version;
  return s;
}

void RelayClient::Impl::Fetch(const v1::RelayRoute& relay) {
  const std::shared_ptr<v1::RelayService::Stub> stub = Connect(relay, identity);
  if (stub == nullptr) return;
  uint64_t registered = 0;
  absl::Duration retry = kRetryMin;
  for (;;) {
    {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return stopping || !routes.empty(); });
      if (stopping) return;
    }
    v1::FetchResponse response;
    absl::Status status = Register(*stub, &registered);
    if (status.ok()) {
      v1::FetchRequest request;
      request.set_parcels_max(kParcelsPerFetch);
      request.set_wait_seconds(cadence == absl::ZeroDuration() ? kLongPollSeconds : 0);
      status = Call(absl::Seconds(kLongPollSeconds + 20), [&](grpc::ClientContext* context) {
        return stub->Fetch(context, request, &response);
      });
    }
    if (!status.ok()) {
      if (!Sleep(retry)) return;
      retry = std::min(retry * 2, kRetryMax);
      registered = 0;
      continue;
    }
    retry = kRetryMin;
    for (v1::WaitingParcel& waiting : *response.mutable_parcels()) {
      // The next parcel is asked for only when this one is durable and acknowledged.
      auto done = std::make_shared<std::pair<std::mutex, std::condition_variable>>();
      auto durable = std::make_shared<bool>(false);
      events.fetched(std::move(*waiting.mutable_parcel()), [done, durable] {
        const std::lock_guard lock(done->first);
        *durable = true;
        done->second.notify_all();
      });
      {
        std::unique_lock lock(done->first);
        done->second.wait_for(lock, std::chrono::seconds(30), [&] { return *durable; });
        if (!*durable) break;
      }
      v1::AcknowledgeRequest acknowledge;
      acknowledge.add_parcel_ids(waiting.parcel_id());
      v1::AcknowledgeResponse ignored;
      static_cast<void>(Call(absl::Seconds(20), [&](grpc::ClientContext* context) {
        return stub->Acknowledge(context, acknowledge, &ignored);
      }));
    }
    if (cadence != absl::ZeroDuration() && response.parcels_size() == 0 && !Sleep(cadence)) return;
  }
}

absl::Status RelayClient::Impl::DepositOnce(
    const PartyId& peer, const std::string& parcel,
    std::map<std::string, std::unique_ptr<v1::RelayService::Stub>>& stubs) {
  Route route;
  {
    const std::lock_guard lock(mutex);
    const auto it = std::find_if(routes.begin(), routes.end(),
                                 [&](const Route& candidate) { return candidate.peer == peer; });
    if (it == routes.end()) return absl::UnavailableError("no relay leads to this body");
    route = *it;
  }
  absl::Status status = absl::UnavailableError("the body's card names no relay");
  for (const v1::RelayRoute& relay : route.relays) {
    std::unique_ptr<v1::RelayService::Stub>& stub = stubs[relay.address()];
    if (stub == nullptr) {
      const auto seed = crypto::Secret32::From(route.outgoing.deposit_seed);
      const auto key = seed.ok() ? crypto::TlsIdentityFromSeed(*seed, "mailbox")
                                 : absl::StatusOr<crypto::TlsIdentity>(seed.status());
      if (!key.ok()) return key.status();
      stub = Connect(relay, *key);
      if (stub == nullptr) return absl::InvalidArgumentError("a relay without a key");
    }
    v1::DepositRequest request;
    request.set_parcel(parcel);
    v1::DepositResponse response;
    status = Call(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub->Deposit(context, request, &response);
    });
    if (status.ok()) return status;
  }
  return status;
}

void RelayClient::Impl::SendAll(const PartyId& peer) {
  std::map<std::string, std::unique_ptr<v1::RelayService::Stub>> stubs;
  absl::Duration retry = kRetryMin;
  for (;;) {
    Outbox::Item item;
    {
      std::unique_lock lock(mutex);
      Outbox& outbox = outboxes[peer];
      wake.wait(lock, [&] { return stopping || !outbox.items.empty(); });
      if (stopping) return;
      item = outbox.items.front();
    }
    const absl::Status status = DepositOnce(peer, item.parcel, stubs);
    if (!status.ok() && !absl::IsInvalidArgument(status)) {
      // Not there, not yet known there, or full: the order of parcels is kept, so this one waits.
      if (!Sleep(retry)) return;
      retry = std::min(retry * 2, kRetryMax);
      continue;
    }
    retry = kRetryMin;
    {
      const std::lock_guard lock(mutex);
      std::deque<Outbox::Item>& items = outboxes[peer].items;
      if (!items.empty() && items.front().seq == item.seq) items.pop_front();
    }
    events.deposited(peer, item.seq, status);
  }
}

RelayClient::RelayClient(const crypto::TlsIdentity& identity,
                         std::vector<v1::RelayRoute> own_relays, absl::Duration cadence,
                         Events events)
    : impl_(std::make_shared<Impl>()) {
  impl_->identity = {identity.certificate_pem, identity.private_key_pem.Clone()};
  impl_->cadence = cadence;
  impl_->events = std::move(events);
  for (const v1::RelayRoute& relay : own_relays) {
    impl_->fetchers.emplace_back([impl = impl_.get(), relay] { impl->Fetch(relay); });
  }
}

RelayClient::~RelayClient() { Stop(); }

void RelayClient::SetRoutes(std::vector<Route> routes) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->routes = std::move(routes);
    ++impl_->routes_version;
  }
  impl_->wake.notify_all();
}

void RelayClient::Deposit(const PartyId& peer, uint64_t seq, std::string parcel) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    Impl::Outbox& outbox = impl_->outboxes[peer];
    if (outbox.items.size() >= kWaitingMax) outbox.items.pop_front();
    outbox.items.push_back({seq, std::move(parcel)});
    if (!outbox.sender.joinable()) {
      outbox.sender = std::thread([impl = impl_.get(), peer] { impl->SendAll(peer); });
    }
  }
  impl_->wake.notify_all();
}

void RelayClient::Stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (grpc::ClientContext* call : impl_->calls) call->TryCancel();
    threads = std::move(impl_->fetchers);
    impl_->fetchers.clear();
    for (auto& [peer, outbox] : impl_->outboxes) {
      if (outbox.sender.joinable()) threads.push_back(std::move(outbox.sender));
    }
  }
  impl_->wake.notify_all();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace entente::transport

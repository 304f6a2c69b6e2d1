#include "node/transport/relay_client.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "crypto/parcel_header.h"
#include "entente/v1/relay.grpc.pb.h"
#include "node/transport/tls.h"

namespace entente::transport {
namespace {

constexpr uint32_t kParcelsPerFetch = 16;
constexpr absl::Duration kDurableWithin = absl::Seconds(60);
constexpr absl::Duration kPollMargin = absl::Seconds(15);

using Stub = v1::RelayService::Stub;

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::StatusOr<std::unique_ptr<Stub>> Connect(const v1::RelayRoute& relay,
                                              const crypto::TlsIdentity& identity) {
  const absl::StatusOr<Hash> spki = Hash::From(relay.tls_spki_sha256());
  if (!spki.ok()) {
    return absl::InvalidArgumentError(
        Cat("the card names relay ", relay.address(), " without its key [BAD_RELAY]"));
  }
  return v1::RelayService::NewStub(
      grpc::CreateCustomChannel(relay.address(), ClientTls(identity, *spki), ChannelDefaults()));
}

absl::StatusOr<crypto::TlsIdentity> DepositIdentity(const RelayClient::Mailbox& mailbox) {
  const absl::StatusOr<crypto::Secret32> seed = crypto::Secret32::From(mailbox.deposit_seed);
  if (!seed.ok()) return seed.status();
  return crypto::TlsIdentityFromSeed(*seed, "mailbox");
}

// Counts down as what it was made for becomes durable.
class Latch {
 public:
  explicit Latch(size_t count) : left_(count) {}
  void Down() {
    const std::lock_guard lock(mutex_);
    if (left_ > 0) --left_;
    done_.notify_all();
  }
  bool Wait(absl::Duration limit, const std::function<bool()>& abandoned) {
    const absl::Time until = absl::Now() + limit;
    std::unique_lock lock(mutex_);
    while (left_ > 0 && absl::Now() < until && !abandoned()) {
      done_.wait_for(lock, std::chrono::milliseconds(100));
    }
    return left_ == 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  size_t left_;
};

}  // namespace

struct RelayClient::Impl {
  Impl(Options given, const crypto::TlsIdentity& own, Entropy& source, Events outlets)
      : options(given),
        identity{own.certificate_pem, own.private_key_pem.Clone()},
        entropy(source),
        events(std::move(outlets)) {}

  const Options options;
  const crypto::TlsIdentity identity;
  Entropy& entropy;
  const Events events;

  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::vector<Route> routes;
  uint64_t mailboxes_version = 0;  // grows when the set of own mailboxes changes
  std::vector<std::thread> fetchers;
  std::set<grpc::ClientContext*> calls;
  std::map<std::string, std::string> problems;  // by relay address

  struct Waiting {
    uint64_t seq;
    std::string parcel;
  };
  struct Outbox {
    std::deque<Waiting> items;
    size_t bytes = 0;
    std::thread sender;
  };
  std::map<PartyId, Outbox> outboxes;
  std::map<MailboxId, std::string> outgoing;  // every mailbox ever deposited into: its deposit seed

  bool Stopping() {
    const std::lock_guard lock(mutex);
    return stopping;
  }
  // False when it is time to stop.
  bool Sleep(absl::Duration d) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, absl::ToChronoNanoseconds(d), [this] { return stopping; });
    return !stopping;
  }
  // Between 0.8 and 1.2 of it.
  absl::Duration Spread(absl::Duration d) {
    std::array<uint8_t, 1> drawn{};
    entropy.Fill(drawn);
    return d * (0.8 + 0.4 * drawn[0] / 255.0);
  }
  void Note(const std::string& address, const absl::Status& status);

  // A call that Stop can cancel.
  template <class F>
  absl::Status Call(absl::Duration timeout, const F& call) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    {
      const std::lock_guard lock(mutex);
      if (stopping) return absl::CancelledError("the node is stopping");
      calls.insert(&context);
    }
    const absl::Status status = ToAbsl(call(&context));
    const std::lock_guard lock(mutex);
    calls.erase(&context);
    return status;
  }

  void RunFetcher(const v1::RelayRoute& relay);
  absl::Status OpenMailboxes(Stub& stub, uint64_t* opened);
  absl::StatusOr<size_t> FetchOnce(Stub& stub);
  void RunSender(const PartyId& peer);
  absl::Status DepositOnce(const PartyId& peer, const std::string& parcel,
                           std::map<std::string, std::unique_ptr<Stub>>& stubs, bool* outdated);
  bool Next(const PartyId& peer, Waiting* item);
  void Left(const PartyId& peer, uint64_t seq);
};

void RelayClient::Impl::Note(const std::string& address, const absl::Status& status) {
  if (absl::IsCancelled(status)) return;
  const std::string text(ToStd(status.message()));
  {
    const std::lock_guard lock(mutex);
    const auto [it, fresh] = problems.try_emplace(address, "");
    if (it->second == text) return;
    it->second = text;
  }
  events.state(address, status);
}

// ---- fetching

absl::Status RelayClient::Impl::OpenMailboxes(Stub& stub, uint64_t* opened) {
  std::vector<Route> now;
  uint64_t version = 0;
  {
    const std::lock_guard lock(mutex);
    if (mailboxes_version == *opened) return absl::OkStatus();
    version = mailboxes_version;
    now = routes;
  }
  v1::OpenMailboxesRequest request;
  for (const Route& route : now) {
    for (const Mailbox& incoming : route.incoming) {
      const absl::StatusOr<crypto::TlsIdentity> key = DepositIdentity(incoming);
      if (!key.ok()) return key.status();
      const absl::StatusOr<Hash> spki = crypto::SpkiSha256(key->certificate_pem);
      if (!spki.ok()) return spki.status();
      v1::MailboxRegistration* mailbox = request.add_mailboxes();
      mailbox->set_mailbox_id(incoming.id.str());
      mailbox->set_deposit_spki_sha256(spki->str());
    }
  }
  v1::OpenMailboxesResponse response;
  const absl::Status status = Call(options.call_timeout, [&](grpc::ClientContext* context) {
    return stub.OpenMailboxes(context, request, &response);
  });
  if (status.ok()) *opened = version;
  return status;
}

// The number of parcels that came and are durable here.
absl::StatusOr<size_t> RelayClient::Impl::FetchOnce(Stub& stub) {
  const bool immediate = options.cadence == absl::ZeroDuration();
  v1::FetchRequest request;
  request.set_parcels_max(kParcelsPerFetch);
  request.set_wait_seconds(
      immediate ? static_cast<uint32_t>(absl::ToInt64Seconds(options.poll_wait)) : 0);
  v1::FetchResponse response;
  absl::Status status = Call(options.poll_wait + kPollMargin, [&](grpc::ClientContext* context) {
    return stub.Fetch(context, request, &response);
  });
  if (!status.ok()) return status;
  if (response.parcels().empty()) return size_t{0};
  const auto latch = std::make_shared<Latch>(static_cast<size_t>(response.parcels_size()));
  v1::AcknowledgeRequest acknowledge;
  for (v1::WaitingParcel& waiting : *response.mutable_parcels()) {
    acknowledge.add_parcel_ids(waiting.parcel_id());
    events.fetched(std::move(*waiting.mutable_parcel()), [latch] { latch->Down(); });
  }
  if (!latch->Wait(kDurableWithin, [this] { return Stopping(); })) {
    return absl::DeadlineExceededError("fetched parcels were not stored in time");
  }
  v1::AcknowledgeResponse ignored;
  status = Call(options.call_timeout, [&](grpc::ClientContext* context) {
    return stub.Acknowledge(context, acknowledge, &ignored);
  });
  if (!status.ok()) return status;
  return static_cast<size_t>(response.parcels_size());
}

void RelayClient::Impl::RunFetcher(const v1::RelayRoute& relay) {
  const absl::StatusOr<std::unique_ptr<Stub>> stub = Connect(relay, identity);
  if (!stub.ok()) return Note(relay.address(), stub.status());
  uint64_t opened = 0;
  absl::Duration retry = options.retry_min;
  for (;;) {
    {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return stopping || !routes.empty(); });
      if (stopping) return;
    }
    absl::Status status = OpenMailboxes(**stub, &opened);
    size_t came = 0;
    if (status.ok()) {
      const absl::StatusOr<size_t> fetched = FetchOnce(**stub);
      status = fetched.status();
      if (fetched.ok()) came = *fetched;
    }
    Note(relay.address(), status);
    if (!status.ok()) {
      opened = 0;
      if (!Sleep(Spread(retry))) return;
      retry = std::min(retry * 2, options.retry_max);
      continue;
    }
    retry = options.retry_min;
    const bool waits = options.cadence != absl::ZeroDuration() && came == 0;
    if (waits && !Sleep(Spread(options.cadence))) return;
  }
}

// ---- depositing

absl::Status RelayClient::Impl::DepositOnce(const PartyId& peer, const std::string& parcel,
                                            std::map<std::string, std::unique_ptr<Stub>>& stubs,
                                            bool* outdated) {
  Route route;
  Mailbox mailbox;
  const absl::StatusOr<crypto::ParcelHeader> header = crypto::ParseParcelHeader(parcel);
  if (!header.ok()) return header.status();
  {
    const std::lock_guard lock(mutex);
    const auto it = std::find_if(routes.begin(), routes.end(),
                                 [&](const Route& candidate) { return candidate.peer == peer; });
    if (it == routes.end()) return absl::UnavailableError("no relay leads to this body");
    route = *it;
    const auto known = outgoing.find(header->mailbox);
    // Sealed under keys so new that the way to their mailbox has not been told here yet.
    if (known == outgoing.end()) return absl::UnavailableError("its mailbox is not known yet");
    mailbox = {known->first, known->second};
  }
  *outdated = header->mailbox != route.outgoing.id;
  absl::Status status = absl::UnavailableError("the body's card names no relay");
  for (const v1::RelayRoute& relay : route.relays) {
    std::unique_ptr<Stub>& stub = stubs[Cat(relay.address(), mailbox.id.view())];
    if (stub == nullptr) {
      const absl::StatusOr<crypto::TlsIdentity> key = DepositIdentity(mailbox);
      if (!key.ok()) return key.status();
      absl::StatusOr<std::unique_ptr<Stub>> connected = Connect(relay, *key);
      if (!connected.ok()) return connected.status();
      stub = *std::move(connected);
    }
    v1::DepositRequest request;
    request.set_parcel(parcel);
    v1::DepositResponse response;
    status = Call(options.call_timeout, [&](grpc::ClientContext* context) {
      return stub->Deposit(context, request, &response);
    });
    if (status.ok()) return status;
  }
  return status;
}

bool RelayClient::Impl::Next(const PartyId& peer, Waiting* item) {
  std::unique_lock lock(mutex);
  Outbox& outbox = outboxes[peer];
  wake.wait(lock, [&] { return stopping || !outbox.items.empty(); });
  if (stopping) return false;
  *item = outbox.items.front();
  return true;
}

void RelayClient::Impl::Left(const PartyId& peer, uint64_t seq) {
  const std::lock_guard lock(mutex);
  Outbox& outbox = outboxes[peer];
  if (outbox.items.empty() || outbox.items.front().seq != seq) return;
  outbox.bytes -= outbox.items.front().parcel.size();
  outbox.items.pop_front();
}

void RelayClient::Impl::RunSender(const PartyId& peer) {
  std::map<std::string, std::unique_ptr<Stub>> stubs;
  absl::Duration retry = options.retry_min;
  Waiting item;
  while (Next(peer, &item)) {
    bool outdated = false;
    const absl::Status status = DepositOnce(peer, item.parcel, stubs, &outdated);
    if (!status.ok() && !absl::IsInvalidArgument(status) && !outdated) {
      // Not there, not yet open, or full. A key that was refused at the handshake stays with the
      // connection's back-off, so the next attempt begins with a fresh one.
      stubs.clear();
      if (!Sleep(Spread(retry))) return;
      retry = std::min(retry * 2, options.retry_max);
      continue;
    }
    retry = options.retry_min;
    Left(peer, item.seq);
    events.deposited(peer, item.seq, status);
  }
}

// ---- the public face

RelayClient::RelayClient(Options options, const crypto::TlsIdentity& identity,
                         const std::vector<v1::RelayRoute>& own_relays, Entropy& entropy,
                         Events events)
    : impl_(std::make_unique<Impl>(options, identity, entropy, std::move(events))) {
  for (const v1::RelayRoute& relay : own_relays) {
    impl_->fetchers.emplace_back([impl = impl_.get(), relay] { impl->RunFetcher(relay); });
  }
}

RelayClient::~RelayClient() { Stop(); }

void RelayClient::SetRoutes(std::vector<Route> routes) {
  const auto same_mailbox = [](const Route& a, const Route& b) { return a.incoming == b.incoming; };
  {
    const std::lock_guard lock(impl_->mutex);
    if (!std::equal(routes.begin(), routes.end(), impl_->routes.begin(), impl_->routes.end(),
                    same_mailbox)) {
      ++impl_->mailboxes_version;
      // A long poll under way does not know the new mailboxes yet.
      for (grpc::ClientContext* call : impl_->calls) call->TryCancel();
    }
    for (const Route& route : routes) {
      impl_->outgoing.try_emplace(route.outgoing.id, route.outgoing.deposit_seed);
    }
    impl_->routes = std::move(routes);
  }
  impl_->wake.notify_all();
}

void RelayClient::Deposit(const PartyId& peer, uint64_t seq, std::string parcel) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    Impl::Outbox& outbox = impl_->outboxes[peer];
    outbox.bytes += parcel.size();
    outbox.items.push_back({seq, std::move(parcel)});
    while (outbox.bytes > impl_->options.waiting_bytes_max && outbox.items.size() > 1) {
      outbox.bytes -= outbox.items.front().parcel.size();
      outbox.items.pop_front();
    }
    if (!outbox.sender.joinable()) {
      outbox.sender = std::thread([impl = impl_.get(), peer] { impl->RunSender(peer); });
    }
  }
  impl_->wake.notify_all();
}

void RelayClient::Stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->stopping, true)) return;
    for (grpc::ClientContext* call : impl_->calls) call->TryCancel();
    threads = std::move(impl_->fetchers);
    for (auto& [peer, outbox] : impl_->outboxes) threads.push_back(std::move(outbox.sender));
  }
  impl_->wake.notify_all();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace entente::transport

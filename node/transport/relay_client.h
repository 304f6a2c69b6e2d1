// One node's dealings with blind relays: opens its mailboxes, fetches what waits in them, leaves
// parcels in those of others. Protocol §10.
//
// Fetching: one thread per own relay, dialling out with the node's own TLS key. With a cadence it
// empties the mailboxes once per period (± a fifth, so that a relay does not see two nodes beat
// together); with none it holds one long poll after the other. A parcel is acknowledged, which
// erases it at the relay, only once whoever got it says that it is durable.
//
// Depositing: each mailbox has a TLS key that both ends derive (Engine::Peer). The relay thus knows
// that a depositor may deposit, not who it is. Mailboxes change with keys; a parcel that was sealed
// for an earlier one still goes there, and is given up when it is refused there. Parcels for one
// peer leave in order; one that cannot be left is tried again, at each of the peer's relays in
// turn. What waits is bounded: beyond that the oldest is given up, and the next comparison of
// digests sends its entries again.
//
// Thread-safe. Tests: tests/node/relay/relay_service_test.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/tls_identity.h"
#include "entente/v1/card.pb.h"

namespace entente::transport {

class RelayClient {
 public:
  struct Options {
    absl::Duration cadence = absl::ZeroDuration();  // zero: at once, by long poll
    absl::Duration retry_min = absl::Milliseconds(300);
    absl::Duration retry_max = absl::Seconds(20);
    absl::Duration call_timeout = absl::Seconds(30);
    absl::Duration poll_wait = absl::Seconds(20);  // the relay allows 60
    size_t waiting_bytes_max = 48 << 20;           // per peer
  };

  struct Mailbox {
    MailboxId id;
    std::string deposit_seed;  // 32 bytes
    bool operator==(const Mailbox&) const = default;
  };
  // The way to one peer and back (Engine::Peer).
  struct Route {
    PartyId peer;
    std::vector<v1::RelayRoute> relays;  // the peer's
    Mailbox outgoing;                    // recipient: the peer
    std::vector<Mailbox> incoming;       // recipient: this node, one per pair of keys in use
  };

  // Called on threads of the client; they may block, but must not call Stop.
  struct Events {
    // `durable` is to be called, on any thread, once the parcel will not be needed again.
    std::function<void(std::string parcel, std::function<void()> durable)> fetched;
    // OK: it is at the relay. Otherwise it was given up.
    std::function<void(const PartyId& peer, uint64_t seq, const absl::Status&)> deposited;
    // A relay cannot be used (or can again: OK). Told once per change, for the operator's log.
    std::function<void(const std::string& address, const absl::Status&)> state;
  };

  // `own_relays` are those of the own card. `entropy` must outlive the client and allow calls from
  // several threads (SystemEntropy does).
  RelayClient(Options options, const crypto::TlsIdentity& identity,
              const std::vector<v1::RelayRoute>& own_relays, Entropy& entropy, Events events);
  ~RelayClient();  // stops
  RelayClient(const RelayClient&) = delete;
  RelayClient& operator=(const RelayClient&) = delete;

  // The whole list, at any time.
  void SetRoutes(std::vector<Route> routes);

  // Never waits. `seq` comes back with `deposited`; it never reaches the relay.
  void Deposit(const PartyId& peer, uint64_t seq, std::string parcel);

  // Cancels what is under way. Once.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::transport

// One node's dealings with blind relays: opens its mailboxes, fetches what waits in them, leaves
// parcels in those of others. Protocol §10.
//
// Fetching: one thread per own relay, dialling out with the node's own TLS key; every `cadence`
// (± a fifth, so that a relay does not see two nodes beat together) it empties the mailboxes, or,
// in immediate mode, holds one long poll after the other. A parcel is given to `fetched` once per
// process and acknowledged, which erases it at the relay, only when Acknowledge says it is durable.
//
// Depositing: each mailbox has a TLS key that both ends derive (Engine::Peer). The relay thus knows
// that a depositor may deposit, not who it is.
//
// Thread-safe. Callbacks come on threads of the client or of gRPC, and must not block for long nor
// call Stop. Tests: tests/node/relay/relay_client_test.cc.
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
    absl::Duration cadence = absl::Minutes(5);
    bool immediate = false;
    absl::Duration back_off_min = absl::Milliseconds(500);  // immediate mode: after an error
    absl::Duration back_off_max = absl::Seconds(30);
    absl::Duration call_timeout = absl::Seconds(30);
    absl::Duration poll_wait = absl::Seconds(50);  // the relay allows 60
    size_t deposit_bytes_max = 64 << 20;           // under way at once; more is refused
  };

  // A mailbox in which this node is the recipient (Engine::Peer::own_mailbox…).
  struct OwnMailbox {
    MailboxId id;
    std::string deposit_seed;  // 32 bytes
    bool operator==(const OwnMailbox&) const = default;
  };

  // The way to one peer: its relays and the mailbox there in which it is the recipient.
  struct PeerRoute {
    PartyId party;
    std::vector<v1::RelayRoute> relays;
    MailboxId mailbox;
    std::string deposit_seed;  // 32 bytes
  };

  // `relay` is the address the parcel came from.
  using Fetched =
      std::function<void(std::string parcel, const ParcelId& id, const std::string& relay)>;

  // `entropy` must outlive the client and allow calls from several threads (SystemEntropy does).
  RelayClient(Options options, const crypto::TlsIdentity& identity, Entropy& entropy,
              Fetched fetched);
  ~RelayClient();  // stops
  RelayClient(const RelayClient&) = delete;
  RelayClient& operator=(const RelayClient&) = delete;

  // Own relays (own card) and the mailboxes to open at each of them. The whole list, at any time;
  // no relays: nothing is fetched.
  void Configure(const std::vector<v1::RelayRoute>& relays, std::vector<OwnMailbox> mailboxes);
  void SetPace(bool immediate, absl::Duration cadence);
  // Looks now, whatever the cadence says.
  void FetchNow();

  // The parcel is durable here: the relays it came from may erase it. Never waits.
  void Acknowledge(const ParcelId& id);

  // Leaves the parcel at the first of the peer's relays that takes it. `done` gets OK or the last
  // relay's refusal, exactly once; nothing is retried here. `seq` is only handed back to the caller's
  // callback by capture; it never reaches the relay.
  void Deposit(const PeerRoute& route, std::string parcel,
               std::function<void(const absl::Status&)> done);

  struct RelayStatus {
    std::string address;
    absl::Time last_contact = absl::InfinitePast();
    std::string last_problem;  // empty after a success
  };
  std::vector<RelayStatus> Status() const;

  // Cancels what is under way; each deposit gets its callback. Once.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::transport

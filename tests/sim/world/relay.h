// Relays: mailboxes of opaque parcels, and everything a hostile or broken one does with them. They
// see times, sizes and mailboxes; what they saw is kept, for the oracle to search.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "sync/effects.h"

namespace entente::sim {

class World;
class Node;

class Relays {
 public:
  explicit Relays(World& world) : world_(world) {}

  void Deposit(Node& from, const sync::ParcelOut& parcel);
  // An empty machine takes the place of the old one.
  void LoseEverything();
  // Parcels that were deposited with a relay that then forgot them are sent again by digests.
  const std::string& seen() const { return seen_; }
  // What a relay may know: mailbox, bucket, and the slot of time.
  struct Deposited {
    absl::Time slot;
    MailboxId mailbox;
    size_t bucket;
    bool operator==(const Deposited&) const = default;
  };
  const std::vector<Deposited>& deposits() const { return deposits_; }

 private:
  struct Kept {
    Node* to;
    std::string parcel;
    absl::Time deposited;
    uint64_t generation;
  };
  void Carry(Node& to, std::string parcel, absl::Duration delay);
  void Fetch(const Kept& kept);

  World& world_;
  std::string seen_;
  std::vector<Deposited> deposits_;
  std::vector<std::pair<size_t, std::string>> old_;  // recipient, parcel: to come again
  uint64_t generation_ = 0;
};

}  // namespace entente::sim

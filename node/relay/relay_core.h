// The blind relay's rules: who may open, fill and empty which mailbox, how much fits, and when what
// is left is erased. Pure over RelayStorage; time comes as `now`. Protocol §10.
//
// What it knows of a parcel is its mailbox, its bucket size and the hour it came. Mailbox ids and
// deposit keys are derived by the two ends of a mailbox and mean nothing to anybody else; the first
// admitted node that opens a mailbox owns it.
//
// Errors are uniform: whoever may not do something learns nothing about what there is
// (PermissionDenied, always the same words). InvalidArgument: not a parcel, or nonsense in a
// request. ResourceExhausted: a quota, or the volume, is full.
//
// Not thread-safe. Tests: tests/node/relay/relay_core_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"

namespace entente::relay {

// ---- what rests

struct AdmittedNode {
  PartyId party;
  Hash spki;          // the TLS key of the node's card
  uint32_t card = 0;  // the card's number: only a newer one replaces it
  bool operator==(const AdmittedNode&) const = default;
};

struct OpenMailbox {
  MailboxId id;
  PartyId owner;
  Hash deposit_spki;    // the one key that may deposit into it
  int64_t renewed = 0;  // day number (Unix seconds / 86400) its owner last opened it
  bool operator==(const OpenMailbox&) const = default;
};

struct Table {
  std::map<PartyId, AdmittedNode> nodes;
  std::map<MailboxId, OpenMailbox> mailboxes;
  bool operator==(const Table&) const = default;
};

// Everything the relay knows about a waiting parcel besides its bytes.
struct WaitingParcel {
  MailboxId mailbox;
  uint64_t order = 0;  // grows with every deposit
  int64_t hour = 0;    // Unix seconds / 3600 of the deposit
  ParcelId id;         // SHA-256 of the bytes
  size_t bytes = 0;    // a bucket size
  bool operator==(const WaitingParcel&) const = default;
};

// Where the relay keeps things. Writes are durable when they return OK, and after a crash each is
// there in full or not at all.
class RelayStorage {
 public:
  virtual ~RelayStorage() = default;

  struct Contents {
    Table table;
    std::vector<WaitingParcel> parcels;
  };
  virtual absl::StatusOr<Contents> Load() = 0;
  virtual absl::Status SaveTable(const Table& table) = 0;
  // ResourceExhausted when the volume is full.
  virtual absl::Status Put(const WaitingParcel& parcel, std::string_view bytes) = 0;
  // DataLoss when it is gone or no longer what its id says.
  virtual absl::StatusOr<std::string> Get(const WaitingParcel& parcel) = 0;
  // What is not there is not an error.
  virtual absl::Status Erase(const std::vector<WaitingParcel>& parcels) = 0;
};

// ---- bounds

inline constexpr absl::Duration kParcelLife = absl::Hours(28 * 24);
// A mailbox whose owner has not opened it again for so long, and in which nothing waits, is
// forgotten. Longer than any absence that parcels survive.
inline constexpr int64_t kMailboxDays = 90;
// One answer to Fetch carries at least one parcel, and more only up to this.
inline constexpr size_t kFetchBytesMax = 4 << 20;

struct Quotas {
  size_t nodes = 1024;
  size_t mailboxes_per_node = 1024;
  uint64_t bytes_per_mailbox = uint64_t{512} << 20;
  size_t parcels_per_mailbox = 8192;
  uint64_t bytes_total = uint64_t{64} << 30;
};

class RelayCore {
 public:
  static absl::StatusOr<RelayCore> Open(RelayStorage& storage, Quotas quotas, absl::Time now);

  // An operator lets a node in, or renews its key. AlreadyExists is not an error here: the same
  // card again changes nothing. FailedPrecondition: an older card than the one known.
  absl::Status Admit(const AdmittedNode& node);

  struct Registration {
    MailboxId id;
    Hash deposit_spki;
  };
  // `fetcher` is the TLS key that the caller proved to hold, here and below.
  absl::Status OpenMailboxes(const Hash& fetcher, const std::vector<Registration>& mailboxes,
                             absl::Time now);

  struct Deposited {
    MailboxId mailbox;
    absl::Time erased_at_latest;
    bool repeated = false;  // it was waiting already
  };
  absl::StatusOr<Deposited> Deposit(const Hash& depositor, std::string_view parcel, absl::Time now);

  struct Fetched {
    ParcelId id;
    std::string bytes;
  };
  // Oldest first over all mailboxes of the caller. Empty when nothing waits.
  absl::StatusOr<std::vector<Fetched>> Fetch(const Hash& fetcher, size_t parcels_max,
                                             absl::Time now);

  // Ids that are not waiting in a mailbox of the caller are passed over.
  absl::Status Acknowledge(const Hash& fetcher, const std::vector<ParcelId>& ids);

  // Erases what is due; also done at Open. Call it about hourly.
  absl::Status Expire(absl::Time now);

  // Keys that may connect at all, and whose (zero for a deposit key, which is nobody's).
  std::map<Hash, PartyId> Pins() const;

  struct Totals {
    size_t nodes = 0;
    size_t mailboxes = 0;
    uint64_t parcels = 0;
    uint64_t bytes = 0;
    int64_t oldest = 0;  // Unix seconds, to the hour; 0: nothing waits
  };
  Totals totals() const;

 private:
  struct Box {
    std::map<uint64_t, WaitingParcel> waiting;  // by order
    std::map<ParcelId, uint64_t> by_id;
    uint64_t bytes = 0;
  };

  RelayCore(RelayStorage& storage, Quotas quotas) : storage_(&storage), quotas_(quotas) {}
  const AdmittedNode* FindFetcher(const Hash& spki) const;
  void Keep(const WaitingParcel& parcel);
  void Forget(const WaitingParcel& parcel);
  absl::Status EraseAll(const std::vector<WaitingParcel>& parcels);
  absl::Status CheckRoom(const MailboxId& mailbox, size_t bytes) const;
  absl::Status SaveTable(Table table);

  RelayStorage* storage_;
  Quotas quotas_;
  Table table_;
  std::map<Hash, PartyId> fetchers_;  // by TLS key
  std::map<MailboxId, Box> boxes_;
  uint64_t next_order_ = 1;
  uint64_t bytes_ = 0;
  uint64_t parcels_ = 0;
};

}  // namespace entente::relay

// Epochs: how the members of an audience, and nobody else, get the keys of a log. Protocol §5.
//
// The author draws a random seed per epoch and writes an Epoch entry: a commitment to the seed and
// one sealed box per member and key (reading key and recovery key, the author included). The seed
// expands in a key tree to one key per entry. An Epoch that lacks any slot is refused by everybody;
// a slot that does not open leaves the epoch locked here, while its entries are still stored,
// acknowledged and forwarded.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/key_tree.h"
#include "crypto/secret.h"
#include "entente/v1/entry.pb.h"
#include "sync/context.h"

namespace entente::sync {

inline constexpr size_t kAudienceSaltBytes = 16;

// The audience that the slots of `epoch` and its salt describe, checked in full: one reading slot
// and one recovery slot per member, the author among them, ids that hash to `log`'s own.
absl::StatusOr<Members> CheckEpoch(const v1::Epoch& epoch, const LogState& log,
                                   const PublicKey& author_log_key);

// The same for an epoch whose slots were erased: `parties` are the log's audience under `salt`.
absl::StatusOr<Members> CheckMembers(const google::protobuf::RepeatedPtrField<std::string>& parties,
                                     std::string_view salt, const LogState& log,
                                     const PublicKey& author_log_key);

// A new epoch for `log`, sealed to every member's present keys. FailedPrecondition when a member's
// card is not trusted here. Returns the Epoch's bytes; `seed` receives the secret.
absl::StatusOr<std::string> MakeEpoch(const Context& context, const LogState& log,
                                      uint64_t first_index, crypto::Secret32* seed);

// Whether `epoch` is sealed as it would be today: to every member's newest reading key and, in a
// log of this node's own, with the shared secrets that are in use.
bool EpochStillCurrent(const Context& context, const LogState& log, const v1::Epoch& epoch);

// The same for the newest epoch of any log; false for a log without one. An error is a damaged
// store.
absl::StatusOr<bool> NewestEpochIsBehind(const Context& context, const LogState& log);

// Keys of the epochs this node could open; sequential reads of one epoch are cheap.
class EpochKeys {
 public:
  explicit EpochKeys(const Context& context) : context_(context) {}

  // Opens this node's slot of an Epoch entry and keeps the seed. NotFound: no slot for a key we
  // have; DataLoss: the slot does not hold what the epoch commits to.
  absl::Status Learn(const LogState& log, const v1::Epoch& epoch);
  void Keep(const LogId& log, uint32_t epoch, const crypto::Secret32& seed);
  // Adds parts of an epoch's tree to those held. The caller has checked that they belong to it.
  absl::Status KeepParts(const LogId& log, uint32_t epoch,
                         const std::vector<crypto::TreeNode>& parts);

  // Forgets the keys of single entries, by their places in the epoch: nothing that stays here leads
  // to them.
  absl::Status Puncture(const LogId& log, uint32_t epoch, const std::set<uint32_t>& leaves);

  // What is held of an epoch: its seed (one node of depth 0), parts of its tree, or nothing.
  absl::StatusOr<std::vector<crypto::TreeNode>> Held(const LogId& log, uint32_t epoch);
  // Whether the Epoch entry of this epoch was erased, the epoch is over, and everything that is
  // left of it can be read here.
  absl::StatusOr<bool> ErasedEpochIsOpen(const LogState& log, uint32_t epoch);
  // The key of one entry, or NotFound when it is locked here.
  absl::StatusOr<crypto::Secret32> EntryKey(const LogId& log, uint32_t epoch, uint32_t leaf);

 private:
  using Parts = std::vector<crypto::EntryKeys>;
  absl::StatusOr<Parts*> Open(const LogId& log, uint32_t epoch);
  void Store(const LogId& log, uint32_t epoch, const Parts& parts);

  const Context& context_;
  std::map<std::pair<LogId, uint32_t>, Parts> open_;
};

}  // namespace entente::sync

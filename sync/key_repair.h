// A member that cannot open its copy of an epoch's keys gets them from any other holder. Protocol
// §5.
//
// The member says so (Observed.locked_epochs for everybody, Cosign.locked_epochs to the peer at
// hand). A holder then writes a Grant of what it holds of the epoch's tree, as a rule the seed,
// into the log of itself and that member: the author at once, the others one after the other as
// long as the member has not said that it reads again. No person is needed; what is still owed is
// counted as debt.
//
// A seed is checked against the commitment of the Epoch entry, a part of a tree (and the seed of an
// epoch whose Epoch entry was erased) against the commitments of every entry under it that is held
// here, before either is used. So nobody, the granter included, can make a member read anything but
// what the author sealed.
//
// Pure and derived: everything is learned from opened entries, again at every start, and from
// receipts of connected peers.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/peer.pb.h"
#include "sync/context.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"

namespace entente::sync {

class KeyRepair {
 public:
  KeyRepair(const Context& context, EpochKeys& keys) : context_(context), keys_(keys) {}

  // Any opened entry, own ones included.
  void Learn(const OpenedEntry& entry);
  // A receipt of `peer`: what it cannot open at this moment.
  void Told(const PartyId& peer, const v1::Cosign& cosign, absl::Time now);
  // More of a log is held here: what was said about it may be due now.
  void Grown(const LogId& log);

  struct Unlocked {
    LogId log;
    uint32_t epoch = 0;
  };
  // Takes the keys that have arrived for epochs locked here into use and names those epochs. Keys
  // for epochs that are not held yet wait. An error is a damaged store.
  absl::StatusOr<std::vector<Unlocked>> TakeArrived();

  struct Needless {
    PartyId granter;
    LogId log;
    auto operator<=>(const Needless&) const = default;
  };
  // Who since the last call handed over what is read here already, and thus has not heard of it.
  std::set<Needless> TakeNeedless() { return std::exchange(needless_, {}); }

  // This node holds more than before (a shared secret, a box key): tries the slots of all epochs
  // that are locked here once more.
  absl::StatusOr<std::vector<Unlocked>> RetrySlots();

  // Grants to write now. The log of this node and a member that cannot open its present epoch is
  // marked for a new one.
  absl::StatusOr<std::vector<Draft>> Due(absl::Time now);
  // A grant of this node to `audience` is erased: what it opened besides is owed again.
  void TakenBack(const v1::Grant& grant, const Members& audience);
  // A grant could not be written: try again later.
  void Postpone(const Draft& draft, absl::Time until);
  absl::Time NextDue() const { return next_due_; }

  // Epochs of shared logs that `member` says it cannot open.
  uint64_t Owed(const PartyId& member) const;

 private:
  struct Report {  // the newest word of one member about one log
    uint64_t hlc = 0;
    absl::Time since;
    std::set<uint32_t> epochs;
  };
  struct Arrived {
    PartyId granter;
    LogId log;
    v1::TreeKey key;
  };
  struct Given {
    absl::Time last;
    std::set<uint32_t> epochs;
  };
  using Debt = std::pair<LogId, PartyId>;

  void Heard(const LogId& log, const PartyId& member, uint64_t hlc,
             const google::protobuf::RepeatedField<uint32_t>& epochs);
  absl::Time DueAt(const LogState& log, const PartyId& member, const Report& report) const;
  absl::Time RenewPair(const PartyId& member, const JitId& jit, absl::Time now);
  absl::StatusOr<Draft> MakeGrant(const LogState& log, const PartyId& member, const Report& report);
  enum class Opens { kNothing, kPart, kWholeEpoch };
  absl::StatusOr<Opens> Use(const LogState& log, const v1::TreeKey& key);
  absl::Status ForgetErased(const LogState& log, uint32_t epoch, uint64_t begin);
  absl::StatusOr<bool> OpensWhatItCovers(const LogState& log, uint32_t epoch, uint64_t first_index,
                                         const crypto::TreeNode& node);

  const Context& context_;
  EpochKeys& keys_;
  std::map<Debt, Report> reports_;         // of members that have ever named an epoch
  std::map<Debt, Given> given_;            // where this node has done its part
  std::map<Debt, absl::Time> not_before_;  // could not be written then
  std::deque<Arrived> arrived_;
  std::set<Needless> needless_;
  absl::Time next_due_ = absl::InfiniteFuture();
  bool news_ = false;
};

}  // namespace entente::sync

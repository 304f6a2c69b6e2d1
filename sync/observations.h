// What each member has said, in its own signed log, that it holds: the Observed entries. Protocol
// §6.
//
// A receipt goes to one peer over one link; an Observed entry goes to the whole audience and is
// carried like anything else, so that neither a relay nor a star of connections can hide it. From
// them follow
//   - who holds what, also of members this node never talks to;
//   - the stable size of a log: what every member but its author has acknowledged, of this very
//     tree. It keeps its effect whatever the author signs later;
//   - the first sign of a fork: two members that name different roots for one size.
//
// Pure and derived: everything is learned from opened entries, again at every start. A member
// writes at most one per audience and n minutes (n = members), never because of Observed entries
// alone, and one a day in the widest audience of a JIT as a sign of life.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sync/context.h"
#include "sync/entry_types.h"

namespace entente::sync {

class Observations {
 public:
  explicit Observations(const Context& context) : context_(context) {}

  // Any opened entry, own ones included.
  absl::Status Learn(const OpenedEntry& entry);
  // More of a log is held than before: claims about it may be checked now. Entries that could not
  // be opened are worth reporting too.
  absl::Status Grown(const LogState& log);
  // An epoch of the log that was reported as locked has been opened: worth saying too.
  void Unlocked(const LogState& log);
  // A contradiction within the log is proven: say which part of it stands beyond doubt.
  void Forked(const LogState& log);

  // Entries of `log` that `member` has said to hold, or to have read, of the tree held here.
  uint64_t HeldBy(const LogState& log, const PartyId& member) const;
  uint64_t OpenedBy(const LogState& log, const PartyId& member) const;
  // When this node first said that it holds entry `index`. InfinitePast: not yet.
  absl::Time OwnWordOn(const LogId& log, uint64_t index) const;
  // When `member` last wrote an Observed entry. InfinitePast: never.
  absl::Time LastFrom(const JitId& jit, const PartyId& member) const;
  // Entries [0, n) that every member but the author has acknowledged.
  uint64_t StableSize(const LogState& log) const;
  // Entries [0, n) that have effect: all of them, or of a forked log the stable ones.
  uint64_t EffectSize(const LogState& log) const {
    return log.fork.has_value() ? StableSize(log) : UINT64_MAX;
  }

  // After the replay at start: from here on the local clock counts, not what entries say.
  void Start(absl::Time now);
  // Nothing waits longer than it would have from `now` on.
  void ClockSetBack(absl::Time now);
  // The Observed entries to write now; Postpone for one that could not be (no agreement is in
  // force, a member's card is missing).
  std::vector<Draft> Due(absl::Time now);
  void Postpone(const JitId& jit, const Members& members, absl::Time until);
  absl::Time NextDue() const;
  // Logs about which somebody has named another root since the last call.
  std::vector<LogId> TakeContradicted() { return std::exchange(contradicted_, {}); }

 private:
  struct Claim {
    Members audience;
    Hash root;
    uint64_t opened = 0;
  };
  struct Member {
    uint64_t held = 0;  // checked against the tree held here
    uint64_t opened = 0;
    std::map<uint64_t, Claim> pending;  // by size, of more than is held here so far
  };
  struct Log {
    std::map<PartyId, Member> members;
    uint64_t content = 0;              // behind the last entry that is not an Observed one
    std::vector<uint32_t> own_locked;  // epochs that the newest own Observed could not open
    uint64_t own_seen = 0;
    std::map<uint64_t, uint64_t> own_marks;  // sizes this node has named, and when (hlc)
  };
  using Audience = std::pair<JitId, Members>;
  struct Room {  // one audience
    uint64_t number = 0;
    std::set<LogId> logs;
    absl::Time last = absl::InfinitePast();
    absl::Time not_before = absl::InfinitePast();
    absl::Time due = absl::InfiniteFuture();
    bool dirty = false;
  };

  Room& Enter(const Audience& audience, const LogId& log);
  void Reschedule(const Audience& audience, Room& room);
  absl::Status LearnSeen(const OpenedEntry& entry, const v1::Seen& seen);
  absl::Status Check(const LogState& log, const PartyId& claimant, uint64_t size,
                     const Claim& claim, Member* member);
  // The logs of others, and what this node cannot read of its own logs of an earlier life: there
  // it is a reader like any other, and the others may have the keys.
  bool Reports(const LogState& log) const;
  bool Dirty(const Room& room) const;
  bool HasOthers(const Room& room) const;
  bool MarkMissing(const Room& room) const;
  absl::Time RoomDue(const Audience& audience, const Room& room) const;
  absl::StatusOr<std::vector<Draft>> Observe(const Audience& audience, const Room& room) const;

  const Context& context_;
  std::map<LogId, Log> logs_;
  std::map<Audience, Room> rooms_;
  std::map<std::pair<absl::Time, uint64_t>, const Audience*> schedule_;
  std::map<JitId, size_t> widest_;  // members of the widest audience
  std::map<std::pair<JitId, PartyId>, absl::Time> last_from_;
  std::vector<LogId> contradicted_;
};

}  // namespace entente::sync

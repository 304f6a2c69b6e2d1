// Leaving a party out: exclusion by all others, suspension by one. Protocol §7.2.
//
// Signing an exclusion stops the signer's own writing to every audience that holds the party, at
// once; since all others must sign, nobody honest writes to it any more when the exclusion is
// complete, and there is no window to argue about. An exclusion only ever grows and cannot be taken
// back; a suspension is one body's own and can be lifted by it.
//
// The excluded party's logs end. For those that everybody could read each signer states in its
// statement how far it holds them; for narrower ones each remaining member writes a Close entry
// that only the remaining members can read, so that no list gives a narrower log away. The largest
// size stated is the end: what lies behind has no effect, by whatever road it comes.
//
// Pure and derived from opened entries; the answers do not depend on the order of arrival. Only the
// stop locks come from outside: the anchor file remembers what was signed even when the database
// was set back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/card_book.h"
#include "sync/entry_types.h"
#include "sync/log_book.h"

namespace entente::sync {

// Where one party stands in one JIT.
struct Standing {
  PartyId party;
  bool excluded = false;
  std::set<PartyId> signed_by;     // the exclusion
  std::set<PartyId> waiting_for;   // signatures that are missing
  std::set<PartyId> suspended_by;  // each for itself
  std::string reason;              // the first signer's by its party id
};

class Exclusions {
 public:
  // What the layer above knows of a JIT's agreements.
  struct Agreements {
    std::function<std::optional<Hash>(const JitId&)> current;  // the version in force
    // Who signed a version that is or was in force; empty for any other.
    std::function<std::set<PartyId>(const JitId&, const Hash& version)> signers;
  };

  Exclusions(const PartyId& self, const CardBook& cards, const LogBook& logs, Agreements agreements)
      : self_(self), cards_(cards), logs_(logs), agreements_(std::move(agreements)) {}

  // Statements "exclude" and "suspend", and Close entries; others are passed over.
  void Learn(const OpenedEntry& entry);
  // A version has come into force: who must sign may have changed.
  void Refresh();
  void AddLock(const Hash& lock) { locks_.insert(lock); }
  static Hash LockOf(const JitId& jit, const PartyId& party);

  // False at once when nobody has ever been left out, which is nearly always.
  bool IsExcluded(const JitId& jit, const PartyId& party) const;
  // This node writes nothing that the party could read: excluded, exclusion signed here, or
  // suspended by this body.
  bool Stopped(const JitId& jit, const PartyId& party) const;
  // Entries [0, n) of the log count; UINT64_MAX unless its author is excluded.
  uint64_t FinalSize(const LogState& log) const;

  // Every party that somebody has suspended or signed the exclusion of.
  std::vector<Standing> StandingsIn(const JitId& jit) const;
  std::set<PartyId> ExcludedIn(const JitId& jit) const;

  // The statement's payload; `readers` is who will read it. AlreadyExists: excluded, or signed
  // here; PermissionDenied, InvalidArgument: this body or the other does not sign in this JIT;
  // FailedPrecondition: fewer than two would sign, or another one signed here is not complete.
  absl::StatusOr<std::string> MakeExclusion(const JitId& jit, const PartyId& party,
                                            const std::string& reason,
                                            const Members& readers) const;
  absl::StatusOr<std::string> MakeSuspension(const JitId& jit, const PartyId& party,
                                             const std::string& reason, bool lifted) const;
  // The Close entries this node owes for narrower logs of excluded parties.
  std::vector<Draft> ClosesDue() const;

 private:
  struct Claim {  // how far somebody holds a log
    uint64_t size = 0;
    Hash root;
    Members audience;  // of the Close entry; empty in a statement
  };
  using Claims = std::map<PartyId, Claim>;
  struct Signature {
    Hash version;
    std::string reason;
  };
  struct Suspension {
    uint64_t hlc = 0;  // of its setter's newest statement
    bool lifted = false;
  };
  struct Case {  // one party in one JIT
    std::map<PartyId, Signature> signed_by;
    std::map<PartyId, Suspension> suspensions;
    std::map<LogId, Claims> finals;
    bool excluded = false;
  };
  const Case* Find(const JitId& jit, const PartyId& party) const;
  void LearnClose(const OpenedEntry& entry);
  bool Complete(const JitId& jit, const PartyId& party, const Case& about) const;
  std::set<PartyId> Required(const JitId& jit, const PartyId& party, const Hash& version) const;
  Claims ClaimsOn(const LogState& log, const Case& about) const;

  PartyId self_;
  const CardBook& cards_;
  const LogBook& logs_;
  Agreements agreements_;
  std::map<JitId, std::map<PartyId, Case>> cases_;
  std::map<LogId, Claims> closes_;  // also of logs that have not arrived yet
  std::set<Hash> locks_;
};

}  // namespace entente::sync

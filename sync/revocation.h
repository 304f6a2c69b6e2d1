// Where the logs of revoked keys end. Protocol §7.
//
// A node whose keys may be in other hands gets new ones from its party root; the new card revokes
// the earlier ones. The renewed node goes on in new logs and writes, into the new log of each
// audience, a Close about its own old log there: how far it vouches for it. What the old keys sign
// beyond that is refused by everybody and has no effect, whoever brings it.
//
// Until the Close has come, what is held of such a log counts and nothing is added to it. A log
// under a revoked card that nobody here has met is met only when a Close names it. The renewed node
// itself adopts what others hold under its old keys, so that it can close that too: at nothing,
// because it did not write it, or has forgotten that it did.
//
// Pure and derived from opened entries and cards; the order of arrival makes no difference.
// Tests: tests/sync/renewal_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "sync/card_book.h"
#include "sync/entry_types.h"
#include "sync/exclusion.h"
#include "sync/log_book.h"

namespace entente::sync {

class Revocations {
 public:
  Revocations(const PartyId& self, const CardBook& cards, const LogBook& logs,
              const Exclusions& exclusions)
      : self_(self), cards_(cards), logs_(logs), exclusions_(exclusions) {}

  // Close entries of a body about its own logs, and this node's own entries; others are passed
  // over.
  void Learn(const OpenedEntry& entry);
  // After the replay: what is held of own logs now is what this node remembers to have written.
  void Start();

  bool IsRevoked(const LogState& log) const;
  // Entries [0, n) count; UINT64_MAX unless the card of the log is revoked.
  uint64_t FinalSize(const LogState& log) const;
  // Whether a log that is not here yet may be taken in, under `card`.
  bool MayMeet(const LogId& log, const TrustedCard& card) const;
  // Statements signed under a revoked card count only in logs that were closed with it.
  bool Counts(const OpenedEntry& entry) const;

  // The Close entries that this node owes for its own old logs.
  std::vector<Draft> ClosesDue() const;

 private:
  struct Claim {
    uint64_t size = 0;
    Hash root;
    Members audience;
  };
  // From the place of the Close entry to what it says.
  using Claims = std::map<std::pair<LogId, uint64_t>, Claim>;
  const TrustedCard* CardOf(const LogState& log) const {
    return cards_.FindByHash(log.author_card);
  }
  // Final sizes of one question: a Close stands in a log that may be closed itself, and so on along
  // all cards of a body.
  using Sizes = std::map<LogId, uint64_t>;
  uint64_t FinalSizeOf(const LogState& log, Sizes* known) const;
  bool Valid(const std::pair<LogId, uint64_t>& place, const Claim& claim, const LogState& log,
             Sizes* known) const;
  bool Closed(const LogState& log) const;
  uint64_t Vouched(const LogState& log) const;

  PartyId self_;
  const CardBook& cards_;
  const LogBook& logs_;
  const Exclusions& exclusions_;
  bool started_ = false;
  std::map<LogId, Claims> closes_;
  std::set<LogId> remembered_;            // own logs that were here at the start
  std::map<LogId, uint64_t> suspicious_;  // own logs: the first entry since the compromise
};

}  // namespace entente::sync

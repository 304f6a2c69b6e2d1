// From a suspicion to a proof that travels. Protocol §6.
//
// Suspicion: a peer's head or a member's Observed entry names another root than the tree held here
// has. The node then shows its own signed head; whoever holds the longer tree makes the proof or
// finds that there is nothing to prove. A proof is checked, kept for ever and passed on to every
// member of the log's audience; from then on the log takes no new heads, and what not every member
// had acknowledged loses its effect (sync/observations.h).
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sync/context.h"
#include "sync/fork.h"
#include "sync/link.h"
#include "sync/refusals.h"

namespace entente::sync {

class ForkWatch {
 public:
  struct Hooks {
    std::function<void(Link&, v1::Frame)> send;
    std::function<std::vector<Link*>()> links;
    std::function<void(const LogState&)> forked;  // now known, or known again after a start
  };

  ForkWatch(Context& context, Refusals& refusals, Hooks hooks)
      : context_(context), refusals_(refusals), hooks_(std::move(hooks)) {}

  // Marks the logs whose contradiction is proven. A stored proof that does not hold is DataLoss.
  absl::Status Load();
  // Shows `link` the proofs of the logs it shares.
  void Greet(Link& link);
  // The same for one log, if there is anything to show.
  void Show(Link& link, const LogState& log);
  // `link` holds another tree of `log`, or says so.
  void Suspect(Link& link, const LogState& log);
  absl::Status OnAlarm(Link& link, const v1::ForkAlarm& alarm, absl::Time now);

 private:
  const PublicKey* LogKey(const LogState& log) const;
  void Send(Link& link, const LogState& log, const v1::ForkProof& proof);
  absl::Status Challenged(Link& link, LogState& log, const v1::ForkProof& challenge,
                          const PublicKey& key, absl::Time now);
  void Keep(LogState& log, const v1::ForkProof& proof, const Fork& fork, absl::Time now);
  void Mark(LogState& log, const Fork& fork);

  Context& context_;
  Refusals& refusals_;
  Hooks hooks_;
};

}  // namespace entente::sync

// Writes this node's own logs: finds or founds the log for an audience, opens epochs, seals, signs.
//
// One signed head covers everything a step writes into a log. Nothing is sent here: the caller
// pushes batches once the step's writes are committed and the anchor has the heads. Protocol §4,
// §5.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sync/context.h"
#include "sync/effects.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"

namespace entente::sync {

class LogWriter {
 public:
  LogWriter(Context& context, EpochKeys& keys) : context_(context), keys_(keys) {}

  // Learns the clock from an entry that was read or written: what is written next for readers who
  // could all read it comes after it. Entries of other audiences move nothing, or a stamp would
  // tell outsiders that they exist; nor does another's entry from more than a day ahead of `now`,
  // or one liar could carry everybody beyond the agreement's period.
  void Observe(const OpenedEntry& entry, absl::Time now);

  // Seals and appends all drafts. Either all are appended to the overlay or, on an error, none:
  // everything that can fail is checked before the first write.
  absl::StatusOr<std::vector<OpenedEntry>> Append(absl::Time now, std::vector<Draft> drafts,
                                                  Effects* effects);

  // Begins a new epoch of an own log without waiting for something to write.
  absl::Status BeginEpoch(absl::Time now, LogState& log, Effects* effects);

 private:
  absl::Status Check(const std::vector<Draft>& drafts) const;
  absl::StatusOr<LogState*> LogFor(const JitId& jit, const Members& members);
  absl::Status AppendEpoch(absl::Time now, LogState& log);
  absl::Status EnsureEpoch(absl::Time now, LogState& log);
  // The newest stamp that every one of these readers could know of.
  uint64_t LastHlc(const JitId& jit, const Members& readers) const;
  absl::StatusOr<OpenedEntry> AppendOne(absl::Time now, LogState& log, v1::EntryBody body);
  absl::Status SignHead(LogState& log, Effects* effects);

  Context& context_;
  EpochKeys& keys_;
  std::map<std::pair<JitId, Members>, uint64_t> last_hlc_;  // by audience
};

}  // namespace entente::sync

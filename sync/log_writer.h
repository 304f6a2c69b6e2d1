// Writes this node's own logs: finds or founds the log for an audience, opens epochs, seals, signs.
//
// One signed head covers everything a step writes into a log. Nothing is sent here: the caller
// pushes batches once the step's writes are committed and the anchor has the heads. Protocol §4,
// §5.
#pragma once

#include <map>
#include <set>
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

  // Learns the clock from an entry that was read, so that what is written next comes after it.
  void Observe(uint64_t hlc) { last_hlc_ = std::max(last_hlc_, hlc); }

  // Seals and appends all drafts. Either all are appended to the overlay or, on an error, none:
  // everything that can fail is checked before the first write.
  absl::StatusOr<std::vector<OpenedEntry>> Append(absl::Time now, std::vector<Draft> drafts,
                                                  Effects* effects);

 private:
  absl::Status Check(const std::vector<Draft>& drafts) const;
  LogState& LogFor(const JitId& jit, const Members& members);
  absl::Status EnsureEpoch(absl::Time now, LogState& log);
  absl::StatusOr<OpenedEntry> AppendOne(absl::Time now, LogState& log, v1::EntryBody body);
  absl::Status SignHead(LogState& log, Effects* effects);

  Context& context_;
  EpochKeys& keys_;
  uint64_t last_hlc_ = 0;
};

}  // namespace entente::sync

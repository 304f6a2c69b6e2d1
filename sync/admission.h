// Batches out of logs, and batches into logs. Protocol §4, §9.
//
// The one way in: parse → verify root and signature → admit in the step's single synced write →
// acknowledge. Nothing of a batch is kept unless all of it ties to a head the author signed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entente/v1/peer.pb.h"
#include "sync/context.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"

namespace entente::sync {

// A refusal that travels: the code is what the other side stores and shows.
struct Refusal {
  v1::RefusalCode code = v1::REFUSAL_CODE_UNSPECIFIED;
  std::string detail;       // for this side's own record; never sent
  bool other_tree = false;  // it carried a head the author signed, of another tree than ours
};

// A description of `log` as it is held here.
v1::Head DescribeLog(const LogState& log);

// Entries [from, …) of a log up to `budget` bytes, at least one if there is one, none at or behind
// `end`.
absl::StatusOr<v1::Batch> BuildBatch(const LogBook& logs, const LogState& log, uint64_t from,
                                     size_t budget, uint64_t end = UINT64_MAX);

struct Admitted {
  LogState* log = nullptr;
  uint64_t from = 0;
  uint64_t to = 0;        // entries [from, to) are new
  bool complete = false;  // holds everything the signed head covers
};

class Admission {
 public:
  Admission(Context& context, EpochKeys& keys) : context_(context), keys_(keys) {}

  // Checks what a head claims about a log and returns its state, a fresh and empty one when the log
  // is new here. On refusal returns nullptr and fills `refusal`.
  LogState* Meet(const v1::Head& head, const PartyId& sender, Refusal* refusal);

  // Verifies and admits. A batch that repeats what is held gives from == to. On refusal returns
  // false and nothing has been written. An error status is a damaged store.
  absl::StatusOr<bool> Admit(const v1::Batch& batch, const PartyId& sender, Admitted* admitted,
                             Refusal* refusal);

 private:
  struct Parsed;  // entries with their headers, leaves and epochs
  void NoticeClone(const v1::Batch& batch, const LogState& log);
  bool Parse(const v1::Batch& batch, const LogState& log, Parsed* parsed, Refusal* refusal);
  bool ParseErased(const v1::BatchEntry& entry, const LogState& log, uint64_t index, Parsed* parsed,
                   Refusal* refusal);
  bool ParseBody(const v1::BatchEntry& entry, const LogState& log, uint64_t index, Parsed* parsed,
                 Refusal* refusal);
  bool CheckOrders(const v1::Batch& batch, const LogState& log, Parsed* parsed, Refusal* refusal);
  bool VerifyRoot(const v1::Batch& batch, const LogState& log, const Parsed& parsed,
                  crypto::CompactRange* edge, Refusal* refusal);
  absl::Status Keep(const v1::Batch& batch, LogState& log, const Parsed& parsed,
                    crypto::CompactRange edge);

  void MakeRoom(const PartyId& sender);

  Context& context_;
  EpochKeys& keys_;
  std::map<PartyId, std::set<LogId>> announced_;  // by whom; nothing was held of them then
};

}  // namespace entente::sync

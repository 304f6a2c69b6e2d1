// Daily anchors: a commitment to all of this node's heads in a JIT, written for all its parties,
// that shows nothing until one of them is opened. Protocol §6.
//
// One a day and JIT, on a fixed rhythm (the first moment of each day, by UTC), whether anything has
// changed or not: the rhythm then says nothing of the work. A day that was missed is not made up.
// Opening a leaf proves that a log had an entry when that anchor was written, to anybody in the
// JIT, and to a court with the head and its receipts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/anchor.h"
#include "entente/v1/entry.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/context.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"

namespace entente::sync {

class Anchors {
 public:
  Anchors(const Context& context, EpochKeys& keys) : context_(context), keys_(keys) {}

  // Any opened entry, own ones included.
  void Learn(const OpenedEntry& entry);

  // JITs in which this node has written something on an earlier day and anchored nothing today.
  // Named once a day, whatever comes of it.
  std::vector<JitId> Due(absl::Time now);
  absl::Time NextDue(absl::Time now) const;

  struct Made {
    Draft draft;
    v1::AnchorRow row;
  };
  absl::StatusOr<Made> Make(const JitId& jit, const Members& audience);
  // The anchor has been written as `ref`: what opens it is kept.
  void Keep(const JitId& jit, absl::Time now, v1::AnchorRow row, const EntryRef& ref);

  // The proof for an own entry by the earliest anchor there is. NotFound: none covers it yet.
  absl::StatusOr<v1::ExistenceProof> Prove(const JitId& jit, const EntryRef& entry) const;

 private:
  struct Jit {
    int64_t first_day = INT64_MAX;  // of this node's first entry
    int64_t last_day = INT64_MIN;   // of its newest anchor, or of the last attempt
  };
  absl::StatusOr<crypto::AnchorTree> TreeOf(const v1::AnchorRow& row) const;

  const Context& context_;
  EpochKeys& keys_;
  std::map<JitId, Jit> jits_;
};

struct ProvenExistence {
  uint64_t anchor_hlc = 0;  // as the author states
  EntryRef anchor;
  EntryRef entry;
};
// Everything in a proof, with its author's log key. InvalidArgument or Unauthenticated.
absl::StatusOr<ProvenExistence> VerifyExistence(const v1::ExistenceProof& proof,
                                                const PublicKey& author_log_key);

}  // namespace entente::sync

// How much work one peer may cause that brings nothing: a bucket of units that fills with time.
//
// What moves the exchange forward is free: a batch with new entries, a receipt that says more than
// the last one. Everything else costs, and what has to be refused costs most, so that neither a
// flood of valid frames nor one of forged signatures takes this node from the others. A peer that
// has used its bucket up is told BUDGET, cut, and let in again after a rest. limits.h has the sizes
// and why an honest peer stays far below them.
//
// Pure: time comes in. Design §10.12. Tests: tests/sync/peer_budget_test.cc.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "sync/limits.h"

namespace entente::sync {

class PeerBudget {
 public:
  // False once the bucket is empty: a rest begins.
  bool Spend(int64_t units, absl::Time now);
  bool Resting(absl::Time now) const { return now < resting_until_; }

 private:
  int64_t left_ = kPeerWorkMax;
  absl::Time filled_ = absl::InfinitePast();
  absl::Time resting_until_ = absl::InfinitePast();
};

}  // namespace entente::sync

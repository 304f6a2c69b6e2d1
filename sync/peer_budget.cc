#include "sync/peer_budget.h"

#include <algorithm>

namespace entente::sync {

bool PeerBudget::Spend(int64_t units, absl::Time now) {
  if (filled_ == absl::InfinitePast()) filled_ = now;
  // Whole milliseconds, so that frames in quick succession do not lose what is due to them; a clock
  // that goes back fills nothing.
  const int64_t passed = absl::ToInt64Milliseconds(now - filled_);
  if (passed > 0) {
    const int64_t due = std::min(passed, int64_t{3'600'000}) * kPeerWorkPerSecond / 1000;
    left_ = std::min(kPeerWorkMax, left_ + due);
    filled_ = now;
  } else if (passed < 0) {
    filled_ = now;
  }
  left_ -= units;
  if (left_ >= 0) return true;
  resting_until_ = now + kPeerRest;
  left_ = kPeerWorkMax / 2;  // what it comes back with
  return false;
}

}  // namespace entente::sync

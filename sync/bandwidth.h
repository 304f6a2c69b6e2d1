// A cap on bytes a second, as a date: from when on more may be sent. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace entente::sync {

class Bandwidth {
 public:
  // 0: no cap.
  explicit Bandwidth(uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  bool Ready(absl::Time now) const { return rate_ == 0 || ready_ <= now; }
  absl::Time ready() const { return ready_; }
  // May go beyond what is left; the debt is waited for before the next.
  void Spend(uint64_t bytes, absl::Time now) {
    if (rate_ == 0) return;
    ready_ = std::max(ready_, now) +
             absl::Seconds(static_cast<double>(bytes) / static_cast<double>(rate_));
  }
  void ClockSetBack(absl::Time now) { ready_ = std::min(ready_, now); }

 private:
  uint64_t rate_;
  absl::Time ready_ = absl::InfinitePast();
};

}  // namespace entente::sync

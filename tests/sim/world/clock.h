// One node's idea of the time: skewed, drifting, set by hand, or standing still.
#pragma once

#include "absl/time/time.h"

namespace entente::sim {

class NodeClock {
 public:
  absl::Time At(absl::Time world) const {
    if (stopped_) return stopped_at_;
    return world + offset_ + (world - since_) * drift_;
  }
  void Jump(absl::Duration by) {
    offset_ += by;
    stopped_at_ += by;
  }
  void Drift(absl::Time world, double drift) {
    offset_ = At(world) - world;
    since_ = world;
    drift_ = drift;
  }
  void Stop(absl::Time world) {
    stopped_at_ = At(world);
    stopped_ = true;
  }
  // Goes on from where it stood.
  void Go(absl::Time world) {
    if (!stopped_) return;
    stopped_ = false;
    since_ = world;
    offset_ = stopped_at_ - world;
  }
  // Somebody set it right.
  void Correct() { *this = NodeClock(); }
  bool stopped() const { return stopped_; }
  bool right() const { return !stopped_ && drift_ == 0 && offset_ == absl::ZeroDuration(); }

 private:
  absl::Duration offset_ = absl::ZeroDuration();
  absl::Time since_ = absl::UnixEpoch();
  double drift_ = 0;
  bool stopped_ = false;
  absl::Time stopped_at_ = absl::UnixEpoch();
};

}  // namespace entente::sim

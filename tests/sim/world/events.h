// The only queue there is: what happens when, in one order that the seed decides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace entente::sim {

class Events {
 public:
  explicit Events(absl::Time start) : now_(start) {}

  absl::Time now() const { return now_; }
  void At(absl::Time when, std::function<void()> what) {
    queue_.push({std::max(when, now_), next_++, std::move(what)});
  }
  // Runs everything up to and including `until`.
  void RunUntil(absl::Time until) {
    while (!queue_.empty() && queue_.top().when <= until) {
      now_ = queue_.top().when;
      // The queue hands out const references only; what is popped at once may be moved from.
      std::function<void()> what = std::move(const_cast<Event&>(queue_.top()).what);
      queue_.pop();
      what();
    }
    now_ = until;
  }

 private:
  struct Event {
    absl::Time when;
    uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return std::pair(when, number) > std::pair(other.when, other.number);
    }
  };
  absl::Time now_;
  uint64_t next_ = 0;
  std::priority_queue<Event> queue_;
};

}  // namespace entente::sim

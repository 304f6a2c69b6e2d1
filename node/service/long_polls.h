// ListChanges with `wait_seconds`: an empty answer is held back until something changes or the time
// is up, so that programs learn of changes at once without asking every second.
//
// Changed() may come after every step: waiting calls look again at most a hundred times a second.
// One thread of its own; thread-safe. Tests: tests/node/service/long_polls_test.cc.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "node/core/engine.h"

namespace entente::service {

class Backend;

class LongPolls {
 public:
  static constexpr absl::Duration kWaitMax = absl::Seconds(60);
  static constexpr size_t kWaitingMax = 256;  // beyond it, answers are not held back

  using Done = std::function<void(const core::Answer&)>;

  LongPolls(std::function<absl::Time()> clock, Backend& backend);
  ~LongPolls();  // stops

  // `command` is a ListChanges. `done` is called exactly once.
  void Submit(core::Command command, Done done);
  void Changed();
  void Stop();

 private:
  struct Poll {
    core::Command command;
    Done done;
    absl::Time deadline;
  };
  void Look(Poll poll);
  void Settle(Poll poll, const core::Answer& answer);
  void Run();

  const std::function<absl::Time()> clock_;
  Backend& backend_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Poll> waiting_;
  bool changed_ = false;  // since the last look at all that waits
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace entente::service

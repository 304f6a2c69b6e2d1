#include "node/service/long_polls.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "entente/v1/client.pb.h"
#include "node/service/api_server.h"

namespace entente::service {
namespace {

// Looks are spaced so that a busy node is not asked after every commit.
constexpr std::chrono::milliseconds kSpacing(10);
// How exactly the end of a wait is kept.
constexpr std::chrono::seconds kDeadlineCheck(1);

bool IsEmpty(const core::Answer& answer) {
  const auto* changes = dynamic_cast<const v1::ListChangesResponse*>(answer.response.get());
  return answer.status.ok() && changes != nullptr && changes->changes_size() == 0;
}

}  // namespace

LongPolls::LongPolls(std::function<absl::Time()> clock, Backend& backend)
    : clock_(std::move(clock)), backend_(backend), thread_([this] { Run(); }) {}

LongPolls::~LongPolls() { Stop(); }

void LongPolls::Submit(core::Command command, Done done) {
  const auto* request = static_cast<const v1::ListChangesRequest*>(command.request.get());
  const absl::Duration wait = std::min(absl::Seconds(request->wait_seconds()), kWaitMax);
  Look({std::move(command), std::move(done), clock_() + wait});
}

void LongPolls::Look(Poll poll) {
  core::Command command = poll.command;
  backend_.Submit(std::move(command),
                  [this, poll = std::move(poll)](const core::Answer& answer) mutable {
                    Settle(std::move(poll), answer);
                  });
}

void LongPolls::Settle(Poll poll, const core::Answer& answer) {
  if (IsEmpty(answer) && clock_() < poll.deadline) {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < kWaitingMax) {
      waiting_.push_back(std::move(poll));
      // A change since the look began is still marked: look again rather than miss it.
      if (changed_) wake_.notify_one();
      return;
    }
  }
  poll.done(answer);
}

void LongPolls::Changed() {
  {
    const std::lock_guard lock(mutex_);
    changed_ = true;
    if (waiting_.empty()) return;
  }
  wake_.notify_one();
}

void LongPolls::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  std::vector<Poll> left;
  {
    const std::lock_guard lock(mutex_);
    std::swap(left, waiting_);
  }
  // One last look: what is asked now is answered whatever it finds, because nothing waits any more.
  for (Poll& poll : left) Look(std::move(poll));
}

void LongPolls::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kDeadlineCheck,
                   [this] { return stopping_ || (changed_ && !waiting_.empty()); });
    if (stopping_) return;
    const absl::Time now = clock_();
    const bool due = changed_ || std::any_of(waiting_.begin(), waiting_.end(),
                                             [&](const Poll& p) { return p.deadline <= now; });
    if (!due) continue;
    changed_ = false;
    std::vector<Poll> ready;
    std::swap(ready, waiting_);
    lock.unlock();
    for (Poll& poll : ready) Look(std::move(poll));
    std::this_thread::sleep_for(kSpacing);
    lock.lock();
  }
}

}  // namespace entente::service

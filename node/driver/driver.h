// The one thread that steps the engine, and the order in which effects leave it:
//   commit → answers → anchor → frames and parcels → file jobs.
// Steps that are waiting share one commit (group commit); the order holds for the group.
//
// What waits is taken in turns: one item of each session, one of everything else, and again. The
// order within each of them holds. So a peer that sends without end waits behind itself; others
// wait for one item of its, and a commit ends early once it has taken long enough.
//
// Any storage error is fatal: whoever waits is told that the node is stopping, the process ends,
// and a restart verifies what is there. A full volume is noticed before that: commands that would
// write are refused with a clear answer.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "node/core/engine.h"
#include "node/driver/file_pool.h"
#include "node/store/anchor_file.h"
#include "node/store/rocks_kv.h"

namespace entente::driver {

class Driver {
 public:
  // Where effects go. Called on the driver's thread; must not block for long.
  struct Outlets {
    std::function<void(const sync::FrameOut&)> send_frame;
    std::function<void(const sync::CloseSession&)> close_session;
    std::function<void(const sync::ParcelOut&)> send_parcel;
    std::function<void(sync::FileJob)> run_job;
    std::function<void()> peers_changed;
    std::function<void()> stepped;  // after each commit; engine reads are allowed
    std::function<void(const absl::Status&)> fatal;
  };
  using AnswerCallback = std::function<void(core::Answer)>;

  Driver(core::Engine& engine, store::RocksKv& kv, store::AnchorFile& anchor, Outlets outlets);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void Start();
  void Stop();  // after the step under way; waiting commands are answered Unavailable

  // From any thread; never waits.
  void Post(sync::Input input);
  // The input, and what to do once everything it caused is durable: a stream reads on, a relay may
  // erase. Whoever brings much waits for that before bringing more, which bounds the queue.
  void PostThen(sync::Input input, std::function<void()> durable);
  void Submit(core::Command command, AnswerCallback answer);

  // Runs `read` on the driver's thread between two steps and waits for it: for the few reads of
  // engine state that do not go through commands.
  void Inspect(const std::function<void(core::Engine&)>& read);

 private:
  struct Item {
    core::Input input = sync::Input(sync::Tick());
    size_t bytes = 0;
    std::function<void()> durable;
  };
  // Whose turn an item counts as: a session's, or (0) people's, timers', parcels' and files'.
  using Source = sync::SessionId;
  static Source SourceOf(const sync::Input& input);
  void Enqueue(Source source, Item item);  // with the mutex held
  void TakeNoMore();
  void TurnAway();  // whoever waits for an answer is told that the node is stopping
  void Run();
  bool WaitForWork(std::deque<std::pair<Source, Item>>* items);
  void PutBack(std::deque<std::pair<Source, Item>>& items);
  absl::Status StepAll(std::deque<std::pair<Source, Item>>& items);
  absl::Status Release(core::Effects effects, std::vector<std::function<void()>> durable);
  absl::Status CheckSpace();
  bool RefusedForSpace(const Item& item);
  void Answer(core::Answer answer);

  core::Engine& engine_;
  store::RocksKv& kv_;
  store::AnchorFile& anchor_;
  Outlets outlets_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::map<Source, std::deque<Item>> queues_;  // none is empty
  Source last_turn_ = 0;
  std::map<uint64_t, AnswerCallback> waiting_;
  uint64_t next_call_ = 1;
  bool stopping_ = false;
  std::deque<const std::function<void(core::Engine&)>*> inspections_;
  std::condition_variable inspected_;

  absl::Time wake_up_ = absl::InfinitePast();
  absl::Time space_checked_ = absl::InfinitePast();
  absl::Status space_;
  std::thread thread_;
};

}  // namespace entente::driver

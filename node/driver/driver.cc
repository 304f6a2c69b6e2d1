#include "node/driver/driver.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"

namespace entente::driver {
namespace {

// Inputs that share one commit: enough to amortise the sync, few enough to answer soon.
constexpr size_t kItemsPerCommit = 256;
constexpr size_t kBytesPerCommit = 8 << 20;
// A commit is not held back longer than this by what is stepped for it.
constexpr absl::Duration kStepsPerCommit = absl::Milliseconds(50);
constexpr absl::Duration kSpaceCheckInterval = absl::Milliseconds(500);

size_t WeightOf(const sync::Input& input) {
  if (const auto* frame = std::get_if<sync::FrameReceived>(&input)) {
    return frame->frame.ByteSizeLong() + 256;
  }
  if (const auto* parcel = std::get_if<sync::ParcelReceived>(&input)) {
    return parcel->parcel.size() + 256;
  }
  if (const auto* read = std::get_if<sync::ChunkRead>(&input)) return read->sealed.size() + 256;
  return 256;
}

// Reads go on when the volume is full; only what has to be written is refused.
bool Reads(const std::string& method) {
  const size_t slash = method.rfind('/');
  const std::string name = slash == std::string::npos ? method : method.substr(slash + 1);
  for (const char* verb : {"Get", "List", "Show", "Explain", "Verify", "WhoAmI", "Export",
                           "Diagnose", "Check", "Prove"}) {
    if (name.rfind(verb, 0) == 0) return true;
  }
  return false;
}

}  // namespace

Driver::Driver(core::Engine& engine, store::RocksKv& kv, store::AnchorFile& anchor, Outlets outlets)
    : engine_(engine), kv_(kv), anchor_(anchor), outlets_(std::move(outlets)) {}

Driver::~Driver() { Stop(); }

void Driver::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Driver::Stop() {
  TakeNoMore();
  if (thread_.joinable()) thread_.join();
  TurnAway();
}

void Driver::TakeNoMore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  inspected_.notify_all();
}

void Driver::TurnAway() {
  std::map<uint64_t, AnswerCallback> waiting;
  {
    const std::lock_guard lock(mutex_);
    std::swap(waiting, waiting_);
  }
  for (auto& [call, callback] : waiting) {
    callback({call, absl::UnavailableError("the node is stopping"), nullptr});
  }
}

Driver::Source Driver::SourceOf(const sync::Input& input) {
  if (const auto* frame = std::get_if<sync::FrameReceived>(&input)) return frame->session;
  if (const auto* opened = std::get_if<sync::SessionOpened>(&input)) return opened->session;
  if (const auto* closed = std::get_if<sync::SessionClosed>(&input)) return closed->session;
  return 0;
}

void Driver::Enqueue(Source source, Item item) { queues_[source].push_back(std::move(item)); }

void Driver::Post(sync::Input input) { PostThen(std::move(input), nullptr); }

void Driver::PostThen(sync::Input input, std::function<void()> durable) {
  const size_t bytes = WeightOf(input);
  const Source source = SourceOf(input);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    Enqueue(source, {core::Input(std::move(input)), bytes, std::move(durable)});
  }
  work_.notify_one();
}

void Driver::Submit(core::Command command, AnswerCallback answer) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      command.call = next_call_++;
      waiting_[command.call] = std::move(answer);
      Enqueue(0, {core::Input(std::move(command)), 256, nullptr});
      work_.notify_one();
      return;
    }
  }
  answer({command.call, absl::UnavailableError("the node is stopping"), nullptr});
}

void Driver::Inspect(const std::function<void(core::Engine&)>& read) {
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  inspections_.push_back(&read);
  work_.notify_one();
  inspected_.wait(lock, [&] {
    return stopping_ ||
           std::find(inspections_.begin(), inspections_.end(), &read) == inspections_.end();
  });
  // While it waits in the list it must not be left behind.
  inspections_.erase(std::remove(inspections_.begin(), inspections_.end(), &read),
                     inspections_.end());
}

bool Driver::WaitForWork(std::deque<std::pair<Source, Item>>* items) {
  std::unique_lock lock(mutex_);
  const absl::Duration until = wake_up_ - absl::Now();
  const auto ready = [this] { return stopping_ || !queues_.empty() || !inspections_.empty(); };
  if (until >= absl::Hours(1)) {
    work_.wait_for(lock, std::chrono::hours(1), ready);
  } else {
    work_.wait_for(lock, absl::ToChronoNanoseconds(std::max(until, absl::ZeroDuration())), ready);
  }
  if (stopping_) return false;
  while (!inspections_.empty()) {
    (*inspections_.front())(engine_);
    inspections_.pop_front();
    inspected_.notify_all();
  }
  size_t bytes = 0;
  while (!queues_.empty() && items->size() < kItemsPerCommit && bytes < kBytesPerCommit) {
    auto turn = queues_.upper_bound(last_turn_);
    if (turn == queues_.end()) turn = queues_.begin();
    last_turn_ = turn->first;
    bytes += turn->second.front().bytes;
    items->emplace_back(turn->first, std::move(turn->second.front()));
    turn->second.pop_front();
    if (turn->second.empty()) queues_.erase(turn);
  }
  if (items->empty()) items->emplace_back();  // a tick
  return true;
}

// What there was no time for comes first again, each before the rest of its own.
void Driver::PutBack(std::deque<std::pair<Source, Item>>& items) {
  const std::lock_guard lock(mutex_);
  for (; !items.empty(); items.pop_back()) {
    queues_[items.back().first].push_front(std::move(items.back().second));
  }
}

void Driver::Run() {
  for (;;) {
    std::deque<std::pair<Source, Item>> items;
    if (!WaitForWork(&items)) return;
    if (absl::Status s = StepAll(items); !s.ok()) {
      // Nobody waits for a thread that steps no more: a service that did could not be stopped.
      TakeNoMore();
      TurnAway();
      outlets_.fatal(s);
      return;
    }
  }
}

absl::Status Driver::CheckSpace() {
  const absl::Time now = absl::Now();
  if (now - space_checked_ >= kSpaceCheckInterval) {
    space_ = kv_.CheckSpace();
    space_checked_ = now;
  }
  return space_;
}

// On a full volume reading goes on, and nothing that brings more in is taken: a command is
// answered, a peer is told and asked to come back later, a parcel stays at its relay.
bool Driver::RefusedForSpace(const Item& item) {
  if (const auto* command = std::get_if<core::Command>(&item.input)) {
    if (Reads(command->method)) return false;
    if (const absl::Status space = CheckSpace(); !space.ok()) {
      Answer({command->call, space, nullptr});
      return true;
    }
    return false;
  }
  const sync::Input& input = std::get<sync::Input>(item.input);
  if (std::holds_alternative<sync::ParcelReceived>(input)) return !CheckSpace().ok();
  const auto* frame = std::get_if<sync::FrameReceived>(&input);
  if (frame == nullptr || !frame->frame.has_batch() || CheckSpace().ok()) return false;
  sync::FrameOut told{frame->session, {}};
  told.frame.mutable_refused()->set_code(v1::REFUSAL_CODE_STORAGE);
  outlets_.send_frame(told);
  outlets_.close_session({frame->session, "this node's volume is full"});
  if (item.durable) item.durable();
  return true;
}

absl::Status Driver::StepAll(std::deque<std::pair<Source, Item>>& items) {
  core::Effects all;
  std::vector<std::function<void()>> durable;
  const absl::Time now = absl::Now();
  bool stepped = false;
  for (; !items.empty() && (!stepped || absl::Now() - now < kStepsPerCommit); items.pop_front()) {
    Item& item = items.front().second;
    if (RefusedForSpace(item)) continue;
    stepped = true;
    absl::StatusOr<core::Effects> step = engine_.Step(now, item.input);
    if (!step.ok()) return step.status();
    all.writes.Append(std::move(step->writes));
    const auto move_all = [](auto& from, auto& to) {
      std::move(from.begin(), from.end(), std::back_inserter(to));
    };
    move_all(step->answers, all.answers);
    move_all(step->anchors, all.anchors);
    move_all(step->frames, all.frames);
    move_all(step->parcels, all.parcels);
    move_all(step->closes, all.closes);
    move_all(step->file_jobs, all.file_jobs);
    all.peers_changed |= step->peers_changed;
    all.wake_up = step->wake_up;  // the last step sees everything the earlier ones asked for
    if (item.durable) durable.push_back(std::move(item.durable));
  }
  PutBack(items);
  // Nothing was stepped: what the engine last asked for still holds, but not at once again.
  if (!stepped) all.wake_up = std::max(wake_up_, now + kSpaceCheckInterval);
  return Release(std::move(all), std::move(durable));
}

absl::Status Driver::Release(core::Effects effects, std::vector<std::function<void()>> durable) {
  if (!effects.writes.empty()) {
    if (absl::Status s = kv_.Commit(effects.writes); !s.ok()) return s;
  }
  engine_.Committed();
  for (core::Answer& answer : effects.answers) Answer(std::move(answer));
  for (const auto& done : durable) done();
  if (!effects.anchors.empty()) {
    if (absl::Status s = anchor_.Append(effects.anchors); !s.ok()) return s;
  }
  // Before the parcels: one may be sealed for a mailbox that is new.
  if (effects.peers_changed) outlets_.peers_changed();
  for (const sync::FrameOut& frame : effects.frames) outlets_.send_frame(frame);
  for (const sync::ParcelOut& parcel : effects.parcels) outlets_.send_parcel(parcel);
  for (const sync::CloseSession& close : effects.closes) outlets_.close_session(close);
  for (sync::FileJob& job : effects.file_jobs) outlets_.run_job(std::move(job));
  wake_up_ = effects.wake_up;
  outlets_.stepped();
  return absl::OkStatus();
}

void Driver::Answer(core::Answer answer) {
  AnswerCallback callback;
  {
    const std::lock_guard lock(mutex_);
    const auto it = waiting_.find(answer.call);
    if (it == waiting_.end()) return;
    callback = std::move(it->second);
    waiting_.erase(it);
  }
  callback(std::move(answer));
}

}  // namespace entente::driver

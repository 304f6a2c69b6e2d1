#include "tests/sim/world/world.h"

#include <algorithm>
#include <utility>

#include "sync/schema.h"
#include "tests/sim/world/fail.h"

namespace entente::sim {
namespace {

// Before the first step of every run: a day in the middle of a JIT's life.
const absl::Time kStart = absl::FromCivil(absl::CivilDay(2026, 3, 2), absl::UTCTimeZone());

}  // namespace

World::World(Setup setup)
    : setup_(std::move(setup)),
      entropy_(setup_.seed),
      current_(std::make_unique<Current>()),
      dice_(setup_.seed),
      events_(kStart),
      network_(*this),
      relays_(*this) {
  current_->target = &entropy_;
  crypto::InstallSeededRandombytes(current_.get());
  std::vector<const Identity*> all;
  for (const BodyPlan& plan : setup_.bodies) {
    nodes_.push_back(std::make_unique<Node>(
        *this, MakeIdentity(plan, absl::ToUnixSeconds(kStart), entropy_), nodes_.size()));
  }
  for (const auto& node : nodes_) all.push_back(&node->who);
  for (const auto& node : nodes_) {
    node->Install(all);
    if (Chance(setup_.faults.clock_skew)) {
      counters_.Hit("clock skew");
      const double far = Pick(4) == 0 ? 86400.0 * 365 : 600.0;
      node->clock.Jump(absl::Seconds(far * (static_cast<double>(Pick(2001)) / 1000.0 - 1.0)));
    }
    if (Pick(2) == 0 && Chance(setup_.faults.next_version)) {
      counters_.Hit("next version");
      node->speaks_next = true;
    }
  }
}

World::~World() { crypto::InstallSeededRandombytes(nullptr); }

Node& World::node(const std::string& code) {
  for (auto& node : nodes_) {
    if (node->code() == code) return *node;
  }
  Fail(Cat("no node ", code));
}

Node* World::Find(const PartyId& party) {
  for (auto& node : nodes_) {
    if (node->who.party == party) return node.get();
  }
  return nullptr;
}

bool World::Chance(double p) {
  if (p <= 0) return false;
  return static_cast<double>(dice_() >> 11) / 9007199254740992.0 < p;
}

uint64_t World::SeedFor(std::string_view text) const {
  const std::string hash = crypto::Sha256({std::to_string(setup_.seed), "/", text}).str();
  uint64_t out = 0;
  for (int i = 0; i < 8; ++i) out = out << 8 | static_cast<uint8_t>(hash[i]);
  return out;
}

void World::StopFaults() {
  setup_.faults = Faults{};
  for (size_t index : std::set<size_t>(isolated_)) Isolate(*nodes_[index], false);
  for (auto& node : nodes_) {
    node->disk_full_until = absl::InfinitePast();
    node->disk_delay = absl::ZeroDuration();
    if (node->hostile) continue;
    if (!node->clock.right()) {
      node->clock.Correct();
      node->Give(sync::Tick{});
    }
    node->home = false;
    // The yearly scrub: a row that nobody has read since it was damaged is found at the latest now.
    if (node->disk.kv.rotten()) {
      counters_.Hit("damaged database: found by a scrub");
      node->RestoreBackup(/*keep_anchor=*/true);
    }
    if (!node->up()) node->Boot();
  }
  network_.MendAll();
}

void World::Isolate(Node& node, bool away) {
  if (away ? !isolated_.insert(node.index).second : isolated_.erase(node.index) == 0) return;
  for (auto& other : nodes_) {
    if (other->index == node.index) continue;
    if (away) {
      network_.Cut(node.index, other->index);
    } else {
      network_.Mend(node.index, other->index);
    }
  }
}

void World::SawHead(const Node& node, const sync::AnchorRecord& record) {
  if (record.incarnation >= UINT32_MAX - 8 || node.hostile) return;  // locks, not heads
  const auto [it, fresh] = heads_.emplace(std::pair{record.log, record.size}, record.root);
  if (!fresh && it->second != record.root) {
    Broken(Cat(node.code(), " signed two heads of one log at size ", std::to_string(record.size)));
  }
}

// A receipt says "durably here": so it must be, at the moment it leaves.
void World::SawFrame(const Node& from, const Node& to, const v1::Frame& frame) {
  static_cast<void>(to);
  if (!frame.has_cosign() || frame.cosign().size() == 0) return;
  const absl::StatusOr<LogId> log = LogId::From(frame.cosign().log_id());
  if (!log.ok() ||
      !from.disk.kv.rows().contains(sync::schema::Entry(*log, frame.cosign().size() - 1))) {
    Broken(Cat(from.code(), " acknowledges ", std::to_string(frame.cosign().size()),
               " entries that are not on its disk"));
  }
}

void World::Delivered(const Node& from, Node& to, std::string_view bytes) {
  ++deliveries_;
  delivered_bytes_ += bytes.size();
  const std::string when = std::to_string(absl::ToUnixNanos(now()));
  to.heard += Cat("@", when, " ", from.code(), " ", bytes);
  Trace("to", to.index, bytes);
}

void World::Trace(std::string_view what, size_t node, std::string_view bytes) {
  std::string stamp;
  AppendU64(&stamp, static_cast<uint64_t>(absl::ToUnixNanos(now())));
  AppendU64(&stamp, node);
  trace_.Update(stamp);
  trace_.Update(what);
  trace_.Update(bytes);
}

std::string World::TraceHash() { return trace_.Finish().hex(); }

void World::Call(Node& node, const std::string& method,
                 std::shared_ptr<const google::protobuf::Message> request, OnAnswer done,
                 std::vector<core::UploadedFile> uploads) {
  if (!node.up()) return;
  core::Command command;
  command.call = next_call_++;
  command.caller = {node.user, node.role};
  command.method = method;
  command.request = std::move(request);
  command.uploads = std::move(uploads);
  node.Expect(command.call, std::move(done));
  node.Step(core::Input(std::move(command)));
}

std::shared_ptr<google::protobuf::Message> World::Ask(
    Node& node, const std::string& method, std::shared_ptr<const google::protobuf::Message> request,
    std::string* problem) {
  // The answer may come after this call has returned, when the node is paused.
  struct Slot {
    std::shared_ptr<google::protobuf::Message> response;
    std::string problem = "no answer";
  };
  auto slot = std::make_shared<Slot>();
  Call(node, method, std::move(request), [slot](const core::Answer& answer, const Rows&) {
    slot->response = answer.response;
    slot->problem = std::string(ToStd(answer.status.message()));
  });
  if (problem != nullptr) *problem = slot->problem;
  return slot->response;
}

}  // namespace entente::sim

#include "tests/sim/two_worlds.h"

#include <algorithm>
#include <random>
#include <vector>

#include "entente/v1/client.pb.h"
#include "tests/sim/acts.h"

namespace entente::sim {
namespace {

const std::vector<std::string> kParties = {"XA", "XB", "XC", "XD"};
constexpr absl::Duration kWork = absl::Minutes(40);

// What an outsider has and had.
struct Transcript {
  std::string heard;
  DiskKv::Rows rows;
};
struct Seen {
  std::map<std::string, Transcript> nodes;
  std::vector<Relays::Deposited> deposits;
};

// The secret is written without touching the world's dice: nothing else may change by it.
void WriteSecret(World& world, uint64_t kind) {
  Node& node = world.node("XA");
  if (kind == 0) {
    auto request = std::make_shared<v1::AddNotesRequest>();
    request->add_texts("only the two of us");
    request->add_audience("XB");
    world.Call(node, "/entente.v1.RecordService/AddNotes", request,
               [](const core::Answer&, const Rows&) {});
  } else if (kind == 1) {
    auto request = std::make_shared<v1::AssignTaskRequest>();
    request->mutable_task()->set_title("only the two of us");
    request->mutable_task()->set_kind(v1::TASK_KIND_INTERVIEW);
    request->mutable_task()->set_due(absl::ToUnixSeconds(world.now() + absl::Hours(48)));
    request->set_to("XB");
    request->set_no_card(true);
    world.Call(node, "/entente.v1.TaskService/AssignTask", request,
               [](const core::Answer&, const Rows&) {});
  } else {
    auto request = std::make_shared<v1::AddLineRequest>();
    request->mutable_line()->set_code("S");
    request->mutable_line()->set_title("only the two of us");
    request->mutable_line()->set_kind(v1::LINE_KIND_NETWORK);
    request->set_lead("XA");
    request->add_audience("XB");
    world.Call(node, "/entente.v1.StrategyService/AddLine", request,
               [](const core::Answer&, const Rows&) {});
  }
}

// The same acts in both worlds, drawn before anything happens.
void PlanActs(World& world, Acts& acts, uint64_t seed) {
  std::mt19937_64 dice(seed);
  for (int i = 0; i < 14; ++i) {
    Node& node = world.node(kParties[dice() % kParties.size()]);
    Codes readers;
    for (const std::string& code : kParties) {
      if (code != node.code() && dice() % 2 == 0) readers.insert(code);
    }
    const uint64_t kind = dice() % 3;
    const std::string other = kParties[dice() % kParties.size()];
    const absl::Time when =
        world.now() + absl::Milliseconds(static_cast<int64_t>(
                          dice() % static_cast<uint64_t>(absl::ToInt64Milliseconds(kWork))));
    world.At(when, [&acts, &node, readers, kind, other] {
      if (kind == 0) return acts.Note(node, readers);
      if (kind == 1) return acts.Evidence(node, readers, 2000);
      acts.Task(node, other);
    });
  }
}

Seen Live(uint64_t seed, bool secret) {
  World::Setup setup;
  setup.seed = seed;
  setup.two_worlds = true;
  setup.bodies = {
      {.code = "XA"}, {.code = "XB"}, {.code = "XC", .relay_only = seed % 4 == 0}, {.code = "XD"}};
  if (seed % 8 < 4) setup.relay_cadence = absl::Minutes(5);
  World world(setup);
  Ledger ledger(world);
  Acts acts(world, ledger);
  // Clocks that differ are what gives a secret away first.
  std::mt19937_64 dice(seed + 1);
  for (auto& node : world.nodes()) {
    node->clock.Jump(absl::Milliseconds(static_cast<int64_t>(dice() % 600'000) - 300'000));
    node->Boot();
  }
  world.RunFor(absl::Seconds(30));
  acts.Propose(world.node("XA"), Codes(kParties.begin(), kParties.end()), {});
  world.RunFor(absl::Minutes(11));
  for (const std::string& code : kParties) acts.Sign(world.node(code));
  world.RunFor(absl::Minutes(25));
  PlanActs(world, acts, seed + 2);
  if (secret) {
    const absl::Time when = world.now() + kWork * (static_cast<double>(dice() % 900) / 1000.0);
    world.At(when, [&world, seed] { WriteSecret(world, seed / 2 % 3); });
  }
  world.RunFor(kWork + absl::Minutes(20));
  Seen out;
  for (auto& node : world.nodes()) out.nodes[node->code()] = {node->heard, node->disk.kv.rows()};
  out.deposits = world.relays().deposits();
  return out;
}

}  // namespace

std::string CompareTwoWorlds(uint64_t seed, Counters* counters) {
  const Seen with = Live(seed, true);
  const Seen without = Live(seed, false);
  if (with.nodes.at("XB").rows.size() <= without.nodes.at("XB").rows.size()) {
    return "the secret never reached the one who may know it";
  }
  for (const char* outsider : {"XC", "XD"}) {
    const Transcript& a = with.nodes.at(outsider);
    const Transcript& b = without.nodes.at(outsider);
    if (a.heard != b.heard) {
      const auto at = std::mismatch(a.heard.begin(), a.heard.end(), b.heard.begin(), b.heard.end());
      return Cat(outsider, " was sent something else because of a secret of others, at byte ",
                 std::to_string(at.first - a.heard.begin()), " of ", std::to_string(a.heard.size()),
                 " and ", std::to_string(b.heard.size()));
    }
    if (a.rows != b.rows) return Cat(outsider, " stores something else because of a secret");
  }
  if (with.deposits != without.deposits) {
    return "a relay was handed something else because of a secret of others";
  }
  counters->Hit("two worlds compared");
  return "";
}

}  // namespace entente::sim

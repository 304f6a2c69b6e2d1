#include "tests/sim/run.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <utility>

#include "entente/v1/client.pb.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/hostile/turncoat.h"
#include "tests/sim/opening.h"
#include "tests/sim/operators.h"
#include "tests/sim/two_worlds.h"
#include "tests/sim/world/chaos.h"

namespace entente::sim {
namespace {

constexpr int kBeats = 120;      // of chaos, in a run
constexpr int kRounds = 8;       // of rest, at its end
constexpr int kBehaviours = 16;  // of a hostile body

// A run of months takes a hundred times the steps of a run of hours. It is to be interrupted about
// as often, not a hundred times as often: starting again is what costs, and hours show it as well.
void SpreadOverMonths(Faults* faults) {
  for (double Faults::*rate : {&Faults::crash, &Faults::torn_commit, &Faults::sync_error}) {
    faults->*rate /= 20;
  }
}

World::Setup SetupOf(const Script& script, const RunOptions& options) {
  World::Setup out;
  out.seed = options.seed;
  out.faults = DrawFaults(options.seed, options.without);
  if (script.span > absl::Hours(72)) SpreadOverMonths(&out.faults);
  out.bodies = script.bodies;
  out.relay_cadence = script.relay_pace;
  out.will_turn = script.hostile;
  out.pace = {script.pace, std::max(script.pace * 2, sync::Pace().idle_parcels)};
  return out;
}

class Run {
 public:
  Run(Script script, const RunOptions& options)
      : script_(std::move(script)),
        options_(options),
        world_(SetupOf(script_, options)),
        ledger_(world_),
        acts_(world_, ledger_),
        chaos_(world_, script_.span / kBeats) {
    world_.listener().after_loss = [this] {
      ledger_.ExcuseWhatNobodyHolds();
      ledger_.NoteWhatOwnersLack();
      ledger_.NoteWhoForgotAStop();
    };
    world_.listener().renewed = [this](Node& node) { ledger_.Renewed(node); };
  }

  Outcome Go() {
    out_.workload = script_.name;
    out_.faults = NamesOf(world_.faults());
    if (!OpenJit(world_, acts_, {script_.parties, script_.participants, Round()})) {
      return Finish(
          Cat("no agreement came into force in a world without faults: ", acts_.first_refusal()));
    }
    Work();
    Rest();
    std::string problem = CheckAll(world_, ledger_);
    return Finish(std::move(problem));
  }

 private:
  absl::Duration Round() const {
    return std::max({absl::Minutes(12), script_.relay_pace * 3, script_.pace * 2.5});
  }

  void Work() {
    const absl::Time start = world_.now();
    const auto done = [this] {
      return static_cast<double>(world_.Pick(10'000)) / 10'000.0 < options_.acts;
    };
    for (const ScriptLine& line : script_.lines) {
      if (done()) world_.At(start + line.at, [this, &line] { Perform(world_, acts_, line); });
    }
    for (int i = 0; i < script_.random; ++i) {
      const double share = static_cast<double>(world_.Pick(10'000)) / 10'000.0;
      if (done()) world_.At(start + script_.span * share, [this] { acts_.Any(); });
    }
    if (!script_.hostile.empty()) {
      turncoat_ = std::make_unique<Turncoat>(world_, ledger_, acts_, world_.node(script_.hostile));
      world_.At(start + script_.span / 3, [this, until = start + script_.span] {
        turncoat_->Turn(until, static_cast<int>(kBehaviours * options_.acts));
      });
    }
    chaos_.Start(start + script_.span);
    world_.RunUntil(start + script_.span);
  }

  // Faults stop, everybody comes back, time passes.
  void Rest() {
    world_.StopFaults();
    for (int round = 0; round < kRounds; ++round) {
      if (round + 1 == kRounds) ledger_.LastRound();
      world_.RunFor(Round());
      if (round == 0) MeetWhoLostTouch(world_);
      if (round == 2) ReadFilesAgain(world_);
      for (auto& node : world_.nodes()) {
        if (!node->up() && !node->hostile) node->Boot();
      }
    }
  }

  Outcome Finish(std::string problem) {
    out_.problem = std::move(problem);
    out_.node_years = absl::ToDoubleHours(world_.now() - start_) / 24 / 365.25 *
                      static_cast<double>(world_.nodes().size());
    out_.trace = world_.TraceHash();
    out_.deliveries = world_.deliveries();
    out_.bytes = world_.delivered_bytes();
    out_.acknowledged = ledger_.promises().size();
    for (const auto& node : world_.nodes()) {
      for (auto it = node->disk.kv.rows().lower_bound("e");
           it != node->disk.kv.rows().end() && it->first[0] == 'e'; ++it) {
        ++out_.entries;
      }
    }
    out_.counters = world_.counters();
    out_.counters.Hit(Cat("workload: ", script_.name));
    return out_;
  }

  const Script script_;
  const RunOptions options_;
  World world_;
  const absl::Time start_ = world_.now();
  Ledger ledger_;
  Acts acts_;
  Chaos chaos_;
  std::unique_ptr<Turncoat> turncoat_;
  Outcome out_;
};

}  // namespace

Script DrawScript(uint64_t seed) {
  std::mt19937_64 dice(seed * 0xD1B54A32D192ED03u + 7);
  static const std::vector<Script> scripts = [] {
    std::vector<Script> out;
    std::copy_if(AllScripts().begin(), AllScripts().end(), std::back_inserter(out),
                 [](const Script& script) { return !script.by_name; });
    return out;
  }();
  if (dice() % 3 == 0 && !scripts.empty()) return scripts[dice() % scripts.size()];
  static const std::vector<std::string> kStates = {"XA", "XB", "XC", "XD", "XE",
                                                   "XF", "XG", "XH", "XI", "XJ"};
  Script out;
  const bool many = dice() % 25 == 0;
  const size_t states = many ? 6 + dice() % 5 : 2 + dice() % 3;
  const int relays = static_cast<int>(dice() % 3);
  for (size_t i = 0; i < states; ++i) {
    BodyPlan body{.code = kStates[i], .relays = relays};
    if (relays > 0 && dice() % 4 == 0) body.relay_only = true;
    // At most one that cannot be dialled, or two of them could never meet.
    if (i == 0 && dice() % 3 == 0) body.listens = false;
    out.bodies.push_back(body);
    out.parties.insert(body.code);
  }
  if (dice() % 2 == 0) {
    out.bodies.push_back({.code = "EJ", .relays = relays});
    out.participants.insert("EJ");
  }
  if (states >= 3 && dice() % 3 != 0) out.hostile = kStates[states - 1];
  out.random = 30 + static_cast<int>(dice() % 40);
  if (dice() % 2 == 0 && !many) {
    out.name = "long";
    out.span = absl::Hours(24) * static_cast<int64_t>(60 + dice() % 240);
    out.pace = absl::Hours(24);
    out.relay_pace = absl::Hours(6);
  } else {
    out.name = "short";
    out.span = absl::Minutes(60 + static_cast<int64_t>(dice() % 600));
    if (dice() % 2 == 0) out.relay_pace = absl::Minutes(5);
  }
  return out;
}

std::string ReplayCommand(const RunOptions& options) {
  std::string out = Cat("tests/sim/run --seeds 1 --from ", std::to_string(options.seed));
  for (const std::string& name : options.without) out += Cat(" --without \"", name, "\"");
  if (options.acts < 1) out += Cat(" --acts ", std::to_string(options.acts));
  if (!options.workload.empty()) out += Cat(" --workload ", options.workload);
  return out;
}

Outcome RunSeed(const RunOptions& options) {
  const Script* named = options.workload.empty() ? nullptr : FindScript(options.workload);
  if (!options.workload.empty() && named == nullptr) {
    Outcome out;
    out.problem = Cat("there is no workload ", options.workload);
    return out;
  }
  Outcome out;
  {
    Run run(named != nullptr ? *named : DrawScript(options.seed), options);
    out = run.Go();
  }
  if (out.problem.empty() && options.seed % 2 == 0 && options.acts >= 1) {
    const std::string told = CompareTwoWorlds(options.seed, &out.counters);
    if (!told.empty()) out.problem = Cat("two worlds: ", told);
  }
  return out;
}

}  // namespace entente::sim

#include "tests/sim/report.h"

#include <cstdio>

#include "tests/sim/checkers/checker.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr std::string_view kActs[] = {"note",
                                      "evidence",
                                      "task",
                                      "task move",
                                      "task move refused",
                                      "line",
                                      "release",
                                      "amendment",
                                      "amendment in force",
                                      "exclusion signed",
                                      "suspended",
                                      "key rotation",
                                      "emergency key rotation",
                                      "disk parcel read",
                                      "disk parcel refused",
                                      "acknowledged and kept"};

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

}  // namespace

void Report::Add(const Outcome& outcome) {
  ++seeds_;
  deliveries_ += outcome.deliveries;
  bytes_ += outcome.bytes;
  entries_ += outcome.entries;
  acknowledged_ += outcome.acknowledged;
  node_years_ += outcome.node_years;
  counters_.Add(outcome.counters);
}

std::string Report::Text() const {
  std::string out =
      Cat(std::to_string(seeds_), " seeds, ", Number(node_years_), " node-years, ",
          std::to_string(deliveries_), " deliveries, ", std::to_string(entries_), " entries held, ",
          std::to_string(acknowledged_), " acknowledged records: all promises kept\n");
  for (const auto& [what, count] : counters_.fired) {
    std::string line = "  " + what;
    line.resize(std::max<size_t>(line.size() + 1, 44), ' ');
    out += line + std::to_string(count) + "\n";
  }
  return out;
}

std::string Report::Json() const {
  std::string out =
      Cat("{\"seeds\":", std::to_string(seeds_), ",\"node_years\":", Number(node_years_),
          ",\"deliveries\":", std::to_string(deliveries_));
  out += Cat(",\"bytes\":", std::to_string(bytes_), ",\"entries\":", std::to_string(entries_),
             ",\"acknowledged\":", std::to_string(acknowledged_), ",\"fired\":{");
  bool first = true;
  for (const auto& [what, count] : counters_.fired) {
    out += Cat(first ? "" : ",", "\"", what, "\":", std::to_string(count));
    first = false;
  }
  return out + "}}\n";
}

std::string Report::Missing() const {
  std::string out;
  const auto need = [&](std::string_view what) {
    if (counters_.Of(what) == 0) out += Cat(out.empty() ? "" : ", ", what);
  };
  for (const FaultRow& row : AllFaults()) need(row.name);
  for (const std::string_view act : kActs) need(act);
  for (const Behaviour* behaviour : AllBehaviours()) need(Cat("hostile: ", behaviour->name));
  need("hostile: writes on after its exclusion");
  for (const Script& script : AllScripts()) need(Cat("workload: ", script.name));
  for (const Checker& checker : AllCheckers()) need(Cat("checked: ", checker.name));
  return out;
}

}  // namespace entente::sim

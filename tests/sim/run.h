// One seed from start to end: the shape of the federation, the opening, work under faults, rest,
// and all promises checked.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "tests/sim/counters.h"
#include "tests/sim/script.h"

namespace entente::sim {

struct RunOptions {
  uint64_t seed = 1;
  std::set<std::string> without;  // faults switched off by name
  double acts = 1;                // share of the acts that are done
  std::string workload;           // by name; empty: drawn from the seed
};

struct Outcome {
  std::string problem;  // empty: every promise was kept
  std::string trace;
  std::string workload;
  std::set<std::string> faults;
  uint64_t deliveries = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
  uint64_t acknowledged = 0;
  double node_years = 0;
  Counters counters;
};

Outcome RunSeed(const RunOptions& options);

// The command that runs it again.
std::string ReplayCommand(const RunOptions& options);

// The workload of a seed: one of the folder, or one that the seed makes up.
Script DrawScript(uint64_t seed);

}  // namespace entente::sim

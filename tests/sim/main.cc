// entente_sim --seeds N --from S [--verbose]: runs N seeds and says what broke, with the command
// that replays it. A fault that never fired in the whole run fails it: an untested promise is no
// promise.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "crypto/entropy.h"
#include "tests/sim/scenario.h"

namespace {

uint64_t Argument(int argc, char** argv, const char* name, uint64_t fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return fallback;
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t seeds = Argument(argc, argv, "--seeds", 200);
  const uint64_t from = Argument(argc, argv, "--from", 1);
  const bool verbose = argc > 1 && std::strcmp(argv[argc - 1], "--verbose") == 0;
  if (const absl::Status s = entente::crypto::Init(); !s.ok()) return 1;
  entente::sim::Counters total;
  uint64_t deliveries = 0;
  size_t acknowledged = 0;
  for (uint64_t seed = from; seed < from + seeds; ++seed) {
    const entente::sim::Outcome outcome = entente::sim::RunSeed(seed);
    if (verbose) std::printf("seed %lu %s\n", seed, outcome.trace.c_str());
    if (!outcome.problem.empty()) {
      std::printf("seed %lu FAILED: %s\nreplay: tests/sim/run --seeds 1 --from %lu\n", seed,
                  outcome.problem.c_str(), seed);
      return 1;
    }
    deliveries += outcome.deliveries;
    acknowledged += outcome.acknowledged;
    for (const auto& [what, count] : outcome.counters.fired) total.fired[what] += count;
  }
  std::printf("%lu seeds, %lu deliveries, %zu acknowledged records, all promises kept\n", seeds,
              deliveries, acknowledged);
  for (const auto& [what, count] : total.fired) {
    std::printf("  %-20s %lu\n", what.c_str(), count);
  }
  if (seeds < 100) return 0;
  for (const char* fault :
       {"crash", "cut", "partition", "parcel loss", "parcel duplicate", "parcel reorder",
        "chunk damage", "note", "evidence", "task", "task moved", "task move refused", "release"}) {
    if (total.fired[fault] == 0) {
      std::printf("FAILED: \"%s\" never happened in this run\n", fault);
      return 1;
    }
  }
  return 0;
}

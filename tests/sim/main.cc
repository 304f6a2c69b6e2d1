// entente_sim --seeds N --from S [--verbose]: runs N seeds and says what broke, with the command
// that replays it. A fault that never fired in the whole run fails it: an untested promise is no
// promise.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/entropy.h"
#include "tests/sim/scenario.h"

namespace {

struct Options {
  uint64_t seeds = 200;
  uint64_t from = 1;
  bool verbose = false;
};

bool ParseOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--verbose") {
      options->verbose = true;
    } else if ((word == "--seeds" || word == "--from") && i + 1 < argc) {
      char* end = nullptr;
      const uint64_t value = std::strtoull(argv[++i], &end, 10);
      if (end == argv[i] || *end != '\0') return false;
      (word == "--seeds" ? options->seeds : options->from) = value;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, &options)) {
    std::fputs("usage: entente_sim [--seeds N] [--from S] [--verbose]\n", stderr);
    return 2;
  }
  const auto [seeds, from, verbose] = options;
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

// entente_sim: runs seeds of the simulated federation and says what broke, with the command that
// replays it. A fault or an act that never happens in a run of 100 seeds or more fails it: an
// untested promise is no promise.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/entropy.h"
#include "tests/sim/report.h"
#include "tests/sim/run.h"
#include "tests/sim/shrink.h"

namespace entente::sim {
namespace {

constexpr uint64_t kSeedsForCoverage = 100;

struct Options {
  uint64_t seeds = 200;
  uint64_t from = 1;
  bool verbose = false;
  bool forever = false;
  bool json = false;
  bool shrink = true;
  RunOptions run;
};

bool Number(const char* text, uint64_t* out) {
  char* end = nullptr;
  *out = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

bool ParseOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (word == "--verbose") {
      options->verbose = true;
    } else if (word == "--forever") {
      options->forever = true;
    } else if (word == "--json") {
      options->json = true;
    } else if (word == "--no-shrink") {
      options->shrink = false;
    } else if (value == nullptr) {
      return false;
    } else if (word == "--seeds" || word == "--from") {
      if (!Number(argv[++i], word == "--seeds" ? &options->seeds : &options->from)) return false;
    } else if (word == "--without") {
      options->run.without.insert(argv[++i]);
    } else if (word == "--acts") {
      options->run.acts = std::strtod(argv[++i], nullptr);
    } else if (word == "--workload") {
      options->run.workload = argv[++i];
    } else {
      return false;
    }
  }
  return true;
}

void SayFailed(const RunOptions& run, const Outcome& outcome, bool shrink) {
  std::printf("seed %lu FAILED (workload %s): %s\nreplay: %s\n", run.seed, outcome.workload.c_str(),
              outcome.problem.c_str(), ReplayCommand(run).c_str());
  std::fflush(stdout);
  if (!shrink) return;
  Outcome least = outcome;  // of the smallest run that fails, which is the last that did
  const RunOptions small = Shrink(run, [&least](const RunOptions& candidate) {
    Outcome again = RunSeed(candidate);
    if (again.problem.empty()) return false;
    least = std::move(again);
    return true;
  });
  std::printf("smallest found: %s\n  %s\n  faults left:", ReplayCommand(small).c_str(),
              least.problem.c_str());
  for (const std::string& name : least.faults) std::printf(" [%s]", name.c_str());
  std::printf("\n");
}

int RunAll(const Options& options) {
  Report report;
  for (uint64_t i = 0; options.forever || i < options.seeds; ++i) {
    RunOptions run = options.run;
    run.seed = options.from + i;
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = RunSeed(run);
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (options.verbose) {
      std::printf("seed %lu %s %s %.2f s, %lu deliveries, %.2f node-years\n", run.seed,
                  outcome.trace.c_str(), outcome.workload.c_str(), took, outcome.deliveries,
                  outcome.node_years);
      std::fflush(stdout);
    }
    if (!outcome.problem.empty()) {
      SayFailed(run, outcome, options.shrink);
      return 1;
    }
    report.Add(outcome);
    if (options.forever && i % 100 == 99) {
      std::printf("%s", report.Text().c_str());
      std::fflush(stdout);
    }
  }
  std::printf("%s", options.json ? report.Json().c_str() : report.Text().c_str());
  if (options.seeds < kSeedsForCoverage || !options.run.without.empty() ||
      !options.run.workload.empty()) {
    return 0;
  }
  const std::string missing = report.Missing();
  if (!missing.empty()) std::printf("FAILED: never happened in this run: %s\n", missing.c_str());
  return missing.empty() ? 0 : 1;
}

}  // namespace
}  // namespace entente::sim

int main(int argc, char** argv) {
  entente::sim::Options options;
  if (!entente::sim::ParseOptions(argc, argv, &options)) {
    std::fputs(
        "usage: entente_sim [--seeds N] [--from S] [--verbose] [--forever] [--json] [--no-shrink]\n"
        "                   [--without FAULT]… [--acts SHARE] [--workload NAME]\n",
        stderr);
    return 2;
  }
  if (const absl::Status s = entente::crypto::Init(); !s.ok()) return 1;
  return entente::sim::RunAll(options);
}

#include "tests/sim/shrink.h"

namespace entente::sim {
namespace {

constexpr double kActsMin = 0.02;

}  // namespace

RunOptions Shrink(RunOptions failing, const std::function<bool(const RunOptions&)>& fails) {
  for (const std::string& name : NamesOf(DrawFaults(failing.seed, failing.without))) {
    RunOptions smaller = failing;
    smaller.without.insert(name);
    if (fails(smaller)) failing = std::move(smaller);
  }
  for (double share = failing.acts / 2; share >= kActsMin; share /= 2) {
    RunOptions smaller = failing;
    smaller.acts = share;
    if (fails(smaller)) failing = std::move(smaller);
  }
  return failing;
}

}  // namespace entente::sim

#include "tests/sim/opening.h"

#include <algorithm>
#include <utility>

namespace entente::sim {
namespace {

constexpr int kRounds = 8;

}  // namespace

bool OpenJit(World& world, Acts& acts, const Opening& opening) {
  const Faults wanted = std::exchange(world.faults(), Faults{});
  for (auto& node : world.nodes()) node->Boot();
  world.RunFor(absl::Seconds(30));
  const absl::Duration parcels = world.setup().relay_cadence;
  acts.Propose(world.node(HostOf(opening.parties)), opening.parties, opening.participants);
  world.RunFor(absl::Minutes(2) + parcels * 2);
  for (const std::string& code : opening.parties) acts.Sign(world.node(code));
  bool everywhere = false;
  for (int round = 0; round < kRounds && !everywhere; ++round) {
    world.RunFor(round == 0 ? absl::Minutes(2) + parcels * 3 : opening.round);
    everywhere =
        std::all_of(opening.parties.begin(), opening.parties.end(),
                    [&](const std::string& code) { return acts.InForceAt(world.node(code)); });
  }
  world.faults() = wanted;
  return everywhere;
}

}  // namespace entente::sim

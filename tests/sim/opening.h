// The opening of a JIT in a world: one body proposes, every party signs, and time passes until all
// of them know that the agreement is in force.
#pragma once

#include "tests/sim/acts.h"

namespace entente::sim {

struct Opening {
  Codes parties = {"XA", "XB", "XC"};
  Codes participants = {"EJ"};
  absl::Duration round = absl::Minutes(12);  // of waiting for the last signature to arrive
};

// Boots what is off; faults rest meanwhile. False when the agreement did not come into force.
bool OpenJit(World& world, Acts& acts, const Opening& opening = {});

}  // namespace entente::sim

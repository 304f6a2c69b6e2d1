// What the people who run the nodes do between themselves, as docs/operating.md tells them to.
#pragma once

#include "tests/sim/world/world.h"

namespace entente::sim {

// Two bodies of which one has heard nothing of the other for longer than old keys are kept, or
// since it lost its database, exchange their card files again.
void MeetWhoLostTouch(World& world);

}  // namespace entente::sim

// The keys that others seal to, as their private halves lie on a node's disk: a card's own, and
// those that were announced since.
#pragma once

#include <vector>

#include "crypto/box.h"
#include "tests/sim/world/node.h"

namespace entente::sim {

// Newest first; the one of the card alone when the disk knows of none. Destroyed ones are gone.
std::vector<crypto::BoxKeyPair> HeldKeys(const Node& node);

}  // namespace entente::sim

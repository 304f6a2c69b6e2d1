// Two worlds that differ in one secret: the same seed with and without a record for two of the
// bodies. Whoever is not among them must see the same, to the byte and to the nanosecond: what it
// was sent, what it stores, and what its relay was handed.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/counters.h"

namespace entente::sim {

// Empty when no outsider can tell the worlds apart; otherwise who can, and by what.
std::string CompareTwoWorlds(uint64_t seed, Counters* counters);

}  // namespace entente::sim

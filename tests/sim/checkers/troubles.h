// Why something has not arrived, for the message of a failure: in the words of the nodes.
#pragma once

#include <string>

#include "tests/sim/checkers/checker.h"

namespace entente::sim {

// How much of `log` each node holds.
std::string WhoHolds(Inspection& in, const SeenLog& log);
// What each node says of its peers, and what it has refused or has been refused.
std::string TroublesOfAll(Inspection& in);

}  // namespace entente::sim

// Makes a failing run smaller while it still fails: faults are switched off one by one, then acts
// are halved. What is left is what a person looks at.
#pragma once

#include <functional>

#include "tests/sim/run.h"

namespace entente::sim {

// `fails` runs a candidate and says whether it still fails. Returns the smallest found.
RunOptions Shrink(RunOptions failing, const std::function<bool(const RunOptions&)>& fails);

}  // namespace entente::sim

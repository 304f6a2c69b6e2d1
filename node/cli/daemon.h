// Verbs that make a new node or relay start the daemon's own program, which stands beside this one:
// keys are made by the program that keeps them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace entente::cli {

class Context;

absl::Status RunNodeInit(Context& context);
absl::Status RunRelayInit(Context& context);
absl::Status RunNodeRenew(Context& context);
absl::Status RunNodeRecover(Context& context);

// The words after `entented` for `entente node init WORDS…`. What is missing is asked for by `ask`
// (empty answers leave it out); null asks nothing.
std::vector<std::string> NodeInitWords(std::vector<std::string> words,
                                       const std::string& config_dir, const std::string& home,
                                       Context* ask);

}  // namespace entente::cli

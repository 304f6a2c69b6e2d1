// `entente help`, from the table of verbs alone.
#pragma once

#include <span>
#include <string>

#include "node/cli/args.h"

namespace entente::cli {

inline constexpr char kVersion[] = "0.1.0";

// Every noun with its verbs, exit codes, where to begin.
std::string HelpOfAll(std::span<const Verb> verbs);
// The verbs of one noun; empty when there is no such noun.
std::string HelpOfNoun(std::span<const Verb> verbs, const std::string& noun);
std::string HelpOfVerb(const Verb& verb);

}  // namespace entente::cli

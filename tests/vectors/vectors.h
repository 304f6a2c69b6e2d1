// Worked values of every format of docs/protocol.md, computed by the production code from fixed
// inputs: what a second implementation checks itself against.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace entente {

// (name, bytes) in a fixed order; names are "section.value".
using Vectors = std::vector<std::pair<std::string, std::string>>;
Vectors ComputeVectors();

// One "name hex" per line, as in vectors.txt.
std::string FormatVectors(const Vectors& vectors);

}  // namespace entente

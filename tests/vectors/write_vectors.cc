// write_vectors > tests/vectors/vectors.txt: only when a format is changed on purpose, together
// with docs/protocol.md and a new version number.
#include <cstdio>

#include "tests/vectors/vectors.h"

int main() {
  std::fputs(entente::FormatVectors(entente::ComputeVectors()).c_str(), stdout);
  return 0;
}

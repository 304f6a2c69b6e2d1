// For what can only be a fault of the simulator itself.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace entente::sim {

[[noreturn]] inline void Fail(const std::string& what) {
  std::fprintf(stderr, "simulator: %s\n", what.c_str());
  std::abort();
}

}  // namespace entente::sim

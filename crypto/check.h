// ENTENTE_CHECK states what we guarantee ourselves: a library that answers, a caller of ours that
// keeps its word. Nothing that a peer, a file or a user sends may be able to trip it.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace entente::crypto {

[[noreturn]] inline void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
  std::abort();
}

}  // namespace entente::crypto

#define ENTENTE_CHECK(condition) \
  ((condition) ? void() : ::entente::crypto::CheckFailed(#condition, __FILE__, __LINE__))

#include "crypto/secret.h"

#include <sodium.h>

namespace entente::crypto {

void WipeMemory(void* data, size_t size) { sodium_memzero(data, size); }

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace entente::crypto

// Padmé lengths (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019): a
// length keeps as many leading bits as its exponent has bits; at most 12 % is added and O(log log
// n) bits of the length leak.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace entente::crypto {

// The padded length of `n` bytes; n itself for n < 2.
inline uint64_t PadmeLength(uint64_t n) {
  if (n < 2) return n;
  const int exponent = static_cast<int>(std::bit_width(n)) - 1;
  const int kept = static_cast<int>(std::bit_width(static_cast<uint64_t>(exponent)));
  const int dropped = exponent - kept;
  if (dropped <= 0) return n;
  const uint64_t mask = (uint64_t{1} << dropped) - 1;
  return (n + mask) & ~mask;
}

}  // namespace entente::crypto

// Hybrid logical clock: 48 bits of Unix milliseconds, 16 bits of counter. It orders what people
// see; no rule lets it pick a winner. Protocol §13.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace entente::sync {

inline uint64_t HlcFromTime(absl::Time t) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMillis(t))) << 16;
}
inline absl::Time TimeFromHlc(uint64_t hlc) {
  return absl::FromUnixMillis(static_cast<int64_t>(hlc >> 16));
}
// The next stamp: not before `now`, and after everything seen.
inline uint64_t NextHlc(uint64_t last, absl::Time now) {
  return std::max(last + 1, HlcFromTime(now));
}

}  // namespace entente::sync

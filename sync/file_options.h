// Which files a node fetches by itself, and how fast files may move.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace entente::sync {

struct FileOptions {
  uint64_t auto_fetch_bytes = UINT64_MAX;  // larger files wait until people ask for them
  absl::Duration answer_by_parcel;         // how long a chunk that comes by parcel may take
  uint64_t bytes_per_second_in = 0;        // 0: no cap
  uint64_t bytes_per_second_out = 0;
};

}  // namespace entente::sync

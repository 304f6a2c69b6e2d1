// The 84-byte header of an entry: hashed into the log's tree, never sent, because every field
// follows from where the entry stands and what it holds. Big-endian. Protocol §4.
//
//   u8 version=1 | u8 type | u16 0 | u32 epoch | u64 index | u32 body_size | log_id[32] |
//   body_hash[32]
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "crypto/bytes.h"

namespace entente::crypto {

enum EntryType : uint8_t { kSealed = 1, kEpoch = 2 };

inline constexpr size_t kHeaderBytes = 84;
inline constexpr size_t kHeaderPartBytes = 52;  // everything before body_hash: what a seal binds

struct EntryHeader {
  uint8_t version = 1;
  uint8_t type = kSealed;
  uint32_t epoch = 0;
  uint64_t index = 0;
  uint32_t body_size = 0;
  LogId log_id;
  Hash body_hash;  // SHA-256 of the body as sent

  std::string Part() const;    // 52 bytes
  std::string Encode() const;  // 84 bytes
};

// RFC 6962 §2.1: SHA-256(0x00 ‖ header).
Hash LeafHash(const EntryHeader& header);

}  // namespace entente::crypto

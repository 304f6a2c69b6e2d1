// The only part of a parcel that a relay reads: version, bucket, mailbox. A small library of its
// own, so that the relay links no code that can open anything. Protocol §10.
//
//   u8 version=1 | u8 bucket | mailbox[32] | sealed inside, up to exactly the bucket's size
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"

namespace entente::crypto {

inline constexpr std::array<size_t, 6> kParcelBuckets = {4u << 10,   16u << 10, 64u << 10,
                                                         256u << 10, 1u << 20,  4u << 20};
inline constexpr size_t kParcelHeaderBytes = 2 + 32;

struct ParcelHeader {
  uint8_t version = 1;
  uint8_t bucket = 0;  // index into kParcelBuckets
  MailboxId mailbox;
};

// InvalidArgument unless the size is exactly the bucket's.
absl::StatusOr<ParcelHeader> ParseParcelHeader(std::string_view parcel);

}  // namespace entente::crypto

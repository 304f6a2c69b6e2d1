// The seal of one entry. Protocol §4.
//
//   sealed     = nonce[24] random ‖ commit[32] ‖ XChaCha20-Poly1305 ciphertext ‖ tag[16]
//   key ‖ commit = K64(entry key, "body", header part)
//   ad         = "entente/v1/body" 0x00 ‖ header part
//   plaintext  = u32 length ‖ content ‖ zeros, in all Padmé(4 + length) bytes but at least 256
//
// The commitment is checked before anything is opened: XChaCha20-Poly1305 alone would let an author
// build one ciphertext that shows two readers two texts. The nonce is random although the key is
// used once, because a restored node may seal another text at the same index.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "crypto/entry_header.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr size_t kBodyOverhead = 24 + 32 + 16;
inline constexpr size_t kBodyPlainMin = 256;

// The size of the sealed body of `plain_bytes` of content.
size_t SealedBodySize(size_t plain_bytes);

// Seals and fills header.body_size and header.body_hash; the other fields must be set.
absl::StatusOr<std::string> SealBody(const Secret32& entry_key, EntryHeader& header,
                                     std::string_view plain, Entropy& entropy);

// InvalidArgument: a size no seal has, or not the header's. Unauthenticated: another key than the
// body commits to, or altered bytes. DataLoss: the author sealed a malformed plaintext.
absl::StatusOr<std::string> OpenBody(const Secret32& entry_key, const EntryHeader& header,
                                     std::string_view body);

}  // namespace entente::crypto

// Authenticated encryption of stored values: the encrypting file system layer below RocksDB hides,
// but does not protect; this does. XChaCha20-Poly1305, random nonce, the row's key as context, so
// that a value moved to another key does not open.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr size_t kValueOverhead = 24 + 16;

std::string SealValue(const Secret32& storage_key, std::string_view key, std::string_view value,
                      Entropy& entropy);
// DataLoss when the bytes are damaged, moved or sealed under another storage key.
absl::StatusOr<std::string> OpenValue(const Secret32& storage_key, std::string_view key,
                                      std::string_view sealed);

}  // namespace entente::crypto

// A RocksDB Env whose files are unreadable without the node's storage key.
//
// Every file begins with a 4 KiB prefix:
//   "entente-file-1" 00 00 ‖ nonce 32 ‖ commitment 32 ‖ zeros
//   (file key ‖ commitment) = K64(K(storage key, "store-files"), "store-file", nonce)
// and continues as AES-256-CTR under the file key, the counter being the offset in 16-byte blocks,
// prefix included. A fresh key per file makes the counter safe to start from the offset; RocksDB
// writes each byte of a file once (log recycling stays off). The commitment tells a wrong key or a
// damaged prefix from damaged content.
//
// CTR hides and does not protect: whoever can write the disk can flip bits and mend RocksDB's
// checksums. That is why values are sealed one by one above this (rocks_kv.h), and why rights are
// derived from signed entries and not from rows.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"
#include "rocksdb/env.h"

namespace entente::store {

inline constexpr size_t kEncryptedPrefixBytes = 4096;

// `entropy` must outlive the Env and bear being called from RocksDB's threads at once.
absl::StatusOr<std::unique_ptr<rocksdb::Env>> NewStorageEnv(const crypto::Secret32& storage_key,
                                                            Entropy& entropy);

}  // namespace entente::store

// Small secret files: the keystore, a party root, a user's key, a passphrase.
//
// A file that others can read is refused on sight rather than used with a shrug, and one that is
// written is complete or absent, whatever is interrupted. Content is opaque here.
// Tests: tests/node/store/keystore_file_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace entente::store {

inline constexpr uint64_t kSecretFileBytesMax = 64 * 1024;

// NotFound; FailedPrecondition when group or others may read it (the message says how to mend it),
// when another user owns it, or when it is no regular file; ResourceExhausted when too large.
absl::StatusOr<crypto::SecretBytes> ReadSecretFile(const std::string& path,
                                                   uint64_t bytes_max = kSecretFileBytesMax);

enum class Overwrite { kRefuse, kReplace };

// Mode 0600, temporary file, fsync, rename, folder synced. AlreadyExists when the file is there and
// must not be replaced: keys are never overwritten by accident.
absl::Status WriteSecretFile(const std::string& path, std::string_view content,
                             Overwrite overwrite);

}  // namespace entente::store

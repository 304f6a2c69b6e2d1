// Where the passphrase of a keystore comes from: a file that only its owner can read, or a person
// at a terminal. Never the command line or the environment, where others can see it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace entente::daemon {

inline constexpr size_t kPassphraseBytesMin = 12;

// `file` may be empty: then a person is asked, if there is one; twice when `fresh`. One line break
// at the end is not part of it. InvalidArgument [PASSPHRASE] when it is too short for a fresh one.
absl::StatusOr<crypto::SecretBytes> GetPassphrase(const std::string& file, bool fresh);

}  // namespace entente::daemon

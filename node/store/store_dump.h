// Prints a whole store, decrypted, for tools that look for what must not be in it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace entente::store {

// One line per row, "<key in hex> <value in hex>\n", in key order; `print` gets each line. Changes
// nothing on disk and takes no lock: no daemon should be writing to `dir` meanwhile.
absl::Status DumpStore(const std::string& dir, const crypto::Secret32& storage_key,
                       Entropy& entropy, const std::function<void(std::string_view)>& print);

}  // namespace entente::store

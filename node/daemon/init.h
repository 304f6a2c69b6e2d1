// Making a node: `entented init …`, which `entente node init` runs.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"

namespace entente::daemon {

// Makes keys, card, database, anchor and the first person's key file; all of it or nothing. Prints
// what was made, and the words of the card, to `out`.
absl::Status InitNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                      std::ostream& out);

// `entented renew …`, which `entente node renew` runs: new keys for a stopped node under the same
// root. The node is as before or renewed, whatever interrupts it.
absl::Status RenewNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                       std::ostream& out);

// `entented recover …`, which `entente node recover` runs: a fresh node for a body whose old one is
// gone, from its root key and its cards as others hold them. All of it or nothing.
absl::Status RecoverNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                         std::ostream& out);

// `entented --relay --init …`, which `entente relay init` runs.
absl::Status InitRelay(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                       std::ostream& out);

}  // namespace entente::daemon

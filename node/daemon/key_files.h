// The keystore over a node's life: opened at every start, exchanged by a renewal, and emptied of a
// reading key whose time is over.
//
// A renewal changes two things that cannot change in one stroke, the keystore and the node's own
// card in the database. The fresh keystore is therefore written beside the old one first, and the
// card decides: whichever keystore it names is the node's, now or when the node starts next.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "sync/kv.h"

namespace entente::daemon {

absl::StatusOr<crypto::NodeKeys> OpenKeys(const std::string& data_dir, std::string_view passphrase);

// The keys that the card in `store` names, `opened` or those of a renewal that was cut short. A
// reading key that the node has destroyed is taken out of the file.
absl::StatusOr<crypto::NodeKeys> SettleKeys(const std::string& data_dir,
                                            std::string_view passphrase, crypto::NodeKeys opened,
                                            const sync::KvReader& store, Entropy& entropy);

// The two halves of a renewal: before and after the database has the new card.
absl::Status PutBeside(const std::string& data_dir, std::string_view passphrase,
                       const crypto::NodeKeys& fresh, Entropy& entropy);
absl::Status TakeFromBeside(const std::string& data_dir);

}  // namespace entente::daemon

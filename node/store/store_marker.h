// The file STORE in a database folder: which format it has, whether it was ever completed, and
// which storage key it belongs to.
//
// RocksDB, asked to create what is missing, answers a lost CURRENT file with a fresh empty
// database. The marker is how this store knows better: creation is allowed only while it says
// "creating", and nothing is acknowledged before it says "ready".
//   "entente-store-1\n" ‖ state u8 ‖ key check 32 ‖ checksum 16
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace entente::store {

enum class StoreState { kAbsent, kCreating, kReady };

// InvalidArgument: another storage key's store. FailedPrecondition: a newer format.
// DataLoss: the marker is damaged, or missing in a folder that holds database files.
absl::StatusOr<StoreState> ReadStoreMarker(const std::string& dir,
                                           const crypto::Secret32& storage_key);
absl::Status WriteStoreMarker(const std::string& dir, const crypto::Secret32& storage_key,
                              StoreState state);

}  // namespace entente::store

// One entry between its stored form and its meaning: header, seal, decode. Protocol §4.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entry_header.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"
#include "sync/log_book.h"

namespace entente::sync {

// The 84-byte header of an entry, rebuilt from where it stands and what it holds.
crypto::EntryHeader HeaderOf(const LogId& log, uint64_t index, uint8_t type, uint32_t epoch,
                             std::string_view body);

// The same of a stored entry, whether or not its body is still here.
crypto::EntryHeader HeaderOf(const LogId& log, uint64_t index, const StoredEntry& stored);

// Decrypts and decodes a stored sealed entry. NotFound: its epoch is locked here, or its body is
// erased. DataLoss or Unauthenticated: the author sealed something that does not open under the
// committed key.
absl::StatusOr<OpenedEntry> OpenEntry(const LogState& log, uint64_t index,
                                      const StoredEntry& stored, uint64_t epoch_first,
                                      EpochKeys& keys);

// The same under a key that is at hand.
absl::StatusOr<OpenedEntry> OpenEntryUnder(const crypto::Secret32& key, const LogState& log,
                                           uint64_t index, const StoredEntry& stored);

}  // namespace entente::sync

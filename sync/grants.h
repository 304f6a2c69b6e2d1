// Originals: single entries of an own log handed to a new reader, who verifies each as it was
// signed. Protocol §6.
//
// A Grant carries, for every entry, the header, the sealed body and the inclusion path to a signed
// head, and the tree keys that open exactly these entries: single leaves, or the node above a run
// of neighbours. It shows where the entries stand in their log and how long that log is; nothing of
// what stands between them, and not who else reads it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "entente/v1/entry.pb.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"
#include "sync/limits.h"
#include "sync/log_book.h"

namespace entente::sync {

// An entry that was verified against a head its author signed, and opened.
struct Original {
  EntryRef ref;
  uint64_t log_size = 0;  // of that head
  std::string body_bytes;
  v1::EntryBody body;
};

// What the envelope of a Grant, its head and its keys take beside the entries.
inline constexpr size_t kGrantBytesMax = kEntryBytesMax - (16 << 10);
inline constexpr int kGrantEntriesMax = 4096;

// The sealed entries at `indexes` of `log`, as few Grants as fit into `bytes_max` each: by default
// what an entry can carry. FailedPrecondition: an entry that is locked here, or whose log has no
// head over all of it; InvalidArgument: no sealed entry, or one longer than that.
absl::StatusOr<std::vector<v1::Grant>> MakeGrants(const LogBook& logs, EpochKeys& keys,
                                                  const LogState& log,
                                                  const std::set<uint64_t>& indexes,
                                                  std::string_view basis,
                                                  size_t bytes_max = kGrantBytesMax);

// Checks all of a Grant: the head's signature by `author_log_key`, every header, path, body hash,
// commitment and seal, and that the keys reach no further than the entries. All of its entries, or
// InvalidArgument (malformed) or Unauthenticated (not as the author signed it).
absl::StatusOr<std::vector<Original>> VerifyGrant(const v1::Grant& grant,
                                                  const PublicKey& author_log_key);

// The pieces, for other proofs. The path of `index` to the tree of `size`.
absl::StatusOr<v1::Proven> Prove(const LogBook& logs, const LogState& log, uint64_t index,
                                 uint64_t size, bool with_body);
// The header, rebuilt and compared. The leaf hash that `path` leads to `root` from.
struct ProvenHeader {
  LogId log;
  uint64_t index = 0;
  uint32_t epoch = 0;
  Hash leaf;
};
absl::StatusOr<ProvenHeader> VerifyProven(const v1::Proven& proven, uint64_t size,
                                          const Hash& root);

}  // namespace entente::sync

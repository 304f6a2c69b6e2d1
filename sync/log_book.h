// The logs a node holds: their shape in memory, their rows in the store, their Merkle trees.
//
// A log has one author and one audience. Its entries are [0, size); a signed head of head_size >=
// size covers them, and head_edge (the compact range [size, head_size)) ties the two together while
// a catch-up is under way. All writes go through the overlay and leave with the step's batch.
// Protocol §4. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/entry_header.h"
#include "crypto/merkle.h"
#include "entente/v1/storage.pb.h"
#include "sync/entry_types.h"
#include "sync/kv.h"

namespace entente::sync {

struct Receipt {
  uint64_t size = 0;
  std::string cosignature;
  uint64_t opened = 0;
};

// Two signed heads that contradict each other (sync/fork.h), by their sizes.
struct Fork {
  uint64_t shorter = 0;
  uint64_t longer = 0;  // nothing beyond it is taken any more
};

struct LogState {
  LogId id;
  JitId jit;
  PartyId author;
  Hash author_card;
  uint32_t incarnation = 0;
  AudienceId audience;
  std::string salt;
  Members members;  // empty until entry 0 told them

  uint64_t size = 0;
  crypto::CompactRange range = crypto::CompactRange::Empty(0);
  crypto::CompactRange tile = crypto::CompactRange::Empty(0);
  uint32_t epoch = 0;
  uint64_t epoch_first = 0;
  std::string head_note;
  uint64_t head_size = 0;
  crypto::CompactRange head_edge = crypto::CompactRange::Empty(0);
  uint64_t opened = 0;
  std::vector<uint32_t> locked_epochs;
  int64_t epoch_started = 0;
  bool frozen = false;
  std::optional<Fork> fork;  // proven; kept in a table of its own
  bool renew_epoch = false;  // own log: a member cannot open the present epoch; not stored
  std::map<PartyId, Receipt> receipts;

  // The root of what is held. Empty tree: SHA-256 of nothing.
  Hash Root() const;
};

// What stays of a body that was erased: enough to show that the log is whole without it.
struct ErasedBody {
  uint32_t size = 0;
  Hash hash;
  Hash order;  // SHA-256 of the ErasureOrder
};

struct StoredEntry {
  uint8_t type = 0;
  uint32_t epoch = 0;
  Hash leaf;
  std::string body;  // empty once it is erased
  std::optional<ErasedBody> erased;
};

class LogBook {
 public:
  explicit LogBook(OverlayKv& store) : store_(store) {}

  // Reads every LogRow and receipt. DataLoss when a row contradicts itself.
  absl::Status Load();

  LogState* Find(const LogId& id);
  const LogState* Find(const LogId& id) const;
  const std::map<LogId, LogState>& all() const { return logs_; }
  LogState& Add(LogState state);
  void Drop(const LogId& id);  // only logs that hold nothing yet

  // Appends one entry to the tree and the table; the caller has verified it.
  absl::Status Append(LogState& log, uint8_t type, uint32_t epoch, const Hash& leaf,
                      std::string_view body);
  // The same for an entry whose body was erased before it came here.
  absl::Status AppendErased(LogState& log, uint8_t type, uint32_t epoch, const Hash& leaf,
                            const ErasedBody& erased);
  // Takes away the body of an entry; the log stays as provable as it was.
  void Erase(const LogState& log, uint64_t index, const StoredEntry& stored, const Hash& order);
  // Orders to erase stand in place of what they took away. One that is known is left alone, with
  // what was written down of it.
  absl::Status KeepOrder(const Hash& id, const v1::SignedErasureOrder& order);
  absl::StatusOr<v1::OrderRow> ReadOrder(const Hash& id) const;
  void SaveOrder(const Hash& id, const v1::OrderRow& row);
  // Writes the LogRow; once per log and step.
  void Save(const LogState& log);
  void SaveReceipt(const LogState& log, const PartyId& party, const Receipt& receipt);

  absl::StatusOr<StoredEntry> Read(const LogState& log, uint64_t index) const;
  // Calls `visit` for entries [from, to) in order until it returns false.
  absl::Status ReadRange(const LogState& log, uint64_t from, uint64_t to,
                         const std::function<bool(uint64_t, const StoredEntry&)>& visit) const;

  // The index of the Epoch entry that began `epoch`. NotFound while it is not held.
  absl::StatusOr<uint64_t> EpochEntry(const LogState& log, uint32_t epoch) const;

  // Compact range [0, size) for a size up to the log's own. Cheap when sizes are asked for in
  // rising order, as a replay does; any other costs up to 255 reads.
  absl::StatusOr<crypto::CompactRange> RangeAt(const LogState& log, uint64_t size) const;
  // RFC 6962 path of entry `index` to the root of the first `size` entries.
  absl::StatusOr<std::vector<Hash>> Inclusion(const LogState& log, uint64_t index,
                                              uint64_t size) const;
  // RFC 6962 proof that the first `from` entries are the beginning of the first `to`.
  absl::StatusOr<std::vector<Hash>> Consistency(const LogState& log, uint64_t from,
                                                uint64_t to) const;
  // Compact range [from, head_size): what a batch that ends at `from` needs as its edge.
  absl::StatusOr<crypto::CompactRange> EdgeToHead(const LogState& log, uint64_t from) const;

 private:
  absl::Status Grow(LogState& log, const Hash& leaf, std::string row);

  OverlayKv& store_;
  std::map<LogId, LogState> logs_;
  // What RangeAt answered last; entries never change, so it stays true as long as the log.
  mutable std::map<LogId, crypto::CompactRange> last_ranges_;
};

}  // namespace entente::sync

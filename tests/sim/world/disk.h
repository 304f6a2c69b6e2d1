// What a node keeps through a crash: its database, its anchor file, its chunk files; and how they
// fail. Thread-compatible; the world has one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/bytes.h"
#include "sync/effects.h"
#include "sync/kv.h"

namespace entente::sim {

// The database. Rows can rot; the last commits can turn out never to have reached the platter.
class DiskKv : public sync::KvStore {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(std::string_view from, std::string_view to,
                    const Visitor& visit) const override;
  absl::Status Commit(const sync::WriteBatch& batch) override;

  Rows& rows() { return rows_; }
  const Rows& rows() const { return rows_; }
  // Takes back up to `n` of the last commits, as after a flush that was a lie. Says how many.
  size_t LoseTail(size_t n);
  // From now on this row is damaged: reads of it say so.
  void Rot(const std::string& key) { rotten_.insert(key); }
  bool rotten() const { return !rotten_.empty(); }
  // The database as it was at another time, or a new one.
  void Replace(Rows rows);

 private:
  using Undo = std::vector<std::pair<std::string, std::optional<std::string>>>;

  Rows rows_;
  std::set<std::string, std::less<>> rotten_;
  std::deque<Undo> undo_;
};

struct Disk {
  DiskKv kv;
  std::map<std::pair<LogId, uint32_t>, sync::AnchorRecord> anchors;
  bool anchor_exists = false;
  struct Blob {
    uint64_t count = 0;
    std::map<uint64_t, std::string> chunks;
    std::vector<Hash> leaves;  // of the chunks as they came
  };
  std::map<BlobId, Blob> blobs;
  std::optional<DiskKv::Rows> backup;
  absl::Time backup_made = absl::InfinitePast();

  std::vector<sync::AnchorRecord> AnchorList() const;
  void Anchor(const sync::AnchorRecord& record);
};

}  // namespace entente::sim

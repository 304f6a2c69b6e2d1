#include "tests/sim/world/disk.h"

#include <algorithm>

namespace entente::sim {
namespace {

constexpr size_t kUndoMax = 6;  // commits that a lying disk can lose

absl::Status Damaged() {
  return absl::DataLossError("a row of the database does not read back as it was written");
}

}  // namespace

absl::StatusOr<std::optional<std::string>> DiskKv::Get(std::string_view key) const {
  if (!rotten_.empty() && rotten_.contains(key)) return Damaged();
  const auto it = rows_.find(key);
  if (it == rows_.end()) return std::nullopt;
  return it->second;
}

absl::Status DiskKv::Scan(std::string_view from, std::string_view to, const Visitor& visit) const {
  for (auto it = rows_.lower_bound(from); it != rows_.end() && it->first < to; ++it) {
    if (!rotten_.empty() && rotten_.contains(it->first)) return Damaged();
    if (!visit(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

absl::Status DiskKv::Commit(const sync::WriteBatch& batch) {
  Undo undo;
  for (const sync::WriteBatch::Write& write : batch.writes()) {
    const auto it = rows_.find(write.key);
    undo.emplace_back(write.key,
                      it == rows_.end() ? std::nullopt : std::optional<std::string>(it->second));
    if (!write.value.has_value()) {
      if (it != rows_.end()) rows_.erase(it);
    } else if (it == rows_.end()) {
      rows_.emplace(write.key, *write.value);
    } else {
      it->second = *write.value;
    }
  }
  undo_.push_back(std::move(undo));
  if (undo_.size() > kUndoMax) undo_.pop_front();
  return absl::OkStatus();
}

size_t DiskKv::LoseTail(size_t n) {
  size_t lost = 0;
  for (; lost < n && !undo_.empty(); ++lost, undo_.pop_back()) {
    for (auto it = undo_.back().rbegin(); it != undo_.back().rend(); ++it) {
      if (it->second.has_value()) {
        rows_[it->first] = *it->second;
      } else {
        rows_.erase(it->first);
      }
    }
  }
  return lost;
}

void DiskKv::Replace(Rows rows) {
  rows_ = std::move(rows);
  rotten_.clear();
  undo_.clear();
}

std::vector<sync::AnchorRecord> Disk::AnchorList() const {
  std::vector<sync::AnchorRecord> out;
  for (const auto& [key, record] : anchors) out.push_back(record);
  return out;
}

void Disk::Anchor(const sync::AnchorRecord& record) {
  sync::AnchorRecord& held = anchors[{record.log, record.incarnation}];
  if (record.size >= held.size) held = record;
  anchor_exists = true;
}

}  // namespace entente::sim

#include "sync/kv.h"

#include <utility>

namespace entente::sync {

void WriteBatch::Append(WriteBatch&& other) {
  if (writes_.empty()) {
    writes_ = std::move(other.writes_);
  } else {
    writes_.reserve(writes_.size() + other.writes_.size());
    for (Write& write : other.writes_) writes_.push_back(std::move(write));
  }
  other.writes_.clear();
}

// ---- OverlayKv

void OverlayKv::Apply(const WriteBatch& batch) {
  for (const WriteBatch::Write& write : batch.writes()) {
    if (write.value.has_value()) {
      Put(write.key, *write.value);
    } else {
      Delete(write.key);
    }
  }
}

void OverlayKv::Put(std::string key, std::string value) {
  pending_.insert_or_assign(key, value);
  fresh_.Put(std::move(key), std::move(value));
}

void OverlayKv::Delete(std::string key) {
  pending_.insert_or_assign(key, std::nullopt);
  fresh_.Delete(std::move(key));
}

WriteBatch OverlayKv::Take() { return std::exchange(fresh_, WriteBatch()); }

absl::StatusOr<std::optional<std::string>> OverlayKv::Get(std::string_view key) const {
  const auto found = pending_.find(key);
  if (found != pending_.end()) return found->second;
  return base_.Get(key);
}

// A merge of two ascending sequences. Where both have a key, the pending one stands and the base
// one is passed over; a pending delete shows nothing.
absl::Status OverlayKv::Scan(std::string_view from, std::string_view to,
                             const Visitor& visit) const {
  if (from >= to) return absl::OkStatus();
  auto next = pending_.lower_bound(from);
  const auto end = pending_.lower_bound(to);
  bool wanted = true;

  // Shows one pending row and steps to the next.
  const auto show_pending = [&] {
    if (next->second.has_value()) wanted = visit(next->first, *next->second);
    ++next;
  };

  const absl::Status scan = base_.Scan(from, to, [&](std::string_view key, std::string_view value) {
    while (wanted && next != end && next->first < key) show_pending();
    if (!wanted) return false;
    if (next != end && next->first == key) {
      show_pending();
    } else {
      wanted = visit(key, value);
    }
    return wanted;
  });
  if (!scan.ok()) return scan;
  while (wanted && next != end) show_pending();
  return absl::OkStatus();
}

// ---- MemoryKv

absl::StatusOr<std::optional<std::string>> MemoryKv::Get(std::string_view key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

absl::Status MemoryKv::Scan(std::string_view from, std::string_view to,
                            const Visitor& visit) const {
  for (auto row = rows_.lower_bound(from); row != rows_.end() && row->first < to; ++row) {
    if (!visit(row->first, row->second)) break;
  }
  return absl::OkStatus();
}

absl::Status MemoryKv::Commit(const WriteBatch& batch) {
  for (const WriteBatch::Write& write : batch.writes()) {
    if (write.value.has_value()) {
      rows_.insert_or_assign(write.key, *write.value);
    } else {
      rows_.erase(write.key);
    }
  }
  return absl::OkStatus();
}

}  // namespace entente::sync

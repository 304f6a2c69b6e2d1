// Ordered key-value storage as the core sees it: reads now, writes as one atomic batch later.
//
// The core never writes by itself. It reads through KvReader and collects a WriteBatch, which the
// driver commits in one synced step before anything else happens (see sync/effects.h). Values are
// plain here; the store behind the interface seals them at rest.
//
// Thread-safety: a KvReader may be read from several threads; a WriteBatch belongs to one.
// Contract test, run on every implementation: tests/node/store/kv_contract_test.cc.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entente::sync {

class WriteBatch {
 public:
  struct Write {
    std::string key;
    std::optional<std::string> value;  // nullopt deletes
  };

  void Put(std::string key, std::string value) {
    writes_.push_back({std::move(key), std::move(value)});
  }
  void Delete(std::string key) { writes_.push_back({std::move(key), std::nullopt}); }
  void Append(WriteBatch&& other);

  bool empty() const { return writes_.empty(); }
  const std::vector<Write>& writes() const { return writes_; }
  void clear() { writes_.clear(); }

 private:
  std::vector<Write> writes_;  // in order: the last write to a key wins
};

class KvReader {
 public:
  virtual ~KvReader() = default;

  // The value, or nullopt when the key is absent. DataLoss when the stored bytes are damaged.
  virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const = 0;

  // Calls `visit` for each key in [from, to) in ascending byte order until it returns false.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual absl::Status Scan(std::string_view from, std::string_view to,
                            const Visitor& visit) const = 0;
};

class KvStore : public KvReader {
 public:
  // All of the batch or nothing; durable on return. An error is fatal for the caller: the store's
  // state is unknown until it is opened again.
  virtual absl::Status Commit(const WriteBatch& batch) = 0;
};

// What a reader would see once `pending` were committed.
class OverlayKv : public KvReader {
 public:
  explicit OverlayKv(const KvReader& base) : base_(base) {}

  void Apply(const WriteBatch& batch);
  void Put(std::string key, std::string value);
  void Delete(std::string key);
  // All changes since the last Take, as a batch; later reads still see them until Forget.
  WriteBatch Take();
  // Drops the overlay after the batch has been committed.
  void Forget() { pending_.clear(); }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(std::string_view from, std::string_view to,
                    const Visitor& visit) const override;

 private:
  const KvReader& base_;
  std::map<std::string, std::optional<std::string>, std::less<>> pending_;
  WriteBatch fresh_;
};

// In memory, for tests and the simulator.
class MemoryKv : public KvStore {
 public:
  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(std::string_view from, std::string_view to,
                    const Visitor& visit) const override;
  absl::Status Commit(const WriteBatch& batch) override;

  std::map<std::string, std::string, std::less<>>& rows() { return rows_; }

 private:
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace entente::sync

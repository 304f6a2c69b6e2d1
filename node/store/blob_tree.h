// The Merkle tree of a blob in a file of its own, so that proving a chunk costs O(log n) reads.
//
// Format, integers big endian:
//   header   "entente-tree-1" 00 00 ‖ chunk count u64 ‖ stride u32 ‖ last u32 ‖ blob id 32 ‖ check
//   16 level 0  leaf hash of every sealed chunk, 32 bytes each level k  hash of every perfect
//   subtree of 2^k leaves: (count >> k) of them, up to the top
// Ragged edges are computed from perfect subtrees when asked for. stride is the sealed size of
// every chunk but the last, last that of the last; check = first 16 bytes of H("blob-tree", rest of
// the header). Node hashes carry no check of their own: every proof made from them is verified
// against the blob id before use. Everything here can be rebuilt from the chunks. Not thread-safe.
// Tests: tests/node/store/blob_tree_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/merkle.h"
#include "node/store/file_io.h"

namespace entente::store {

// Where the sealed chunks of a blob lie.
struct BlobShape {
  uint64_t count = 0;       // at least 1
  uint32_t stride = 0;      // sealed bytes of every chunk but the last
  uint32_t last_bytes = 0;  // sealed bytes of the last

  uint64_t Offset(uint64_t index) const { return index * stride; }
  uint32_t Bytes(uint64_t index) const { return index + 1 == count ? last_bytes : stride; }
  uint64_t TotalBytes() const { return (count - 1) * stride + last_bytes; }
  bool operator==(const BlobShape&) const = default;
};

// Hashes in a file, level by level.
class TreeLevels : public crypto::MerkleSource {
 public:
  TreeLevels(Fd fd, std::string path, uint64_t count)
      : fd_(std::move(fd)), path_(std::move(path)), count_(count) {}

  absl::StatusOr<Hash> Node(uint32_t level, uint64_t index) const override;
  // `count` hashes of `level` from `first` on, one after the other.
  absl::StatusOr<std::string> Nodes(uint32_t level, uint64_t first, uint64_t count) const;

  uint64_t count() const { return count_; }
  const Fd& fd() const { return fd_; }
  const std::string& path() const { return path_; }
  uint64_t OffsetOf(uint32_t level, uint64_t index) const;
  uint64_t FileBytes() const;

 private:
  Fd fd_;
  std::string path_;
  uint64_t count_;
};

// Collects leaves in constant memory, then lays the levels above them.
class TreeWriter {
 public:
  // Makes or replaces `path`; removes it again unless Finish succeeds.
  static absl::StatusOr<std::unique_ptr<TreeWriter>> Create(const std::string& path);
  ~TreeWriter();
  TreeWriter(const TreeWriter&) = delete;
  TreeWriter& operator=(const TreeWriter&) = delete;

  absl::Status Append(const Hash& leaf);
  // Completes and syncs the file; returns the root. At least one leaf must have been appended.
  absl::StatusOr<BlobId> Finish(uint32_t stride, uint32_t last_bytes);

 private:
  TreeWriter(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  absl::Status Flush();

  Fd fd_;
  std::string path_;
  std::string buffer_;  // leaves not yet written
  uint64_t count_ = 0;
  bool finished_ = false;
};

// A finished tree.
class TreeReader {
 public:
  // NotFound when absent; DataLoss when damaged, cut short, or another blob's.
  static absl::StatusOr<TreeReader> Open(const std::string& path, const BlobId& blob);

  const BlobShape& shape() const { return shape_; }
  const crypto::MerkleSource& nodes() const { return levels_; }

 private:
  TreeReader(TreeLevels levels, BlobShape shape) : levels_(std::move(levels)), shape_(shape) {}

  TreeLevels levels_;
  BlobShape shape_;
};

}  // namespace entente::store

// RFC 6962 Merkle trees: roots, compact ranges, inclusion and consistency proofs.
//
// A compact range [begin, end) is the shortest list of roots of perfect, aligned subtrees that
// cover it, left to right (transparency-dev "compact ranges"). It can be extended leaf by leaf or
// by the range that follows it, and a range that starts at 0 gives the tree's root: that is how a
// batch is checked against a head signed for a larger tree, without the leaves in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"

namespace entente::crypto {

// SHA-256(0x01 ‖ left ‖ right).
Hash NodeHash(const Hash& left, const Hash& right);
// SHA-256 of nothing: the root of a tree without leaves.
Hash EmptyRoot();

// How many hashes the compact range [begin, end) has.
size_t CompactRangeHashCount(uint64_t begin, uint64_t end);

class CompactRange {
 public:
  static CompactRange Empty(uint64_t begin) { return CompactRange(begin, begin, {}); }
  // InvalidArgument when the number of hashes is not what [begin, end) takes.
  static absl::StatusOr<CompactRange> From(uint64_t begin, uint64_t end, std::vector<Hash> hashes);

  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  const std::vector<Hash>& hashes() const { return hashes_; }

  void Append(const Hash& leaf);
  // `next` must begin where this range ends.
  absl::Status AppendRange(const CompactRange& next);
  // FailedPrecondition unless begin() is 0.
  absl::StatusOr<Hash> Root() const;

 private:
  CompactRange(uint64_t begin, uint64_t end, std::vector<Hash> hashes)
      : begin_(begin), end_(end), hashes_(std::move(hashes)) {}
  // Adds the perfect subtree of height `level` that starts at end_ and merges what has filled up.
  void AppendSubtree(uint32_t level, Hash hash);

  uint64_t begin_;
  uint64_t end_;
  std::vector<Hash> hashes_;
};

// Where the nodes of a tree are read from.
class MerkleSource {
 public:
  virtual ~MerkleSource() = default;
  // The root of the perfect subtree over leaves [index << level, (index + 1) << level).
  virtual absl::StatusOr<Hash> Node(uint32_t level, uint64_t index) const = 0;
};

absl::StatusOr<CompactRange> RangeFrom(const MerkleSource& source, uint64_t begin, uint64_t end);

// RFC 6962 §2.1.1, §2.1.2.
absl::StatusOr<std::vector<Hash>> InclusionProof(const MerkleSource& source, uint64_t index,
                                                 uint64_t size);
absl::Status VerifyInclusion(const Hash& leaf, uint64_t index, uint64_t size,
                             const std::vector<Hash>& proof, const Hash& root);
absl::StatusOr<std::vector<Hash>> ConsistencyProof(const MerkleSource& source, uint64_t old_size,
                                                   uint64_t new_size);
absl::Status VerifyConsistency(uint64_t old_size, uint64_t new_size, const Hash& old_root,
                               const Hash& new_root, const std::vector<Hash>& proof);

// All levels in memory; for files and tests.
class VectorMerkleSource : public MerkleSource {
 public:
  explicit VectorMerkleSource(std::vector<Hash> leaves);
  absl::StatusOr<Hash> Node(uint32_t level, uint64_t index) const override;
  const std::vector<std::vector<Hash>>& levels() const { return levels_; }

 private:
  std::vector<std::vector<Hash>> levels_;
};

}  // namespace entente::crypto

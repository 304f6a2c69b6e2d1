#include "crypto/merkle.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

// The height of the largest perfect, aligned subtree that starts at `begin` and fits before `end`.
uint32_t SubtreeLevel(uint64_t begin, uint64_t end) {
  const int fits = static_cast<int>(std::bit_width(end - begin)) - 1;
  const int aligned = begin == 0 ? 63 : std::countr_zero(begin);
  return static_cast<uint32_t>(std::min(fits, aligned));
}

// The largest power of two smaller than n, for n > 1.
uint64_t Split(uint64_t n) { return uint64_t{1} << (std::bit_width(n - 1) - 1); }

absl::StatusOr<Hash> SubtreeRoot(const MerkleSource& source, uint64_t begin, uint64_t end) {
  const absl::StatusOr<CompactRange> range = RangeFrom(source, begin, end);
  if (!range.ok()) return range.status();
  Hash root = range->hashes().back();
  for (size_t i = range->hashes().size() - 1; i-- > 0;) root = NodeHash(range->hashes()[i], root);
  return root;
}

absl::Status Mismatch(std::string_view what) {
  return absl::UnauthenticatedError(Cat(what, " does not lead to the root"));
}

}  // namespace

Hash NodeHash(const Hash& left, const Hash& right) {
  return Sha256({std::string_view("\x01", 1), left.view(), right.view()});
}

Hash EmptyRoot() { return Sha256(std::string_view()); }

size_t CompactRangeHashCount(uint64_t begin, uint64_t end) {
  size_t count = 0;
  while (begin < end) {
    begin += uint64_t{1} << SubtreeLevel(begin, end);
    ++count;
  }
  return count;
}

absl::StatusOr<CompactRange> CompactRange::From(uint64_t begin, uint64_t end,
                                                std::vector<Hash> hashes) {
  if (end < begin || end > (uint64_t{1} << 62) ||
      hashes.size() != CompactRangeHashCount(begin, end)) {
    return absl::InvalidArgumentError("a compact range with the wrong number of hashes");
  }
  return CompactRange(begin, end, std::move(hashes));
}

void CompactRange::Append(const Hash& leaf) { AppendSubtree(0, leaf); }

void CompactRange::AppendSubtree(uint32_t level, Hash hash) {
  // Two siblings of one height merge into their parent, as long as the left one lies in the range.
  const uint64_t start = end_;
  end_ += uint64_t{1} << level;
  uint64_t node_begin = start;
  while ((node_begin >> level & 1) == 1 && node_begin - (uint64_t{1} << level) >= begin_ &&
         !hashes_.empty()) {
    hash = NodeHash(hashes_.back(), hash);
    hashes_.pop_back();
    node_begin -= uint64_t{1} << level;
    ++level;
  }
  hashes_.push_back(hash);
}

absl::Status CompactRange::AppendRange(const CompactRange& next) {
  if (next.begin_ != end_) {
    return absl::InvalidArgumentError("a compact range that does not follow");
  }
  const uint64_t end = next.end_;
  for (const Hash& hash : next.hashes_) {
    // The subtrees of `next` come in the canonical decomposition of [next.begin, next.end).
    AppendSubtree(SubtreeLevel(end_, end), hash);
  }
  return absl::OkStatus();
}

absl::StatusOr<Hash> CompactRange::Root() const {
  if (begin_ != 0) return absl::FailedPreconditionError("only a range from 0 has a root");
  if (hashes_.empty()) return EmptyRoot();
  Hash root = hashes_.back();
  for (size_t i = hashes_.size() - 1; i-- > 0;) root = NodeHash(hashes_[i], root);
  return root;
}

absl::StatusOr<CompactRange> RangeFrom(const MerkleSource& source, uint64_t begin, uint64_t end) {
  if (end < begin) return absl::InvalidArgumentError("a range that ends before it begins");
  std::vector<Hash> hashes;
  for (uint64_t at = begin; at < end;) {
    const uint32_t level = SubtreeLevel(at, end);
    const absl::StatusOr<Hash> node = source.Node(level, at >> level);
    if (!node.ok()) return node.status();
    hashes.push_back(*node);
    at += uint64_t{1} << level;
  }
  return CompactRange::From(begin, end, std::move(hashes));
}

absl::StatusOr<std::vector<Hash>> InclusionProof(const MerkleSource& source, uint64_t index,
                                                 uint64_t size) {
  if (index >= size) return absl::InvalidArgumentError("no such leaf");
  std::vector<Hash> path;  // collected from the root down, returned from the leaf up
  uint64_t begin = 0;
  uint64_t end = size;
  while (end - begin > 1) {
    const uint64_t middle = begin + Split(end - begin);
    const bool left = index < middle;
    const absl::StatusOr<Hash> sibling =
        left ? SubtreeRoot(source, middle, end) : SubtreeRoot(source, begin, middle);
    if (!sibling.ok()) return sibling.status();
    path.push_back(*sibling);
    (left ? end : begin) = middle;
  }
  return std::vector<Hash>(path.rbegin(), path.rend());
}

absl::Status VerifyInclusion(const Hash& leaf, uint64_t index, uint64_t size,
                             const std::vector<Hash>& proof, const Hash& root) {
  // RFC 9162 §2.1.3.2.
  if (index >= size) return absl::InvalidArgumentError("no such leaf");
  uint64_t fn = index;
  uint64_t sn = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (sn == 0) return Mismatch("an inclusion proof that is too long");
    if ((fn & 1) == 1 || fn == sn) {
      hash = NodeHash(sibling, hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && hash == root ? absl::OkStatus() : Mismatch("an inclusion proof");
}

absl::StatusOr<std::vector<Hash>> ConsistencyProof(const MerkleSource& source, uint64_t old_size,
                                                   uint64_t new_size) {
  if (old_size == 0 || old_size > new_size) {
    return absl::InvalidArgumentError("no consistency proof between these sizes");
  }
  std::vector<Hash> path;
  uint64_t begin = 0;
  uint64_t end = new_size;
  uint64_t m = old_size;
  bool whole = true;  // the old tree is still the complete left part
  while (m != end - begin) {
    const uint64_t k = Split(end - begin);
    const uint64_t middle = begin + k;
    const bool left = m <= k;
    const absl::StatusOr<Hash> sibling =
        left ? SubtreeRoot(source, middle, end) : SubtreeRoot(source, begin, middle);
    if (!sibling.ok()) return sibling.status();
    path.push_back(*sibling);
    if (left) {
      end = middle;
    } else {
      begin = middle;
      m -= k;
      whole = false;
    }
  }
  if (!whole) {
    const absl::StatusOr<Hash> node = SubtreeRoot(source, begin, end);
    if (!node.ok()) return node.status();
    path.push_back(*node);
  }
  return std::vector<Hash>(path.rbegin(), path.rend());
}

absl::Status VerifyConsistency(uint64_t old_size, uint64_t new_size, const Hash& old_root,
                               const Hash& new_root, const std::vector<Hash>& proof) {
  // RFC 9162 §2.1.4.2.
  if (old_size == 0 || old_size > new_size) {
    return absl::InvalidArgumentError("no consistency proof between these sizes");
  }
  if (old_size == new_size) {
    return proof.empty() && old_root == new_root ? absl::OkStatus()
                                                 : Mismatch("a consistency proof");
  }
  std::vector<Hash> path = proof;
  if (std::has_single_bit(old_size)) path.insert(path.begin(), old_root);
  if (path.empty()) return Mismatch("an empty consistency proof");
  uint64_t fn = old_size - 1;
  uint64_t sn = new_size - 1;
  while ((fn & 1) == 1) {
    fn >>= 1;
    sn >>= 1;
  }
  Hash fr = path.front();
  Hash sr = path.front();
  for (size_t i = 1; i < path.size(); ++i) {
    if (sn == 0) return Mismatch("a consistency proof that is too long");
    if ((fn & 1) == 1 || fn == sn) {
      fr = NodeHash(path[i], fr);
      sr = NodeHash(path[i], sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      sr = NodeHash(sr, path[i]);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && fr == old_root && sr == new_root ? absl::OkStatus()
                                                     : Mismatch("a consistency proof");
}

VectorMerkleSource::VectorMerkleSource(std::vector<Hash> leaves) {
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<Hash>& below = levels_.back();
    std::vector<Hash> level;
    for (size_t i = 0; i + 1 < below.size(); i += 2) {
      level.push_back(NodeHash(below[i], below[i + 1]));
    }
    levels_.push_back(std::move(level));
  }
}

absl::StatusOr<Hash> VectorMerkleSource::Node(uint32_t level, uint64_t index) const {
  if (level >= levels_.size() || index >= levels_[level].size()) {
    return absl::OutOfRangeError("no such node");
  }
  return levels_[level][index];
}

}  // namespace entente::crypto

// From one epoch seed to one key per entry. Protocol §5.
//
// A binary tree of depth 14: child = K(parent, "tree", bit). The leaf is the entry key. Any subtree
// can be handed out alone (a range, one entry), and a leaf can be dropped while its co-path stays:
// the GGM puncturable PRF, the shape of the MLS secret tree.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr uint32_t kTreeDepth = 14;
inline constexpr uint32_t kTreeLeaves = 1u << kTreeDepth;

// What an Epoch entry commits to: H("epoch", log id, epoch, seed).
Hash SeedCommit(const LogId& log, uint32_t epoch, const Secret32& seed);

// The node at `depth` (0 is the seed itself, kTreeDepth a leaf) whose path bits are `prefix`.
Secret32 Subtree(const Secret32& seed, uint32_t depth, uint32_t prefix);

// Where a node of the tree stands: its path from the root is the lowest `depth` bits of `prefix`.
struct TreePosition {
  uint32_t depth = 0;
  uint32_t prefix = 0;

  bool valid() const { return depth <= kTreeDepth && prefix >> depth == 0; }
  // The leaves below it are [first_leaf, first_leaf + 2^height).
  uint32_t height() const { return kTreeDepth - depth; }
  uint32_t first_leaf() const { return prefix << height(); }
  bool Covers(uint32_t leaf) const { return leaf >> height() == prefix; }
  auto operator<=>(const TreePosition&) const = default;
};

// A node with its key: whoever holds it can derive every leaf below it and no other.
struct TreeNode {
  TreePosition position;
  Secret32 key;
};

// The fewest nodes that cover exactly `leaves`, from left to right: what a grant hands out.
std::vector<TreePosition> CoverLeaves(const std::set<uint32_t>& leaves);

// What is left of `nodes` once the keys of `leaves` are gone: each node above one of them is
// replaced by those beside the way down to it. As the MLS secret tree forgets used keys (RFC 9420,
// section 9).
std::vector<TreeNode> Puncture(const std::vector<TreeNode>& nodes,
                               const std::set<uint32_t>& leaves);

// Keys of one epoch, or of the part of it below one node. Keeps the path of the last leaf, so that
// reading in order costs about two hashes per key and a random one fourteen.
class EntryKeys {
 public:
  explicit EntryKeys(const Secret32& seed);
  explicit EntryKeys(const TreeNode& root);  // a valid position

  const TreePosition& root() const { return root_; }
  const Secret32& root_key() const { return path_[root_.depth]; }
  // `leaf` is one that root() covers.
  Secret32 Key(uint32_t leaf);

 private:
  TreePosition root_;
  std::array<Secret32, kTreeDepth + 1> path_;  // path_[d] is the ancestor at depth d
  uint32_t leaf_ = 0;
  uint32_t valid_ = 0;  // path_[root depth..valid_] belong to leaf_
};

}  // namespace entente::crypto

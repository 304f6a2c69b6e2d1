// From one epoch seed to one key per entry. Protocol §5.
//
// A binary tree of depth 14: child = K(parent, "tree", bit). The leaf is the entry key. Any subtree
// can be handed out alone (a range, one entry), and a leaf can be dropped while its co-path stays:
// the GGM puncturable PRF, the shape of the MLS secret tree.
#pragma once

#include <array>
#include <cstdint>

#include "crypto/bytes.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr uint32_t kTreeDepth = 14;
inline constexpr uint32_t kTreeLeaves = 1u << kTreeDepth;

// What an Epoch entry commits to: H("epoch", log id, epoch, seed).
Hash SeedCommit(const LogId& log, uint32_t epoch, const Secret32& seed);

// The node at `depth` (0 is the seed itself, kTreeDepth a leaf) whose path bits are `prefix`.
Secret32 Subtree(const Secret32& seed, uint32_t depth, uint32_t prefix);

// Keys of one epoch. Keeps the path of the last leaf, so that reading in order costs about two
// hashes per key and a random one fourteen.
class EntryKeys {
 public:
  explicit EntryKeys(const Secret32& seed);
  // `leaf` < kTreeLeaves.
  Secret32 Key(uint32_t leaf);

 private:
  std::array<Secret32, kTreeDepth + 1> path_;  // path_[d] is the ancestor at depth d
  uint32_t leaf_ = 0;
  uint32_t valid_ = 0;  // path_[0..valid_] belong to leaf_
};

}  // namespace entente::crypto

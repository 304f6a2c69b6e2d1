// A blinded commitment to any number of heads: what an Anchor entry publishes. Protocol §6.
//
//   leaf = SHA-256(0x00 ‖ salt[16] ‖ log id ‖ u64 size ‖ root)        tree as in RFC 6962
//
// The tree has 1 024 leaves, or the next power of two that holds all heads; places and salts follow
// from one secret, and so do the leaves that stand for nothing. Without the secret every leaf is
// 32 random bytes: the root tells nothing of the heads, nor of their number. One opened leaf tells
// nothing of the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr uint32_t kAnchorLeavesMin = 1024;
inline constexpr uint32_t kAnchorLeavesMax = 1u << 20;
inline constexpr size_t kAnchorSaltBytes = 16;

struct AnchoredHead {
  LogId log;
  uint64_t size = 0;
  Hash root;
};

// What shows that one head is under an anchor's root.
struct AnchorOpening {
  uint32_t position = 0;
  std::string salt;
  std::vector<Hash> path;
};

Hash AnchorLeaf(std::string_view salt, const AnchoredHead& head);

class AnchorTree {
 public:
  // At most kAnchorLeavesMax heads.
  AnchorTree(const Secret32& secret, const std::vector<AnchoredHead>& heads);

  uint32_t leaves() const { return static_cast<uint32_t>(tree_.levels().front().size()); }
  const Hash& root() const { return tree_.levels().back().front(); }
  // `number` counts the heads as they were given.
  absl::StatusOr<AnchorOpening> Open(size_t number) const;

 private:
  struct Layout {
    std::vector<Hash> leaves;
    std::vector<uint32_t> places;
    std::vector<std::string> salts;
  };
  static Layout LayOut(const Secret32& secret, const std::vector<AnchoredHead>& heads);
  explicit AnchorTree(Layout layout);

  std::vector<uint32_t> places_;
  std::vector<std::string> salts_;
  VectorMerkleSource tree_;
};

// InvalidArgument: a number of leaves that no anchor has, or a salt of another length;
// Unauthenticated: another head than was anchored.
absl::Status VerifyAnchor(const Hash& root, uint32_t leaves, const AnchoredHead& head,
                          const AnchorOpening& opening);

}  // namespace entente::crypto

#include "crypto/key_tree.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/check.h"
#include "crypto/hash.h"

namespace entente::crypto {
namespace {

Secret32 Child(const Secret32& parent, uint32_t bit) {
  const char byte = static_cast<char>(bit);
  return K(parent, "tree", {std::string_view(&byte, 1)});
}

}  // namespace

Hash SeedCommit(const LogId& log, uint32_t epoch, const Secret32& seed) {
  std::string number;
  AppendU32(&number, epoch);
  return H("epoch", {log.view(), number, seed.view()});
}

Secret32 Subtree(const Secret32& seed, uint32_t depth, uint32_t prefix) {
  ENTENTE_CHECK(depth <= kTreeDepth && prefix >> depth == 0);
  Secret32 node = seed.Clone();
  for (uint32_t d = 0; d < depth; ++d) node = Child(node, prefix >> (depth - 1 - d) & 1);
  return node;
}

std::vector<TreePosition> CoverLeaves(const std::set<uint32_t>& leaves) {
  // One level after the other, from the leaves up: two full siblings become their parent.
  std::vector<TreePosition> out;
  std::set<uint32_t> level = leaves;
  for (uint32_t depth = kTreeDepth;; --depth) {
    std::set<uint32_t> parents;
    for (const uint32_t prefix : level) {
      if (depth > 0 && level.contains(prefix ^ 1)) {
        parents.insert(prefix >> 1);
      } else {
        out.push_back({depth, prefix});
      }
    }
    if (parents.empty()) break;
    level = std::move(parents);
  }
  std::sort(out.begin(), out.end(), [](const TreePosition& a, const TreePosition& b) {
    return a.first_leaf() < b.first_leaf();
  });
  return out;
}

std::vector<TreeNode> Puncture(const std::vector<TreeNode>& nodes,
                               const std::set<uint32_t>& leaves) {
  std::vector<TreeNode> out;
  std::vector<TreeNode> open;
  open.reserve(nodes.size());
  for (const TreeNode& node : nodes) open.push_back({node.position, node.key.Clone()});
  while (!open.empty()) {
    TreeNode node = std::move(open.back());
    open.pop_back();
    const auto first = leaves.lower_bound(node.position.first_leaf());
    if (first == leaves.end() || !node.position.Covers(*first)) {
      out.push_back(std::move(node));
      continue;
    }
    if (node.position.height() == 0) continue;
    for (const uint32_t bit : {0u, 1u}) {
      open.push_back(
          {{node.position.depth + 1, node.position.prefix << 1 | bit}, Child(node.key, bit)});
    }
  }
  std::sort(out.begin(), out.end(), [](const TreeNode& a, const TreeNode& b) {
    return a.position.first_leaf() < b.position.first_leaf();
  });
  return out;
}

EntryKeys::EntryKeys(const Secret32& seed) { path_[0] = seed.Clone(); }

EntryKeys::EntryKeys(const TreeNode& root) : root_(root.position) {
  ENTENTE_CHECK(root_.valid());
  path_[root_.depth] = root.key.Clone();
  leaf_ = root_.first_leaf();
  valid_ = root_.depth;
}

Secret32 EntryKeys::Key(uint32_t leaf) {
  ENTENTE_CHECK(leaf < kTreeLeaves && root_.Covers(leaf));
  // Ancestors down to the highest bit in which the two leaves differ are shared.
  const uint32_t differ = leaf ^ leaf_;
  const uint32_t shared = kTreeDepth - static_cast<uint32_t>(std::bit_width(differ));
  valid_ = std::min(valid_, shared);
  leaf_ = leaf;
  for (; valid_ < kTreeDepth; ++valid_) {
    path_[valid_ + 1] = Child(path_[valid_], leaf >> (kTreeDepth - 1 - valid_) & 1);
  }
  return path_[kTreeDepth].Clone();
}

}  // namespace entente::crypto

// One key per entry from one seed, the same whichever way it is reached.
#include "crypto/key_tree.h"

#include <set>
#include <string>
#include <vector>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "gtest/gtest.h"

namespace entente::crypto {
namespace {

class KeyTreeTest : public testing::Test {
 protected:
  SeededEntropy entropy_{5};
  const Secret32 seed_ = entropy_.Draw<Secret32>();
};

TEST_F(KeyTreeTest, InOrderAtRandomAndFromTheRootAgree) {
  EntryKeys in_order(seed_), at_random(seed_);
  for (uint32_t leaf = 0; leaf < 300; ++leaf) {
    EXPECT_TRUE(in_order.Key(leaf).Equals(Subtree(seed_, kTreeDepth, leaf)));
  }
  for (const uint32_t leaf : {16383u, 0u, 8192u, 8191u, 16383u, 5u, 5u, 4u}) {
    EXPECT_TRUE(at_random.Key(leaf).Equals(Subtree(seed_, kTreeDepth, leaf)));
  }
}

TEST_F(KeyTreeTest, ASubtreeGivesItsOwnLeavesOnly) {
  const Secret32 left = Subtree(seed_, 1, 0);
  Secret32 down = left.Clone();
  for (uint32_t depth = 1; depth < kTreeDepth; ++depth) {
    down = K(down, "tree", {std::string_view("\0", 1)});
  }
  EXPECT_TRUE(down.Equals(Subtree(seed_, kTreeDepth, 0)));
  EXPECT_FALSE(left.Equals(Subtree(seed_, 1, 1)));
}

TEST_F(KeyTreeTest, KeysBelowANodeAreThoseOfTheWholeTree) {
  EntryKeys below(TreeNode{{3, 5}, Subtree(seed_, 3, 5)});
  for (const uint32_t leaf : {5u << 11, (5u << 11) + 777, (6u << 11) - 1, (5u << 11) + 1}) {
    ASSERT_TRUE(below.root().Covers(leaf));
    EXPECT_TRUE(below.Key(leaf).Equals(Subtree(seed_, kTreeDepth, leaf)));
  }
  EXPECT_FALSE(below.root().Covers((5u << 11) - 1));
  EXPECT_FALSE(below.root().Covers(6u << 11));
}

// What a grant hands out: the chosen leaves, each once, and nothing beside them.
TEST_F(KeyTreeTest, ACoverHoldsExactlyTheChosenLeavesInAsFewNodesAsItTakes) {
  EXPECT_TRUE(CoverLeaves({}).empty());
  EXPECT_EQ(CoverLeaves({7}), (std::vector<TreePosition>{{kTreeDepth, 7}}));
  EXPECT_EQ(CoverLeaves({4, 5, 6, 7}), (std::vector<TreePosition>{{kTreeDepth - 2, 1}}));
  EXPECT_EQ(CoverLeaves({3, 4, 5, 6}),
            (std::vector<TreePosition>{{kTreeDepth, 3}, {kTreeDepth - 1, 2}, {kTreeDepth, 6}}));
  std::set<uint32_t> all;
  for (uint32_t leaf = 0; leaf < kTreeLeaves; ++leaf) all.insert(leaf);
  EXPECT_EQ(CoverLeaves(all), (std::vector<TreePosition>{{0, 0}}));
  all.erase(12345);
  EXPECT_EQ(CoverLeaves(all).size(), kTreeDepth);  // the co-path of the one that is missing
  for (int round = 0; round < 50; ++round) {
    std::set<uint32_t> chosen;
    const uint32_t first = entropy_.Draw<Hash>().data()[0] * 60u;
    for (uint32_t i = 0; i < 200; ++i) {
      if (entropy_.Draw<Hash>().data()[0] % 3 != 0) chosen.insert(first + i);
    }
    std::set<uint32_t> covered;
    size_t total = 0;
    for (const TreePosition& position : CoverLeaves(chosen)) {
      const uint32_t width = kTreeDepth - position.depth;
      for (uint32_t leaf = position.prefix << width; position.Covers(leaf); ++leaf) {
        covered.insert(leaf);
        ++total;
      }
    }
    EXPECT_EQ(covered, chosen);
    EXPECT_EQ(total, chosen.size());
  }
}

TEST_F(KeyTreeTest, NoTwoLeavesShareAKey) {
  EntryKeys keys(seed_);
  std::set<std::string> seen;
  for (uint32_t leaf = 0; leaf < 2000; ++leaf) seen.insert(std::string(keys.Key(leaf).view()));
  EXPECT_EQ(seen.size(), 2000u);
}

TEST_F(KeyTreeTest, ACommitmentNamesLogEpochAndSeed) {
  const LogId log = *LogId::From(std::string(32, 'L'));
  const std::set<Hash> distinct = {SeedCommit(log, 0, seed_), SeedCommit(log, 1, seed_),
                                   SeedCommit(LogId(), 0, seed_),
                                   SeedCommit(log, 0, entropy_.Draw<Secret32>())};
  EXPECT_EQ(distinct.size(), 4u);
}

// What is left after leaves are taken out opens every other leaf and none of these.
TEST_F(KeyTreeTest, APuncturedTreeOpensEverythingButWhatWasTakenOut) {
  std::set<uint32_t> gone;
  for (int i = 0; i < 40; ++i) {
    const std::string dice = entropy_.Bytes(2);
    gone.insert((static_cast<uint8_t>(dice[0]) << 8 | static_cast<uint8_t>(dice[1])) % kTreeLeaves);
  }
  gone.insert({0, 1, kTreeLeaves - 1});
  std::vector<TreeNode> whole;
  whole.push_back({{0, 0}, seed_.Clone()});
  const std::vector<TreeNode> left = Puncture(whole, gone);
  EXPECT_LE(left.size(), gone.size() * kTreeDepth);
  std::set<uint32_t> covered;
  for (const TreeNode& node : left) {
    const uint32_t width = kTreeDepth - node.position.depth;
    EntryKeys keys(node);
    for (uint32_t i = 0; i < 1u << width; ++i) {
      const uint32_t leaf = (node.position.prefix << width) + i;
      EXPECT_TRUE(covered.insert(leaf).second);
      if (i == 0) {
        EXPECT_TRUE(keys.Key(leaf).Equals(Subtree(seed_, kTreeDepth, leaf)));
      }
    }
  }
  EXPECT_EQ(covered.size(), kTreeLeaves - gone.size());
  for (const uint32_t leaf : gone) EXPECT_FALSE(covered.contains(leaf));
}

TEST_F(KeyTreeTest, PuncturingAgainIsTheSameAsAtOnceAndOfOthersLeavesChangesNothing) {
  std::vector<TreeNode> whole;
  whole.push_back({{0, 0}, seed_.Clone()});
  const auto positions = [](const std::vector<TreeNode>& nodes) {
    std::vector<TreePosition> out;
    for (const TreeNode& node : nodes) out.push_back(node.position);
    return out;
  };
  const std::vector<TreeNode> once = Puncture(whole, {5, 900});
  EXPECT_EQ(positions(Puncture(Puncture(whole, {900}), {5})), positions(once));
  EXPECT_EQ(positions(Puncture(once, {5, 900})), positions(once));
  EXPECT_TRUE(Puncture(Puncture(whole, {7}), {7}).size() == kTreeDepth);
  std::vector<TreeNode> leaf;
  leaf.push_back({{kTreeDepth, 7}, Subtree(seed_, kTreeDepth, 7)});
  EXPECT_TRUE(Puncture(leaf, {7}).empty());
}

}  // namespace
}  // namespace entente::crypto

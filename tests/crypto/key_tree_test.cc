// One key per entry from one seed, the same whichever way it is reached.
#include "crypto/key_tree.h"

#include <set>
#include <string>

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

}  // namespace
}  // namespace entente::crypto

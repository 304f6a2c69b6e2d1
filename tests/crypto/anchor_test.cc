// An anchor shows nothing of what it holds until one leaf is opened, and then that leaf alone.
#include "crypto/anchor.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class AnchorTest : public testing::Test {
 protected:
  std::vector<AnchoredHead> Heads(size_t count) {
    std::vector<AnchoredHead> out;
    for (size_t i = 0; i < count; ++i) {
      out.push_back({entropy_.Draw<LogId>(), i + 1, entropy_.Draw<Hash>()});
    }
    return out;
  }
  Secret32 Draw() { return entropy_.Draw<Secret32>(); }
  SeededEntropy entropy_{11};
};

TEST_F(AnchorTest, EveryHeadOpensAndNoOtherIsInIt) {
  const std::vector<AnchoredHead> heads = Heads(40);
  const AnchorTree tree(Draw(), heads);
  std::set<uint32_t> places;
  for (size_t i = 0; i < heads.size(); ++i) {
    const auto opening = tree.Open(i);
    ASSERT_OK(opening);
    EXPECT_EQ(opening->path.size(), 10u);
    EXPECT_OK(VerifyAnchor(tree.root(), tree.leaves(), heads[i], *opening));
    EXPECT_TRUE(places.insert(opening->position).second);
    AnchoredHead other = heads[i];
    other.size += 1;
    EXPECT_REFUSED(VerifyAnchor(tree.root(), tree.leaves(), other, *opening), kUnauthenticated, "");
    other = heads[i];
    other.log = heads[(i + 1) % heads.size()].log;
    EXPECT_REFUSED(VerifyAnchor(tree.root(), tree.leaves(), other, *opening), kUnauthenticated, "");
    AnchorOpening moved = *opening;
    moved.position ^= 1;
    EXPECT_REFUSED(VerifyAnchor(tree.root(), tree.leaves(), heads[i], moved), kUnauthenticated, "");
  }
  EXPECT_REFUSED(tree.Open(heads.size()), kNotFound, "");
}

TEST_F(AnchorTest, AnOpeningOfAFormNoAnchorHasIsRefused) {
  const std::vector<AnchoredHead> heads = Heads(1);
  const AnchorTree tree(Draw(), heads);
  const AnchorOpening good = *tree.Open(0);
  EXPECT_REFUSED(VerifyAnchor(tree.root(), 512, heads[0], good), kInvalidArgument, "");
  EXPECT_REFUSED(VerifyAnchor(tree.root(), 1025, heads[0], good), kInvalidArgument, "");
  EXPECT_REFUSED(VerifyAnchor(tree.root(), 1u << 21, heads[0], good), kInvalidArgument, "");
  AnchorOpening bad = good;
  bad.salt += "x";
  EXPECT_REFUSED(VerifyAnchor(tree.root(), 1024, heads[0], bad), kInvalidArgument, "");
  bad = good;
  bad.position = 1024;
  EXPECT_REFUSED(VerifyAnchor(tree.root(), 1024, heads[0], bad), kInvalidArgument, "");
  bad = good;
  bad.path.pop_back();
  EXPECT_REFUSED(VerifyAnchor(tree.root(), 1024, heads[0], bad), kUnauthenticated, "");
}

TEST_F(AnchorTest, ItsSizeIsTheSameForAnyNumberOfHeadsUpToAThousand) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{7}, size_t{1000}, size_t{1024}}) {
    EXPECT_EQ(AnchorTree(Draw(), Heads(count)).leaves(), 1024u) << count;
  }
  EXPECT_EQ(AnchorTree(Draw(), Heads(1025)).leaves(), 2048u);
}

TEST_F(AnchorTest, TheSameSecretGivesTheSameAnchorAndAnotherSecretAnother) {
  const std::vector<AnchoredHead> heads = Heads(3);
  const Secret32 secret = Draw();
  EXPECT_EQ(AnchorTree(secret, heads).root(), AnchorTree(secret, heads).root());
  EXPECT_NE(AnchorTree(secret, heads).root(), AnchorTree(Draw(), heads).root());
}

// What an anchor publishes is its root: over many anchors its bytes must be spread evenly, however
// many heads there are, and so must be the places that openings show.
TEST_F(AnchorTest, RootsAndPlacesAreUniformWhateverTheNumberOfHeads) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{300}}) {
    std::array<int, 256> bytes{};
    std::array<int, 4> quarters{};
    const std::vector<AnchoredHead> heads = Heads(count);
    for (int round = 0; round < 120; ++round) {
      const AnchorTree tree(Draw(), heads);
      for (size_t i = 0; i < 32; ++i) ++bytes[tree.root().data()[i]];
      if (count > 0) ++quarters[tree.Open(0)->position / 256];
    }
    // 3 840 draws over 256 values: chi-squared with 255 degrees of freedom, far tail.
    double chi = 0;
    for (const int seen : bytes) chi += (seen - 15.0) * (seen - 15.0) / 15.0;
    EXPECT_LT(chi, 360) << count;
    EXPECT_GT(chi, 170) << count;
    if (count > 0) {
      for (const int seen : quarters) EXPECT_NEAR(seen, 30, 22) << count;
    }
  }
}

}  // namespace
}  // namespace entente::crypto

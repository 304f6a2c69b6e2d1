// Boxes open for their owner only, and no box goes to a key whose secret everybody knows.
#include "crypto/box.h"

#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class BoxTest : public testing::Test {
 protected:
  SeededEntropy entropy_{3};
  const BoxKeyPair ours_ = BoxKeyPair::Generate(entropy_);
  const BoxKeyPair theirs_ = BoxKeyPair::Generate(entropy_);
};

TEST_F(BoxTest, OpensForItsOwnerAndNobodyElse) {
  const auto box = SealBox(ours_.public_key(), "seed");
  ASSERT_OK(box);
  EXPECT_EQ(box->size(), 4 + kSealedBoxOverhead);
  EXPECT_EQ(ours_.Open(*box)->view(), "seed");
  EXPECT_REFUSED(theirs_.Open(*box), kUnauthenticated, "");
  EXPECT_REFUSED(ours_.Open("short"), kInvalidArgument, "");
  std::string altered = *box;
  altered.back() ^= 1;
  EXPECT_REFUSED(ours_.Open(altered), kUnauthenticated, "");
}

TEST_F(BoxTest, BothEndsComputeTheSameSecret) {
  EXPECT_TRUE(
      ours_.SharedSecret(theirs_.public_key())->Equals(*theirs_.SharedSecret(ours_.public_key())));
}

TEST_F(BoxTest, PointsOfLowOrderAreRefused) {
  const BoxPublicKey zero;
  EXPECT_REFUSED(SealBox(zero, "seed"), kInvalidArgument, "");
  EXPECT_REFUSED(ours_.SharedSecret(zero), kInvalidArgument, "");
  std::string one(32, '\0');
  one[0] = 1;
  EXPECT_REFUSED(SealBox(*BoxPublicKey::From(one), "seed"), kInvalidArgument, "");
  EXPECT_REFUSED(CheckBoxKey(*BoxPublicKey::From(one)), kInvalidArgument, "");
  EXPECT_OK(CheckBoxKey(ours_.public_key()));
}

TEST_F(BoxTest, AKeyPairFollowsFromItsSecret) {
  EXPECT_EQ(BoxKeyPair::FromSecret(ours_.secret().Clone()).public_key(), ours_.public_key());
  EXPECT_NE(ours_.id(), theirs_.id());
}

}  // namespace
}  // namespace entente::crypto

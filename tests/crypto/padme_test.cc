// Padmé: never shorter, little longer, and few distinct lengths.
#include "crypto/padme.h"

#include <set>

#include "gtest/gtest.h"

namespace entente::crypto {
namespace {

TEST(PadmeTest, AnswersAsThePaperSays) {
  EXPECT_EQ(PadmeLength(0), 0u);
  EXPECT_EQ(PadmeLength(1), 1u);
  EXPECT_EQ(PadmeLength(9), 10u);
  EXPECT_EQ(PadmeLength(1000), 1024u);
  EXPECT_EQ(PadmeLength((1u << 20) + 1), (1u << 20) + (1u << 15));
}

TEST(PadmeTest, AddsAtMostTwelvePercentAndIsItsOwnFixedPoint) {
  for (uint64_t n = 1; n < 100000; ++n) {
    const uint64_t padded = PadmeLength(n);
    ASSERT_GE(padded, n);
    ASSERT_LE(padded * 100, n * 112);
    ASSERT_EQ(PadmeLength(padded), padded);
  }
}

TEST(PadmeTest, AMebibyteOfLengthsGivesFewThatCanBeTold) {
  std::set<uint64_t> lengths;
  for (uint64_t n = 1u << 19; n < 1u << 20; ++n) lengths.insert(PadmeLength(n));
  EXPECT_EQ(lengths.size(), 33u);
}

}  // namespace
}  // namespace entente::crypto

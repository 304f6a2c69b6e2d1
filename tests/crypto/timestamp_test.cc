// A time stamp is of one digest, states one time, and is trusted only under a given root.
#include "crypto/timestamp.h"

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/crypto/timestamp_fixture.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

const std::string kDer = *Base64Decode(kStamp);
const Hash kDigest = Sha256("abc");
constexpr int64_t kTime = 1795767277;  // 27 November 2026, 08:14:37

TEST(TimestampTest, TheRequestIsTheOneThatOpensslMakes) {
  EXPECT_EQ(TimestampQuery(kDigest), *Base64Decode(kStampRequest));
}

TEST(TimestampTest, SaysWhenAndUnderWhichNumber) {
  const auto stamp = ReadTimestamp(kDer, kDigest, "");
  ASSERT_OK(stamp);
  EXPECT_EQ(stamp->time, kTime);
  EXPECT_EQ(stamp->serial, "2");
  EXPECT_FALSE(stamp->trusted);
}

TEST(TimestampTest, IsTrustedUnderTheRootOfItsAuthorityAndNoOther) {
  const auto stamp = ReadTimestamp(kDer, kDigest, kStampRoot);
  ASSERT_OK(stamp);
  EXPECT_TRUE(stamp->trusted);
  EXPECT_REFUSED(ReadTimestamp(kDer, kDigest, "no certificate"), kInvalidArgument, "PEM");
}

TEST(TimestampTest, IsOfNothingElse) {
  EXPECT_REFUSED(ReadTimestamp(kDer, Sha256("abd"), kStampRoot), kUnauthenticated,
                 "something else");
}

TEST(TimestampTest, NoAlteredByteIsTrusted) {
  for (size_t i = 0; i < kDer.size(); ++i) {
    std::string changed = kDer;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    const auto stamp = ReadTimestamp(changed, kDigest, kStampRoot);
    // Some bytes are signed by nobody (the wrapping); what they could change is nothing we say.
    if (stamp.ok()) {
      EXPECT_EQ(stamp->time, kTime) << i;
      EXPECT_EQ(stamp->serial, "2") << i;
    }
  }
}

TEST(TimestampTest, WhatIsNoStampIsRefused) {
  for (const std::string& bytes : {std::string(), std::string("hello"), kDer + "x",
                                   kDer.substr(0, kDer.size() - 1), std::string(300'000, '0')}) {
    EXPECT_REFUSED(ReadTimestamp(bytes, kDigest, ""), kInvalidArgument, "no time stamp");
  }
}

}  // namespace
}  // namespace entente::crypto

// Signatures: one meaning each, and keys about which no two verifiers can disagree.
#include "crypto/signing.h"

#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class SigningTest : public testing::Test {
 protected:
  SeededEntropy entropy_{8};
  const SigningKey key_ = SigningKey::Generate(entropy_);
  const JitId jit_ = *JitId::From(std::string(32, 'J'));
};

TEST_F(SigningTest, AStatementHoldsForItsPurposeJitAndPayloadOnly) {
  const Signature signature = SignStatement(key_, Purpose::sign, jit_, "payload");
  const PublicKey& key = key_.public_key();
  EXPECT_OK(VerifyStatement(key, Purpose::sign, jit_, "payload", signature.view()));
  EXPECT_REFUSED(VerifyStatement(key, Purpose::refuse, jit_, "payload", signature.view()),
                 kUnauthenticated, "");
  EXPECT_REFUSED(VerifyStatement(key, Purpose::sign, JitId(), "payload", signature.view()),
                 kUnauthenticated, "");
  EXPECT_REFUSED(VerifyStatement(key, Purpose::sign, jit_, "payloae", signature.view()),
                 kUnauthenticated, "");
  EXPECT_REFUSED(VerifyStatement(key, Purpose::sign, jit_, "payload", "too short"),
                 kUnauthenticated, "");
}

TEST_F(SigningTest, StatementBytesAreLabelPurposeJitPayload) {
  EXPECT_EQ(StatementBytes(Purpose::export_, jit_, "p"),
            Cat("entente/v1/statement", std::string_view("\0", 1), "export",
                std::string_view("\0", 1), jit_.view(), "p"));
}

TEST_F(SigningTest, EveryPurposeHasAWordAndAWordItsPurpose) {
  for (int i = 0; i <= static_cast<int>(Purpose::export_); ++i) {
    const Purpose purpose = static_cast<Purpose>(i);
    EXPECT_EQ(*ParsePurpose(PurposeName(purpose)), purpose);
  }
  EXPECT_FALSE(ParsePurpose("shout").ok());
}

// The identity, a point of order two and a mixed-order point: all pass for keys somewhere.
TEST_F(SigningTest, KeysOutsideThePrimeOrderSubgroupAreRefused) {
  EXPECT_REFUSED(CheckPublicKey(PublicKey()), kInvalidArgument, "");
  std::string identity(32, '\0');
  identity[0] = 1;
  EXPECT_REFUSED(CheckPublicKey(*PublicKey::From(identity)), kInvalidArgument, "");
  EXPECT_REFUSED(CheckPublicKey(*PublicKey::From(Cat("\x95", std::string(31, '\x99')))),
                 kInvalidArgument, "");
  EXPECT_OK(CheckPublicKey(key_.public_key()));
}

TEST_F(SigningTest, AKeyFollowsFromItsSeed) {
  EXPECT_EQ(SigningKey::FromSeed(key_.seed().Clone()).public_key(), key_.public_key());
}

}  // namespace
}  // namespace entente::crypto

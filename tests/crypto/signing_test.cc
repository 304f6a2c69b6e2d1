// Signatures: one meaning each, and keys about which no two verifiers can disagree.
#include "crypto/signing.h"

#include <algorithm>
#include <string>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "crypto/note.h"
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

// What is signed for one purpose, in one room, counts for no other: every pair is tried.
TEST_F(SigningTest, NoSignatureOfOnePurposeHoldsForAnother) {
  constexpr int kPurposeCount = static_cast<int>(Purpose::export_) + 1;
  const JitId other = *JitId::From(std::string(32, 'K'));
  for (int a = 0; a < kPurposeCount; ++a) {
    const Signature signature = SignStatement(key_, static_cast<Purpose>(a), jit_, "payload");
    for (int b = 0; b < kPurposeCount; ++b) {
      const auto as = [&](const JitId& jit) {
        return VerifyStatement(key_.public_key(), static_cast<Purpose>(b), jit, "payload",
                               signature.view())
            .ok();
      };
      EXPECT_EQ(as(jit_), a == b) << a << " as " << b;
      EXPECT_FALSE(as(other)) << a << " as " << b;
    }
  }
}

// A payload that imitates the end of a purpose, or a purpose that is the start of another.
TEST_F(SigningTest, NoPayloadReachesIntoItsPurpose) {
  const std::string zero(1, '\0');
  const std::string prefix = StatementBytes(Purpose::sign, jit_, "");
  for (int i = 0; i <= static_cast<int>(Purpose::export_); ++i) {
    const std::string bytes = StatementBytes(static_cast<Purpose>(i), jit_, "payload");
    EXPECT_EQ(bytes.starts_with(prefix), static_cast<Purpose>(i) == Purpose::sign);
    EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + 21, '\0'), 1) << "label, then zero";
  }
}

// Heads, receipts and statements under ONE key: three families that cannot be mistaken.
TEST_F(SigningTest, HeadsReceiptsAndStatementsNeverStandForEachOther) {
  const LogId log = *LogId::From(std::string(32, 'L'));
  const Checkpoint head{LogOrigin(log), 7, Sha256("root")};
  const std::string text = CheckpointText(head);
  const std::string note = SignCheckpoint(head, key_);
  const std::string receipt = CosignLine(note, PartyId(), key_, 9);
  const PublicKey& key = key_.public_key();
  ASSERT_OK(VerifyCheckpointNote(note, log, key));
  ASSERT_OK(VerifyCosignLine(note, receipt, PartyId(), key));
  // The head's line as a receipt, the receipt's as a head.
  EXPECT_FALSE(VerifyCosignLine(note, note.substr(text.size() + 1), PartyId(), key).ok());
  EXPECT_FALSE(VerifyCheckpointNote(Cat(text, "\n", receipt), log, key).ok());
  // Either signature as a statement over the same text, and a statement as a head.
  const std::string head_blob = *Base64Decode(note.substr(note.rfind(' ') + 1, 92));
  EXPECT_OK(Verify(key, text, head_blob.substr(4)));
  for (int i = 0; i <= static_cast<int>(Purpose::export_); ++i) {
    const Purpose purpose = static_cast<Purpose>(i);
    EXPECT_FALSE(VerifyStatement(key, purpose, jit_, text, head_blob.substr(4)).ok());
    EXPECT_FALSE(Verify(key, text, SignStatement(key_, purpose, jit_, text).view()).ok());
  }
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

// The signature of a bundle has one form, and is one body's over one proof of one case.
#include "node/bundle/proof_signature.h"

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::bundle {
namespace {

class ProofSignatureTest : public testing::Test {
 protected:
  crypto::SigningKey key_ =
      crypto::SigningKey::FromSeed(*crypto::Secret32::From("0123456789abcdef0123456789abcdef"));
  JitId jit_ = *JitId::From(std::string(32, 'j'));
  PartyId party_ = *PartyId::From(std::string(32, 'p'));
  std::string text_ = SignProof(key_, jit_, party_, "the proof");
};

TEST_F(ProofSignatureTest, SaysWhoSignedWhatForWhichCase) {
  const auto parsed = ParseProofSignature(text_);
  ASSERT_OK(parsed);
  EXPECT_EQ(parsed->jit, jit_);
  EXPECT_EQ(parsed->party, party_);
  EXPECT_EQ(parsed->digest, crypto::Sha256("the proof"));
  EXPECT_OK(VerifyProofSignature(*parsed, key_.public_key()));
}

TEST_F(ProofSignatureTest, IsOfNoOtherKeyProofOrCase) {
  auto parsed = ParseProofSignature(text_);
  ASSERT_OK(parsed);
  const crypto::SigningKey other =
      crypto::SigningKey::FromSeed(*crypto::Secret32::From("another seed of thirty-two bytes"));
  EXPECT_FALSE(VerifyProofSignature(*parsed, other.public_key()).ok());
  ProofSignature changed = *parsed;
  changed.digest = crypto::Sha256("another proof");
  EXPECT_FALSE(VerifyProofSignature(changed, key_.public_key()).ok());
  changed = *parsed;
  changed.jit = *JitId::From(std::string(32, 'k'));
  EXPECT_FALSE(VerifyProofSignature(changed, key_.public_key()).ok());
}

TEST_F(ProofSignatureTest, AnyOtherByteIsRefused) {
  for (size_t i = 0; i < text_.size(); ++i) {
    for (const int bit : {0, 5}) {
      std::string changed = text_;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto parsed = ParseProofSignature(changed);
      // The party is compared with the proof by whoever opens it.
      EXPECT_TRUE(!parsed.ok() || parsed->party != party_ ||
                  parsed->digest != crypto::Sha256("the proof") ||
                  !VerifyProofSignature(*parsed, key_.public_key()).ok())
          << "byte " << i << ", bit " << bit;
    }
  }
  for (const std::string& text : {std::string(), text_ + "\n", text_.substr(1),
                                  text_.substr(0, text_.size() - 1), "\n" + text_}) {
    EXPECT_FALSE(ParseProofSignature(text).ok());
  }
}

}  // namespace
}  // namespace entente::bundle

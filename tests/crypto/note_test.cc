// Signed heads in the formats of C2SP: exactly one spelling, and no signature where it is not due.
#include "crypto/note.h"

#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class NoteTest : public testing::Test {
 protected:
  SeededEntropy entropy_{1};
  const SigningKey key_ = SigningKey::Generate(entropy_);
  const SigningKey other_ = SigningKey::Generate(entropy_);
  const LogId log_ = *LogId::From(std::string(32, 'L'));
  const PartyId cosigner_ = *PartyId::From(std::string(32, 'P'));
  const Checkpoint head_{LogOrigin(log_), 42, *Hash::From(std::string(32, 'R'))};
  const std::string note_ = SignCheckpoint(head_, key_);
};

TEST_F(NoteTest, AHeadHasThreeLinesAndASignatureLine) {
  EXPECT_EQ(CheckpointText(head_),
            "entente/v1/" + log_.hex() + "\n42\n" + Base64Encode(head_.root.view()) + "\n");
  EXPECT_EQ(note_.rfind(CheckpointText(head_) + "\n\xe2\x80\x94 entente/v1/", 0), 0u);
  const auto read = VerifyCheckpointNote(note_, log_, key_.public_key());
  ASSERT_OK(read);
  EXPECT_EQ(read->size, 42u);
  EXPECT_EQ(read->root, head_.root);
  EXPECT_EQ(*LogIdFromOrigin(head_.origin), log_);
}

TEST_F(NoteTest, AnotherKeyAnotherLogOrAnotherSizeDoesNotVerify) {
  EXPECT_REFUSED(VerifyCheckpointNote(note_, log_, other_.public_key()), kUnauthenticated, "");
  EXPECT_REFUSED(VerifyCheckpointNote(note_, LogId(), key_.public_key()), kInvalidArgument, "");
  std::string larger = note_;
  larger.replace(larger.find("\n42\n"), 4, "\n43\n");
  EXPECT_REFUSED(VerifyCheckpointNote(larger, log_, key_.public_key()), kUnauthenticated, "");
}

TEST_F(NoteTest, EveryBitOfANoteCounts) {
  for (size_t i = 0; i < note_.size() * 8; ++i) {
    std::string altered = note_;
    altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(VerifyCheckpointNote(altered, log_, key_.public_key()).ok()) << "bit " << i;
  }
}

TEST_F(NoteTest, NumbersAndBase64HaveOneSpelling) {
  const std::string root = Base64Encode(head_.root.view());
  for (const std::string size : {"042", "+42", " 42", "-1", "18446744073709551616", "", "4 2"}) {
    EXPECT_REFUSED(ParseCheckpoint(head_.origin + "\n" + size + "\n" + root + "\n"),
                   kInvalidArgument, "");
  }
  EXPECT_REFUSED(ParseCheckpoint(head_.origin + "\n42\n" + root.substr(1) + "\n"), kInvalidArgument,
                 "");
  EXPECT_REFUSED(ParseCheckpoint(CheckpointText(head_) + "extension\n"), kInvalidArgument, "");
  EXPECT_OK(ParseCheckpoint(head_.origin + "\n9223372036854775807\n" + root + "\n"));
}

TEST_F(NoteTest, ACosignatureCoversTheHeadItsTimeAndNothingElse) {
  const std::string line = CosignLine(note_, cosigner_, other_, 1700000000);
  EXPECT_EQ(*VerifyCosignLine(note_, line, cosigner_, other_.public_key()), 1700000000u);
  EXPECT_EQ(*VerifyCosignLine(CheckpointText(head_), line, cosigner_, other_.public_key()),
            1700000000u);
  EXPECT_FALSE(VerifyCosignLine(note_, line, cosigner_, key_.public_key()).ok());
  EXPECT_FALSE(VerifyCosignLine(note_, line, PartyId(), other_.public_key()).ok());
  Checkpoint next = head_;
  ++next.size;
  EXPECT_FALSE(VerifyCosignLine(CheckpointText(next), line, cosigner_, other_.public_key()).ok());
}

TEST_F(NoteTest, TheLogsLineIsFoundAmongThoseOfCosigners) {
  const std::string line = CosignLine(note_, cosigner_, other_, 7);
  const std::string both = AppendSignatureLine(note_, line);
  EXPECT_OK(VerifyCheckpointNote(both, log_, key_.public_key()));
  EXPECT_OK(VerifyCosignLine(both, line, cosigner_, other_.public_key()));
}

TEST_F(NoteTest, ANoteWithTooManySignaturesOrBytesIsRefusedUnread) {
  std::string crowded = note_;
  for (size_t i = 0; i <= kNoteSignaturesMax; ++i) {
    crowded = AppendSignatureLine(crowded, CosignLine(note_, cosigner_, other_, i));
  }
  EXPECT_REFUSED(VerifyCheckpointNote(crowded, log_, key_.public_key()), kInvalidArgument, "");
  EXPECT_REFUSED(
      VerifyCheckpointNote(note_ + std::string(kNoteBytesMax, 'x'), log_, key_.public_key()),
      kInvalidArgument, "");
}

}  // namespace
}  // namespace entente::crypto

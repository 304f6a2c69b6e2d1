// The seal of an entry: opens for its key at its place, and nowhere else.
#include "crypto/body_seal.h"

#include <string>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class BodySealTest : public testing::Test {
 protected:
  std::string Seal(std::string_view plain) {
    absl::StatusOr<std::string> body = SealBody(key_, header_, plain, entropy_);
    EXPECT_OK(body);
    return *body;
  }

  SeededEntropy entropy_{2};
  const Secret32 key_ = entropy_.Draw<Secret32>();
  const Secret32 other_ = entropy_.Draw<Secret32>();
  EntryHeader header_{1, kSealed, 3, 17, 0, *LogId::From(std::string(32, 'L')), Hash()};
};

TEST_F(BodySealTest, OpensToWhatWasSealedWhateverItsLength) {
  for (const size_t size : {0, 1, 251, 252, 253, 300, 4096, 100000}) {
    const std::string plain = entropy_.Bytes(size);
    const std::string body = Seal(plain);
    EXPECT_EQ(body.size(), SealedBodySize(size));
    EXPECT_EQ(header_.body_size, body.size());
    EXPECT_EQ(header_.body_hash, Sha256(body));
    EXPECT_EQ(*OpenBody(key_, header_, body), plain);
  }
}

TEST_F(BodySealTest, ShortTextsAllLookAlike) {
  EXPECT_EQ(SealedBodySize(0), SealedBodySize(252));
  EXPECT_EQ(SealedBodySize(0), kBodyOverhead + kBodyPlainMin);
}

TEST_F(BodySealTest, TheSameTextSealedTwiceSharesNothing) {
  const std::string one = Seal("text"), two = Seal("text");
  EXPECT_NE(one.substr(0, 24), two.substr(0, 24));
  EXPECT_NE(one.substr(56), two.substr(56));
}

TEST_F(BodySealTest, EveryBitOfTheBodyCounts) {
  const std::string body = Seal("text");
  for (size_t i = 0; i < body.size() * 8; i += 3) {
    std::string altered = body;
    altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << (i % 8)));
    EXPECT_REFUSED(OpenBody(key_, header_, altered), kUnauthenticated, "") << "bit " << i;
  }
}

TEST_F(BodySealTest, DoesNotOpenAtAnotherPlace) {
  const std::string body = Seal("text");
  EntryHeader moved = header_;
  ++moved.index;
  EXPECT_REFUSED(OpenBody(key_, moved, body), kUnauthenticated, "");
  moved = header_;
  ++moved.epoch;
  EXPECT_REFUSED(OpenBody(key_, moved, body), kUnauthenticated, "");
  moved = header_;
  moved.log_id = LogId();
  EXPECT_REFUSED(OpenBody(key_, moved, body), kUnauthenticated, "");
}

// A ciphertext that opens under two keys would show two readers two texts. The commitment is to
// one.
TEST_F(BodySealTest, AnotherKeyIsToldByTheCommitmentAlone) {
  const std::string body = Seal("text");
  EXPECT_REFUSED(OpenBody(other_, header_, body), kUnauthenticated, "");
}

TEST_F(BodySealTest, SizesThatNoSealHasAreRefusedUnopened) {
  const std::string body = Seal("text");
  EXPECT_REFUSED(OpenBody(key_, header_, body.substr(1)), kInvalidArgument, "");
  EXPECT_REFUSED(OpenBody(key_, header_, ""), kInvalidArgument, "");
  EXPECT_REFUSED(OpenBody(key_, header_, body + "x"), kInvalidArgument, "");
}

TEST(EntryHeaderTest, EightyFourBytesInTheirOrder) {
  const EntryHeader header{1,
                           kEpoch,
                           0x01020304,
                           0x05060708090a0b0c,
                           0x0d0e0f10,
                           *LogId::From(std::string(32, 'L')),
                           *Hash::From(std::string(32, 'B'))};
  EXPECT_EQ(header.Encode().size(), kHeaderBytes);
  EXPECT_EQ(Hex(header.Encode()),
            "0102000001020304"
            "05060708090a0b0c"
            "0d0e0f10" +
                Hex(std::string(32, 'L')) + Hex(std::string(32, 'B')));
  EXPECT_EQ(header.Part(), header.Encode().substr(0, kHeaderPartBytes));
  EXPECT_EQ(LeafHash(header), Sha256({std::string_view("\0", 1), header.Encode()}));
}

}  // namespace
}  // namespace entente::crypto

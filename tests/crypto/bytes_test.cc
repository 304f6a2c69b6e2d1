// Encodings are strict: one value, one spelling.
#include "crypto/bytes.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente {
namespace {

TEST(BytesTest, HexGoesBothWaysAndRefusesEverythingElse) {
  EXPECT_EQ(Hex(std::string_view("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(*Unhex("00FF1a"), std::string("\x00\xff\x1a", 3));
  EXPECT_REFUSED(Unhex("abc"), kInvalidArgument, "");
  EXPECT_REFUSED(Unhex("0g"), kInvalidArgument, "");
  EXPECT_REFUSED(Unhex(" 0"), kInvalidArgument, "");
}

// RFC 4648 §10.
TEST(BytesTest, Base64AnswersAsTheStandardSays) {
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(*Base64Decode("Zm9vYg=="), "foob");
  EXPECT_EQ(*Base64Decode(""), "");
}

TEST(BytesTest, Base64HasOneSpellingPerValue) {
  for (const char* wrong :
       {"Zg", "Zg=", "Zh==", "Zg==\n", " Zg==", "Z===", "Zm9v=", "Zm-_", "===="}) {
    EXPECT_REFUSED(Base64Decode(wrong), kInvalidArgument, "") << wrong;
  }
}

TEST(BytesTest, FixedBytesNameTheLengthTheyGot) {
  EXPECT_REFUSED(Hash::From("short"), kInvalidArgument, "expected 32 bytes, got 5");
  EXPECT_REFUSED(KeyId::FromHex("00"), kInvalidArgument, "expected 8 bytes, got 1");
  EXPECT_TRUE(Hash().is_zero());
  EXPECT_LT(*KeyId::From("aaaaaaaa"), *KeyId::From("aaaaaaab"));
}

TEST(BytesTest, IntegersAreBigEndianAndReadBack) {
  std::string out;
  AppendU8(&out, 0x01);
  AppendU16(&out, 0x0203);
  AppendU32(&out, 0x04050607);
  AppendU64(&out, 0x08090a0b0c0d0e0f);
  EXPECT_EQ(Hex(out), "0102030405060708090a0b0c0d0e0f");
  ByteReader reader(out);
  EXPECT_EQ(*reader.ReadU8(), 0x01);
  EXPECT_EQ(*reader.ReadU16(), 0x0203);
  EXPECT_EQ(*reader.ReadU32(), 0x04050607u);
  EXPECT_EQ(*reader.ReadU64(), 0x08090a0b0c0d0e0fu);
  EXPECT_TRUE(reader.done());
}

TEST(BytesTest, ReadingPastTheEndIsRefusedAndTakesNothing) {
  ByteReader reader("abc");
  EXPECT_REFUSED(reader.ReadU32(), kInvalidArgument, "");
  EXPECT_REFUSED(reader.ReadBytes(4), kInvalidArgument, "");
  EXPECT_EQ(*reader.ReadBytes(3), "abc");
}

}  // namespace
}  // namespace entente

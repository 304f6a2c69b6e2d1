// Parcels: one of six sizes, open for one party, and dead when touched anywhere.
#include <string>

#include "crypto/entropy.h"
#include "crypto/parcel_header.h"
#include "crypto/parcel_seal.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class ParcelTest : public testing::Test {
 protected:
  std::string Seal(std::string_view body) {
    const auto parcel = SealParcel(key_.public_key(), key_.id(), me_, mailbox_, body, entropy_);
    EXPECT_OK(parcel);
    return *parcel;
  }

  SeededEntropy entropy_{7};
  const BoxKeyPair key_ = BoxKeyPair::Generate(entropy_);
  const PartyId me_ = *PartyId::From(std::string(32, 'P'));
  const MailboxId mailbox_ = *MailboxId::From(std::string(32, 'M'));
};

TEST_F(ParcelTest, WithASharedSecretItLooksTheSameAndOpensForWhoHoldsBoth) {
  const Secret32 shared = entropy_.Draw<Secret32>();
  const Secret32 other = entropy_.Draw<Secret32>();
  const std::string parcel =
      *SealParcel(key_.public_key(), key_.id(), me_, mailbox_, "a body", entropy_, &shared);
  EXPECT_EQ(parcel.size(), Seal("a body").size());
  EXPECT_EQ(parcel.substr(0, 34), Seal("a body").substr(0, 34));  // all that a relay reads
  EXPECT_EQ(*OpenParcel(key_, me_, parcel, &shared), "a body");
  EXPECT_REFUSED(OpenParcel(key_, me_, parcel), kFailedPrecondition, "NO_SHARED_SECRET");
  EXPECT_REFUSED(OpenParcel(key_, me_, parcel, &other), kUnauthenticated, "");
  EXPECT_FALSE(OpenParcel(BoxKeyPair::Generate(entropy_), me_, parcel, &shared).ok());
  // One that was sealed without is still opened: the sender may not use the secret yet.
  EXPECT_EQ(*OpenParcel(key_, me_, Seal("plain"), &shared), "plain");
}

TEST_F(ParcelTest, HasExactlyTheSizeOfABucketAndOpensWhole) {
  size_t bucket = 0;
  for (const size_t size : {size_t{0}, size_t{1000}, size_t{5000}, size_t{60000}, size_t{200000},
                            size_t{900000}, kParcelBodyBytesMax}) {
    const std::string body = entropy_.Bytes(size);
    const std::string parcel = Seal(body);
    const auto header = ParseParcelHeader(parcel);
    ASSERT_OK(header);
    EXPECT_EQ(parcel.size(), kParcelBuckets[header->bucket]);
    EXPECT_GE(header->bucket, bucket);
    bucket = header->bucket;
    EXPECT_EQ(header->mailbox, mailbox_);
    EXPECT_EQ(*OpenParcel(key_, me_, parcel), body);
  }
  EXPECT_REFUSED(SealParcel(key_.public_key(), key_.id(), me_, mailbox_,
                            std::string(kParcelBodyBytesMax + 1, 'x'), entropy_),
                 kInvalidArgument, "");
}

TEST_F(ParcelTest, DiesWhenAnyByteIsTouched) {
  const std::string parcel = Seal("body");
  for (size_t i = 0; i < parcel.size(); i += 7) {
    std::string altered = parcel;
    altered[i] ^= 1;
    EXPECT_FALSE(OpenParcel(key_, me_, altered).ok()) << "byte " << i;
  }
}

TEST_F(ParcelTest, IsForOnePartyAndOneKey) {
  const std::string parcel = Seal("body");
  EXPECT_REFUSED(OpenParcel(BoxKeyPair::Generate(entropy_), me_, parcel), kUnauthenticated, "");
  EXPECT_REFUSED(OpenParcel(key_, PartyId(), parcel), kUnauthenticated, "");
}

TEST_F(ParcelTest, CutAndStretchedParcelsAreRefusedByTheirSize) {
  const std::string parcel = Seal("body");
  EXPECT_REFUSED(ParseParcelHeader(parcel.substr(0, parcel.size() - 1)), kInvalidArgument, "");
  EXPECT_REFUSED(ParseParcelHeader(parcel + "x"), kInvalidArgument, "");
  EXPECT_REFUSED(ParseParcelHeader(""), kInvalidArgument, "");
  std::string unknown = parcel;
  unknown[1] = 6;
  EXPECT_REFUSED(ParseParcelHeader(unknown), kInvalidArgument, "");
  unknown = parcel;
  unknown[0] = 2;
  EXPECT_REFUSED(ParseParcelHeader(unknown), kInvalidArgument, "");
}

TEST_F(ParcelTest, TwoParcelsOfOneTextShareNothingAfterTheHeader) {
  EXPECT_NE(Seal("body").substr(kParcelHeaderBytes, 200),
            Seal("body").substr(kParcelHeaderBytes, 200));
}

}  // namespace
}  // namespace entente::crypto

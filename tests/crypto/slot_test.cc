// A slot opens for one body, in one log and one epoch, as made by one author.
#include "crypto/slot.h"

#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class SlotTest : public testing::Test {
 protected:
  SeededEntropy entropy_{9};
  const BoxKeyPair key_ = BoxKeyPair::Generate(entropy_);
  const Secret32 seed_ = entropy_.Draw<Secret32>();
  const SlotContext context_{*LogId::From(std::string(32, 'L')), 4,
                             *PartyId::From(std::string(32, 'P')), key_.id(),
                             *Hash::From(std::string(32, 'C'))};
};

TEST_F(SlotTest, OpensInItsPlace) {
  const auto slot = SealSlot(context_, seed_, key_.public_key());
  ASSERT_OK(slot);
  EXPECT_EQ(slot->size(), kSlotBytes);
  EXPECT_TRUE(OpenSlot(context_, key_, *slot)->Equals(seed_));
}

TEST_F(SlotTest, IsRefusedInAnyOtherPlace) {
  const std::string slot = *SealSlot(context_, seed_, key_.public_key());
  SlotContext other = context_;
  other.log = LogId();
  EXPECT_REFUSED(OpenSlot(other, key_, slot), kUnauthenticated, "");
  other = context_;
  other.epoch = 5;
  EXPECT_REFUSED(OpenSlot(other, key_, slot), kUnauthenticated, "");
  other = context_;
  other.party = PartyId();
  EXPECT_REFUSED(OpenSlot(other, key_, slot), kUnauthenticated, "");
  other = context_;
  other.author_card = Hash();
  EXPECT_REFUSED(OpenSlot(other, key_, slot), kUnauthenticated, "");
  EXPECT_REFUSED(OpenSlot(context_, BoxKeyPair::Generate(entropy_), slot), kUnauthenticated, "");
  EXPECT_FALSE(OpenSlot(context_, key_, slot + "x").ok());
  EXPECT_FALSE(OpenSlot(context_, key_, "").ok());
}

TEST_F(SlotTest, WithASharedSecretItOpensForWhoHoldsBothAndNobodyElse) {
  const Secret32 shared = entropy_.Draw<Secret32>();
  const auto slot = SealSecretSlot(context_, seed_, key_.public_key(), shared, entropy_);
  ASSERT_OK(slot);
  EXPECT_EQ(slot->size(), kSecretSlotBytes);
  EXPECT_TRUE(OpenSecretSlot(context_, key_, shared, *slot)->Equals(seed_));
  EXPECT_REFUSED(OpenSecretSlot(context_, key_, entropy_.Draw<Secret32>(), *slot), kUnauthenticated,
                 "");
  EXPECT_REFUSED(OpenSecretSlot(context_, BoxKeyPair::Generate(entropy_), shared, *slot),
                 kUnauthenticated, "");
  EXPECT_FALSE(OpenSlot(context_, key_, *slot).ok());
  EXPECT_FALSE(
      OpenSecretSlot(context_, key_, shared, *SealSlot(context_, seed_, key_.public_key())).ok());
}

// Somebody who has broken X25519 has the box key's private half, and still nothing of the seed.
TEST_F(SlotTest, WhatTheBoxOfASecretSlotHoldsIsSealedAgain) {
  const Secret32 shared = entropy_.Draw<Secret32>();
  const auto inside =
      key_.Open(*SealSecretSlot(context_, seed_, key_.public_key(), shared, entropy_));
  ASSERT_OK(inside);
  EXPECT_EQ(inside->view().find(seed_.view()), std::string_view::npos);
  const auto again =
      key_.Open(*SealSecretSlot(context_, seed_, key_.public_key(), shared, entropy_));
  EXPECT_NE(inside->view(), again->view());  // another nonce each time
}

TEST_F(SlotTest, ASecretSlotIsRefusedInAnyOtherPlaceAndAtAnyOtherLength) {
  const Secret32 shared = entropy_.Draw<Secret32>();
  std::string slot = *SealSecretSlot(context_, seed_, key_.public_key(), shared, entropy_);
  for (int field = 0; field < 4; ++field) {
    SlotContext other = context_;
    if (field == 0) other.log = LogId();
    if (field == 1) other.epoch = 5;
    if (field == 2) other.party = PartyId();
    if (field == 3) other.author_card = Hash();
    EXPECT_REFUSED(OpenSecretSlot(other, key_, shared, slot), kUnauthenticated, "") << field;
  }
  EXPECT_REFUSED(OpenSecretSlot(context_, key_, shared, slot + "x"), kInvalidArgument, "");
  EXPECT_REFUSED(OpenSecretSlot(context_, key_, shared, slot.substr(1)), kInvalidArgument, "");
  slot[100] ^= 1;
  EXPECT_REFUSED(OpenSecretSlot(context_, key_, shared, slot), kUnauthenticated, "");
}

}  // namespace
}  // namespace entente::crypto

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

}  // namespace
}  // namespace entente::crypto

// Keys of a log reach its members and nobody else, and a rotated or lying epoch is noticed.
#include "sync/epoch.h"

#include <string>

#include "gtest/gtest.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class EpochTest : public testing::Test {
 protected:
  EpochTest() { f_.TrustAll(); }
  v1::Epoch FirstEpoch() {
    v1::Epoch epoch;
    EXPECT_TRUE(epoch.ParseFromString(f_.WholeLog(f_["XA"], {"XA", "XB"}).entries(0).body()));
    return epoch;
  }
  Federation f_{{"XA", "XB", "XC"}};
};

TEST_F(EpochTest, HasAReadingAndARecoverySlotPerMember) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  const v1::Epoch epoch = FirstEpoch();
  EXPECT_EQ(epoch.slots_size(), 4);
  for (const v1::Slot& slot : epoch.slots()) EXPECT_NE(slot.party(), f_["XC"].party.view());
}

TEST_F(EpochTest, AnAudienceWithAnUntrustedBodyIsNotWritten) {
  Federation strangers({"XA", "XB"});
  EXPECT_REFUSED(strangers.Write(strangers["XA"], {"XA", "XB"}, "text"), kFailedPrecondition,
                 "CARD_NOT_TRUSTED");
  EXPECT_TRUE(strangers["XA"].replica->logs().all().empty());
}

TEST_F(EpochTest, AnAudienceWithoutTheAuthorIsNotWritten) {
  EXPECT_FALSE(f_.Write(f_["XA"], {"XB"}, "text").ok());
}

TEST_F(EpochTest, EveryWeekANewOneBegins) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "one"));
  f_.now += kEpochLife + absl::Hours(1);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "two"));
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->epoch, 2u);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (std::vector<std::string>{"one", "two"}));
}

// The author commits to one seed; a slot that carries another leaves that member's copy locked,
// and says so, while everything is still kept and forwarded.
TEST_F(EpochTest, ASlotThatHoldsAnotherSeedThanTheCommitmentLocksTheEpoch) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"});
  v1::Epoch epoch = FirstEpoch();
  CardBook cards;
  ASSERT_OK(cards.Load(f_["XB"].disk));
  OverlayKv overlay(f_["XB"].disk);
  LogBook logs(overlay);
  BoxKeys box_keys(f_["XB"].party, f_["XB"].keys, cards, overlay, BoxKeyTerms());
  ASSERT_OK(box_keys.Load());
  Context context{f_["XB"].party, f_["XB"].keys, cards, overlay, logs, f_.entropy, 1};
  context.box_keys = &box_keys;
  EpochKeys keys(context);
  EXPECT_OK(keys.Learn(log, epoch));
  epoch.set_seed_commit(std::string(32, 'q'));
  EXPECT_REFUSED(EpochKeys(context).Learn(log, epoch), kDataLoss, "");
  epoch.clear_slots();
  EXPECT_REFUSED(EpochKeys(context).Learn(log, epoch), kNotFound, "");
}

}  // namespace
}  // namespace entente::sync

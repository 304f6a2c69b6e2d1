// Observed entries: what members say they hold reaches all of them, also by way of others, and
// costs a bounded number of entries.
#include "sync/observations.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

const std::vector<std::string> kAll = {"XA", "XB", "XC"};

class ObservationsTest : public testing::Test {
 protected:
  ObservationsTest() { f_.TrustAll(); }
  void Minutes(int n) {
    for (int i = 0; i < n; ++i) f_.Pass(absl::Minutes(1));
  }
  uint64_t OwnLogSize(const std::string& code) {
    const LogState* log = f_.FindLog(f_[code], f_[code], kAll);
    return log == nullptr ? 0 : log->size;
  }
  Federation f_{kAll};
};

TEST_F(ObservationsTest, AnAuthorLearnsWhatAMemberItNeverTalksToHasRead) {
  ASSERT_OK(f_.Write(f_["XA"], kAll, "for all"));
  const EntryRef ref = f_["XA"].opened.back().ref;
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Connect(f_["XB"], f_["XC"]);
  f_.Settle();
  Minutes(5);
  EXPECT_EQ(f_["XA"].replica->Delivery(ref, f_["XC"].party), DeliveryState::kVerified);
  EXPECT_EQ(f_["XA"].replica->WaitingFor(f_["XC"].party), 0u);
}

TEST_F(ObservationsTest, StableIsWhatEveryOtherMemberHasAcknowledged) {
  ASSERT_OK(f_.Write(f_["XA"], kAll, "one"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  Minutes(5);
  const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], kAll);
  EXPECT_EQ(f_["XA"].replica->observations().StableSize(log), 0u);  // XC has said nothing
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Settle();
  Minutes(5);
  EXPECT_EQ(f_["XA"].replica->observations().StableSize(log), 2u);
  // Derived from signed entries alone, so a restart finds it again.
  f_.Start(f_["XA"]);
  const LogState& again = *f_.FindLog(f_["XA"], f_["XA"], kAll);
  EXPECT_EQ(f_["XA"].replica->observations().StableSize(again), 2u);
}

TEST_F(ObservationsTest, OneEntryPerAudienceAndMinuteOfItsMembersHoweverMuchIsWritten) {
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  const absl::Time start = f_.now;
  for (int i = 0; i < 60; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], kAll, "busy"));
    f_.Pass(absl::Seconds(10));
  }
  const auto minutes = static_cast<uint64_t>((f_.now - start) / absl::Minutes(1));
  EXPECT_GE(OwnLogSize("XB"), minutes / 3);
  EXPECT_LE(OwnLogSize("XB"), minutes / 3 + 3);
}

TEST_F(ObservationsTest, ObservedEntriesAloneCallForNone) {
  ASSERT_OK(f_.Write(f_["XA"], kAll, "one"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Connect(f_["XB"], f_["XC"]);
  f_.Settle();
  Minutes(20);
  const uint64_t settled = OwnLogSize("XA") + OwnLogSize("XB") + OwnLogSize("XC");
  Minutes(600);
  EXPECT_EQ(OwnLogSize("XA") + OwnLogSize("XB") + OwnLogSize("XC"), settled);
}

TEST_F(ObservationsTest, ADayWithoutNewsBringsOneSignOfLifeInTheWidestAudience) {
  ASSERT_OK(f_.Write(f_["XA"], kAll, "wide"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "narrow"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  Minutes(20);
  const uint64_t wide = OwnLogSize("XB");
  const uint64_t narrow = f_.FindLog(f_["XB"], f_["XB"], {"XA", "XB"})->size;
  for (int i = 0; i < 3 * 24; ++i) f_.Pass(absl::Hours(1));
  EXPECT_EQ(OwnLogSize("XB"), wide + 3);
  EXPECT_EQ(f_.FindLog(f_["XB"], f_["XB"], {"XA", "XB"})->size, narrow);
}

TEST_F(ObservationsTest, ARestartDoesNotRepeatWhatWasSaid) {
  ASSERT_OK(f_.Write(f_["XA"], kAll, "one"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  Minutes(10);
  const uint64_t before = OwnLogSize("XB");
  for (int i = 0; i < 5; ++i) {
    f_.Start(f_["XB"]);
    Minutes(4);
  }
  EXPECT_EQ(OwnLogSize("XB"), before);
}

TEST_F(ObservationsTest, AMemberThatNamesAnotherRootIsNotCounted) {
  ASSERT_OK(f_.Write(f_["XA"], kAll, "one"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], kAll);
  Draft lie;
  lie.jit = f_.jit;
  for (const std::string& code : kAll) lie.audience.insert(f_[code].party);
  v1::Seen* seen = lie.body.mutable_observed()->add_seen();
  seen->set_log_id(log.id.str());
  seen->set_size(log.size);
  seen->set_root(std::string(32, 'x'));
  Context context{f_["XA"].party,
                  f_["XA"].keys,
                  const_cast<CardBook&>(f_["XA"].replica->cards()),
                  *f_["XA"].overlay,
                  const_cast<LogBook&>(f_["XA"].replica->logs()),
                  f_.entropy};
  Observations observations(context);
  OpenedEntry entry{
      f_.jit, f_["XB"].party, {*LogId::From(std::string(32, 'l')), 1, Hash()}, lie.audience,
      "",     lie.body};
  ASSERT_OK(observations.Learn(entry));
  EXPECT_EQ(observations.HeldBy(log, f_["XB"].party), 0u);
  EXPECT_EQ(observations.TakeContradicted(), std::vector<LogId>{log.id});
  seen = entry.body.mutable_observed()->mutable_seen(0);
  seen->set_root(log.Root().str());
  ASSERT_OK(observations.Learn(entry));
  EXPECT_EQ(observations.HeldBy(log, f_["XB"].party), log.size);
}

}  // namespace
}  // namespace entente::sync

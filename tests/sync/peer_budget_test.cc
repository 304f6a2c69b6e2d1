// "No peer can make a node use more than its budget of memory, disk or CPU" (design §10.12): what a
// peer may cause without bringing anything, and that it is told when that is used up.
#include "sync/peer_budget.h"

#include "gtest/gtest.h"
#include "sync/refusals.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

TEST(PeerBudgetTest, ABurstIsFreeAndMoreEndsInARest) {
  PeerBudget budget;
  for (int64_t i = 0; i < kPeerWorkMax; ++i) ASSERT_TRUE(budget.Spend(1, kStart));
  EXPECT_FALSE(budget.Resting(kStart));
  EXPECT_FALSE(budget.Spend(1, kStart));
  EXPECT_TRUE(budget.Resting(kStart));
  EXPECT_FALSE(budget.Resting(kStart + kPeerRest));
}

TEST(PeerBudgetTest, WhatIsSpentComesBackWithTimeAndNoFaster) {
  PeerBudget budget;
  ASSERT_TRUE(budget.Spend(kPeerWorkMax, kStart));
  const absl::Time later = kStart + absl::Seconds(2);
  EXPECT_TRUE(budget.Spend(2 * kPeerWorkPerSecond, later));
  EXPECT_FALSE(budget.Spend(1, later));
}

TEST(PeerBudgetTest, FramesInQuickSuccessionStillFillIt) {
  PeerBudget budget;
  absl::Time now = kStart;
  // A tenth below the rate, for a long time, in steps of a tenth of a millisecond.
  for (int i = 0; i < 600'000; ++i) {
    now += absl::Microseconds(1'111);
    ASSERT_TRUE(budget.Spend(1, now)) << i;
  }
}

TEST(PeerBudgetTest, AClockThatGoesBackFillsNothing) {
  PeerBudget budget;
  ASSERT_TRUE(budget.Spend(kPeerWorkMax, kStart));
  EXPECT_FALSE(budget.Spend(1, kStart - absl::Hours(24)));
}

class PeerBudgetOnTheWireTest : public testing::Test {
 protected:
  PeerBudgetOnTheWireTest() {
    for (const char* code : {"XA", "XB", "XC"}) f_.signers.insert(f_[code].party);
    f_.TrustAll();
  }
  // XB's node, with every program of its own choosing, sends `frame` to XA.
  bool Flood(const v1::Frame& frame, int times, SessionId session) {
    for (int i = 0; i < times; ++i) {
      f_.Feed(f_["XA"], FrameReceived{session, frame});
      if (!f_["XA"].replica->Connected(f_["XB"].party)) return true;
    }
    return false;
  }
  uint64_t Refused(const std::string& at, bool by_peer, v1::RefusalCode code) {
    for (const Refusals::Item& item : f_[at].replica->refusals().All()) {
      if (item.row.by_peer() == by_peer && item.row.code() == static_cast<uint32_t>(code)) {
        return item.row.count();
      }
    }
    return 0;
  }

  Federation f_{{"XA", "XB", "XC"}};
};

TEST_F(PeerBudgetOnTheWireTest, AFloodOfValidFramesEndsTheSessionForAReasonThatIsKept) {
  const SessionId session = f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  v1::Frame ping;
  ping.mutable_ping()->set_token(1);
  EXPECT_TRUE(Flood(ping, 2 * kPeerWorkMax, session));
  EXPECT_EQ(Refused("XA", false, v1::REFUSAL_CODE_BUDGET), 1u);
}

TEST_F(PeerBudgetOnTheWireTest, WhoUsedItUpIsLetInAgainAfterARestAndNotBefore) {
  const SessionId session = f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  v1::Frame ping;
  ping.mutable_ping()->set_token(1);
  ASSERT_TRUE(Flood(ping, 2 * kPeerWorkMax, session));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_FALSE(f_["XA"].replica->Connected(f_["XB"].party));
  f_.now += kPeerRest;
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_TRUE(f_["XA"].replica->Connected(f_["XB"].party));
}

TEST_F(PeerBudgetOnTheWireTest, QuestionsForLogsThatAreNotTheirsCostMostAndSoonEnd) {
  const SessionId session = f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  v1::Frame want;
  want.mutable_want()->set_log_id(std::string(32, 'q'));
  EXPECT_TRUE(Flood(want, static_cast<int>(kPeerWorkMax / kWorkOfRefusal) + 1, session));
}

TEST_F(PeerBudgetOnTheWireTest, BytesThatAreNoFrameEndTheSessionAtOnce) {
  const SessionId session = f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_TRUE(Flood(v1::Frame(), 1, session));
  EXPECT_EQ(Refused("XA", false, v1::REFUSAL_CODE_MALFORMED), 1u);
}

TEST_F(PeerBudgetOnTheWireTest, WhoBringsEntriesMayBringAsManyAsItHas) {
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  for (int64_t i = 0; i < kPeerWorkMax / 8; ++i) {
    ASSERT_OK(f_.Write(f_["XB"], {"XA", "XB"}, "an entry"));
    if (i % 64 == 0) f_.Settle();
  }
  f_.Settle();
  EXPECT_TRUE(f_["XA"].replica->Connected(f_["XB"].party));
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XB"], {"XA", "XB"})->size,
            f_.FindLog(f_["XB"], f_["XB"], {"XA", "XB"})->size);
  EXPECT_EQ(Refused("XA", false, v1::REFUSAL_CODE_BUDGET), 0u);
  EXPECT_EQ(Refused("XB", false, v1::REFUSAL_CODE_BUDGET), 0u);
}

TEST_F(PeerBudgetOnTheWireTest, RefusalsOfInventedKindsMakeOneRow) {
  const SessionId session = f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  const size_t before = f_["XA"].replica->refusals().All().size();
  for (int i = 0; i < 500; ++i) {
    v1::Frame refused;
    refused.mutable_refused()->set_code(static_cast<v1::RefusalCode>(1000 + i));
    f_.Feed(f_["XA"], FrameReceived{session, refused});
  }
  EXPECT_EQ(f_["XA"].replica->refusals().All().size(), before + 1);
}

}  // namespace
}  // namespace entente::sync

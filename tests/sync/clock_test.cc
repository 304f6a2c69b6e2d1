// Clocks are wrong, jump, and are lied about. No rule may lean on them.
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sync/hlc.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

const std::vector<std::string> kAll = {"XA", "XB", "XC"};

class ClockTest : public testing::Test {
 protected:
  ClockTest() {
    f_.TrustAll();
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Connect(f_["XA"], f_["XC"]);
    f_.Connect(f_["XB"], f_["XC"]);
    f_.Settle();
  }
  // `body` writes with a clock that is off by `by`; the others read it by the right one.
  void WriteAt(const std::string& body, const std::vector<std::string>& audience,
               absl::Duration by) {
    f_.now += by;
    ASSERT_OK(f_.Write(f_[body], audience, "stamped"));
    f_.now -= by;
    f_.Settle();
  }
  uint64_t LastHlc(const std::string& reader, const std::string& author) {
    uint64_t out = 0;
    for (const OpenedEntry& entry : f_[reader].opened) {
      if (entry.author == f_[author].party && !entry.body.has_observed()) out = entry.body.hlc();
    }
    return out;
  }
  Federation f_{kAll};
};

TEST_F(ClockTest, AClockSetBackByAYearStopsNothing) {
  f_.Pass(absl::Seconds(5));
  // What is pushed gets lost, so that only the timers can repair it.
  f_.on_frame = [](Body&, Body&, v1::Frame& frame) { return !frame.has_batch(); };
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "lost on the way"));
  f_.Settle();
  f_.on_frame = nullptr;
  f_.now -= absl::Hours(24 * 365);
  f_.Pass(absl::Seconds(1));
  f_.Pass(kDigestInterval + absl::Seconds(1));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), std::vector<std::string>{"lost on the way"});
}

TEST_F(ClockTest, AnEntryFromTheFarFutureCarriesNobodyWithIt) {
  WriteAt("XA", kAll, absl::Hours(24 * 365 * 70));
  ASSERT_GT(LastHlc("XB", "XA"), HlcFromTime(f_.now + absl::Hours(24 * 365)));
  WriteAt("XB", kAll, absl::ZeroDuration());
  EXPECT_LT(LastHlc("XC", "XB"), HlcFromTime(f_.now + absl::Hours(1)));
}

TEST_F(ClockTest, AnEntryALittleAheadIsFollowedSoThatAnswersComeAfterIt) {
  WriteAt("XA", kAll, absl::Minutes(5));
  WriteAt("XB", kAll, absl::ZeroDuration());
  EXPECT_GT(LastHlc("XC", "XB"), LastHlc("XC", "XA"));
}

TEST_F(ClockTest, AStampTellsOutsidersNothingOfEntriesTheyCannotRead) {
  WriteAt("XA", {"XA", "XB"}, absl::Minutes(5));
  WriteAt("XB", {"XB", "XC"}, absl::ZeroDuration());
  EXPECT_EQ(LastHlc("XC", "XB"), HlcFromTime(f_.now));
}

TEST_F(ClockTest, EntriesOfOneAudienceFollowEachOtherWhenTheClockGoesBack) {
  WriteAt("XA", kAll, absl::Hours(2));
  const uint64_t first = LastHlc("XB", "XA");
  WriteAt("XA", kAll, absl::ZeroDuration());
  EXPECT_GT(LastHlc("XB", "XA"), first);
}

// A release for all and the originals for one, say: its reader sees the release first.
TEST_F(ClockTest, WhatOneActWritesForSeveralAudiencesKeepsItsOrder) {
  std::vector<Draft> drafts;
  for (const std::vector<std::string>& codes : {kAll, {"XA", "XC"}}) {
    Draft draft;
    draft.jit = f_.jit;
    for (const std::string& code : codes) draft.audience.insert(f_[code].party);
    draft.body.set_user("ada");
    drafts.push_back(std::move(draft));
  }
  ASSERT_OK(f_["XA"].replica->Append(f_.now, std::move(drafts)));
  f_.Feed(f_["XA"], Input(Tick{}));
  f_.Settle();
  std::map<size_t, uint64_t> stamps;  // by the number of readers
  for (const OpenedEntry& entry : f_["XC"].opened) {
    if (entry.body.user() == "ada") stamps[entry.audience.size()] = entry.body.hlc();
  }
  ASSERT_EQ(stamps.size(), 2u);
  EXPECT_LT(stamps[3], stamps[2]);
}

}  // namespace
}  // namespace entente::sync

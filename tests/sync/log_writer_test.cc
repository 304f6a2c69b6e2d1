// What a node writes: stamped after what it saw, whatever clocks others claim to have.
#include "sync/log_writer.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sync/hlc.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() {
    f_.TrustAll();
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Settle();
  }
  Draft DraftFor(const std::vector<std::string>& codes) {
    Draft draft;
    draft.jit = f_.jit;
    for (const std::string& code : codes) draft.audience.insert(f_[code].party);
    return draft;
  }
  // An entry of `author` whose clock shows `time`.
  void WriteAt(Body& author, absl::Time time) {
    std::vector<Draft> drafts;
    drafts.push_back(DraftFor({"XA", "XB"}));
    ASSERT_OK(author.replica->Append(time, std::move(drafts)));
    f_.Feed(author, Input(Tick{}));
    f_.Settle();
  }
  absl::Time NewestOf(const Body& reader, const Body& author) {
    absl::Time newest = absl::InfinitePast();
    for (const OpenedEntry& entry : reader.opened) {
      if (entry.author == author.party) {
        newest = std::max(newest, TimeFromHlc(entry.body.hlc()));
      }
    }
    return newest;
  }
  absl::Status Append(Draft draft) {
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    return f_["XA"].replica->Append(f_.now, std::move(drafts)).status();
  }
  Federation f_{{"XA", "XB"}};
};

TEST_F(LogWriterTest, WhatIsWrittenComesAfterWhatWasSeen) {
  WriteAt(f_["XA"], f_.now + absl::Minutes(5));
  WriteAt(f_["XB"], f_.now);
  EXPECT_GE(NewestOf(f_["XB"], f_["XB"]), f_.now + absl::Minutes(5));
}

// Its entries would lie behind the end of every agreement and have no effect.
TEST_F(LogWriterTest, AClockFarAheadDoesNotMoveOurOwn) {
  WriteAt(f_["XA"], f_.now + absl::Hours(24 * 365 * 50));
  ASSERT_GT(NewestOf(f_["XB"], f_["XA"]), f_.now + absl::Hours(24 * 365));
  WriteAt(f_["XB"], f_.now);
  EXPECT_LE(NewestOf(f_["XB"], f_["XB"]), f_.now + kForeignClockAheadMax);
  f_.Start(f_["XB"]);
  WriteAt(f_["XB"], f_.now);
  EXPECT_LE(NewestOf(f_["XB"], f_["XB"]), f_.now + kForeignClockAheadMax);
}

TEST_F(LogWriterTest, AnAudienceHoldsItsAuthorAndOnlyBodiesThatAreTrusted) {
  EXPECT_REFUSED(Append(DraftFor({"XB"})), kInvalidArgument, "[BAD_AUDIENCE]");
  Draft stranger = DraftFor({"XA"});
  stranger.audience.insert(*PartyId::From(std::string(32, 's')));
  EXPECT_REFUSED(Append(std::move(stranger)), kFailedPrecondition, "[CARD_NOT_TRUSTED]");
  Draft crowd = DraftFor({"XA"});
  for (char c = 0; c < static_cast<char>(kMembersMax); ++c) {
    crowd.audience.insert(*PartyId::From(std::string(32, c)));
  }
  EXPECT_REFUSED(Append(std::move(crowd)), kInvalidArgument, "[BAD_AUDIENCE]");
}

TEST_F(LogWriterTest, AnEntryHasABound) {
  Draft large = DraftFor({"XA"});
  large.body.set_justification(std::string(kEntryBytesMax, 'x'));
  EXPECT_REFUSED(Append(std::move(large)), kInvalidArgument, "[TOO_BIG]");
}

TEST_F(LogWriterTest, AfterAWeekANewEpochBegins) {
  WriteAt(f_["XA"], f_.now);
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->epoch, 1u);
  f_.Pass(kEpochLife);
  WriteAt(f_["XA"], f_.now);
  EXPECT_EQ(f_.FindLog(f_["XB"], f_["XA"], {"XA", "XB"})->epoch, 2u);
}

}  // namespace
}  // namespace entente::sync

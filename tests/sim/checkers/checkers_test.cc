// Every checker is shown the promise it is for, broken: a checker that cannot fail checks nothing.
#include <algorithm>
#include <memory>
#include <string>

#include "entente/v1/client.pb.h"
#include "gtest/gtest.h"
#include "sync/schema.h"
#include "tests/sim/acts.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/needles.h"
#include "tests/sim/world/world.h"

namespace entente::sim {
namespace {

World::Setup Four() {
  World::Setup setup;
  setup.bodies = {
      {.code = "XA"}, {.code = "XB"}, {.code = "XC", .relay_only = true}, {.code = "EJ"}};
  return setup;
}

class CheckersTest : public testing::Test {
 protected:
  CheckersTest() {
    for (auto& node : world_.nodes()) node->Boot();
    world_.RunFor(absl::Seconds(30));
    acts_.Propose(world_.node("XA"), {"XA", "XB", "XC"}, {"EJ"});
    world_.RunFor(absl::Minutes(2));
    for (const char* code : {"XA", "XB", "XC"}) acts_.Sign(world_.node(code));
    world_.RunFor(absl::Minutes(10));
    acts_.Note(world_.node("XA"), {"XB"});
    acts_.Note(world_.node("XA"), {"XB", "XC", "EJ"});
    acts_.Evidence(world_.node("XB"), {"XA"}, 3000);
    acts_.Task(world_.node("XA"), "XC");
    world_.RunFor(absl::Minutes(30));
  }
  std::string Check(std::string (*checker)(Inspection&)) {
    Inspection in(world_, ledger_);
    return checker(in);
  }
  // The first row of `table` at `code` whose key the other does not have.
  std::string OwnRow(const std::string& code, char table, const std::string& not_at) {
    for (const auto& [key, value] : world_.node(code).disk.kv.rows()) {
      if (key[0] == table && !world_.node(not_at).disk.kv.rows().contains(key)) return key;
    }
    return "";
  }
  DiskKv::Rows& rows(const std::string& code) { return world_.node(code).disk.kv.rows(); }

  World world_{Four()};
  Ledger ledger_{world_};
  Acts acts_{world_, ledger_};
};

TEST_F(CheckersTest, AnHonestRunKeepsEveryPromise) {
  ASSERT_EQ(ledger_.promises().size(), 4u);
  EXPECT_EQ(CheckAll(world_, ledger_), "");
}

TEST_F(CheckersTest, AnAlteredEntryIsSeen) {
  for (auto& [key, value] : rows("XB")) {
    if (key[0] == 'e') value.back() = static_cast<char>(value.back() ^ 1);
  }
  EXPECT_NE(Check(LogsVerify), "");
}

TEST_F(CheckersTest, ARecordThatIsOnItsWayIsSeenAsMissing) {
  acts_.Note(world_.node("XA"), {"XB"});
  EXPECT_NE(Check(EntriesArrive), "");
  EXPECT_NE(Check(ViewsConverge), "");
  world_.RunFor(absl::Minutes(5));
  EXPECT_EQ(Check(EntriesArrive), "");
  EXPECT_EQ(Check(ViewsConverge), "");
}

TEST_F(CheckersTest, WhatIsErasedMayNotComeBackAndNeitherMayItsKeyNorItsFile) {
  const auto before = rows("XA");
  acts_.Erase(world_.node("XB"));
  world_.RunFor(absl::Minutes(30));
  ASSERT_EQ(ledger_.erased().size(), 1u);
  EXPECT_EQ(CheckAll(world_, ledger_), "");
  const auto erased = rows("XA");
  for (const auto& [key, value] : before) {
    if (!erased.contains(key) || erased.at(key) == value) continue;
    const bool body = key[0] == 'e' && (erased.at(key)[0] & 0x80) != 0;
    const bool seed = key[0] == 'k';
    if (!body && !seed) continue;
    rows("XA")[key] = value;
    EXPECT_NE(Check(ErasedStaysErased), "") << key[0];
    rows("XA")[key] = erased.at(key);
  }
  EXPECT_EQ(Check(ErasedStaysErased), "");
  const BlobId file = *ledger_.erased()[0].files.begin();
  world_.node("XA").disk.blobs[file];
  EXPECT_NE(Check(ErasedStaysErased), "");
}

TEST_F(CheckersTest, AnErasureThatIsNotAnsweredIsSeen) {
  world_.node("XA").PowerOff();
  acts_.Erase(world_.node("XB"));
  world_.RunFor(absl::Minutes(5));
  EXPECT_NE(Check(ErasedStaysErased), "");
}

TEST_F(CheckersTest, ANodeThatForgetsWhatItAcknowledgedIsSeen) {
  rows("XA").erase(ledger_.promises()[0].rows.rbegin()->first);
  EXPECT_NE(Check(NothingIsLost), "");
}

TEST_F(CheckersTest, ALossIsExcusedOnlyWhereNobodyElseHeldTheEntry) {
  acts_.Note(world_.node("XA"), {});
  world_.node("XA").LoseStore(/*keep_anchor=*/true);
  ledger_.ExcuseWhatNobodyHolds();
  EXPECT_FALSE(ledger_.promises()[0].lost_with_disk);  // XB has it
  EXPECT_TRUE(ledger_.promises().back().lost_with_disk);
}

TEST_F(CheckersTest, WhatABodyLostWithItsDiskNobodyGivesBackToItOnceItIsLeftOut) {
  world_.node("XA").LoseStore(/*keep_anchor=*/true);
  EXPECT_NE(Check(NothingIsLost), "");
  ledger_.NoteWhatOwnersLack();
  EXPECT_NE(Check(NothingIsLost), "");  // XB has it and gives it back
  ledger_.Stopped(world_.node("XB"), "XA");
  EXPECT_EQ(Check(NothingIsLost), "");
}

TEST_F(CheckersTest, ATextInTheTrafficOfAnOutsiderIsSeen) {
  world_.node("XC").heard += ledger_.secrets()[0].canary;
  EXPECT_NE(Check(TextsStayInside), "");
}

TEST_F(CheckersTest, ATextOnTheDiskOfAnOutsiderIsSeen) {
  rows("XC")["zz"] = ledger_.secrets()[0].canary;
  EXPECT_NE(Check(TextsStayInside), "");
}

TEST_F(CheckersTest, ALogIdInTheTrafficOfAnOutsiderIsSeen) {
  world_.node("EJ").heard += OwnRow("XB", 'l', "EJ").substr(1);
  EXPECT_NE(Check(ExistenceStaysInside), "");
}

TEST_F(CheckersTest, AKeyInTheWrongHandsIsSeen) {
  const std::string key = OwnRow("XB", 'k', "XC");
  rows("XC")[key] = rows("XB")[key];
  EXPECT_NE(Check(KeysOpenWhatIsAllowed), "");
}

TEST_F(CheckersTest, AReaderWithoutItsKeyIsSeen) {
  const std::string entry = ledger_.promises()[0].rows.rbegin()->first;
  std::erase_if(rows("XB"), [&](const auto& row) {
    return row.first[0] == 'k' && row.first.substr(1, 32) == entry.substr(1, 32);
  });
  EXPECT_NE(Check(KeysOpenWhatIsAllowed), "");
}

TEST_F(CheckersTest, AnEntryForSomebodyWhoIsLeftOutIsSeen) {
  ledger_.Stopped(world_.node("XA"), "XB");
  EXPECT_EQ(Check(NothingForTheExcluded), "");
  acts_.Note(world_.node("XA"), {"XB"});
  EXPECT_NE(Check(NothingForTheExcluded), "");
}

TEST_F(CheckersTest, ANonceUsedTwiceIsSeen) {
  std::string first;
  for (auto& [key, value] : rows("XA")) {
    if (key[0] != 'e' || value[0] != 1) continue;
    if (!first.empty()) value.replace(37, 24, first);
    first = value.substr(37, 24);
  }
  EXPECT_NE(Check(NoncesAreFresh), "");
}

TEST_F(CheckersTest, TwoTextsAtOnePlaceOfALogAreSeen) {
  const std::string entry = ledger_.promises()[0].rows.rbegin()->first;
  rows("XB")[entry].back() ^= 1;
  EXPECT_NE(Check(EntriesArrive), "");
}

TEST_F(CheckersTest, AnAccusationWithoutAProofIsSeen) {
  const std::string entry = ledger_.promises()[0].rows.rbegin()->first;
  rows("XB")[sync::schema::Fork(*LogId::From(entry.substr(1, 32)))] = "proof";
  EXPECT_NE(Check(ForksAreProven), "");
}

TEST_F(CheckersTest, TwoHeadsOfOneSizeAreSeen) {
  const std::vector<sync::AnchorRecord> anchors = world_.node("XA").disk.AnchorList();
  const auto first = std::find_if(anchors.begin(), anchors.end(),
                                  [](const auto& record) { return record.incarnation == 1; });
  ASSERT_NE(first, anchors.end());
  sync::AnchorRecord head = *first;
  world_.SawHead(world_.node("XA"), head);
  EXPECT_EQ(world_.broken(), "");
  head.root = Hash();
  world_.SawHead(world_.node("XA"), head);
  EXPECT_NE(world_.broken(), "");
}

TEST_F(CheckersTest, AReceiptForWhatIsNotOnTheDiskIsSeen) {
  v1::Frame frame;
  frame.mutable_cosign()->set_log_id(OwnRow("XB", 'l', "XC").substr(1));
  frame.mutable_cosign()->set_size(1'000);
  world_.SawFrame(world_.node("XB"), world_.node("XA"), frame);
  EXPECT_NE(world_.broken(), "");
}

TEST(NeedlesTest, FindsWhatMattersWhereverItStands) {
  Needles needles;
  needles.Add("0123456789", 1);
  needles.Add("01234567xy", 2);
  const auto any = [](size_t) { return true; };
  EXPECT_EQ(needles.Find("..0123456789", any), 1u);
  EXPECT_EQ(needles.Find("..01234567xy..0123456789", [](size_t tag) { return tag == 1; }), 1u);
  EXPECT_EQ(needles.Find("..012345678", any), SIZE_MAX);
}

}  // namespace
}  // namespace entente::sim

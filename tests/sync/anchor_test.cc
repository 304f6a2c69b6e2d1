// A database that is behind what left the node never forks its own log: it freezes it.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class AnchorTest : public testing::Test {
 protected:
  AnchorTest() {
    f_.TrustAll();
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Settle();
    EXPECT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "before"));
    f_.Settle();
  }
  Federation f_{{"XA", "XB"}};
};

TEST_F(AnchorTest, AnOrdinaryRestartWritesOnInTheSameLog) {
  f_.Start(f_["XA"]);
  EXPECT_EQ(f_["XA"].replica->incarnation(), 1u);
  EXPECT_EQ(f_["XA"].TextsOf(f_["XA"]), std::vector<std::string>{"before"});
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "after"));
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->size, 3u);
}

TEST_F(AnchorTest, ARolledBackDatabaseIsNoticedAndLosesNothingThatOthersHold) {
  const auto old_rows = f_["XA"].disk.rows();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "sent and forgotten"));
  f_.Settle();
  f_["XA"].disk.rows() = old_rows;
  f_.Start(f_["XA"]);
  EXPECT_EQ(f_["XA"].replica->incarnation(), 2u);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "after the restore"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.Pass(absl::Minutes(2));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]),
            (std::vector<std::string>{"before", "sent and forgotten", "after the restore"}));
  EXPECT_EQ(f_["XA"].TextsOf(f_["XA"]).size(), 3u);
}

TEST_F(AnchorTest, AMissingAnchorIsTreatedAsARollback) {
  f_["XA"].anchors.clear();
  f_.Start(f_["XA"], /*anchor_missing=*/true);
  EXPECT_GT(f_["XA"].replica->incarnation(), 1u);
  EXPECT_TRUE(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->frozen);
}

// Found by tests/model/anchor.pml: counted up, both restores would begin the second incarnation,
// and two logs of one name would go out.
TEST_F(AnchorTest, OneBackupRestoredTwiceWithoutItsAnchorBeginsTwoDifferentLogs) {
  const auto backup = f_["XA"].disk.rows();
  std::vector<LogId> begun;
  for (const char* text : {"after the first restore", "after the second"}) {
    f_["XA"].disk.rows() = backup;
    f_["XA"].anchors.clear();
    f_.Start(f_["XA"], /*anchor_missing=*/true);
    f_.Connect(f_["XA"], f_["XB"]);
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, text));
    f_.Settle();
    const uint32_t incarnation = f_["XA"].replica->incarnation();
    for (const auto& [id, log] : f_["XA"].replica->logs().all()) {
      if (log.author == f_["XA"].party && log.incarnation == incarnation) begun.push_back(id);
    }
  }
  ASSERT_EQ(begun.size(), 2u);
  EXPECT_NE(begun[0], begun[1]);
  f_.Pass(absl::Minutes(2));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]).size(), 3u);
}

// Nothing was signed in the life that the anchor file began with, and then the database went.
TEST_F(AnchorTest, ALifeThatWasBegunWithoutAnAnchorIsNeverBegunAgain) {
  f_["XA"].anchors.clear();
  f_.Start(f_["XA"], /*anchor_missing=*/true);
  f_.Feed(f_["XA"], Input(Tick{}));
  const uint32_t life = f_["XA"].replica->incarnation();
  f_.LoseDatabase(f_["XA"]);
  EXPECT_EQ(f_["XA"].replica->incarnation(), life + 1);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.Pass(absl::Minutes(2));
  EXPECT_EQ(f_["XA"].TextsOf(f_["XA"]), std::vector<std::string>{"before"});
}

TEST_F(AnchorTest, ADatabaseOfAnotherHistoryIsNoticedByItsRoot) {
  f_["XA"].anchors.back().root = Hash();
  f_.Start(f_["XA"]);
  EXPECT_EQ(f_["XA"].replica->incarnation(), 2u);
}

}  // namespace
}  // namespace entente::sync

// A member whose copy of the keys does not open gets them from whoever holds them, and only what
// the author sealed: wrong keys are never used, and nobody outside the audience is given any.
#include "sync/key_repair.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "crypto/key_tree.h"
#include "gtest/gtest.h"
#include "sync/limits.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;

class KeyRepairTest : public testing::Test {
 protected:
  KeyRepairTest() { f_.TrustAll(); }

  // XB runs without the key that the others have sealed to, and announces another.
  crypto::BoxKeyPair LoseKey() {
    crypto::BoxKeyPair lost = std::exchange(f_["XB"].keys->box, Other());
    stand_in_ = f_["XB"].keys->box.id();
    f_.Start(f_["XB"]);
    return lost;
  }
  void Restart() {
    f_["XB"].disk.rows().erase(schema::OwnBoxKey(stand_in_));
    f_.Start(f_["XB"]);
  }
  // XB receives what XA has written while it lacks the key that its slots were sealed to.
  void Lock() {
    crypto::BoxKeyPair lost = LoseKey();
    // It says so only later, when it has its key again.
    f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
      return &from != &f_["XB"] || !(frame.has_cosign() || frame.has_batch() || frame.has_heads());
    };
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Settle();
    f_.Disconnect(f_["XB"]);
    f_.on_frame = nullptr;
    f_["XB"].keys->box = std::move(lost);
    ASSERT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{});
    ASSERT_EQ(Log(f_["XB"])->locked_epochs, (std::vector<uint32_t>{1}));
  }
  crypto::BoxKeyPair Other() { return crypto::BoxKeyPair::Generate(f_.entropy); }
  const LogState* Log(const Body& holder) { return f_.FindLog(holder, f_["XA"], all_); }
  void Meet(const std::string& a, const std::string& b) {
    f_.Connect(f_[a], f_[b]);
    f_.Settle();
  }
  // The key of a node of XA's tree, put to XB by `author` in a log of the two.
  absl::Status Grant(const std::string& author, const std::string& to, const crypto::Secret32& key,
                     crypto::TreePosition position) {
    Draft draft;
    draft.jit = f_.jit;
    draft.audience = {f_[author].party, f_[to].party};
    draft.body.mutable_grant()->set_log_id(Log(f_["XA"])->id.str());
    v1::TreeKey* item = draft.body.mutable_grant()->add_keys();
    item->set_epoch(1);
    item->set_depth(position.depth);
    item->set_prefix(position.prefix);
    item->set_key(std::string(key.view()));
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const absl::Status status = f_[author].replica->Append(f_.now, std::move(drafts)).status();
    f_.Feed(f_[author], Input(Tick{}));
    return status;
  }
  // Entries of `author` that `reader` has read, in all its logs.
  uint64_t ReadOf(const std::string& reader, const std::string& author) {
    uint64_t out = 0;
    for (const auto& [id, log] : f_[reader].replica->logs().all()) {
      if (log.author == f_[author].party) out += log.opened;
    }
    return out;
  }
  crypto::Secret32 Seed() {
    return (*f_["XA"].replica->epoch_keys().Held(Log(f_["XA"])->id, 1)).front().key.Clone();
  }
  // How often `code` has given somebody keys of XA's log.
  uint64_t Grants(const std::string& code) {
    uint64_t count = 0;
    const std::string log = Log(f_["XA"])->id.str();
    for (const OpenedEntry& entry : f_[code].opened) {
      if (entry.author == f_[code].party && entry.body.grant().log_id() == log) ++count;
    }
    return count;
  }

  KeyId stand_in_;
  Federation f_{{"XA", "XB", "XC", "XD"}};
  const std::vector<std::string> all_ = {"XA", "XB", "XC"};
};

TEST_F(KeyRepairTest, TheAuthorGivesTheKeysAtOnceAndTheMemberReadsEverything) {
  for (const char* text : {"one", "two", "three"}) ASSERT_OK(f_.Write(f_["XA"], all_, text));
  Lock();
  EXPECT_EQ(f_["XA"].replica->key_repair().Owed(f_["XB"].party), 0u);
  Meet("XA", "XB");
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"", "one", "two", "three"}));  // the grant, then
  EXPECT_TRUE(Log(f_["XB"])->locked_epochs.empty());
  EXPECT_EQ(Log(f_["XB"])->opened, Log(f_["XB"])->size);
  EXPECT_EQ(f_["XA"].replica->key_repair().Owed(f_["XB"].party), 0u);
  EXPECT_EQ(Grants("XA"), 1u);
}

TEST_F(KeyRepairTest, AnotherHolderGivesThemWhenTheAuthorIsAway) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  Meet("XA", "XC");
  Lock();
  f_.Disconnect(f_["XA"]);
  // XC hears of it from XB alone. It leaves the author its turn.
  Meet("XB", "XC");
  f_.Pass(absl::Seconds(30));
  EXPECT_EQ(Grants("XC"), 0u);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{});
  f_.Pass(kRepairStagger);
  EXPECT_EQ(Grants("XC"), 1u);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
  // It says so to everybody, so that nobody else does it again.
  f_.Pass(absl::Minutes(10));
  Meet("XA", "XB");
  f_.Pass(absl::Minutes(10));
  EXPECT_EQ(Grants("XC"), 1u);
  EXPECT_EQ(f_["XC"].replica->key_repair().Owed(f_["XB"].party), 0u);
}

TEST_F(KeyRepairTest, WhatAMemberSaysBeforeTheLogItselfArrivesIsRemembered) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  Lock();
  f_.Disconnect(f_["XA"]);
  for (int i = 0; i < 3; ++i) f_.Pass(absl::Minutes(5));  // XB says so, to all
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) {
    return !frame.has_cosign() &&
           !(frame.has_batch() && frame.batch().head().author() == f_["XA"].party.view());
  };
  Meet("XB", "XC");
  ASSERT_EQ(ReadOf("XC", "XB"), 2u);  // the epoch and what XB observed
  ASSERT_EQ(Log(f_["XC"]), nullptr);
  f_.on_frame = [](Body&, Body&, v1::Frame& frame) { return !frame.has_cosign(); };
  for (int i = 0; i < 6; ++i) f_.Pass(absl::Minutes(5));
  EXPECT_EQ(Grants("XC"), 1u);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
}

// What XB wrote comes back to it after it has lost its database and with it its reading keys.
class EarlierLifeTest : public KeyRepairTest {
 protected:
  void LoseEverything() {
    ASSERT_OK(f_.Write(f_["XB"], all_, "mine"));
    Meet("XA", "XB");
    old_ = f_.FindLog(f_["XA"], f_["XB"], all_)->id;
    f_.Disconnect(f_["XB"]);
    f_["XB"].keys->box = Other();
    f_.LoseDatabase(f_["XB"]);
  }
  int Read() {
    const Texts own = f_["XB"].TextsOf(f_["XB"]);
    return static_cast<int>(std::count(own.begin(), own.end(), "mine"));
  }
  void PassHalfAnHour() {
    for (int i = 0; i < 6; ++i) f_.Pass(absl::Minutes(5));
  }
  LogId old_;
};

TEST_F(EarlierLifeTest, ItsReadersGiveTheKeysBack) {
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) { return !frame.has_cosign(); };
  LoseEverything();
  Meet("XA", "XB");
  EXPECT_EQ(f_["XB"].replica->logs().Find(old_)->locked_epochs, (std::vector<uint32_t>{1}));
  EXPECT_EQ(Read(), 0);
  PassHalfAnHour();
  EXPECT_TRUE(f_["XB"].replica->logs().Find(old_)->locked_epochs.empty());
  EXPECT_EQ(Read(), 1);
  EXPECT_EQ(f_["XA"].replica->key_repair().Owed(f_["XB"].party), 0u);
}

// There is nobody to leave the first turn to: the one whose turn that is is the one who asks.
TEST_F(EarlierLifeTest, TheFirstOfThemDoesSoAtOnce) {
  LoseEverything();
  Meet("XA", "XC");
  Meet("XA", "XB");
  Meet("XC", "XB");
  f_.Pass(kRepairStagger / 2);
  EXPECT_EQ(Read(), 1);
}

TEST_F(EarlierLifeTest, ARestartBeforeItHasSaidSoChangesNothing) {
  LoseEverything();
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    return &from != &f_["XB"] || !(frame.has_cosign() || frame.has_batch() || frame.has_heads());
  };
  Meet("XA", "XB");
  f_.Start(f_["XB"]);
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) { return !frame.has_cosign(); };
  Meet("XA", "XB");
  EXPECT_EQ(Read(), 0);
  PassHalfAnHour();
  EXPECT_EQ(Read(), 1);
}

TEST_F(EarlierLifeTest, TheyDoSoWhenItMayWriteNothingBeforeItReadsItsOwnSignature) {
  bool in_force = true;
  f_.agreement_in_force = [&](const Body& body) { return in_force || body.code != "XB"; };
  LoseEverything();
  in_force = false;
  // What it asks at once is lost.
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) { return !frame.has_cosign(); };
  Meet("XA", "XB");
  EXPECT_EQ(Read(), 0);
  f_.on_frame = nullptr;
  PassHalfAnHour();
  EXPECT_EQ(Read(), 1);
}

TEST_F(EarlierLifeTest, AndHandOverWhatAThirdBodyWroteThatIsAway) {
  bool in_force = true;
  f_.agreement_in_force = [&](const Body& body) { return in_force || body.code != "XB"; };
  ASSERT_OK(f_.Write(f_["XC"], all_, "theirs"));
  Meet("XA", "XC");
  LoseEverything();
  f_.Disconnect(f_["XC"]);
  in_force = false;
  // What it says when the log arrives is lost.
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) { return !frame.has_cosign(); };
  Meet("XA", "XB");
  EXPECT_EQ(f_["XB"].TextsOf(f_["XC"]), Texts{});
  f_.on_frame = nullptr;
  PassHalfAnHour();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XC"]), Texts{"theirs"});
}

// It stops in the middle of a head, so there is nothing that it could sign a receipt for.
TEST_F(EarlierLifeTest, AndOfALogThatIsLongerThanWhatIsTakenBeforeAnAgreement) {
  bool in_force = true;
  f_.agreement_in_force = [&](const Body& body) { return in_force || body.code != "XB"; };
  for (uint64_t i = 0; i < kEntriesBeforeAgreement + 200; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], all_, "theirs"));
  }
  f_.Settle();
  LoseEverything();
  in_force = false;
  Meet("XA", "XB");
  PassHalfAnHour();
  EXPECT_GE(f_["XB"].TextsOf(f_["XA"]).size(), kEntriesBeforeAgreement - 10);
}

TEST_F(EarlierLifeTest, WhoGivesWhatIsReadAlreadyIsToldSo) {
  bool in_force = true;
  f_.agreement_in_force = [&](const Body& body) { return in_force || body.code != "XB"; };
  LoseEverything();
  in_force = false;
  // That it reads again is lost.
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    return &from != &f_["XB"] || !frame.has_cosign() || frame.cosign().locked_epochs_size() > 0;
  };
  Meet("XA", "XB");
  PassHalfAnHour();
  ASSERT_EQ(Read(), 1);
  ASSERT_GT(f_["XA"].replica->key_repair().Owed(f_["XB"].party), 0u);
  f_.on_frame = nullptr;
  const size_t given = Grants("XA");
  for (int i = 0; i < 4; ++i) f_.Pass(kRepairRetry);
  EXPECT_LE(Grants("XA"), given + 1);
  EXPECT_EQ(f_["XA"].replica->key_repair().Owed(f_["XB"].party), 0u);
}

TEST_F(KeyRepairTest, WhatWasGivenIsKeptAndNotGivenAgainAfterARestart) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  Lock();
  Meet("XA", "XB");
  Restart();
  const Texts texts = f_["XB"].TextsOf(f_["XA"]);
  EXPECT_NE(std::find(texts.begin(), texts.end(), "text"), texts.end());
  f_.Start(f_["XA"]);
  Meet("XA", "XB");
  f_.Pass(absl::Minutes(10));
  f_.Pass(kRepairRetry + absl::Hours(1));
  EXPECT_EQ(Grants("XA"), 1u);
}

TEST_F(KeyRepairTest, AMemberThatSeemsNotToListenIsGivenThemAgainLater) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  Lock();
  // The grant never arrives, and XB goes on saying that it cannot read.
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    return &from != &f_["XA"] || !frame.has_batch();
  };
  Meet("XA", "XB");
  EXPECT_EQ(Grants("XA"), 1u);
  f_.Pass(absl::Hours(1));
  EXPECT_EQ(Grants("XA"), 1u);
  f_.Pass(kRepairRetry);
  EXPECT_EQ(Grants("XA"), 2u);
}

TEST_F(KeyRepairTest, ASeedThatIsNotTheOneCommittedToIsNeverUsed) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  Lock();
  ASSERT_OK(Grant("XD", "XB", f_.entropy.Draw<crypto::Secret32>(), {0, 0}));
  Meet("XD", "XB");
  EXPECT_EQ(Log(f_["XB"])->locked_epochs, (std::vector<uint32_t>{1}));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{});
  // The right one is used whoever brings it: it is the author's own.
  ASSERT_OK(Grant("XD", "XB", Seed(), {0, 0}));
  f_.Settle();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
}

TEST_F(KeyRepairTest, APartOfTheTreeOpensItsEntriesAndNoOther) {
  for (const char* text : {"0", "1", "2", "3", "4"}) ASSERT_OK(f_.Write(f_["XA"], all_, text));
  Lock();
  const uint32_t depth = crypto::kTreeDepth - 1;
  ASSERT_OK(Grant("XD", "XB", f_.entropy.Draw<crypto::Secret32>(), {depth, 1}));
  ASSERT_OK(Grant("XD", "XB", crypto::Subtree(Seed(), depth, 1), {depth, 0}));  // another place
  ASSERT_OK(Grant("XD", "XB", Seed(), {15, 0}));
  Meet("XD", "XB");
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{});
  ASSERT_OK(Grant("XD", "XB", crypto::Subtree(Seed(), depth, 1), {depth, 1}));
  f_.Settle();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"2", "3"}));
  EXPECT_EQ(Log(f_["XB"])->locked_epochs, (std::vector<uint32_t>{1}));
  EXPECT_EQ(Log(f_["XB"])->opened, 1u);  // without a gap only the Epoch entry itself
  // With the right key in place again its own slot opens after all.
  Restart();
  EXPECT_TRUE(Log(f_["XB"])->locked_epochs.empty());
  EXPECT_EQ(Log(f_["XB"])->opened, Log(f_["XB"])->size);
}

// However often a member says that it can and cannot read.
TEST_F(KeyRepairTest, WhatWasGivenOnceIsGivenAgainOnlyAfterAWhile) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  Lock();
  Meet("XA", "XB");
  ASSERT_EQ(Grants("XA"), 1u);
  const LogState& log = *Log(f_["XB"]);
  v1::Frame frame;
  frame.mutable_cosign()->set_log_id(log.id.str());
  frame.mutable_cosign()->set_size(log.size);
  frame.mutable_cosign()->set_cosignature(log.receipts.at(f_["XB"].party).cosignature);
  const SessionId session = f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  for (int i = 0; i < 20; ++i) {
    frame.mutable_cosign()->clear_locked_epochs();
    if (i % 2 == 0) frame.mutable_cosign()->add_locked_epochs(1);
    f_.Feed(f_["XA"], Input(FrameReceived{session, frame}));
  }
  EXPECT_EQ(Grants("XA"), 1u);
  // Epochs that do not exist are no debt.
  frame.mutable_cosign()->clear_locked_epochs();
  for (uint32_t epoch = 2; epoch < 1000; ++epoch) {
    frame.mutable_cosign()->add_locked_epochs(epoch);
  }
  f_.Feed(f_["XA"], Input(FrameReceived{session, frame}));
  EXPECT_EQ(f_["XA"].replica->key_repair().Owed(f_["XB"].party), 0u);
}

TEST_F(KeyRepairTest, TheSamePartGivenManyTimesHandsItsEntriesUpOnce) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "one"));
  Lock();
  Meet("XD", "XB");
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(Grant("XD", "XB", crypto::Subtree(Seed(), 1, 0), {1, 0}));
  }
  f_.Settle();
  const Texts texts = f_["XB"].TextsOf(f_["XA"]);
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "one"), 1);
}

TEST_F(KeyRepairTest, KeysThatArriveBeforeTheirEpochWaitForIt) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  LoseKey();
  Meet("XD", "XB");
  ASSERT_OK(Grant("XD", "XB", Seed(), {0, 0}));
  f_.Settle();
  EXPECT_EQ(Log(f_["XB"]), nullptr);
  Meet("XA", "XB");
  // The author, told so at the same moment, gives them once more.
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"text", ""}));
}

TEST_F(KeyRepairTest, ABodyOutsideTheAudienceIsGivenNothingWhateverItSays) {
  ASSERT_OK(f_.Write(f_["XA"], all_, "text"));
  ASSERT_OK(f_.Write(f_["XD"], {"XA", "XD"}, "hello"));
  Draft draft;
  draft.jit = f_.jit;
  draft.audience = {f_["XA"].party, f_["XD"].party};
  v1::Seen* seen = draft.body.mutable_observed()->add_seen();
  seen->set_log_id(Log(f_["XA"])->id.str());
  seen->set_size(2);
  seen->set_root(std::string(32, 'r'));
  seen->add_locked_epochs(1);
  std::vector<Draft> drafts;
  drafts.push_back(std::move(draft));
  ASSERT_OK(f_["XD"].replica->Append(f_.now, std::move(drafts)).status());
  Meet("XA", "XD");
  f_.Pass(kRepairRetry);
  EXPECT_EQ(Grants("XA"), 0u);
  EXPECT_EQ(f_["XD"].TextsOf(f_["XA"]), Texts{});
}

}  // namespace
}  // namespace entente::sync

// What its owner orders erased is gone from every disk, key and all, and stays gone; the logs
// verify as before, the rest of them is read as before, and every holder has said so with its name.
#include "sync/erasures.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "crypto/body_seal.h"
#include "crypto/key_tree.h"
#include "gtest/gtest.h"
#include "sync/entry_codec.h"
#include "sync/limits.h"
#include "sync/record_id.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;
constexpr uint32_t kKind = 5;

class ErasuresTest : public testing::Test {
 protected:
  ErasuresTest() { f_.TrustAll(); }

  struct Item {
    std::string owner, key, id;
    std::vector<std::string> audience;
  };
  Item MakeItem(const std::string& owner, const std::vector<std::string>& audience) {
    Item item{owner, f_.entropy.Bytes(32), "", audience};
    item.id = RecordIdOf(f_.jit, kKind, f_[owner].party, item.key).str();
    return item;
  }
  EntryRef Say(const std::string& author, const Item& item, const std::string& text) {
    v1::EntryBody body;
    body.set_record_id(item.id);
    body.set_kind(kKind);
    body.set_justification(text);
    body.mutable_create()->set_blind_key(item.key);
    const absl::StatusOr<EntryRef> ref = f_.WriteBody(f_[author], item.audience, std::move(body));
    EXPECT_OK(ref);
    f_.Settle();
    return *ref;
  }
  EntryRef Erase(const Item& item, const std::set<EntryRef>& entries) {
    return EraseAs(item.owner, item, entries);
  }
  EntryRef EraseAs(const std::string& author, const Item& item, const std::set<EntryRef>& entries) {
    v1::EntryBody body;
    body.set_record_id(item.id);
    body.set_kind(kKind);
    body.mutable_erase()->set_basis("order 12");
    body.mutable_erase()->set_blind_key(item.key);
    auto orders = f_[author].replica->MakeErasureOrders(entries);
    EXPECT_OK(orders);
    for (const auto& [readers, of_logs] : *orders) {
      body.mutable_erase()->mutable_orders()->Add(of_logs.begin(), of_logs.end());
    }
    const absl::StatusOr<EntryRef> ref = f_.WriteBody(f_[author], item.audience, std::move(body));
    EXPECT_OK(ref);
    f_.Settle();
    return *ref;
  }
  void Meet(const std::string& a, const std::string& b) {
    f_.Connect(f_[a], f_[b]);
    f_.Settle();
  }
  void MeetAll() {
    Meet("XA", "XB");
    Meet("XA", "XC");
    Meet("XB", "XC");
  }
  // XB loses its database and its key, and is given those of XA's log: the entry that does.
  EntryRef GiveKeysAgain() {
    f_["XB"].keys->box = crypto::BoxKeyPair::Generate(f_.entropy);
    f_.LoseDatabase(f_["XB"]);
    Meet("XA", "XB");
    PassAnHour();
    EntryRef grant;
    for (const OpenedEntry& entry : f_["XB"].opened) {
      if (entry.body.has_grant()) grant = entry.ref;
    }
    return grant;
  }
  void PassAnHour() {
    for (int i = 0; i < 12; ++i) f_.Pass(absl::Minutes(5));
  }

  StoredEntry Stored(const std::string& holder, const EntryRef& ref) {
    const LogState* log = f_[holder].replica->logs().Find(ref.log);
    EXPECT_NE(log, nullptr);
    if (log == nullptr || ref.index >= log->size) return {};
    return *f_[holder].replica->logs().Read(*log, ref.index);
  }
  bool Gone(const std::string& holder, const EntryRef& ref) {
    return Stored(holder, ref).erased.has_value();
  }
  bool Holds(const std::string& holder, const EntryRef& ref) {
    return !Stored(holder, ref).body.empty();
  }
  // That the tree is the one of the signed head, from what is stored alone.
  void ExpectWhole(const std::string& holder) {
    const LogBook& logs = f_[holder].replica->logs();
    for (const auto& item : logs.all()) {
      const LogState& log = item.second;
      crypto::CompactRange range = crypto::CompactRange::Empty(0);
      ASSERT_OK(logs.ReadRange(log, 0, log.size, [&](uint64_t index, const StoredEntry& entry) {
        const Hash leaf = crypto::LeafHash(HeaderOf(log.id, index, entry));
        EXPECT_EQ(leaf, entry.leaf);
        range.Append(leaf);
        return true;
      }));
      EXPECT_EQ(*range.Root(), log.Root());
      EXPECT_EQ(log.opened, log.size) << "something is unreadable at " << holder;
    }
  }
  // What `holder` has read of `author` since it was started anew.
  Texts ReadAfterRestart(const std::string& holder, const std::string& author) {
    f_.Start(f_[holder]);
    Texts out = f_[holder].TextsOf(f_[author]);
    std::erase(out, "");
    return out;
  }
  // Bodies whose confirmation `reader` has.
  std::set<std::string> Confirmed(const std::string& reader) {
    std::set<std::string> out;
    for (const std::string& code : codes_) {
      for (const OpenedEntry& entry : f_[reader].opened) {
        if (entry.author == f_[code].party && entry.body.statement().purpose() == "destroyed") {
          out.insert(code);
        }
      }
    }
    return out;
  }
  uint64_t Blamed(const std::string& by, const std::string& whom) {
    uint64_t count = 0;
    for (const Refusals::Item& item : f_[by].replica->refusals().All()) {
      if (item.peer == f_[whom].party && !item.row.by_peer()) count += item.row.count();
    }
    return count;
  }

  const std::vector<std::string> codes_ = {"XA", "XB", "XC"};
  Federation f_{codes_};
};

TEST_F(ErasuresTest, WhatTheOwnerErasesIsGoneEverywhereAndEverybodySaysSo) {
  const Item item = MakeItem("XA", codes_), other = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef one = Say("XA", item, "one");
  Say("XA", other, "stays");
  const EntryRef two = Say("XB", item, "two");
  Erase(item, {one, two});
  for (const std::string& code : codes_) {
    EXPECT_TRUE(Gone(code, one)) << code;
    EXPECT_TRUE(Gone(code, two)) << code;
    EXPECT_EQ(f_[code].erased, (std::vector<std::string>{item.id})) << code;
    EXPECT_EQ(Confirmed(code), (std::set<std::string>{"XA", "XB", "XC"})) << code;
    ExpectWhole(code);
    for (const auto& [key, value] : f_[code].disk.rows()) {
      EXPECT_EQ(value.find("two"), std::string::npos);
    }
  }
  EXPECT_EQ(ReadAfterRestart("XC", "XA"), Texts{"stays"});
  EXPECT_EQ(ReadAfterRestart("XC", "XB"), Texts{});
}

// With the disk as it is now and every ciphertext that ever passed, nothing can be opened again.
TEST_F(ErasuresTest, NoKeyThatIsLeftOpensItAgain) {
  const Item item = MakeItem("XA", codes_), other = MakeItem("XA", codes_);
  MeetAll();
  Say("XA", other, "before");
  const EntryRef gone = Say("XA", item, "one");
  const EntryRef after = Say("XA", other, "after");
  const StoredEntry sealed = Stored("XB", gone);
  Erase(item, {gone});
  for (const std::string& code : codes_) {
    Replica& replica = *f_[code].replica;
    const LogState& log = *replica.logs().Find(gone.log);
    const StoredEntry epoch = *replica.logs().Read(log, 0);
    EXPECT_TRUE(epoch.erased.has_value()) << code << " can learn the seed again";
    const auto place = static_cast<uint32_t>(gone.index - 1);
    const auto held = replica.epoch_keys().Held(gone.log, sealed.epoch);
    ASSERT_OK(held);
    for (const crypto::TreeNode& node : *held) {
      EXPECT_FALSE(node.position.Covers(place)) << code;
    }
    EXPECT_REFUSED(replica.epoch_keys().EntryKey(gone.log, sealed.epoch, place), kNotFound, "");
    const StoredEntry kept = Stored(code, after);
    EXPECT_OK(OpenEntry(log, after.index, kept, 1, replica.epoch_keys()));
  }
}

TEST_F(ErasuresTest, WhoComesLaterGetsTheGapWithTheOrderAndReadsTheRest) {
  const Item item = MakeItem("XA", codes_), other = MakeItem("XA", codes_);
  Meet("XA", "XB");
  Say("XA", other, "before");
  const EntryRef gone = Say("XA", item, "secret");
  Say("XA", other, "after");
  Erase(item, {gone});
  Say("XA", other, "much later");
  Meet("XA", "XC");
  PassAnHour();
  EXPECT_TRUE(Gone("XC", gone));
  // With each part of the tree that comes, what can be read is handed up once more.
  const Texts texts = f_["XC"].TextsOf(f_["XA"]);
  const std::set<std::string> read(texts.begin(), texts.end());
  EXPECT_EQ(read, (std::set<std::string>{"", "after", "before", "much later"}));
  EXPECT_TRUE(f_["XC"].replica->logs().Find(gone.log)->locked_epochs.empty());
  ExpectWhole("XC");
  EXPECT_EQ(Confirmed("XA"), (std::set<std::string>{"XA", "XB", "XC"}));
}

// The epoch had come before, and with it the key of what arrives as a gap.
TEST_F(ErasuresTest, TheKeyOfAGapGoesAsWell) {
  const Item item = MakeItem("XA", codes_), other = MakeItem("XA", codes_);
  MeetAll();
  Say("XA", other, "before");
  f_.Disconnect(f_["XC"]);
  const EntryRef gone = Say("XA", item, "secret");
  const EntryRef after = Say("XA", other, "after");
  Erase(item, {gone});
  Meet("XA", "XC");
  EXPECT_TRUE(Gone("XC", gone));
  EpochKeys& keys = f_["XC"].replica->epoch_keys();
  EXPECT_REFUSED(keys.EntryKey(gone.log, 1, static_cast<uint32_t>(gone.index - 1)), kNotFound, "");
  EXPECT_OK(keys.EntryKey(gone.log, 1, static_cast<uint32_t>(after.index - 1)));
  EXPECT_TRUE((*f_["XC"].replica->logs().Read(*f_["XC"].replica->logs().Find(gone.log), 0))
                  .erased.has_value());
  ExpectWhole("XC");
}

TEST_F(ErasuresTest, AnEpochOfWhichNothingIsLeftIsNotAskedForForEver) {
  const Item item = MakeItem("XA", codes_);
  const EntryRef gone = Say("XA", item, "secret");
  f_.now += kEpochLife + absl::Hours(1);
  Erase(item, {gone});
  Meet("XA", "XC");
  PassAnHour();
  EXPECT_TRUE(f_["XC"].replica->logs().Find(gone.log)->locked_epochs.empty());
  EXPECT_EQ(f_["XA"].replica->key_repair().Owed(f_["XC"].party), 0u);
  ExpectWhole("XC");
}

TEST_F(ErasuresTest, WhatIsSaidOfItLaterIsKeptBackAtOnceAndErasedAsWell) {
  const Item item = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef first = Say("XA", item, "one");
  f_.Disconnect(f_["XB"]);
  const EntryRef late = Say("XB", item, "late");
  Erase(item, {first});
  Meet("XB", "XC");
  EXPECT_TRUE(Holds("XC", late));
  EXPECT_EQ(f_["XC"].TextsOf(f_["XB"]), Texts{""}) << "only that it has destroyed the rest";
  Meet("XA", "XB");
  for (const std::string& code : codes_) EXPECT_TRUE(Gone(code, late)) << code;
  EXPECT_EQ(ReadAfterRestart("XB", "XB"), Texts{});
}

TEST_F(ErasuresTest, WhatWasKnownBeforeAndNotNamedIsNamedByTheOwnerLater) {
  const Item item = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef one = Say("XA", item, "one"), two = Say("XB", item, "two");
  Erase(item, {one});
  EXPECT_TRUE(Holds("XA", two));
  f_["XA"].replica->EraseRemains(item.id, {one, two});
  f_.Feed(f_["XA"], Input(Tick{}));
  f_.Settle();
  for (const std::string& code : codes_) EXPECT_TRUE(Gone(code, two)) << code;
  // Nobody else's word counts for that.
  f_["XB"].replica->EraseRemains(item.id, {one, two});
  f_.Feed(f_["XB"], Input(Tick{}));
  EXPECT_EQ(Blamed("XA", "XB"), 0u);
}

TEST_F(ErasuresTest, NobodyErasesWhatIsNotItsOwn) {
  const Item hers = MakeItem("XA", codes_), his = MakeItem("XB", codes_);
  MeetAll();
  const EntryRef kept = Say("XA", hers, "kept");
  EraseAs("XB", hers, {kept});  // another's record by name
  EraseAs("XB", his, {kept});   // another's entry under a name of its own
  for (const std::string& code : codes_) EXPECT_TRUE(Holds(code, kept)) << code;
  EXPECT_EQ(Blamed("XA", "XB"), 1u);
  EXPECT_EQ(Blamed("XC", "XB"), 1u);
  // And it cannot be erased by naming the Erase itself.
  const EntryRef said = EraseAs("XB", his, {Say("XB", his, "own")});
  EraseAs("XB", his, {said});
  EXPECT_TRUE(Holds("XA", said));
}

TEST_F(ErasuresTest, AnOrderThatAnotherBodySignedIsPassedOver) {
  const Item item = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef kept = Say("XA", item, "kept");
  v1::EntryBody body;
  body.set_record_id(item.id);
  body.set_kind(kKind);
  body.mutable_erase()->set_blind_key(item.key);
  *body.mutable_erase()->add_orders() =
      f_["XB"].replica->MakeErasureOrders({kept})->begin()->second.front();
  ASSERT_OK(f_.WriteBody(f_["XA"], codes_, std::move(body)));
  f_.Settle();
  for (const std::string& code : codes_) EXPECT_TRUE(Holds(code, kept)) << code;
}

TEST_F(ErasuresTest, NothingIsConfirmedBeforeItsTracesAreOffTheDisk) {
  const Item item = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef gone = Say("XA", item, "one");
  f_.erase_at_once = false;
  Erase(item, {gone});
  EXPECT_TRUE(Gone("XB", gone));
  EXPECT_EQ(Confirmed("XA"), std::set<std::string>{});
  ASSERT_EQ(f_["XB"].erase_jobs.size(), 1u);
  const EraseJob job = f_["XB"].erase_jobs.front();
  EXPECT_TRUE(std::any_of(job.ranges.begin(), job.ranges.end(), [&](const auto& range) {
    const std::string row = schema::Entry(gone.log, gone.index);
    return range.first <= row && row < range.second;
  }));
  EXPECT_TRUE(std::any_of(job.ranges.begin(), job.ranges.end(), [&](const auto& range) {
    const std::string row = schema::EpochSeed(gone.log, 1);
    return range.first <= row && row < range.second;
  }));
  f_.Feed(f_["XB"], Input(Erased{job.id, absl::OkStatus()}));
  f_.Settle();
  EXPECT_EQ(Confirmed("XA"), std::set<std::string>{"XB"});
}

TEST_F(ErasuresTest, AJobThatFailsIsDoneAgainAndNothingIsConfirmedMeanwhile) {
  const Item item = MakeItem("XA", codes_);
  f_.erase_answer = absl::ResourceExhaustedError("the disk is full");
  Erase(item, {Say("XA", item, "one")});
  EXPECT_EQ(Confirmed("XA"), std::set<std::string>{});
  EXPECT_EQ(f_["XA"].erase_jobs.size(), 1u);
  f_.Pass(absl::Minutes(5));
  EXPECT_EQ(f_["XA"].erase_jobs.size(), 1u);
  f_.erase_answer = absl::OkStatus();
  f_.Pass(absl::Minutes(6));
  EXPECT_EQ(f_["XA"].erase_jobs.size(), 2u);
  EXPECT_EQ(Confirmed("XA"), std::set<std::string>{"XA"});
}

TEST_F(ErasuresTest, AProcessThatEndsInBetweenGoesOnWhereItWas) {
  const Item item = MakeItem("XA", codes_);
  f_.erase_at_once = false;
  const EntryRef gone = Say("XA", item, "one");
  Erase(item, {gone});
  EXPECT_EQ(f_["XA"].erase_jobs.size(), 1u);
  f_.erase_at_once = true;
  f_.Start(f_["XA"]);
  EXPECT_EQ(f_["XA"].erase_jobs.size(), 2u);
  EXPECT_EQ(Confirmed("XA"), std::set<std::string>{"XA"});
  // And once it has been said it is said no more.
  f_.Start(f_["XA"]);
  PassAnHour();
  EXPECT_EQ(f_["XA"].erase_jobs.size(), 2u);
  uint64_t said = 0;
  for (const OpenedEntry& entry : f_["XA"].opened) said += entry.body.has_statement() ? 1 : 0;
  EXPECT_EQ(said, 1u);
}

TEST_F(ErasuresTest, ANodeSetBackForgetsItAgainOnceItHears) {
  const Item item = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef gone = Say("XA", item, "one");
  const auto backup = f_["XB"].disk.rows();
  Erase(item, {gone});
  f_.Disconnect(f_["XB"]);
  f_["XB"].disk.rows() = backup;
  f_.Start(f_["XB"]);
  EXPECT_TRUE(Holds("XB", gone));
  Meet("XA", "XB");
  EXPECT_TRUE(Gone("XB", gone));
  EXPECT_TRUE(Gone("XA", gone));
  EXPECT_EQ(ReadAfterRestart("XB", "XA"), Texts{});
}

TEST_F(ErasuresTest, ABodyThatWasErasedDoesNotComeBackFromWhoHasNotHeard) {
  const Item item = MakeItem("XA", codes_);
  MeetAll();
  const EntryRef gone = Say("XA", item, "one");
  f_.Disconnect(f_["XB"]);
  Erase(item, {gone});
  f_.LoseDatabase(f_["XC"]);
  // XB has not heard, and gives the entry itself to XC, which then hears from XA.
  Meet("XB", "XC");
  EXPECT_TRUE(Holds("XC", gone));
  Meet("XA", "XC");
  EXPECT_TRUE(Gone("XC", gone));
  PassAnHour();
  for (const std::string& code : codes_) EXPECT_TRUE(Gone(code, gone)) << code;
}

// What was handed over so that a member could read opens what was erased.
TEST_F(ErasuresTest, GrantsOfKeysThatReachItAreErasedByWhoGaveThem) {
  const Item item = MakeItem("XA", codes_);
  const EntryRef gone = Say("XA", item, "one");
  // XB has lost its key by the time XA's log reaches it, and is given the epoch.
  const EntryRef grant = GiveKeysAgain();
  ASSERT_TRUE(Holds("XB", grant));
  Erase(item, {gone});
  PassAnHour();
  EXPECT_TRUE(Gone("XB", gone));
  EXPECT_TRUE(Gone("XA", grant));
  EXPECT_TRUE(Gone("XB", grant));
  EXPECT_EQ(Confirmed("XA"), (std::set<std::string>{"XA", "XB"}));
}

// The tree of an epoch has room for more entries than the epoch has got: what stands where they
// would belongs to later ones.
TEST_F(ErasuresTest, AGrantOfAnEarlierEpochIsNotTakenBackForWhatIsErasedOfALaterOne) {
  const Item item = MakeItem("XA", codes_), other = MakeItem("XA", codes_);
  Say("XA", other, "early");
  const EntryRef grant = GiveKeysAgain();
  ASSERT_TRUE(Holds("XB", grant));
  f_.Pass(kEpochLife + absl::Hours(1));
  Erase(item, {Say("XA", item, "late")});
  PassAnHour();
  EXPECT_TRUE(Holds("XA", grant));
  EXPECT_EQ(Confirmed("XA"), (std::set<std::string>{"XA", "XB"}));
}

// A member that is still without keys when an erasure takes its grant back gets another, of the
// rest.
TEST_F(ErasuresTest, AGrantThatIsTakenBackIsGivenAgainForWhatIsLeft) {
  const Item item = MakeItem("XA", codes_), other = MakeItem("XA", codes_);
  Say("XA", other, "stays");
  const EntryRef gone = Say("XA", item, "goes");
  f_["XB"].keys->box = crypto::BoxKeyPair::Generate(f_.entropy);
  f_.LoseDatabase(f_["XB"]);
  // What it is given does not arrive.
  f_.on_frame = [&](Body& from, Body& to, v1::Frame& frame) {
    return &from != &f_["XA"] || &to != &f_["XB"] || !frame.has_batch() ||
           frame.batch().head().log_id() == gone.log.view();
  };
  Meet("XA", "XB");
  PassAnHour();
  Erase(item, {gone});
  f_.on_frame = nullptr;
  PassAnHour();
  const Texts read = f_["XB"].TextsOf(f_["XA"]);
  EXPECT_EQ(std::count(read.begin(), read.end(), "goes"), 0);
  EXPECT_GE(std::count(read.begin(), read.end(), "stays"), 1);
  EXPECT_TRUE(f_["XB"].replica->logs().Find(gone.log)->locked_epochs.empty());
}

TEST_F(ErasuresTest, AnOrderNamesMorePositionsThanFitIsRefused) {
  const Item item = MakeItem("XA", {"XA"});
  std::set<EntryRef> many;
  const EntryRef one = Say("XA", item, "one");
  for (uint64_t i = 0; i <= kPositionsPerOrder; ++i) many.insert({one.log, one.index, Hash()});
  EXPECT_OK(f_["XA"].replica->MakeErasureOrders(many));  // one position, many times
}

// ---- what a peer can pretend

class GapTest : public ErasuresTest {
 protected:
  GapTest() {
    const Item item = MakeItem("XA", codes_);
    gone_ = Say("XA", item, "secret");
    Erase(item, {gone_});
    // The signed head covers everything: a batch of all entries.
    batch_ = f_.WholeLog(f_["XA"], codes_);
  }
  // XC is sent `batch` by XB, whose word about XA's log it would take.
  bool Taken(const v1::Batch& batch) {
    f_.Connect(f_["XB"], f_["XC"]);
    f_.Settle();
    v1::Frame frame;
    *frame.mutable_batch() = batch;
    SessionId session = 0;
    f_.on_frame = [&](Body& from, Body& to, v1::Frame& sent) {
      if (&from == &f_["XB"] && &to == &f_["XC"] && session++ == 0) sent = frame;
      return true;
    };
    f_.Pass(absl::Minutes(1));
    f_.on_frame = nullptr;
    const LogState* log = f_["XC"].replica->logs().Find(gone_.log);
    return log != nullptr && log->size > 0;
  }
  v1::SignedErasureOrder OrderBy(const std::string& code, std::set<uint64_t> indexes,
                                 const LogId& log) {
    return SignErasureOrder(f_.jit, log, indexes, f_[code].party,
                            VerifyCard(f_[code].signed_card)->hash, f_[code].keys->statement);
  }
  EntryRef gone_;
  v1::Batch batch_;
};

TEST_F(GapTest, WithTheOwnersOrderIsTaken) {
  ASSERT_GT(batch_.orders_size(), 0);
  EXPECT_TRUE(Taken(batch_));
}
TEST_F(GapTest, WithoutAnOrderIsRefused) {
  batch_.clear_orders();
  EXPECT_FALSE(Taken(batch_));
  EXPECT_EQ(Blamed("XC", "XB"), 1u);
}
TEST_F(GapTest, WithAnOrderForOtherPositionsIsRefused) {
  *batch_.mutable_orders(0) = OrderBy("XA", {7}, gone_.log);
  EXPECT_FALSE(Taken(batch_));
}
TEST_F(GapTest, WithAnOrderForAnotherLogIsRefused) {
  *batch_.mutable_orders(0) =
      OrderBy("XA", {0, gone_.index}, *LogId::From(std::string(LogId::kSize, 'q')));
  EXPECT_FALSE(Taken(batch_));
}
TEST_F(GapTest, WithAnOrderThatNobodySignedIsRefused) {
  batch_.mutable_orders(0)->mutable_signature()->front() ^= 1;
  EXPECT_FALSE(Taken(batch_));
}
TEST_F(GapTest, WithAHashThatIsNotTheSignedOneIsRefused) {
  for (v1::BatchEntry& entry : *batch_.mutable_entries()) {
    if (!entry.erased_hash().empty()) entry.mutable_erased_hash()->front() ^= 1;
  }
  EXPECT_FALSE(Taken(batch_));
}
TEST_F(GapTest, WithOtherMembersThanTheLogsIsRefused) {
  ASSERT_FALSE(batch_.entries(0).erased_hash().empty());
  batch_.mutable_entries(0)->mutable_members()->RemoveLast();
  EXPECT_FALSE(Taken(batch_));
}
TEST_F(GapTest, ThatIsNoGapIsRefused) {
  batch_.mutable_entries(1)->set_body("still here");
  EXPECT_FALSE(Taken(batch_));
}

// Another member may answer for the gap: it is the one who is then asked.
TEST_F(GapTest, OfWhichAnotherMemberSaysItOrderedItIsTakenUnderItsName) {
  *batch_.mutable_orders(0) = OrderBy("XB", {0, gone_.index}, gone_.log);
  EXPECT_TRUE(Taken(batch_));
  const auto order = f_["XC"].replica->logs().ReadOrder(Stored("XC", gone_).erased->order);
  ASSERT_OK(order);
  EXPECT_EQ(order->order().party(), f_["XB"].party.view());
}

}  // namespace
}  // namespace entente::sync

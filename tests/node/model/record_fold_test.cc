// A record is a pure function of the set of its entries: any order of arrival, one view.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "node/model/record.h"
#include "sync/record_id.h"

namespace entente::model {
namespace {

const PartyId kA = *PartyId::From(std::string(32, 'a'));
const PartyId kB = *PartyId::From(std::string(32, 'b'));
const PartyId kC = *PartyId::From(std::string(32, 'c'));
const Hash kVersion = *Hash::From(std::string(32, 'v'));
const std::string kBlindKey(32, 'k');
const RecordId kRecord = sync::RecordIdOf(JitId(), kTaskKind, kA, kBlindKey);
constexpr uint64_t kHour = uint64_t{3600 * 1000} << 16;

class RecordFoldTest : public testing::Test {
 protected:
  RecordFoldTest() {
    agreement_.set_period_from(0);
    agreement_.set_period_to(1'000'000);
    for (const PartyId& party : {kA, kB}) agreement_.add_bodies()->set_party(party.str());
    v1::Task task;
    task.set_title("Bank data");
    task.set_kind(v1::TASK_KIND_BANK_DATA);
    task.set_to_party(kB.str());
    v1::EntryBody body;
    body.mutable_create()->set_record(task.SerializeAsString());
    body.mutable_create()->set_state(v1::TASK_STATE_SENT);
    body.mutable_create()->set_blind_key(kBlindKey);
    Say(kA, std::move(body));
  }

  void Say(const PartyId& author, v1::EntryBody body) {
    const uint64_t n = entries_.size() + 1;
    body.set_kind(kTaskKind);
    body.set_record_id(kRecord.str());
    body.set_user("user");
    if (body.agreement().empty()) body.set_agreement(kVersion.str());
    if (body.hlc() == 0) body.set_hlc(n * kHour);
    for (const RecordEntry& seen : entries_) {
      *body.add_based_on() = sync::ToProto(seen.ref);
    }
    RecordEntry entry;
    entry.ref = {*LogId::From(author.view()), n, crypto::Sha256(std::to_string(n))};
    entry.author = author;
    entry.audience = audience_;
    entry.body_bytes = body.SerializeAsString();
    entries_.push_back(std::move(entry));
  }
  void Move(const PartyId& author, uint32_t from, uint32_t to, uint64_t hlc = 0) {
    v1::EntryBody body;
    body.mutable_transition()->set_from(from);
    body.mutable_transition()->set_to(to);
    body.set_justification("because");
    body.set_hlc(hlc);
    Say(author, std::move(body));
  }
  Folded Fold(const std::vector<RecordEntry>& entries) const {
    Record record(kRecord, kTaskKind, JitId());
    for (const RecordEntry& entry : entries) record.Add(entry);
    return record.Fold({kinds_, [this](const Hash& version) {
                          return version == kVersion ? &agreement_ : nullptr;
                        }});
  }
  Folded Fold() const { return Fold(entries_); }
  std::vector<std::string> Refused() const {
    std::vector<std::string> out;
    for (const RefusedChange& refused : Fold().refused) out.push_back(refused.code);
    return out;
  }

  KindRegistry kinds_;
  v1::Agreement agreement_;
  std::shared_ptr<const sync::Members> audience_ =
      std::make_shared<sync::Members>(sync::Members{kA, kB});
  std::vector<RecordEntry> entries_;
};

TEST_F(RecordFoldTest, EveryOrderOfArrivalGivesOneView) {
  Move(kB, v1::TASK_STATE_SENT, v1::TASK_STATE_ACCEPTED);
  Move(kB, v1::TASK_STATE_ACCEPTED, v1::TASK_STATE_IN_PROGRESS);
  Move(kA, v1::TASK_STATE_IN_PROGRESS, v1::TASK_STATE_WITHDRAWN);
  Move(kB, v1::TASK_STATE_IN_PROGRESS, v1::TASK_STATE_EXECUTED);
  const Folded expected = Fold();
  std::vector<RecordEntry> shuffled = entries_;
  std::mt19937 dice(1);
  for (int round = 0; round < 100; ++round) {
    std::shuffle(shuffled.begin(), shuffled.end(), dice);
    const Folded got = Fold(shuffled);
    ASSERT_EQ(got.state, expected.state);
    ASSERT_EQ(got.crossed, expected.crossed);
    ASSERT_EQ(got.refused.size(), expected.refused.size());
    ASSERT_EQ(got.history.size(), expected.history.size());
    for (size_t i = 0; i < got.history.size(); ++i) {
      ASSERT_EQ(got.history[i].leaf, expected.history[i].leaf);
    }
  }
}

TEST_F(RecordFoldTest, TheSameEntryTwiceIsOne) {
  Record record(kRecord, kTaskKind, JitId());
  EXPECT_TRUE(record.Add(entries_[0]));
  EXPECT_FALSE(record.Add(entries_[0]));
}

TEST_F(RecordFoldTest, AStepOfTheWrongSideStaysInTheHistoryWithoutEffect) {
  Move(kA, v1::TASK_STATE_SENT, v1::TASK_STATE_ACCEPTED);
  EXPECT_EQ(Fold().state, v1::TASK_STATE_SENT);
  EXPECT_EQ(Refused().size(), 1u);
  EXPECT_EQ(Fold().history.size(), 2u);
}

TEST_F(RecordFoldTest, AStepThatNoRuleKnowsIsRefused) {
  Move(kB, v1::TASK_STATE_SENT, v1::TASK_STATE_EXECUTED);
  EXPECT_EQ(Refused(), std::vector<std::string>{"BAD_STATE"});
}

TEST_F(RecordFoldTest, WhatWasMadeOutsideThePeriodDoesNotCount) {
  Move(kB, v1::TASK_STATE_SENT, v1::TASK_STATE_ACCEPTED, uint64_t{2'000'000'000} << 16);
  EXPECT_EQ(Refused(), std::vector<std::string>{"OUT_OF_PERIOD"});
  EXPECT_EQ(Fold().state, v1::TASK_STATE_SENT);
}

TEST_F(RecordFoldTest, AWordOfABodyOutsideTheAgreementDoesNotCount) {
  Move(kC, v1::TASK_STATE_SENT, v1::TASK_STATE_WITHDRAWN);
  EXPECT_EQ(Refused(), std::vector<std::string>{"NOT_PERMITTED"});
}

// Whoever reads a record records what it did with it; that it was handed on is its owner's word.
TEST_F(RecordFoldTest, OnlyTheOwnerSaysThatARecordWasHandedOver) {
  const auto event = [this](const PartyId& author, v1::CustodyEventKind kind) {
    v1::CustodyEvent custody;
    custody.set_kind(kind);
    v1::EntryBody body;
    body.mutable_event()->set_event_kind(kind);
    body.mutable_event()->set_event(custody.SerializeAsString());
    Say(author, std::move(body));
  };
  event(kB, v1::CUSTODY_EVENT_KIND_EXAMINED);
  event(kA, v1::CUSTODY_EVENT_KIND_RELEASED_TO);
  EXPECT_TRUE(Refused().empty());
  event(kB, v1::CUSTODY_EVENT_KIND_RELEASED_TO);
  event(kB, v1::CUSTODY_EVENT_KIND_REGISTERED);
  EXPECT_EQ(Refused(), (std::vector<std::string>{"NOT_PERMITTED", "NOT_PERMITTED"}));
  EXPECT_EQ(Fold().custody.size(), 2u);
}

TEST_F(RecordFoldTest, WithoutItsCreationARecordWaits) {
  Move(kB, v1::TASK_STATE_SENT, v1::TASK_STATE_ACCEPTED);
  EXPECT_FALSE(Fold({entries_[1]}).exists);
  EXPECT_TRUE(Fold({entries_[1]}).waiting);
  EXPECT_EQ(Fold().state, v1::TASK_STATE_ACCEPTED);
}

}  // namespace
}  // namespace entente::model

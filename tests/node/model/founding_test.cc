// An id belongs to its owner: nobody else opens a record under it, in whatever order things come.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "node/model/model.h"
#include "sync/record_id.h"

namespace entente::model {
namespace {

const JitId kJit = *JitId::From(std::string(32, 'j'));
const PartyId kA = *PartyId::From(std::string(32, 'a'));  // the owner
const PartyId kB = *PartyId::From(std::string(32, 'b'));  // has read its records
const PartyId kC = *PartyId::From(std::string(32, 'c'));  // this node
const Hash kVersion = *Hash::From(std::string(32, 'v'));
const std::string kKey(32, 'k');

class FoundingTest : public testing::Test {
 protected:
  FoundingTest()
      : model_(kC, kinds_, directory_,
               {[](const v1::FileRef&) { return Model::FileStatus(); },
                [](const LogId&) { return EffectLimit(); },
                [](const PartyId&, const v1::Grant&) {
                  return absl::StatusOr<std::vector<sync::Original>>(
                      absl::UnavailableError("none here"));
                }}) {
    v1::Agreement agreement;
    agreement.set_period_to(1'000'000);
    for (const PartyId& party : {kA, kB, kC}) agreement.add_bodies()->set_party(party.str());
    model_.AgreementInForce(kJit, kVersion, agreement);
  }

  static v1::EvidenceItem Item(const std::string& title) {
    v1::EvidenceItem item;
    item.set_title(title);
    item.set_kind(v1::EVIDENCE_KIND_DOCUMENT);
    item.set_measure("seized");
    return item;
  }
  // A change by `author` to the record of A, made at second `when`.
  sync::OpenedEntry Entry(const PartyId& author, uint64_t when, v1::EntryBody body) {
    body.set_record_id(id_.str());
    if (body.kind() == 0) body.set_kind(kEvidenceKind);
    body.set_user("user");
    body.set_agreement(kVersion.str());
    body.set_hlc((when * 1000) << 16);
    sync::OpenedEntry entry;
    entry.jit = kJit;
    entry.author = author;
    entry.audience = {author, kC};
    entry.ref = {*LogId::From(author.view()), when, crypto::Sha256(std::to_string(when))};
    entry.body_bytes = body.SerializeAsString();
    entry.body = std::move(body);
    return entry;
  }
  sync::OpenedEntry Create(const PartyId& author, uint64_t when, const std::string& key) {
    v1::EntryBody body;
    body.mutable_create()->set_record(Item("of " + author.str().substr(0, 1)).SerializeAsString());
    body.mutable_create()->set_blind_key(key);
    return Entry(author, when, std::move(body));
  }
  sync::OpenedEntry Release(const PartyId& author, uint64_t when, const std::string& key) {
    v1::EntryBody body;
    v1::Snapshot* snapshot = body.mutable_release()->mutable_snapshot();
    snapshot->set_record(Item("of " + author.str().substr(0, 1)).SerializeAsString());
    snapshot->set_state(v1::EVIDENCE_STATE_REGISTERED);
    snapshot->set_blind_key(key);
    return Entry(author, when, std::move(body));
  }
  // What is shown of the record; empty when nothing is.
  std::string Shown() const {
    const Record* record = model_.Find(id_);
    if (record == nullptr || !model_.Fold(*record).exists) return "";
    return dynamic_cast<const v1::EvidenceItem&>(*model_.Fold(*record).record).title();
  }

  const RecordId id_ = sync::RecordIdOf(kJit, kEvidenceKind, kA, kKey);
  KindRegistry kinds_;
  Directory directory_;
  Model model_;
};

TEST_F(FoundingTest, TheOwnersCreateAndTheOwnersReleaseBeginARecord) {
  model_.Apply(Release(kA, 5, kKey));
  EXPECT_EQ(Shown(), "of a");
}

TEST_F(FoundingTest, AnotherBodysCreateOrReleaseBeginsNothing) {
  model_.Apply(Create(kB, 1, kKey));
  model_.Apply(Release(kB, 2, kKey));
  model_.Apply(Create(kB, 3, std::string(32, 'x')));
  model_.Apply(Release(kB, 4, ""));
  EXPECT_EQ(Shown(), "");
  EXPECT_EQ(model_.Find(id_), nullptr);
}

TEST_F(FoundingTest, WhatAnotherBodySaidFirstDoesNotStandInTheOwnersWay) {
  model_.Apply(Create(kB, 1, kKey));
  v1::EntryBody note;
  note.set_kind(kNoteKind);
  note.mutable_create()->set_record("\x0a\x01x");
  note.mutable_create()->set_blind_key(kKey);
  model_.Apply(Entry(kB, 2, note));
  EXPECT_EQ(model_.Count(kNoteKind), 0u);
  model_.Apply(Release(kA, 5, kKey));
  EXPECT_EQ(Shown(), "of a");
  EXPECT_EQ(model_.Fold(*model_.Find(id_)).owner, kA);
}

TEST_F(FoundingTest, ChangesThatCameBeforeTheRecordCountOnceItIsHere) {
  v1::EntryBody moved;
  moved.mutable_transition()->set_from(v1::EVIDENCE_STATE_REGISTERED);
  moved.mutable_transition()->set_to(v1::EVIDENCE_STATE_RESTRICTED);
  moved.set_justification("disputed");
  const std::vector<sync::OpenedEntry> said = {Create(kA, 1, kKey), Entry(kA, 2, moved),
                                               Create(kB, 3, kKey)};
  std::vector<size_t> order = {0, 1, 2};
  do {
    Model other(kC, kinds_, directory_,
                {[](const v1::FileRef&) { return Model::FileStatus(); },
                 [](const LogId&) { return EffectLimit(); }, nullptr});
    v1::Agreement agreement = *model_.AgreementByHash(kVersion);
    other.AgreementInForce(kJit, kVersion, agreement);
    for (const size_t i : order) other.Apply(said[i]);
    const Folded folded = other.Fold(*other.Find(id_));
    EXPECT_EQ(folded.owner, kA);
    EXPECT_EQ(folded.state, static_cast<uint32_t>(v1::EVIDENCE_STATE_RESTRICTED));
  } while (std::next_permutation(order.begin(), order.end()));
}

// Logs arrive in any order: who has destroyed it may be known before that it was to be.
TEST_F(FoundingTest, AConfirmationThatCameBeforeTheEraseIsNotForgottenWithTheRecord) {
  v1::EntryBody erase;
  erase.mutable_erase()->set_basis("order 12");
  erase.mutable_erase()->set_blind_key(kKey);
  v1::EntryBody confirmed;
  confirmed.mutable_statement()->set_purpose("destroyed");
  v1::EntryBody change;
  change.mutable_transition()->set_to(v1::EVIDENCE_STATE_RESTRICTED);
  const sync::OpenedEntry late = Entry(kB, 8, change);
  model_.Apply(Entry(kB, 9, confirmed));
  model_.Apply(late);
  EXPECT_EQ(model_.Forget(id_), (std::set<sync::EntryRef>{late.ref}));
  model_.Apply(Entry(kA, 7, erase));
  const Folded folded = model_.Fold(*model_.Find(id_));
  ASSERT_TRUE(folded.erasure.has_value());
  EXPECT_EQ(folded.owner, kA);
  ASSERT_EQ(folded.erasure->destroyed.size(), 1u);
  EXPECT_EQ(folded.erasure->destroyed[0].author, kB);
}

TEST_F(FoundingTest, ARecordIsErasedAfterTheEndOfTheJitAsWell) {
  const auto after = static_cast<uint64_t>(model_.AgreementByHash(kVersion)->period_to()) + 1;
  model_.Apply(Create(kA, 1, kKey));
  v1::EntryBody change;
  change.mutable_transition()->set_from(v1::EVIDENCE_STATE_REGISTERED);
  change.mutable_transition()->set_to(v1::EVIDENCE_STATE_RESTRICTED);
  change.set_justification("too late");
  model_.Apply(Entry(kA, after, change));
  EXPECT_EQ(model_.Fold(*model_.Find(id_)).refused.front().code, "OUT_OF_PERIOD");
  v1::EntryBody erase;
  erase.mutable_erase()->set_blind_key(kKey);
  model_.Apply(Entry(kA, after + 1, erase));
  EXPECT_TRUE(model_.Fold(*model_.Find(id_)).erasure.has_value());
}

TEST_F(FoundingTest, NobodyButItsOwnerErasesARecord) {
  model_.Apply(Create(kA, 1, kKey));
  v1::EntryBody erase;
  erase.mutable_erase()->set_blind_key(kKey);
  model_.Apply(Entry(kB, 2, erase));
  EXPECT_FALSE(model_.Fold(*model_.Find(id_)).erasure.has_value());
  EXPECT_EQ(Shown(), "of a");
  model_.Apply(Entry(kA, 3, erase));
  EXPECT_TRUE(model_.Fold(*model_.Find(id_)).erasure.has_value());
  EXPECT_EQ(Shown(), "");
}

// A node that starts reads logs in an order that has nothing to do with what rests on what.
TEST_F(FoundingTest, AHundredThousandEntriesMayComeBeforeWhatBringsTheirAgreementIntoForce) {
  Model late(kC, kinds_, directory_,
             {[](const v1::FileRef&) { return Model::FileStatus(); },
              [](const LogId&) { return EffectLimit(); }, nullptr});
  constexpr uint64_t kNotes = 100'000;
  for (uint64_t i = 0; i < kNotes; ++i) {
    v1::EntryBody note;
    note.set_kind(kNoteKind);
    std::string key = std::to_string(i);
    key.resize(32, 'k');
    note.mutable_create()->set_record("\x0a\x01x");
    note.mutable_create()->set_blind_key(key);
    sync::OpenedEntry entry = Entry(kA, i + 1, note);
    entry.body.set_record_id(sync::RecordIdOf(kJit, kNoteKind, kA, key).str());
    entry.body_bytes = entry.body.SerializeAsString();
    late.Apply(entry);
  }
  EXPECT_EQ(late.Count(kNoteKind), 0u);
  late.AgreementInForce(kJit, kVersion, *model_.AgreementByHash(kVersion));
  EXPECT_EQ(late.Count(kNoteKind), kNotes);
}

}  // namespace
}  // namespace entente::model

// The one way into a log: everything of a batch ties to a head its author signed, or nothing stays.
#include "sync/admission.h"

#include <functional>
#include <set>
#include <string>

#include "crypto/ids.h"
#include "gtest/gtest.h"
#include "sync/epoch.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    f_.TrustAll();
    EXPECT_OK(cards_.Load(f_["XB"].disk));
    EXPECT_OK(box_keys_.Load());
    context_.exclusions = &exclusions_;
    context_.box_keys = &box_keys_;
    context_.revocations = &revocations_;
    for (int i = 0; i < 6; ++i) {
      EXPECT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text " + std::to_string(i)));
    }
    batch_ = f_.WholeLog(f_["XA"], {"XA", "XB"});
  }

  // XB is offered `batch` by `sender` and either refuses it and keeps nothing, or has `size`.
  void ExpectRefused(const v1::Batch& batch, v1::RefusalCode code,
                     const std::string& sender = "XA") {
    Refusal refusal;
    Admitted admitted;
    const absl::StatusOr<bool> taken =
        admission_.Admit(batch, f_[sender].party, &admitted, &refusal);
    ASSERT_OK(taken);
    EXPECT_FALSE(*taken);
    EXPECT_EQ(refusal.code, code) << refusal.detail;
    for (const auto& [id, log] : logs_.all()) EXPECT_EQ(log.size, 0u);
    EXPECT_TRUE(overlay_.Take().empty());
  }
  void ExpectTaken(const v1::Batch& batch, uint64_t size) {
    Refusal refusal;
    Admitted admitted;
    const absl::StatusOr<bool> taken = admission_.Admit(batch, f_["XA"].party, &admitted, &refusal);
    ASSERT_OK(taken);
    ASSERT_TRUE(*taken) << refusal.detail;
    EXPECT_EQ(admitted.to, size);
  }
  v1::Batch With(const std::function<void(v1::Batch&)>& change) const {
    v1::Batch out = batch_;
    change(out);
    return out;
  }
  static void CutTo(v1::Batch& batch, int from, int to) {
    v1::Batch part = batch;
    part.clear_entries();
    for (int i = from; i < to; ++i) *part.add_entries() = batch.entries(i);
    part.set_from(static_cast<uint64_t>(from));
    batch = part;
  }

  Federation f_{{"XA", "XB", "XC"}};
  v1::Batch batch_;  // an Epoch and six texts
  CardBook cards_;
  MemoryKv disk_;
  OverlayKv overlay_{disk_};
  LogBook logs_{overlay_};
  Context context_{f_["XB"].party, f_["XB"].keys, cards_, overlay_, logs_, f_.entropy, 1};
  Exclusions exclusions_{f_["XB"].party,
                         cards_,
                         logs_,
                         {[](const JitId&) { return Hash(); },
                          [](const JitId&, const Hash&) { return std::set<PartyId>(); }}};
  Revocations revocations_{f_["XB"].party, cards_, logs_, exclusions_};
  BoxKeys box_keys_{f_["XB"].party, f_["XB"].keys, cards_, overlay_, BoxKeyTerms()};
  EpochKeys keys_{context_};
  Admission admission_{context_, keys_};
};

TEST_F(AdmissionTest, AWholeLogIsTakenAndRepeatingItChangesNothing) {
  ExpectTaken(batch_, 7);
  overlay_.Take();
  ExpectTaken(batch_, 7);
  EXPECT_TRUE(overlay_.Take().empty());
}

TEST_F(AdmissionTest, ALogArrivesInPartsUnderOneHead) {
  const LogState* log = f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"});
  for (const uint64_t from : {0, 3, 5}) {
    const auto part = BuildBatch(f_["XA"].replica->logs(), *log, from, 700);
    ASSERT_OK(part);
    Refusal refusal;
    Admitted admitted;
    ASSERT_TRUE(*admission_.Admit(*part, f_["XA"].party, &admitted, &refusal)) << refusal.detail;
    EXPECT_EQ(admitted.complete, admitted.to == 7);
  }
}

TEST_F(AdmissionTest, ABitAnywhereInABodyIsNoticed) {
  for (int entry = 1; entry < batch_.entries_size(); ++entry) {
    for (const size_t at : {size_t{0}, size_t{40}, size_t{200}}) {
      ExpectRefused(
          With([&](v1::Batch& b) { b.mutable_entries(entry)->mutable_body()->at(at) ^= 1; }),
          v1::REFUSAL_CODE_BAD_PROOF);
    }
  }
}

TEST_F(AdmissionTest, SwappedMissingAndForeignEntriesAreNoticed) {
  ExpectRefused(With([](v1::Batch& b) { b.mutable_entries()->SwapElements(2, 3); }),
                v1::REFUSAL_CODE_BAD_PROOF);
  ExpectRefused(With([](v1::Batch& b) { b.mutable_entries()->DeleteSubrange(6, 1); }),
                v1::REFUSAL_CODE_BAD_PROOF);
  ExpectRefused(With([](v1::Batch& b) { *b.add_entries() = b.entries(6); }),
                v1::REFUSAL_CODE_BAD_PROOF);
}

TEST_F(AdmissionTest, AHeadOfAnotherKeyLogOrSizeProvesNothing) {
  ASSERT_OK(f_.Write(f_["XC"], {"XB", "XC"}, "of XC"));
  const v1::Batch other = f_.WholeLog(f_["XC"], {"XB", "XC"});
  ExpectRefused(With([&](v1::Batch& b) { b.set_head_note(other.head_note()); }),
                v1::REFUSAL_CODE_BAD_PROOF);
  ExpectRefused(With([](v1::Batch& b) { b.set_head_note("nothing of the kind"); }),
                v1::REFUSAL_CODE_BAD_PROOF);
}

TEST_F(AdmissionTest, AnEdgeThatDoesNotFitIsRefused) {
  ExpectRefused(With([](v1::Batch& b) { b.add_edge(std::string(32, 'e')); }),
                v1::REFUSAL_CODE_BAD_PROOF);
  ExpectRefused(With([](v1::Batch& b) { b.add_edge("short"); }), v1::REFUSAL_CODE_MALFORMED);
}

TEST_F(AdmissionTest, ALogUnderAnUntrustedOrOtherCardIsRefused) {
  ExpectRefused(With([](v1::Batch& b) { b.mutable_head()->set_author(std::string(32, 'q')); }),
                v1::REFUSAL_CODE_UNTRUSTED_CARD);
  ExpectRefused(With([](v1::Batch& b) { b.mutable_head()->set_author_card(std::string(32, 'q')); }),
                v1::REFUSAL_CODE_UNTRUSTED_CARD);
}

TEST_F(AdmissionTest, ALogIdFollowsFromItsParts) {
  ExpectRefused(With([](v1::Batch& b) { b.mutable_head()->set_incarnation(9); }),
                v1::REFUSAL_CODE_BAD_PROOF);
  ExpectRefused(With([](v1::Batch& b) { b.mutable_head()->set_jit_id(std::string(32, 'q')); }),
                v1::REFUSAL_CODE_BAD_PROOF);
  ExpectRefused(With([](v1::Batch& b) { b.mutable_head()->set_log_id("short"); }),
                v1::REFUSAL_CODE_MALFORMED);
}

TEST_F(AdmissionTest, ABodyOutsideTheAudienceNeitherOffersNorReceives) {
  ExpectRefused(batch_, v1::REFUSAL_CODE_BAD_AUDIENCE, "XC");
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XC"}, "not for XB"));
  ExpectRefused(f_.WholeLog(f_["XA"], {"XA", "XC"}), v1::REFUSAL_CODE_BAD_AUDIENCE);
}

TEST_F(AdmissionTest, EntriesBeforeAnEpochAndOversizedOnesAreRefused) {
  ExpectRefused(With([](v1::Batch& b) { b.mutable_entries()->DeleteSubrange(0, 1); }),
                v1::REFUSAL_CODE_MALFORMED);
  ExpectRefused(With([](v1::Batch& b) {
                  b.mutable_entries(1)->set_body(std::string(kEntryBytesMax + 1, 'x'));
                }),
                v1::REFUSAL_CODE_TOO_BIG);
  ExpectRefused(With([](v1::Batch& b) {
                  while (b.entries_size() <= static_cast<int>(kBatchEntriesMax)) {
                    *b.add_entries() = b.entries(1);
                  }
                }),
                v1::REFUSAL_CODE_TOO_BIG);
}

TEST_F(AdmissionTest, AnEpochWithoutAMembersSlotIsRefused) {
  v1::Epoch epoch;
  ASSERT_TRUE(epoch.ParseFromString(batch_.entries(0).body()));
  const auto with_epoch = [&](const std::function<void(v1::Epoch&)>& change) {
    v1::Epoch altered = epoch;
    change(altered);
    return With([&](v1::Batch& b) { b.mutable_entries(0)->set_body(altered.SerializeAsString()); });
  };
  ExpectRefused(with_epoch([](v1::Epoch& e) { e.mutable_slots()->RemoveLast(); }),
                v1::REFUSAL_CODE_EPOCH_INCOMPLETE);
  ExpectRefused(with_epoch([](v1::Epoch& e) { e.set_epoch(2); }),
                v1::REFUSAL_CODE_EPOCH_INCOMPLETE);
  ExpectRefused(with_epoch([](v1::Epoch& e) { e.set_audience_salt(std::string(16, 'q')); }),
                v1::REFUSAL_CODE_EPOCH_INCOMPLETE);
  ExpectRefused(with_epoch([](v1::Epoch& e) { e.mutable_slots(0)->set_box("short"); }),
                v1::REFUSAL_CODE_EPOCH_INCOMPLETE);
}

TEST_F(AdmissionTest, AGapIsLeftAloneUntilWhatComesBeforeArrives) {
  v1::Batch tail = batch_;
  CutTo(tail, 4, 7);
  Refusal refusal;
  Admitted admitted;
  EXPECT_TRUE(*admission_.Admit(tail, f_["XA"].party, &admitted, &refusal));
  EXPECT_EQ(admitted.from, admitted.to);
  ExpectTaken(batch_, 7);
}

// Padding counts: an entry its author could write and nobody take would end the log for its
// readers.
TEST_F(AdmissionTest, WhatItsAuthorMayWriteNoReaderFindsTooLarge) {
  uint64_t written = f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->size;
  bool refused = false;
  for (const size_t bytes : {250'000, 257'900, 258'040, 260'000, 261'000, 262'000}) {
    const absl::Status status = f_.Write(f_["XA"], {"XA", "XB"}, std::string(bytes, 'x'));
    if (status.ok()) ++written;
    refused = refused || !status.ok();
    EXPECT_TRUE(status.ok() || bytes > 250'000) << bytes;
  }
  EXPECT_TRUE(refused);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  const LogState* theirs = f_.FindLog(f_["XB"], f_["XA"], {"XA", "XB"});
  ASSERT_NE(theirs, nullptr);
  EXPECT_EQ(theirs->size, written);
}

// A member that names logs without end would otherwise use up the room for those that exist.
TEST_F(AdmissionTest, LogsThatOnlyOnePeerNamesDoNotKeepRealOnesOut) {
  v1::Head head = batch_.head();
  const JitId jit = *JitId::From(head.jit_id());
  for (uint64_t i = 0; i <= kLogsPerJit; ++i) {
    std::string audience(24, 'x');
    AppendU64(&audience, i);
    head.set_audience_id(audience);
    head.set_log_id(crypto::ComputeLogId(jit, *PublicKey::From(f_["XA"].card.log_key()),
                                         *AudienceId::From(audience), head.incarnation())
                        .str());
    Refusal refusal;
    ASSERT_NE(admission_.Meet(head, f_["XA"].party, &refusal), nullptr) << refusal.detail;
  }
  EXPECT_LE(logs_.all().size(), kAnnouncedLogsMax);
  ExpectTaken(batch_, static_cast<uint64_t>(batch_.entries_size()));
}

TEST_F(AdmissionTest, AHeadCarriesTheSaltOfItsAudience) {
  for (const size_t bytes : {size_t{0}, size_t{15}, size_t{1} << 20}) {
    ExpectRefused(
        With([&](v1::Batch& b) { b.mutable_head()->set_audience_salt(std::string(bytes, 's')); }),
        v1::REFUSAL_CODE_MALFORMED);
  }
}

}  // namespace
}  // namespace entente::sync

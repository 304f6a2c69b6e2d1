// A body that joins later has nothing of the past, and then exactly what was released and handed on
// to it: entries it can verify as they were signed, previewed in full, and no other.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

using Codes = std::vector<std::string>;

class GrantCommandsTest : public CoreTest {
 protected:
  GrantCommandsTest() : CoreTest(/*open_jit=*/false) {
    world_.RunFor(absl::Seconds(5));
    Agree({"XA", "XB"}, "");
  }

  // Everybody named signs; XC is reached through the relay alone.
  void Agree(const Codes& parties, const std::string& jit) {
    v1::ProposeAgreementRequest request;
    request.set_jit(jit);
    v1::Agreement& agreement = *request.mutable_agreement();
    agreement.set_code_name("LANTERN");
    agreement.set_purpose("Trafficking in human beings");
    agreement.add_legal_bases(v1::LEGAL_BASIS_FD2002_465);
    for (const std::string& code : parties) {
      agreement.add_bodies()->set_code(code);
      v1::AgreementPerson* leader = agreement.add_leaders();
      leader->set_party(code);
      leader->set_user("Leader of " + code);
    }
    v1::AgreementPerson* admin = agreement.add_space_administrators();
    admin->set_party("XA");
    admin->set_user("Leader of XA");
    agreement.set_period_from(absl::ToUnixSeconds(world_.now() - absl::Hours(1)));
    agreement.set_period_to(absl::ToUnixSeconds(world_.now() + absl::Hours(24 * 300)));
    ASSERT_OK(
        Call<v1::ProposeAgreementResponse>("XA", "AgreementService/ProposeAgreement", request));
    world_.RunFor(absl::Minutes(10));
    for (const std::string& code : parties) {
      ASSERT_OK(Call<v1::SignAgreementResponse>(code, "AgreementService/SignAgreement",
                                                v1::SignAgreementRequest()))
          << code;
    }
    world_.RunFor(absl::Minutes(15));
  }
  void Join() { Agree({"XA", "XB", "XC"}, "LANTERN"); }

  std::string Evidence(const std::string& title, const Codes& audience) {
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title(title);
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
    request.mutable_item()->set_measure("search of 3 March");
    for (const std::string& body : audience) request.add_audience(body);
    const auto added =
        Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request,
                                      {world_.Upload(node("XA"), title + ".pdf", "%PDF " + title)});
    EXPECT_OK(added);
    return added.ok() ? added->record().ref() : "";
  }
  absl::StatusOr<v1::ReleaseEvidenceResponse> Release(const std::string& ref, bool originals,
                                                      bool dry_run = false) {
    v1::ReleaseEvidenceRequest request;
    request.add_records(ref);
    request.add_to("XC");
    request.set_purpose("trial in Corvia");
    request.set_with_originals(originals);
    request.set_dry_run(dry_run);
    return Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", request);
  }
  absl::StatusOr<v1::GrantRecordResponse> Grant(const std::string& ref,
                                                const std::vector<uint64_t>& numbers = {},
                                                bool dry_run = false,
                                                const std::string& by = "XA") {
    v1::GrantRecordRequest request;
    request.set_record(ref);
    request.add_to("XC");
    request.set_basis("Art. 5 of the agreement");
    for (const uint64_t number : numbers) request.add_numbers(number);
    request.set_dry_run(dry_run);
    return Call<v1::GrantRecordResponse>(by, "RecordService/GrantRecord", request);
  }
  std::vector<v1::OriginalView> Originals(const std::string& code, const std::string& ref) {
    v1::ShowOriginalsRequest request;
    request.set_record(ref);
    const auto out = Call<v1::ShowOriginalsResponse>(code, "RecordService/ShowOriginals", request);
    if (!out.ok()) return {};
    return {out->originals().begin(), out->originals().end()};
  }
  std::vector<v1::HistoryItem> History(const std::string& code, const std::string& ref) {
    v1::ShowHistoryRequest request;
    request.set_record(ref);
    const auto out = Call<v1::ShowHistoryResponse>(code, "RecordService/ShowHistory", request);
    if (!out.ok()) return {};
    return {out->items().begin(), out->items().end()};
  }
  int EvidenceAt(const std::string& code) {
    const auto list = Call<v1::ListEvidenceResponse>(code, "EvidenceService/ListEvidence",
                                                     v1::ListEvidenceRequest());
    return list.ok() ? list->records_size() : -1;
  }
  void Arrive() { world_.RunFor(absl::Minutes(15)); }
};

TEST_F(GrantCommandsTest, ALateJoinerHasNothingOfThePastAndThenExactlyWhatItIsGiven) {
  const std::string ledger = Evidence("ledger", {"XB"});
  const std::string letters = Evidence("letters", {"XB"});
  const std::string diary = Evidence("diary", {"XB"});
  Settle();
  Join();
  Arrive();
  EXPECT_EQ(EvidenceAt("XB"), 3);
  EXPECT_EQ(EvidenceAt("XC"), 0);
  for (const std::string& ref : {ledger, letters, diary}) {
    EXPECT_TRUE(History("XC", ref).empty());
  }
  ASSERT_OK(Release(ledger, /*originals=*/false));
  ASSERT_OK(Release(letters, /*originals=*/true));
  Arrive();
  EXPECT_EQ(EvidenceAt("XC"), 2);
  EXPECT_TRUE(Originals("XC", ledger).empty());
  ASSERT_EQ(Originals("XC", letters).size(), 1u);
  EXPECT_TRUE(History("XC", diary).empty());
  // Nothing of what XC holds names the record it was not given.
  EXPECT_EQ(node("XC").heard.find("diary"), std::string::npos);
}

TEST_F(GrantCommandsTest, AnOriginalIsShownAsSignedByWhomAndWhen) {
  const std::string ref = Evidence("ledger", {"XB"});
  const absl::Time signed_at = world_.now();
  world_.RunFor(absl::Hours(72));
  Join();
  ASSERT_OK(Release(ref, /*originals=*/true));
  Arrive();
  const auto originals = Originals("XC", ref);
  ASSERT_EQ(originals.size(), 1u);
  EXPECT_EQ(originals[0].body(), "XA");
  EXPECT_EQ(originals[0].what(), "created");
  EXPECT_NEAR(static_cast<double>(originals[0].time()),
              static_cast<double>(absl::ToUnixSeconds(signed_at)), 5);
  EXPECT_GT(originals[0].log_size(), 0u);
  bool title = false;
  for (const v1::OriginalField& field : originals[0].fields()) {
    title = title || (field.name() == "title" && field.value() == "ledger");
  }
  EXPECT_TRUE(title);
  const std::string day = absl::FormatTime("%Y-%m-%d", signed_at, absl::UTCTimeZone());
  const auto history = History("XC", ref);
  ASSERT_FALSE(history.empty());
  EXPECT_TRUE(history.front().original());
  EXPECT_EQ(history.front().what(), "created, as signed by XA on " + day);
  for (const v1::HistoryItem& item : history) EXPECT_EQ(item.refused(), "") << item.what();
  // The owner sees to whom it handed what.
  const auto own = History("XA", ref);
  EXPECT_TRUE(std::any_of(own.begin(), own.end(), [](const v1::HistoryItem& item) {
    return item.what() == "handed on as signed, entries: 1, to XC";
  }));
  // XB has the entries themselves and learns nothing of the grant.
  EXPECT_TRUE(Originals("XB", ref).empty());
  for (const v1::HistoryItem& item : History("XB", ref)) {
    EXPECT_EQ(item.what().find("handed on"), std::string::npos);
  }
}

TEST_F(GrantCommandsTest, EverythingThatWouldBeHandedOnIsShownFirstAndNothingIsDone) {
  const std::string ref = Evidence("ledger", {"XB"});
  Settle();
  Join();
  const auto preview = Release(ref, /*originals=*/true, /*dry_run=*/true);
  ASSERT_OK(preview);
  EXPECT_FALSE(preview->done());
  const v1::ReleasePreview& item = preview->preview(0);
  EXPECT_TRUE(item.allowed());
  EXPECT_EQ(item.becomes_readable_for_size(), 1);
  ASSERT_EQ(item.originals_size(), 1);
  EXPECT_EQ(item.originals(0).user(), node("XA").user);
  EXPECT_EQ(item.originals(0).files_size(), 1);
  EXPECT_GT(item.originals(0).fields_size(), 2);
  EXPECT_EQ(item.not_own(), 1u);  // the receipt of XB, which only XB can hand on
  const auto dry = Grant(ref, {}, /*dry_run=*/true);
  ASSERT_OK(dry);
  EXPECT_EQ(dry->preview().originals_size(), 1);
  Arrive();
  EXPECT_EQ(EvidenceAt("XC"), 0);
}

TEST_F(GrantCommandsTest, AGrantReleasesWhatTheBodyCouldNotReadAndIsSaidTwiceToNoEffect) {
  const std::string ref = Evidence("ledger", {"XB"});
  Settle();
  Join();
  ASSERT_OK(Grant(ref));
  Arrive();
  EXPECT_EQ(EvidenceAt("XC"), 1);
  EXPECT_EQ(Originals("XC", ref).size(), 1u);
  EXPECT_OK(Grant(ref));  // the same entry again, and the release that XC has from its own log
  Arrive();
  EXPECT_EQ(Originals("XC", ref).size(), 1u);
}

TEST_F(GrantCommandsTest, EntriesAreChosenByTheNumbersOfThePreview) {
  const std::string ref = Evidence("ledger", {});
  // A second own entry: the release to XB.
  v1::ReleaseEvidenceRequest to_xb;
  to_xb.add_records(ref);
  to_xb.add_to("XB");
  to_xb.set_purpose("analysis");
  ASSERT_OK(Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", to_xb));
  Settle();
  Join();
  EXPECT_EQ(Grant(ref, {}, /*dry_run=*/true)->preview().originals_size(), 2);
  EXPECT_REFUSED(Grant(ref, {3}).status(), kInvalidArgument, "NO_ENTRY");
  ASSERT_OK(Grant(ref, {2}));
  Arrive();
  const auto originals = Originals("XC", ref);
  ASSERT_EQ(originals.size(), 1u);
  EXPECT_EQ(originals[0].what(), "released");
  // It names whom it was released to: that is why it is shown before.
  EXPECT_TRUE(std::any_of(originals[0].names().begin(), originals[0].names().end(),
                          [](const std::string& name) { return name == "XB"; }));
}

TEST_F(GrantCommandsTest, OnlyTheOwnerHandsOnAndOnlyToBodiesOfTheJit) {
  const std::string ref = Evidence("ledger", {"XB"});
  Settle();
  // XC has not joined.
  EXPECT_REFUSED(Grant(ref).status(), kPermissionDenied, "NOT_A_PARTY");
  Join();
  EXPECT_REFUSED(Grant(ref, {}, false, "XB").status(), kPermissionDenied, "NOT_OWNER");
  v1::GrantRecordRequest bare;
  bare.set_record(ref);
  bare.add_to("XC");
  EXPECT_REFUSED(Call<v1::GrantRecordResponse>("XA", "RecordService/GrantRecord", bare).status(),
                 kInvalidArgument, "basis");
  node("XA").role = v1::ROLE_MEMBER;
  EXPECT_REFUSED(Grant(ref).status(), kPermissionDenied, "[ROLE]");
  node("XA").role = v1::ROLE_JIT_LEADER;
  Arrive();
  EXPECT_EQ(EvidenceAt("XC"), 0);
}

}  // namespace
}  // namespace entente::core

// Evidence that its owner has destroyed: who may, what it takes along, what is left to see, and who
// has answered.
#include <string>
#include <vector>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class ErasureCommandsTest : public CoreTest {
 protected:
  std::string Add(const std::vector<std::string>& audience, const std::string& parent = "") {
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title("Suitcase of Pier Nine");
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_PHYSICAL);
    request.mutable_item()->set_measure("search of 3 March");
    for (const std::string& body : audience) request.add_audience(body);
    if (!parent.empty()) request.add_parents(parent);
    const auto added =
        Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request,
                                      {world_.Upload(node("XA"), "photo.jpg", "a photo")});
    EXPECT_OK(added);
    Settle();
    return added.ok() ? added->record().ref() : "";
  }
  absl::StatusOr<v1::EraseEvidenceResponse> Erase(const std::string& who, const std::string& ref,
                                                  bool confirm = true,
                                                  const std::string& key = "") {
    v1::EraseEvidenceRequest request;
    request.set_record(ref);
    request.set_reason(confirm ? "order 12" : "");
    request.set_confirm(confirm);
    request.set_idempotency_key(key);
    auto done = Call<v1::EraseEvidenceResponse>(who, "EvidenceService/EraseEvidence", request);
    Settle();
    return done;
  }
  void Restrict(const std::string& ref, bool lift) {
    v1::RestrictEvidenceRequest request;
    request.set_record(ref);
    request.set_reason("contested");
    request.set_lift(lift);
    EXPECT_OK(
        Call<v1::RestrictEvidenceResponse>("XA", "EvidenceService/RestrictEvidence", request));
  }
};

TEST_F(ErasureCommandsTest, APreviewSaysWhatGoesAndWhatStaysAndDoesNothing) {
  const std::string ref = Add({"XB"});
  const std::string copy = Add({"XB"}, ref);
  v1::DownloadFileRequest download;
  download.set_record(ref);
  download.set_name("photo.jpg");
  ASSERT_OK(Call<v1::FileRef>("XB", "FileService/DownloadFile", download));
  Settle();
  const auto done = Erase("XA", ref, /*confirm=*/false);
  ASSERT_OK(done);
  EXPECT_FALSE(done->has_record());
  const v1::ErasurePreview& preview = done->preview();
  EXPECT_EQ(preview.title(), "Suitcase of Pier Nine");
  EXPECT_GE(preview.entries(), 2u);  // and what was said of it since
  EXPECT_EQ(preview.files(), 1u);
  EXPECT_EQ(preview.file_bytes(), 7u);
  EXPECT_EQ(preview.bodies_size(), 2);
  ASSERT_EQ(preview.derived_size(), 1);
  EXPECT_EQ(preview.derived(0), copy);
  ASSERT_EQ(preview.copies_size(), 1);
  EXPECT_EQ(preview.copies(0).body(), "XB");
  EXPECT_FALSE(Show("XA", ref).has_erasure());
}

TEST_F(ErasureCommandsTest, WhatIsLeftSaysThatItWasWhoHadItErasedAndWhoHasAnswered) {
  const std::string ref = Add({"XB"});
  ASSERT_OK(Erase("XA", ref));
  for (const char* who : {"XA", "XB"}) {
    const v1::RecordView view = Show(who, ref);
    EXPECT_EQ(view.state(), "ERASED");
    EXPECT_EQ(view.owner(), "XA");
    EXPECT_EQ(view.title(), "");
    EXPECT_TRUE(view.files().empty());
    EXPECT_TRUE(view.custody().empty());
    EXPECT_EQ(view.erasure().basis(), "order 12");
    EXPECT_TRUE(view.erasure().complete());
    ASSERT_EQ(view.erasure().bodies_size(), 2);
    for (const v1::ErasureAnswer& answer : view.erasure().bodies()) {
      EXPECT_EQ(answer.state(), "confirmed") << answer.body();
      EXPECT_GE(answer.entries(), 2u);
      EXPECT_EQ(answer.files(), 1u);
      EXPECT_EQ(answer.backups_expire() - answer.time(), 30 * 24 * 3600);
    }
  }
  v1::ShowEvidenceRequest request;
  request.set_record(ref);
  EXPECT_REFUSED(Call<v1::ShowEvidenceResponse>("XC", "EvidenceService/ShowEvidence", request),
                 kNotFound, "NOT_HERE");
}

TEST_F(ErasureCommandsTest, SentTwiceItHappensOnce) {
  const std::string ref = Add({"XB"});
  ASSERT_OK(Erase("XA", ref, true, "one"));
  const auto again = Erase("XA", ref, true, "one");
  ASSERT_OK(again);
  EXPECT_EQ(again->record().ref(), ref);
  EXPECT_EQ(Show("XA", ref).erasure().orders_size(), 2);  // of the logs of XA and of XB
}

TEST_F(ErasureCommandsTest, OnlyTheOwnerAndOnlyWhatIsNotKeptAsEvidence) {
  const std::string ref = Add({"XB"});
  EXPECT_REFUSED(Erase("XB", ref), kPermissionDenied, "NOT_OWNER");
  EXPECT_REFUSED(Erase("XC", ref), kNotFound, "NOT_HERE");
  Restrict(ref, false);
  EXPECT_REFUSED(Erase("XA", ref), kPermissionDenied, "RESTRICTED");
  Restrict(ref, true);
  v1::EraseEvidenceRequest request;
  request.set_record(ref);
  request.set_confirm(true);
  EXPECT_REFUSED(Call<v1::EraseEvidenceResponse>("XA", "EvidenceService/EraseEvidence", request),
                 kInvalidArgument, "say why");
  EXPECT_FALSE(Show("XA", ref).has_erasure());
  ASSERT_OK(Erase("XA", ref));
  EXPECT_REFUSED(Erase("XA", ref), kPermissionDenied, "ERASED");
}

TEST_F(ErasureCommandsTest, NothingIsDoneWithItAnyMore) {
  const std::string ref = Add({"XB"});
  ASSERT_OK(Erase("XA", ref));
  v1::ReleaseEvidenceRequest release;
  release.add_records(ref);
  release.add_to("XC");
  EXPECT_REFUSED(
      Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", release),
      kPermissionDenied, "ERASED");
  v1::RecordCustodyRequest custody;
  custody.set_record(ref);
  custody.set_kind(v1::CUSTODY_EVENT_KIND_NOTE);
  EXPECT_REFUSED(Call<v1::RecordCustodyResponse>("XB", "EvidenceService/RecordCustody", custody),
                 kPermissionDenied, "ERASED");
  v1::MakeBundleRequest bundle;
  bundle.add_records(ref);
  bundle.set_purpose("trial");
  EXPECT_REFUSED(Call<v1::MakeBundleResponse>("XA", "BundleService/MakeBundle", bundle),
                 kFailedPrecondition, "ERASED");
  v1::ExplainRecordRequest explain;
  explain.set_record(ref);
  explain.set_action("erase");
  const auto why = Call<v1::ExplainRecordResponse>("XA", "RecordService/ExplainRecord", explain);
  ASSERT_OK(why);
  EXPECT_EQ(why->code(), "ERASED");
}

TEST_F(ErasureCommandsTest, ABodyThatIsAwayIsShownAsNotReachedUntilItAnswers) {
  const std::string ref = Add({"XB"});
  node("XB").PowerOff();
  ASSERT_OK(Erase("XA", ref));
  v1::ErasureView erasure = Show("XA", ref).erasure();
  EXPECT_FALSE(erasure.complete());
  EXPECT_EQ(erasure.bodies(1).body(), "XB");
  EXPECT_EQ(erasure.bodies(1).state(), "not reached");
  node("XB").Boot();
  Settle();
  EXPECT_TRUE(Show("XA", ref).erasure().complete());
}

TEST_F(ErasureCommandsTest, OwnItemsWhoseDateHasComeAreListed) {
  v1::AddEvidenceRequest request;
  request.mutable_item()->set_title("Intercept");
  request.mutable_item()->set_kind(v1::EVIDENCE_KIND_INTERCEPT);
  request.mutable_item()->set_measure("order 7");
  request.add_audience("XB");
  const int64_t day = absl::ToUnixSeconds(node("XA").LocalTime() + absl::Hours(24));
  request.mutable_item()->set_keep_until(day);
  const auto added = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request);
  ASSERT_OK(added);
  EXPECT_EQ(added->record().keep_until(), day);
  Add({"XB"});
  Settle();
  const auto due = [&](const std::string& who, int64_t by) {
    v1::ListEvidenceRequest list;
    list.set_keep_until_before(by);
    return Call<v1::ListEvidenceResponse>(who, "EvidenceService/ListEvidence", list)
        ->records_size();
  };
  EXPECT_EQ(due("XA", day), 1);
  EXPECT_EQ(due("XA", day - 1), 0);
  EXPECT_EQ(due("XB", day), 0);
  EXPECT_EQ(due("XA", 0), 2);
  ASSERT_OK(Erase("XA", added->record().ref()));
  EXPECT_EQ(due("XA", day), 0);
}

}  // namespace
}  // namespace entente::core

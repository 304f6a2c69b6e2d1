// Evidence stays with its own body until its owner says otherwise, and each hand-over is answered.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class EvidenceCommandsTest : public CoreTest {
 protected:
  absl::StatusOr<v1::RecordView> Add(const std::string& code,
                                     const std::vector<std::string>& audience,
                                     const std::string& title = "Ledger of Lime Street") {
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title(title);
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
    request.mutable_item()->set_measure("search of 3 March");
    for (const std::string& body : audience) request.add_audience(body);
    auto added = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request,
                                               {world_.Upload(node(code), "ledger.pdf", "%PDF")});
    if (!added.ok()) return added.status();
    return added->record();
  }
  absl::StatusOr<v1::RecordView> Show(const std::string& code, const std::string& ref) {
    v1::ShowEvidenceRequest request;
    request.set_record(ref);
    auto shown = Call<v1::ShowEvidenceResponse>(code, "EvidenceService/ShowEvidence", request);
    if (!shown.ok()) return shown.status();
    return shown->record();
  }
  absl::StatusOr<v1::ReleaseEvidenceResponse> Release(const std::string& ref, const std::string& to,
                                                      bool dry_run = false) {
    v1::ReleaseEvidenceRequest request;
    request.add_records(ref);
    request.add_to(to);
    request.set_purpose("identification of victims");
    request.set_dry_run(dry_run);
    return Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", request);
  }
  v1::ExplainRecordResponse Explain(const std::string& code, const std::string& ref,
                                    const std::string& body) {
    v1::ExplainRecordRequest request;
    request.set_record(ref);
    request.set_for_body(body);
    const auto out = Call<v1::ExplainRecordResponse>(code, "RecordService/ExplainRecord", request);
    EXPECT_OK(out);
    return out.ok() ? *out : v1::ExplainRecordResponse();
  }
};

TEST_F(EvidenceCommandsTest, TheDefaultAudienceIsTheOwnBodyAlone) {
  const auto item = Add("XA", {});
  ASSERT_OK(item);
  EXPECT_EQ(item->audience_size(), 1);
  Settle();
  for (const char* code : {"XB", "XC", "EJ"}) {
    EXPECT_REFUSED(Show(code, item->ref()), kNotFound, "") << code;
  }
}

// The answer for what is not for us is word for word the one for what does not exist.
TEST_F(EvidenceCommandsTest, WhatIsNotForABodyDoesNotExistThere) {
  const auto item = Add("XA", {"XB"});
  ASSERT_OK(item);
  Settle();
  const std::string hidden(Show("XC", item->ref()).status().message());
  const std::string absent(Show("XC", "E-000000").status().message());
  EXPECT_EQ(hidden.substr(0, hidden.find(item->ref())), absent.substr(0, absent.find("E-000000")));
  EXPECT_EQ(hidden.size(), absent.size());
}

TEST_F(EvidenceCommandsTest, TheAudienceGetsTheItemAndTheFileAndAnswersForIt) {
  const auto item = Add("XA", {"XB"});
  ASSERT_OK(item);
  Settle();
  const auto theirs = Show("XB", item->ref());
  ASSERT_OK(theirs);
  EXPECT_EQ(theirs->title(), "Ledger of Lime Street");
  ASSERT_EQ(theirs->files_size(), 1);
  EXPECT_EQ(theirs->files(0).state(), "here");
  EXPECT_EQ(theirs->files(0).sha256(), item->files(0).sha256());
  const auto ours = Show("XA", item->ref());
  ASSERT_OK(ours);
  bool received = false;
  for (const v1::CustodyView& event : ours->custody()) {
    received = received || (event.kind() == "RECEIVED_BY" && event.body() == "XB");
  }
  EXPECT_TRUE(received);
}

TEST_F(EvidenceCommandsTest, ADryRunShowsWhatAReleaseWouldDoAndDoesNothing) {
  const auto item = Add("XA", {"XB"});
  ASSERT_OK(item);
  Settle();
  const auto preview = Release(item->ref(), "XC", /*dry_run=*/true);
  ASSERT_OK(preview);
  EXPECT_FALSE(preview->done());
  ASSERT_EQ(preview->preview_size(), 1);
  EXPECT_TRUE(preview->preview(0).allowed());
  ASSERT_EQ(preview->preview(0).becomes_readable_for_size(), 1);
  EXPECT_EQ(preview->preview(0).becomes_readable_for(0), "XC");
  Settle();
  EXPECT_FALSE(Show("XC", item->ref()).ok());
  ASSERT_OK(Release(item->ref(), "XC"));
  Settle();
  const auto theirs = Show("XC", item->ref());
  ASSERT_OK(theirs);
  EXPECT_EQ(theirs->files(0).state(), "here");
}

TEST_F(EvidenceCommandsTest, OnlyTheOwnerReleases) {
  const auto item = Add("XA", {"XB"});
  ASSERT_OK(item);
  Settle();
  v1::ReleaseEvidenceRequest request;
  request.add_records(item->ref());
  request.add_to("XC");
  EXPECT_FALSE(
      Call<v1::ReleaseEvidenceResponse>("XB", "EvidenceService/ReleaseEvidence", request).ok());
  Settle();
  EXPECT_FALSE(Show("XC", item->ref()).ok());
}

TEST_F(EvidenceCommandsTest, ExplainSaysWhyAndWhatWouldChangeIt) {
  const auto item = Add("XA", {"XB"});
  ASSERT_OK(item);
  EXPECT_TRUE(Explain("XA", item->ref(), "XB").allowed());
  const v1::ExplainRecordResponse no = Explain("XA", item->ref(), "XC");
  EXPECT_FALSE(no.allowed());
  EXPECT_FALSE(no.because().empty());
  EXPECT_NE(no.next().find("release"), std::string::npos);
  EXPECT_FALSE(no.steps().empty());
}

TEST_F(EvidenceCommandsTest, UnknownBodiesAndDirtyTitlesAreRefusedByName) {
  EXPECT_REFUSED(Add("XA", {"XQ"}).status(), kNotFound, "XQ");
  EXPECT_REFUSED(Add("XA", {"XB"}, "pay\xE2\x80\xAEgpj").status(), kInvalidArgument, "BAD_TEXT");
  v1::AddEvidenceRequest bare;
  bare.mutable_item()->set_title("no measure");
  bare.mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
  EXPECT_REFUSED(Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", bare).status(),
                 kInvalidArgument, "measure");
  const auto list = Call<v1::ListEvidenceResponse>("XA", "EvidenceService/ListEvidence",
                                                   v1::ListEvidenceRequest());
  EXPECT_EQ(list->records_size(), 0);
}

TEST_F(EvidenceCommandsTest, TheSameRequestTwiceIsOneItem) {
  v1::AddEvidenceRequest request;
  request.mutable_item()->set_title("once");
  request.mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
  request.mutable_item()->set_measure("search");
  request.set_idempotency_key("key-1");
  const auto one = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request);
  const auto two = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request);
  ASSERT_OK(one);
  ASSERT_OK(two);
  EXPECT_EQ(one->record().id(), two->record().id());
}

TEST_F(EvidenceCommandsTest, ARoleThatMayNotIsRefusedBeforeTheRecordIsLookedAt) {
  node("XA").role = v1::ROLE_NODE_OPERATOR;
  EXPECT_REFUSED(Add("XA", {}).status(), kPermissionDenied, "[ROLE]");
  EXPECT_REFUSED(Show("XA", "E-000000").status(), kPermissionDenied, "[ROLE]");
}

}  // namespace
}  // namespace entente::core

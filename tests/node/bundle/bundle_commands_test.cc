// Making a bundle: what it holds, what it says of itself to the others, and when it is refused.
#include "tests/node/bundle/bundle_test.h"

namespace entente::bundle {
namespace {

using BundleCommandsTest = BundleTest;

std::vector<std::string> Paths(const MemoryTree& tree) {
  std::vector<std::string> out;
  for (const auto& [path, content] : tree.files) {
    if (path.find("/heads/") == std::string::npos) out.push_back(path);
  }
  return out;
}

TEST_F(BundleCommandsTest, ABundleIsABagWithTheFileTheReportAndTheProof) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  Settle();
  const auto made = Make("XA", {*ref});
  ASSERT_OK(made);
  EXPECT_EQ(Paths(TreeOf(*made)),
            (std::vector<std::string>{
                "README.txt", "bag-info.txt", "bagit.txt", "data/files/" + *ref + "/1-ledger.csv",
                "data/proof/bundle.pb", "data/proof/signature.txt", "data/provenance.jsonld",
                "data/report.html", "manifest-sha256.txt", "manifest-sha512.txt",
                "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"}));
}

TEST_F(BundleCommandsTest, EveryReaderOfTheItemSeesThatItWasExportedAndWhatFor) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  Settle();
  ASSERT_OK(Make("XB", {*ref}, false, "Trial in Borland, file 12/2026"));
  Settle();
  v1::ShowEvidenceRequest request;
  request.set_record(*ref);
  const auto shown = Call<v1::ShowEvidenceResponse>("XA", "EvidenceService/ShowEvidence", request);
  ASSERT_OK(shown);
  bool found = false;
  for (const v1::CustodyView& event : shown->record().custody()) {
    found = found || (event.kind() == "EXPORTED" && event.body() == "XB" &&
                      event.purpose() == "Trial in Borland, file 12/2026");
  }
  EXPECT_TRUE(found);
}

TEST_F(BundleCommandsTest, WithoutFilesOnlyTheirNamesAndHashesAreInIt) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  const auto made = Make("XA", {*ref}, /*without_files=*/true);
  ASSERT_OK(made);
  EXPECT_TRUE(made->files().empty());
  const Verdict verdict = Verify(TreeOf(*made), {Words()});
  EXPECT_TRUE(verdict.intact) << testing::PrintToString(verdict.refusals);
  EXPECT_NE(TreeOf(*made).files.at("data/report.html").find("not enclosed"), std::string::npos);
}

TEST_F(BundleCommandsTest, WhatABodyDoesNotReadItCannotExport) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  Settle();
  EXPECT_REFUSED(Make("XC", {*ref}), kNotFound, "");
}

TEST_F(BundleCommandsTest, APurposeIsAskedForAndNothingIsWrittenWithoutOne) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  EXPECT_REFUSED(Make("XA", {*ref}, false, ""), kInvalidArgument, "SCHEMA");
  EXPECT_REFUSED(Make("XA", {}), kInvalidArgument, "SCHEMA");
  v1::ShowHistoryRequest request;
  request.set_record(*ref);
  const auto history = Call<v1::ShowHistoryResponse>("XA", "RecordService/ShowHistory", request);
  ASSERT_OK(history);
  EXPECT_EQ(history->items_size(), 1);
}

TEST_F(BundleCommandsTest, TheSameRequestTwiceIsRecordedOnce) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  v1::MakeBundleRequest request;
  request.add_records(*ref);
  request.set_purpose("Trial in Corvia");
  request.set_idempotency_key("one click");
  ASSERT_OK(Call<v1::MakeBundleResponse>("XA", "BundleService/MakeBundle", request));
  const auto again = Call<v1::MakeBundleResponse>("XA", "BundleService/MakeBundle", request);
  ASSERT_OK(again);
  EXPECT_TRUE(Verify(TreeOf(*again), {Words()}).intact);
  v1::ShowEvidenceRequest show;
  show.set_record(*ref);
  const auto shown = Call<v1::ShowEvidenceResponse>("XA", "EvidenceService/ShowEvidence", show);
  ASSERT_OK(shown);
  int exported = 0;
  for (const v1::CustodyView& event : shown->record().custody()) {
    exported += event.kind() == "EXPORTED" ? 1 : 0;
  }
  EXPECT_EQ(exported, 1);
}

// The proof holds what belongs to the item and to the agreement, and nothing else that was written.
TEST_F(BundleCommandsTest, OtherItemsNotesAndTasksAreInItAsHashesAlone) {
  ASSERT_OK(Note("XA", "the informant is at Pier Nine", {"XB"}));
  const auto other = AddLedger({"XB"}, "diary.csv", "Diary of Pier Nine");
  ASSERT_OK(other);
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  Settle();
  const auto made = Make("XA", {*ref});
  ASSERT_OK(made);
  for (const auto& [path, content] : TreeOf(*made).files) {
    EXPECT_EQ(content.find("Pier Nine"), std::string::npos) << path;
    EXPECT_EQ(content.find("diary"), std::string::npos) << path;
  }
  const auto opened = OpenedBundle::Open(TreeOf(*made).files.at(std::string(kProofPath)),
                                         TreeOf(*made).files.at(std::string(kSignaturePath)));
  ASSERT_OK(opened);
  EXPECT_EQ((*opened)->model().size(), 1u);
}

}  // namespace
}  // namespace entente::bundle

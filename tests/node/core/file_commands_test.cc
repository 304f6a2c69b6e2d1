// What people see and say of files: how far they are, which come first, whether they still hold.
#include <string>
#include <vector>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class FileCommandsTest : public CoreTest {
 protected:
  // An item of XA for XB with one file; its reference.
  std::string Add(const std::string& name = "ledger.pdf", const std::string& text = "%PDF") {
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title(name);
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
    request.mutable_item()->set_measure("search of 3 March");
    request.add_audience("XB");
    const auto added = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request,
                                                     {world_.Upload(node("XA"), name, text)});
    EXPECT_OK(added);
    return added->record().ref();
  }
  std::vector<v1::FileProgress> Files(const std::string& code, bool missing_only = false) {
    v1::ListFilesRequest request;
    request.set_missing_only(missing_only);
    const auto list = Call<v1::ListFilesResponse>(code, "EvidenceService/ListFiles", request);
    EXPECT_OK(list);
    return {list->files().begin(), list->files().end()};
  }
  absl::StatusOr<v1::FetchFilesResponse> Say(v1::FileAction action, const std::string& ref,
                                             bool urgent = false, const std::string& name = "") {
    v1::FetchFilesRequest request;
    if (!ref.empty()) request.add_records(ref);
    request.set_action(action);
    request.set_urgent(urgent);
    request.set_name(name);
    return Call<v1::FetchFilesResponse>("XB", "EvidenceService/FetchFiles", request);
  }
  absl::StatusOr<v1::CheckFilesResponse> Check(const std::string& code, uint32_t percent = 0) {
    v1::CheckFilesRequest request;
    request.set_percent(percent);
    return Call<v1::CheckFilesResponse>(code, "EvidenceService/CheckFiles", request);
  }
};

TEST_F(FileCommandsTest, AFileIsListedWithItsItemAndWhereItIs) {
  const std::string ref = Add();
  Settle();
  const auto files = Files("XB");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].ref(), ref);
  EXPECT_EQ(files[0].file().name(), "ledger.pdf");
  EXPECT_EQ(files[0].file().state(), "here");
  EXPECT_TRUE(Files("XB", /*missing_only=*/true).empty());
  EXPECT_TRUE(Files("XC").empty());
}

TEST_F(FileCommandsTest, APausedFileIsNotFetchedUntilSomebodySaysSo) {
  const std::string ref = Add();
  for (int i = 0; i < 60'000 && Files("XB").empty(); ++i) world_.RunFor(absl::Milliseconds(1));
  ASSERT_EQ(Files("XB").size(), 1u);
  ASSERT_NE(Files("XB")[0].file().state(), "here");
  ASSERT_OK(Say(v1::FILE_ACTION_PAUSE, ref));
  Settle();
  EXPECT_EQ(Files("XB")[0].file().state(), "paused");
  const auto fetched = Say(v1::FILE_ACTION_FETCH, ref, /*urgent=*/true);
  ASSERT_OK(fetched);
  EXPECT_TRUE(fetched->files(0).urgent());
  Settle();
  EXPECT_EQ(Files("XB")[0].file().state(), "here");
}

TEST_F(FileCommandsTest, WhatIsNotThereIsNamed) {
  const std::string ref = Add();
  Settle();
  EXPECT_REFUSED(Say(v1::FILE_ACTION_FETCH, "").status(), kInvalidArgument, "SCHEMA");
  EXPECT_REFUSED(Say(v1::FILE_ACTION_FETCH, "E-000000").status(), kNotFound, "NOT_HERE");
  EXPECT_REFUSED(Say(v1::FILE_ACTION_FETCH, ref, false, "other.pdf").status(), kNotFound,
                 "NO_FILE");
  EXPECT_REFUSED(Check("XB", 101).status(), kInvalidArgument, "BAD_VALUE");
}

TEST_F(FileCommandsTest, ACheckSaysWhenItReadTheFileAgain) {
  Add();
  Settle();
  const auto begun = Check("XB");
  ASSERT_OK(begun);
  EXPECT_EQ(begun->begun(), 1u);
  Settle();
  const auto files = Files("XB");
  EXPECT_GT(files[0].checked(), 0);
  EXPECT_EQ(files[0].checked_percent(), 100u);
  EXPECT_EQ(files[0].check_total(), 0u);
}

TEST_F(FileCommandsTest, WhatIsDamagedHereComesAgainFromWhoHasIt) {
  Add();
  Settle();
  auto& chunks = node("XA").disk.blobs.begin()->second.chunks;
  const std::string good = chunks.begin()->second;
  chunks.begin()->second[5] ^= 1;
  ASSERT_OK(Check("XA"));
  world_.RunFor(absl::Milliseconds(1));
  EXPECT_NE(Files("XA")[0].file().state(), "here");
  EXPECT_EQ(Files("XA")[0].damaged_chunks(), 1u);
  Settle();
  EXPECT_EQ(Files("XA")[0].file().state(), "here");
  EXPECT_EQ(Files("XA")[0].damaged_chunks(), 0u);
  EXPECT_EQ(Files("XA")[0].checked_damaged(), 1u) << "what it found does not vanish when it mends";
  EXPECT_EQ(chunks.begin()->second, good);
}

}  // namespace
}  // namespace entente::core

// What the disk and the folder say: each finding is there when its cause is, and not otherwise.
#include "node/daemon/folder_doctor.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace entente::daemon {
namespace {

FolderFacts Healthy() {
  FolderFacts facts;
  facts.dir = "/srv/entente";
  facts.free_bytes = uint64_t{100} << 30;
  facts.reserve_bytes = uint64_t{64} << 20;
  facts.all_files = 1'000'000;
  facts.free_files = 900'000;
  return facts;
}

std::string Codes(const FolderFacts& facts) {
  std::string out;
  for (const v1::Finding& finding : ExamineFolder(facts)) {
    EXPECT_FALSE(finding.what().empty() || finding.why().empty() || finding.next().empty());
    out += (out.empty() ? "" : " ") + finding.code();
  }
  return out;
}

TEST(FolderDoctorTest, AHealthyFolderHasNoFindings) { EXPECT_EQ(Codes(Healthy()), ""); }

TEST(FolderDoctorTest, ADiskBelowTheReserveIsFullAndOneNearItIsLow) {
  FolderFacts facts = Healthy();
  facts.free_bytes = facts.reserve_bytes - 1;
  EXPECT_EQ(Codes(facts), "DISK_FULL");
  facts.free_bytes = uint64_t{1} << 30;
  EXPECT_EQ(Codes(facts), "DISK_LOW");
}

TEST(FolderDoctorTest, AVolumeOutOfFilesIsNamedAndOneThatDoesNotCountThemIsNot) {
  FolderFacts facts = Healthy();
  facts.free_files = 10;
  EXPECT_EQ(Codes(facts), "FILES_LOW");
  facts.free_files = facts.all_files = 0;
  EXPECT_EQ(Codes(facts), "");
}

TEST(FolderDoctorTest, AKeystoreThatOthersMayReadIsFoundInTheFolder) {
  const std::filesystem::path dir =
      std::filesystem::path(testing::TempDir()) / "folder_doctor_test";
  std::filesystem::create_directories(dir);
  chmod(dir.c_str(), 0700);
  std::ofstream(dir / "keystore") << "sealed";
  chmod((dir / "keystore").c_str(), 0600);
  auto facts = ReadFolderFacts(dir.string());
  ASSERT_TRUE(facts.ok());
  EXPECT_TRUE(facts->open_to_others.empty());
  chmod((dir / "keystore").c_str(), 0640);
  facts = ReadFolderFacts(dir.string());
  ASSERT_TRUE(facts.ok());
  facts->free_bytes = Healthy().free_bytes;
  facts->free_files = facts->all_files = 0;
  EXPECT_EQ(Codes(*facts), "FILE_OPEN");
  std::filesystem::remove_all(dir);
}

TEST(FolderDoctorTest, AFolderThatIsNotThereIsAFinding) {
  const auto findings = FolderFindings("/nowhere/at/all");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings.front().code(), "FOLDER");
}

}  // namespace
}  // namespace entente::daemon

// Files of a person's own machine: read as they are or not at all, written whole or not at all.
#include "node/cli/files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/node/store/store_test_util.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

class FilesTest : public testing::Test {
 protected:
  std::string ReadAll(FileSource& source) {
    std::string out;
    for (;;) {
      const auto piece = source.Next();
      EXPECT_OK(piece);
      if (!piece.ok() || piece->empty()) return out;
      out += *piece;
    }
  }
  store::TempDir dir_;
  const std::string path_ = dir_ / "ledger.pdf";
};

TEST_F(FilesTest, AFileIsReadWhole) {
  store::WriteRaw(path_, std::string(3 << 20, 'x'));
  auto source = FileSource::Open(path_);
  ASSERT_OK(source);
  EXPECT_EQ((*source)->name(), "ledger.pdf");
  EXPECT_EQ(ReadAll(**source).size(), size_t{3} << 20);
  EXPECT_OK((*source)->CheckUnchanged());
}

TEST_F(FilesTest, AFileThatChangesWhileItIsReadIsNotEvidence) {
  store::WriteRaw(path_, std::string(3 << 20, 'x'));
  auto source = FileSource::Open(path_);
  ASSERT_OK((*source)->Next());
  std::ofstream(path_, std::ios::app) << "more";
  ReadAll(**source);
  EXPECT_REFUSED((*source)->CheckUnchanged(), kAborted, "FILE_CHANGED");
  auto shrinking = FileSource::Open(path_);
  ASSERT_OK((*shrinking)->Next());
  std::filesystem::resize_file(path_, 10);
  EXPECT_REFUSED((*shrinking)->Next(), kAborted, "FILE_CHANGED");
}

TEST_F(FilesTest, FoldersPipesAndMissingFilesAreNamed) {
  EXPECT_REFUSED(FileSource::Open(dir_.path()), kInvalidArgument, "NOT_A_FILE");
  EXPECT_REFUSED(FileSource::Open("/dev/null"), kInvalidArgument, "NOT_A_FILE");
  EXPECT_REFUSED(FileSource::Open(dir_ / "nothing"), kNotFound, "nothing");
}

TEST_F(FilesTest, AWrittenFileAppearsOnceItsHashIsRight) {
  auto sink = FileSink::Open(path_, false);
  ASSERT_OK(sink);
  ASSERT_OK((*sink)->Write("content"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_OK((*sink)->Commit(7, crypto::Sha256("content").hex()));
  EXPECT_EQ(store::ReadRaw(path_), "content");
  EXPECT_REFUSED(FileSink::Open(path_, false), kAlreadyExists, "FILE_EXISTS");
}

TEST_F(FilesTest, AWrongHashOrAnAbandonedWriteLeavesNothing) {
  {
    auto sink = FileSink::Open(path_, false);
    ASSERT_OK((*sink)->Write("content"));
    EXPECT_REFUSED((*sink)->Commit(7, crypto::Sha256("another").hex()), kDataLoss, "WRONG_HASH");
  }
  { ASSERT_OK((*FileSink::Open(path_, false))->Write("half")); }
  EXPECT_TRUE(store::FilesBelow(dir_.path()).empty());
}

TEST_F(FilesTest, APlaceIsTakenBeforeWhatItWillHoldIsThere) {
  {
    const auto abandoned = NewFile::Make(path_, 0600, 4096);
    ASSERT_OK(abandoned);
    EXPECT_TRUE(std::filesystem::exists(path_));
    EXPECT_REFUSED(NewFile::Make(path_, 0600), kAlreadyExists, "FILE_EXISTS");
    EXPECT_TRUE(std::filesystem::exists(path_)) << "who came second takes nothing away";
  }
  EXPECT_TRUE(store::FilesBelow(dir_.path()).empty());
  const auto file = NewFile::Make(path_, 0600, 4096);
  ASSERT_OK(file);
  ASSERT_OK((*file)->Keep("content"));
  EXPECT_EQ(store::ReadRaw(path_), "content");
}

TEST_F(FilesTest, ANameThatIsTakenIsNotMetWithAFlagThatTheCommandLacks) {
  store::WriteRaw(path_, "before");
  EXPECT_REFUSED(WriteNew(path_, "after", 0600), kAlreadyExists, "Next: choose another name");
  EXPECT_FALSE(testing_support::IsRefused(WriteNew(path_, "after", 0600),
                                          absl::StatusCode::kAlreadyExists, "--force"));
  EXPECT_REFUSED(FileSink::Open(path_, false, "or say --force"), kAlreadyExists, "or say --force");
  EXPECT_EQ(store::ReadRaw(path_), "before");
}

}  // namespace
}  // namespace entente::cli

#include "node/store/keystore_file.h"

#include <sys/stat.h>

#include <string>

#include "gtest/gtest.h"
#include "node/store/file_io.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

class KeystoreFileTest : public testing::Test {
 protected:
  std::string Names() {
    std::string names;
    const auto listed = ListDir(dir_.path());
    EXPECT_OK(listed);
    for (const std::string& name : *listed) names += name + " ";
    return names;
  }

  TempDir dir_;
  const std::string path_ = dir_ / "keystore";
};

TEST_F(KeystoreFileTest, ReadsWhatWasWritten) {
  const std::string content("secret\0bytes", 12);
  ASSERT_OK(WriteSecretFile(path_, content, Overwrite::kRefuse));
  const auto read = ReadSecretFile(path_);
  ASSERT_OK(read);
  EXPECT_EQ(read->view(), content);
  EXPECT_EQ(Names(), "keystore ") << "no temporary file stays";
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(KeystoreFileTest, KeysAreNotOverwrittenByAccident) {
  ASSERT_OK(WriteSecretFile(path_, "first", Overwrite::kRefuse));
  EXPECT_TRUE(absl::IsAlreadyExists(WriteSecretFile(path_, "second", Overwrite::kRefuse)));
  EXPECT_EQ(ReadRaw(path_), "first");
  ASSERT_OK(WriteSecretFile(path_, "third", Overwrite::kReplace));
  EXPECT_EQ(ReadRaw(path_), "third");
  EXPECT_EQ(Names(), "keystore ");
}

TEST_F(KeystoreFileTest, FileThatOthersCanReachIsRefusedWithTheCure) {
  ASSERT_OK(WriteSecretFile(path_, "x", Overwrite::kRefuse));
  for (const mode_t mode : {0640u, 0604u, 0660u, 0644u, 0601u}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    const absl::Status status = ReadSecretFile(path_).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << std::oct << mode;
    EXPECT_NE(ToStd(status.message()).find("chmod 600"), std::string_view::npos);
  }
  ASSERT_EQ(chmod(path_.c_str(), 0400), 0);
  EXPECT_OK(ReadSecretFile(path_));
}

TEST_F(KeystoreFileTest, SizesAreBounded) {
  EXPECT_TRUE(absl::IsResourceExhausted(
      WriteSecretFile(path_, std::string(kSecretFileBytesMax + 1, 'x'), Overwrite::kRefuse)));
  EXPECT_EQ(Names(), "");
  ASSERT_OK(WriteSecretFile(path_, std::string(100, 'x'), Overwrite::kRefuse));
  EXPECT_OK(ReadSecretFile(path_, 100));
  EXPECT_TRUE(absl::IsResourceExhausted(ReadSecretFile(path_, 99).status()));
}

TEST_F(KeystoreFileTest, AbsentFilesAndFoldersAreTold) {
  EXPECT_TRUE(absl::IsNotFound(ReadSecretFile(path_).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecretFile(dir_.path()).status()));
  EXPECT_TRUE(absl::IsNotFound(WriteSecretFile(dir_ / "no/folder", "x", Overwrite::kRefuse)));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecretFile(path_).status())) << "and does not hang";
}

TEST_F(KeystoreFileTest, FailedWriteLeavesTheOldFileAlone) {
  ASSERT_OK(WriteSecretFile(path_, "old", Overwrite::kRefuse));
  {
    const FileSizeLimit full(10);
    EXPECT_TRUE(absl::IsResourceExhausted(
        WriteSecretFile(path_, std::string(100, 'n'), Overwrite::kReplace)));
  }
  EXPECT_EQ(ReadRaw(path_), "old");
  EXPECT_EQ(Names(), "keystore ");
}

TEST(FileIoTest, ErrorsNameTheFileAndTheKind) {
  EXPECT_TRUE(absl::IsResourceExhausted(ErrnoError(ENOSPC, "write", "/x/f")));
  EXPECT_TRUE(absl::IsResourceExhausted(ErrnoError(EDQUOT, "write", "/x/f")));
  EXPECT_TRUE(absl::IsDataLoss(ErrnoError(EIO, "sync", "/x/f")));
  EXPECT_TRUE(absl::IsFailedPrecondition(ErrnoError(EROFS, "open", "/x/f")));
  EXPECT_TRUE(absl::IsPermissionDenied(ErrnoError(EACCES, "open", "/x/f")));
  EXPECT_EQ(ToStd(ErrnoError(ENOENT, "open", "/x/f").message()),
            "cannot open /x/f: No such file or directory");
}

TEST(FileIoTest, ParentFoldersAreFound) {
  EXPECT_EQ(ParentDir("/a/b"), "/a");
  EXPECT_EQ(ParentDir("/a/b/"), "/a");
  EXPECT_EQ(ParentDir("/a"), "/");
  EXPECT_EQ(ParentDir("/"), "/");
  EXPECT_EQ(ParentDir("a"), ".");
  EXPECT_EQ(ParentDir("a//b"), "a");
}

TEST(FileIoTest, FoldersAreMadeWithTheirParents) {
  const TempDir dir;
  ASSERT_OK(MakeDirs(dir / "a/b/c"));
  ASSERT_OK(MakeDirs(dir / "a/b/c"));
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a/b/c"));
  WriteRaw(dir / "file", "x");
  EXPECT_FALSE(MakeDirs(dir / "file").ok());
  EXPECT_FALSE(MakeDirs(dir / "file/below").ok());
}

TEST(FileIoTest, ReserveIsKeptBack) {
  SpaceReserve reserve;
  reserve.bytes = 100;
  uint64_t free = 150;
  reserve.free_bytes = [&](const std::string&) { return absl::StatusOr<uint64_t>(free); };
  EXPECT_OK(reserve.Check("/", 50));
  EXPECT_TRUE(absl::IsResourceExhausted(reserve.Check("/", 51)));
  EXPECT_TRUE(absl::IsResourceExhausted(reserve.Check("/", UINT64_MAX)));
  free = 99;
  EXPECT_TRUE(absl::IsResourceExhausted(reserve.Check("/", 0)));
}

}  // namespace
}  // namespace entente::store

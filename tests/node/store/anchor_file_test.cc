#include "node/store/anchor_file.h"

#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

using sync::AnchorRecord;

constexpr size_t kHeader = 32;
constexpr size_t kRecord = 96;

AnchorRecord Record(char log, uint64_t size, char root = 'r') {
  return {*LogId::From(std::string(32, log)), 3, size, *Hash::From(std::string(32, root))};
}

class AnchorFileTest : public testing::Test {
 protected:
  std::unique_ptr<AnchorFile> Open() {
    auto opened = AnchorFile::Open(path_, entropy_);
    EXPECT_OK(opened);
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  absl::Status OpenStatus() { return AnchorFile::Open(path_, entropy_).status(); }
  void Append(AnchorFile& file, std::vector<AnchorRecord> records) {
    ASSERT_OK(file.Append(records));
  }
  uint64_t FileBytes() { return std::filesystem::file_size(path_); }

  TempDir dir_;
  SeededEntropy entropy_{1};
  const std::string path_ = dir_ / "anchor";
};

TEST_F(AnchorFileTest, KeepsTheHighestRecordOfEachLogAcrossRestarts) {
  auto file = Open();
  Append(*file, {Record('a', 1), Record('b', 5), Record('a', 7, 's')});
  Append(*file, {Record('b', 6)});
  const std::vector<AnchorRecord> expected = {Record('a', 7, 's'), Record('b', 6)};
  EXPECT_EQ(file->Load(), expected);
  file.reset();
  EXPECT_EQ(Open()->Load(), expected);
  EXPECT_EQ(FileBytes(), kHeader + 2 * kRecord) << "opening compacts";
}

// Design §6: a missing anchor means a new incarnation; only the first signed head may end that.
TEST_F(AnchorFileTest, StaysMissingUntilTheFirstRecord) {
  auto file = Open();
  EXPECT_TRUE(file->missing());
  EXPECT_TRUE(file->Load().empty());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(Open()->missing());
  Append(*file, {Record('a', 1)});
  EXPECT_FALSE(file->missing());
  EXPECT_FALSE(Open()->missing());
}

TEST_F(AnchorFileTest, CreateMakesAnEmptyAnchorOnce) {
  ASSERT_OK(AnchorFile::Create(path_, entropy_));
  EXPECT_FALSE(Open()->missing());
  EXPECT_TRUE(absl::IsAlreadyExists(AnchorFile::Create(path_, entropy_)));
}

TEST_F(AnchorFileTest, ReadingAloneChangesNothingOnDisk) {
  EXPECT_TRUE(absl::IsNotFound(AnchorFile::Read(path_).status()));
  EXPECT_FALSE(std::filesystem::exists(path_));
  auto file = Open();
  Append(*file, {Record('b', 5)});
  Append(*file, {Record('a', 1)});
  Append(*file, {Record('a', 7, 's')});
  file.reset();
  const std::string before = ReadRaw(path_) + "half a record";
  WriteRaw(path_, before);
  {
    const FileSizeLimit full(0);  // nor does it need room
    const auto records = AnchorFile::Read(path_);
    ASSERT_OK(records);
    EXPECT_EQ(*records, (std::vector<AnchorRecord>{Record('a', 7, 's'), Record('b', 5)}));
  }
  EXPECT_EQ(ReadRaw(path_), before);
  WriteRaw(path_, before.substr(1));
  EXPECT_TRUE(absl::IsDataLoss(AnchorFile::Read(path_).status()));
  EXPECT_EQ(FilesBelow(dir_.path()), std::vector<std::string>{path_});
}

TEST_F(AnchorFileTest, IsPrivate) {
  Append(*Open(), {Record('a', 1)});
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(AnchorFileTest, TornLastRecordIsDroppedAtEveryByte) {
  auto file = Open();
  Append(*file, {Record('a', 1)});
  Append(*file, {Record('b', 2)});
  Append(*file, {Record('a', 3)});
  file.reset();
  const std::string whole = ReadRaw(path_);
  ASSERT_EQ(whole.size(), kHeader + 3 * kRecord);
  for (size_t size = whole.size() - kRecord; size < whole.size(); ++size) {
    WriteRaw(path_, whole.substr(0, size));
    auto reopened = Open();
    ASSERT_NE(reopened, nullptr) << size;
    ASSERT_EQ(reopened->Load(), (std::vector<AnchorRecord>{Record('a', 1), Record('b', 2)}));
    Append(*reopened, {Record('a', 9)});
    ASSERT_EQ(Open()->Load(), (std::vector<AnchorRecord>{Record('a', 9), Record('b', 2)}));
  }
}

TEST_F(AnchorFileTest, EveryFlippedByteIsRefused) {
  auto file = Open();
  Append(*file, {Record('a', 1)});
  Append(*file, {Record('b', 2), Record('a', 3)});
  file.reset();
  const std::string whole = ReadRaw(path_);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    WriteRaw(path_, flipped);
    ASSERT_TRUE(absl::IsDataLoss(OpenStatus())) << "byte " << at;
  }
}

TEST_F(AnchorFileTest, RemovedOrReorderedRecordsAreRefused) {
  auto file = Open();
  for (const char log : {'a', 'b', 'c'}) Append(*file, {Record(log, 1)});
  file.reset();
  const std::string whole = ReadRaw(path_);
  const std::string header = whole.substr(0, kHeader);
  const auto record = [&](size_t i) { return whole.substr(kHeader + i * kRecord, kRecord); };
  WriteRaw(path_, header + record(0) + record(2));
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus()));
  WriteRaw(path_, header + record(1) + record(0) + record(2));
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus()));
  WriteRaw(path_, "");
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus()));
  WriteRaw(path_, header.substr(0, kHeader - 1));
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus()));
}

// The last line of defence against forking one's own log.
TEST_F(AnchorFileTest, AnotherRootAtTheSameSizeIsRefused) {
  auto file = Open();
  Append(*file, {Record('a', 4, 'x')});
  const std::vector<AnchorRecord> fork = {Record('b', 1), Record('a', 4, 'y')};
  EXPECT_TRUE(absl::IsFailedPrecondition(file->Append(fork)));
  EXPECT_EQ(file->Load(), (std::vector<AnchorRecord>{Record('a', 4, 'x')})) << "nothing written";
  Append(*file, {Record('a', 5, 'y')});
  const std::vector<AnchorRecord> within = {Record('c', 1, 'x'), Record('c', 1, 'y')};
  EXPECT_TRUE(absl::IsFailedPrecondition(file->Append(within)));
}

TEST_F(AnchorFileTest, NothingNewIsNotWritten) {
  auto file = Open();
  Append(*file, {Record('a', 4)});
  const uint64_t before = FileBytes();
  Append(*file, {Record('a', 4), Record('a', 2, 'z')});
  Append(*file, {});
  EXPECT_EQ(FileBytes(), before);
}

TEST_F(AnchorFileTest, CompactsItselfWhenItGrows) {
  auto file = Open();
  uint64_t largest = 0;
  std::vector<AnchorRecord> many;
  for (uint64_t size = 1; size <= 3000; ++size) {
    many.clear();
    for (char log = 'a'; log < 'e'; ++log) many.push_back(Record(log, size));
    Append(*file, many);
    largest = std::max(largest, FileBytes());
  }
  EXPECT_LE(largest, AnchorFile::kCompactBytes + many.size() * kRecord);
  EXPECT_LT(FileBytes(), AnchorFile::kCompactBytes);
  file.reset();
  EXPECT_EQ(Open()->Load(), many);
}

TEST_F(AnchorFileTest, FailedWriteIsFinal) {
  auto file = Open();
  Append(*file, {Record('a', 1)});
  const std::vector<AnchorRecord> next = {Record('a', 2)};
  {
    const FileSizeLimit full(kHeader + kRecord + 10);
    EXPECT_TRUE(absl::IsResourceExhausted(file->Append(next)));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(file->Append(next))) << "no second try on a torn file";
  file.reset();
  EXPECT_EQ(Open()->Load(), (std::vector<AnchorRecord>{Record('a', 1)}));
}

}  // namespace
}  // namespace entente::store

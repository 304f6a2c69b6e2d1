// What RocksKv promises beyond the contract: secrecy at rest, one owner, the right key, room.
#include "node/store/rocks_kv.h"

#include <memory>
#include <string>
#include <utility>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "node/store/store_dump.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

class RocksKvTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<RocksKv>> TryOpen(RocksKv::Options options = {}) {
    return RocksKv::Open(path_, key_, entropy_, std::move(options));
  }
  std::unique_ptr<RocksKv> Open() {
    auto opened = TryOpen();
    EXPECT_OK(opened);
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  static sync::WriteBatch OneRow(const std::string& key, const std::string& value) {
    sync::WriteBatch batch;
    batch.Put(key, value);
    return batch;
  }
  static std::string MustGet(const RocksKv& kv, std::string_view key) {
    const auto value = kv.Get(key);
    EXPECT_OK(value);
    return value.ok() && value->has_value() ? **value : "(absent)";
  }
  bool OnDisk(std::string_view needle) {
    for (const std::string& file : FilesBelow(path_)) {
      if (ReadRaw(file).find(needle) != std::string::npos) return true;
    }
    return false;
  }

  TempDir dir_;
  const std::string path_ = dir_ / "db";
  SeededEntropy entropy_{3};
  crypto::Secret32 key_ = KeyOf('k');
};

TEST_F(RocksKvTest, RowsSurviveRestarts) {
  ASSERT_OK(Open()->Commit(OneRow("a", "1")));
  auto kv = Open();
  EXPECT_EQ(MustGet(*kv, "a"), "1");
  EXPECT_EQ(kv->dropped_tail_bytes(), 0u);
  ASSERT_OK(kv->Compact("", "\xff"));
  kv.reset();
  EXPECT_EQ(MustGet(*Open(), "a"), "1");
}

TEST_F(RocksKvTest, SecondOpenIsRefusedInPlainWords) {
  auto kv = Open();
  const absl::Status second = TryOpen().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second));
  EXPECT_EQ(ToStd(second.message()), Cat("another entented is using ", path_));
  ASSERT_OK(kv->Commit(OneRow("a", "1")));
  kv.reset();
  EXPECT_EQ(MustGet(*Open(), "a"), "1");
}

TEST_F(RocksKvTest, AnotherStorageKeyIsRefused) {
  ASSERT_OK(Open()->Commit(OneRow("a", "1")));
  const absl::Status status = RocksKv::Open(path_, KeyOf('x'), entropy_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status.ToString();
  EXPECT_NE(ToStd(status.message()).find("storage key"), std::string_view::npos);
  EXPECT_EQ(MustGet(*Open(), "a"), "1");
}

TEST_F(RocksKvTest, AbsentStoreIsMadeOnlyWhenAsked) {
  RocksKv::Options options;
  options.create_if_missing = false;
  EXPECT_TRUE(absl::IsNotFound(TryOpen(options).status()));
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(absl::IsNotFound(RocksKv::OpenReadOnly(path_, key_, entropy_).status()));
}

// Design §8: a thief of the disk gets ciphertext, of keys as of values, in every kind of file.
TEST_F(RocksKvTest, NothingReadableIsOnDisk) {
  const std::string key = "KEYCANARY-0123456789";
  const std::string value = "VALUECANARY-0123456789";
  const std::string wal = "WALCANARY-0123456789";
  auto kv = Open();
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(kv->Commit(OneRow(Cat(key, std::to_string(i)), value)));
  }
  ASSERT_OK(kv->Compact("", "\xff"));
  ASSERT_OK(kv->Commit(OneRow(wal, wal)));
  for (const std::string& canary : {key, value, wal}) {
    EXPECT_FALSE(OnDisk(canary)) << canary;
    EXPECT_FALSE(OnDisk(canary.substr(0, 9))) << canary;
  }
  EXPECT_EQ(MustGet(*kv, Cat(key, "7")), value);
}

TEST_F(RocksKvTest, ErasedAndCompactedValueIsGoneFromTheFiles) {
  auto kv = Open();
  ASSERT_OK(kv->Commit(OneRow("a", std::string(5000, 'e'))));
  ASSERT_OK(kv->Commit(OneRow("b", "stays")));
  ASSERT_OK(kv->Compact("", "\xff"));
  const auto bytes = [&] {
    uint64_t sum = 0;
    for (const std::string& file : FilesBelow(path_)) {
      if (file.ends_with(".sst")) sum += std::filesystem::file_size(file);
    }
    return sum;
  };
  const uint64_t before = bytes();
  sync::WriteBatch erase;
  erase.Delete("a");
  ASSERT_OK(kv->Commit(erase));
  ASSERT_OK(kv->Compact("a", "b"));
  EXPECT_LT(bytes() + 4000, before);
  EXPECT_EQ(MustGet(*kv, "b"), "stays");
}

TEST_F(RocksKvTest, CommitKeepsTheReserveAndRecovers) {
  uint64_t free = uint64_t{65} << 20;
  RocksKv::Options options;
  options.reserve.free_bytes = [&](const std::string&) { return absl::StatusOr<uint64_t>(free); };
  auto opened = TryOpen(options);
  ASSERT_OK(opened);
  RocksKv& kv = **opened;
  ASSERT_OK(kv.Commit(OneRow("a", "1")));
  EXPECT_OK(kv.CheckSpace());

  free = (uint64_t{64} << 20) - 1;
  const absl::Status refused = kv.Commit(OneRow("b", "2"));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused.ToString();
  EXPECT_TRUE(absl::IsResourceExhausted(kv.CheckSpace()));
  EXPECT_EQ(MustGet(kv, "a"), "1") << "reads go on";
  EXPECT_EQ(MustGet(kv, "b"), "(absent)");

  free = uint64_t{65} << 20;
  EXPECT_OK(kv.Commit(OneRow("b", "2")));
  EXPECT_TRUE(absl::IsResourceExhausted(kv.Commit(OneRow("c", std::string(1 << 20, 'c')))));
}

// Reliability §1.5: after a failed write nothing is retried; the store must be opened again.
TEST_F(RocksKvTest, FailedCommitIsFinalUntilReopened) {
  auto kv = Open();
  ASSERT_OK(kv->Commit(OneRow("a", "1")));
  {
    const FileSizeLimit full(100'000);
    const absl::Status failed = kv->Commit(OneRow("b", std::string(300'000, 'b')));
    EXPECT_TRUE(absl::IsInternal(failed) || absl::IsDataLoss(failed)) << failed.ToString();
  }
  const absl::Status later = kv->Commit(OneRow("c", "3"));
  EXPECT_TRUE(absl::IsInternal(later) || absl::IsDataLoss(later)) << later.ToString();
  kv.reset();
  kv = Open();
  ASSERT_NE(kv, nullptr);
  EXPECT_EQ(MustGet(*kv, "a"), "1");
  EXPECT_EQ(MustGet(*kv, "c"), "(absent)");
  EXPECT_OK(kv->Commit(OneRow("c", "3")));
}

TEST_F(RocksKvTest, ReadOnlySeesAllAndWritesNothing) {
  ASSERT_OK(Open()->Commit(OneRow("a", "1")));
  std::map<std::string, std::string> before;
  for (const std::string& file : FilesBelow(path_)) before[file] = ReadRaw(file);
  auto reader = RocksKv::OpenReadOnly(path_, key_, entropy_);
  ASSERT_OK(reader);
  EXPECT_EQ(MustGet(**reader, "a"), "1");
  EXPECT_TRUE(absl::IsFailedPrecondition((*reader)->Commit(OneRow("b", "2"))));
  EXPECT_TRUE(absl::IsFailedPrecondition((*reader)->Compact("", "z")));
  reader->reset();
  std::map<std::string, std::string> after;
  for (const std::string& file : FilesBelow(path_)) after[file] = ReadRaw(file);
  EXPECT_EQ(before, after);
}

TEST_F(RocksKvTest, DumpPrintsEveryRowInOrder) {
  {
    auto kv = Open();
    ASSERT_OK(kv->Commit(OneRow("b", "2")));
    ASSERT_OK(kv->Commit(OneRow("a", std::string("\x00\xff", 2))));
  }
  std::string text;
  ASSERT_OK(DumpStore(path_, key_, entropy_, [&](std::string_view line) { text += line; }));
  EXPECT_EQ(text, "61 00ff\n62 32\n");
}

TEST_F(RocksKvTest, VerifyPassesOnASoundStore) {
  auto kv = Open();
  for (int i = 0; i < 100; ++i) ASSERT_OK(kv->Commit(OneRow(std::to_string(i), "v")));
  EXPECT_OK(kv->Verify());
  ASSERT_OK(kv->Compact("", "\xff"));
  EXPECT_OK(kv->Verify());
}

}  // namespace
}  // namespace entente::store

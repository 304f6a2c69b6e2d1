// A damaged database refuses, or reads right; it never opens with fewer rows in silence
// (reliability G6). An unfinished last write is no damage: it was never acknowledged.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "node/store/rocks_kv.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

constexpr int kTableRows = 400;
constexpr int kLogRows = 40;
constexpr uint64_t kPrefixBytes = 4096;

class RocksDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    auto kv = Open(sample_);
    ASSERT_OK(kv);
    for (int i = 0; i < kTableRows; ++i) PutRow(**kv, i);
    ASSERT_OK((*kv)->Compact("", "\xff"));
    for (int i = kTableRows; i < kTableRows + kLogRows; ++i) PutRow(**kv, i);
  }

  absl::StatusOr<std::unique_ptr<RocksKv>> Open(const std::string& dir) {
    return RocksKv::Open(dir, KeyOf('k'), entropy_);
  }
  void PutRow(RocksKv& kv, int i) {
    const std::string key = Cat("row", std::to_string(1000 + i));
    rows_[key] = entropy_.Bytes(80);
    sync::WriteBatch batch;
    batch.Put(key, rows_[key]);
    ASSERT_OK(kv.Commit(batch));
  }
  std::string FileEndingWith(const std::string& dir, std::string_view end) {
    std::string found;
    for (const std::string& file : FilesBelow(dir)) {
      if (file.ends_with(end) || file.find(end) != std::string::npos) found = file;
    }
    EXPECT_FALSE(found.empty()) << end;
    return found;
  }
  std::string Wal(const std::string& dir) { return FileEndingWith(dir, ".log"); }

  // "refused" when opening or reading says so, "right" when every row reads right; anything else is
  // the failure this test is for.
  std::string Outcome(const std::string& dir) {
    const auto kv = Open(dir);
    if (!kv.ok()) {
      const bool fitting = absl::IsDataLoss(kv.status()) || absl::IsInvalidArgument(kv.status());
      return fitting ? "refused" : Cat("refused oddly: ", kv.status().ToString());
    }
    bool refused = false;
    for (const auto& [key, value] : rows_) {
      const auto got = (*kv)->Get(key);
      refused = refused || absl::IsDataLoss(got.status());
      if (got.ok() && *got != value) return Cat("silent loss of ", key);
    }
    std::map<std::string, std::string> seen;
    const absl::Status scan =
        (*kv)->Scan("row", "rox", [&](std::string_view key, std::string_view value) {
          seen.emplace(key, value);
          return true;
        });
    if (scan.ok() && seen != rows_) return "silent loss in a scan";
    refused = refused || !scan.ok();
    if (refused && (*kv)->Verify().ok()) return "Verify does not see the damage";
    return refused ? "refused" : "right";
  }

  TempDir dir_;
  const std::string sample_ = dir_ / "sample";
  const std::string copy_ = dir_ / "copy";
  SeededEntropy entropy_{5};
  std::map<std::string, std::string> rows_;
};

TEST_F(RocksDamageTest, FlippedBitsAreNeverSilent) {
  int refused = 0;
  for (const std::string& file : FilesBelow(sample_)) {
    const uint64_t size = std::filesystem::file_size(file);
    if (size == 0) continue;  // lock files
    std::vector<uint64_t> offsets = {0, 20, size - 1};
    const uint64_t start = size > kPrefixBytes ? kPrefixBytes : 0;
    for (uint64_t i = 0; i < 9; ++i) offsets.push_back(start + (size - start) * i / 9);
    for (uint64_t i = 0; i < 7; ++i) offsets.push_back(std::min(size - 1, start + i));
    for (const uint64_t offset : offsets) {
      CopyDir(sample_, copy_);
      const std::string target = Cat(copy_, file.substr(sample_.size()));
      FlipBit(target, offset, static_cast<int>(offset % 8));
      const std::string outcome = Outcome(copy_);
      EXPECT_TRUE(outcome == "refused" || outcome == "right")
          << target << " " << offset << ": " << outcome;
      refused += outcome == "refused" ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 40) << "the flips must hit something";
}

TEST_F(RocksDamageTest, DamageInTheLogNamesTheFile) {
  const std::string wal = Wal(sample_);
  FlipBit(wal, kPrefixBytes + 500);
  const absl::Status status = Open(sample_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status.ToString();
  EXPECT_NE(ToStd(status.message()).find(wal), std::string_view::npos) << status.ToString();
}

// Power cut in mid-write: the batch that was not acknowledged goes, all others stay.
TEST_F(RocksDamageTest, UnfinishedLastWriteIsCutOffWherever) {
  const std::string whole = ReadRaw(Wal(sample_));
  const std::string last_key = rows_.rbegin()->first;
  const uint64_t before = [&] {  // where the last record begins: all records are alike
    const uint64_t records = whole.size() - kPrefixBytes;
    return whole.size() - records / kLogRows;
  }();
  rows_.erase(last_key);
  for (uint64_t size = whole.size() - 1; size > before; size -= 11) {
    CopyDir(sample_, copy_);
    WriteRaw(Wal(copy_), whole.substr(0, size));
    auto kv = Open(copy_);
    ASSERT_OK(kv);
    EXPECT_GT((*kv)->dropped_tail_bytes(), 0u);
    EXPECT_FALSE((*(*kv)->Get(last_key)).has_value());
    kv->reset();
    ASSERT_EQ(Outcome(copy_), "right") << size;
    EXPECT_EQ((*Open(copy_))->dropped_tail_bytes(), 0u) << "reported once";
  }
}

TEST_F(RocksDamageTest, ReadingOnlyPassesOverAnUnfinishedWrite) {
  const std::string whole = ReadRaw(Wal(sample_));
  WriteRaw(Wal(sample_), whole.substr(0, whole.size() - 30));
  const auto kv = RocksKv::OpenReadOnly(sample_, KeyOf('k'), entropy_);
  ASSERT_OK(kv);
  EXPECT_GT((*kv)->dropped_tail_bytes(), 0u);
  int seen = 0;
  ASSERT_OK((*kv)->VisitAll([&](std::string_view, std::string_view) { return ++seen > 0; }));
  EXPECT_EQ(seen, kTableRows + kLogRows - 1);
  EXPECT_EQ(ReadRaw(Wal(sample_)).size(), whole.size() - 30) << "nothing was cut";
}

// A log file that was just made and has not even its prefix yet.
TEST_F(RocksDamageTest, HalfMadeLogIsNoDamage) {
  const std::string wal = Wal(sample_);
  const std::string next = Cat(sample_, "/999990.log");
  WriteRaw(next, std::string(1000, '\0'));
  ASSERT_EQ(Outcome(sample_), "right");
  EXPECT_FALSE(std::filesystem::exists(wal)) << "recovered into a table";
}

TEST_F(RocksDamageTest, MissingFilesAreNeverAFreshStart) {
  for (const std::string_view name : {"CURRENT", "MANIFEST-", ".sst", "STORE"}) {
    CopyDir(sample_, copy_);
    std::filesystem::remove(FileEndingWith(copy_, name));
    EXPECT_EQ(Outcome(copy_), "refused") << name;
  }
  CopyDir(sample_, copy_);
  for (const std::string& file : FilesBelow(copy_)) {
    if (!file.ends_with("/STORE")) std::filesystem::remove(file);
  }
  EXPECT_EQ(Outcome(copy_), "refused") << "only the marker is left";
}

TEST_F(RocksDamageTest, TruncatedTablesAreRefused) {
  for (const double part : {0.1, 0.5, 0.99}) {
    CopyDir(sample_, copy_);
    const std::string table = FileEndingWith(copy_, ".sst");
    const std::string bytes = ReadRaw(table);
    WriteRaw(table, bytes.substr(0, static_cast<size_t>(static_cast<double>(bytes.size()) * part)));
    EXPECT_EQ(Outcome(copy_), "refused") << part;
  }
}

}  // namespace
}  // namespace entente::store

#include "node/store/blob_map.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

constexpr size_t kHeader = 80;
constexpr size_t kSlot = 48;

BlobMap::Slot SlotOf(uint64_t index, uint32_t bytes = 1040) {
  return {index, bytes, crypto::Sha256(std::to_string(index))};
}

class BlobMapTest : public testing::Test {
 protected:
  std::unique_ptr<BlobMap> Create(uint64_t count) {
    auto map = BlobMap::Create(path_, blob_, count, 1040);
    EXPECT_OK(map);
    return std::move(*map);
  }
  std::unique_ptr<BlobMap> Open() {
    auto map = BlobMap::Open(path_, blob_);
    EXPECT_OK(map);
    return std::move(*map);
  }
  void Put(BlobMap& map, const std::vector<BlobMap::Slot>& slots) { ASSERT_OK(map.Put(slots)); }

  TempDir dir_;
  const std::string path_ = dir_ / "blob.map";
  const BlobId blob_ = *BlobId::From(std::string(32, 'b'));
};

TEST_F(BlobMapTest, RemembersChunksAcrossReopen) {
  auto map = Create(10);
  Put(*map, {SlotOf(7), SlotOf(2), SlotOf(9, 33)});
  Put(*map, {SlotOf(2)});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(map->chunks_present(), 3u);
    EXPECT_EQ(map->bytes_present(), 1040u * 2 + 33);
    EXPECT_EQ(map->last_bytes(), 33u);
    EXPECT_EQ(map->Missing(0, 99), (std::vector<uint64_t>{0, 1, 3, 4, 5, 6, 8}));
    EXPECT_EQ(map->Missing(4, 2), (std::vector<uint64_t>{4, 5}));
    EXPECT_FALSE(map->full());
    map = Open();
  }
  EXPECT_EQ(map->count(), 10u);
  EXPECT_EQ(map->stride(), 1040u);
}

TEST_F(BlobMapTest, HugeBlobsCostWhatIsPresent) {
  auto map = Create(uint64_t{1} << 32);
  Put(*map, {SlotOf(0), SlotOf(5'000'000)});
  map = Open();
  EXPECT_TRUE(map->Present(5'000'000));
  EXPECT_FALSE(map->Present((uint64_t{1} << 32) - 1));
  EXPECT_EQ(map->Missing(4'999'999, 2), (std::vector<uint64_t>{4'999'999, 5'000'001}));
}

// Whatever a crash does to a slot costs that chunk and no other.
TEST_F(BlobMapTest, TornMapLosesOnlyWhatWasTorn) {
  auto map = Create(4);
  Put(*map, {SlotOf(0), SlotOf(1), SlotOf(2), SlotOf(3)});
  const std::string whole = ReadRaw(path_);
  ASSERT_EQ(whole.size(), kHeader + 4 * kSlot);
  for (size_t size = kHeader; size < whole.size(); ++size) {
    WriteRaw(path_, whole.substr(0, size));
    ASSERT_EQ(Open()->chunks_present(), (size - kHeader) / kSlot) << size;
  }
  for (size_t at = kHeader; at < whole.size(); ++at) {
    WriteRaw(path_, whole);
    FlipBit(path_, at, 3);
    map = Open();
    ASSERT_EQ(map->Missing(0, 9), (std::vector<uint64_t>{(at - kHeader) / kSlot})) << at;
  }
}

TEST_F(BlobMapTest, DamagedHeaderIsTold) {
  auto map = Create(4);
  Put(*map, {SlotOf(0)});
  const std::string whole = ReadRaw(path_);
  for (size_t at = 0; at < kHeader; ++at) {
    WriteRaw(path_, whole);
    FlipBit(path_, at);
    ASSERT_TRUE(absl::IsDataLoss(BlobMap::Open(path_, blob_).status())) << at;
    WriteRaw(path_, whole.substr(0, at));
    ASSERT_TRUE(absl::IsDataLoss(BlobMap::Open(path_, blob_).status())) << at;
  }
  WriteRaw(path_, whole);
  EXPECT_TRUE(absl::IsDataLoss(BlobMap::Open(path_, BlobId()).status()));
  EXPECT_TRUE(absl::IsNotFound(BlobMap::Open(dir_ / "none", blob_).status()));
}

TEST_F(BlobMapTest, SlotMovedToAnotherPlaceDoesNotCount) {
  auto map = Create(4);
  Put(*map, {SlotOf(0)});
  std::string bytes = ReadRaw(path_);
  bytes += bytes.substr(kHeader, kSlot);
  WriteRaw(path_, bytes);
  EXPECT_EQ(Open()->chunks_present(), 1u);
}

}  // namespace
}  // namespace entente::store

// Damaged chunk files alarm, never spread, and heal from another holder; lost sidecars are rebuilt.
#include "tests/node/store/blob_test_util.h"

namespace entente::store {
namespace {

class BlobDamageTest : public BlobTest {
 protected:
  static constexpr uint64_t kStride = kChunk + 16;

  void SetUp() override {
    store_ = Open(here_);
    file_ = Add(*store_, Content(9 * kChunk + 100));
    blob_ = IdOf(file_);
    sent_ = ChunksOf(*store_, file_);
    data_ = BlobPath(here_, blob_, ".blob");
    tree_ = BlobPath(here_, blob_, ".tree");
  }

  std::unique_ptr<BlobStore> store_;
  v1::FileRef file_;
  BlobId blob_;
  Parcelled sent_;
  std::string data_;
  std::string tree_;
};

// A node never hands out a chunk that does not fit, and never blames the author for its own disk.
TEST_F(BlobDamageTest, FlippedByteIsFoundAndHealed) {
  FlipBit(data_, 4 * kStride + 33);
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadChunk(blob_, 4).status()));
  EXPECT_OK(store_->ReadChunk(blob_, 3));
  EXPECT_TRUE(absl::IsDataLoss(ReadAll(*store_, file_).status()));
  const absl::Status verified = store_->VerifyBlob(file_);
  EXPECT_TRUE(absl::IsFailedPrecondition(verified)) << verified.ToString();
  EXPECT_EQ(store_->Scrub(blob_).value(), (std::vector<uint64_t>{4}));
  for (const BlobStore::ChunkIn& chunk : sent_.chunks) {
    ASSERT_OK(store_->WriteChunk(blob_, chunk));
  }
  EXPECT_OK(store_->VerifyBlob(file_));
  EXPECT_TRUE(store_->Scrub(blob_)->empty());
}

TEST_F(BlobDamageTest, TruncatedBlobIsFoundAndHealed) {
  const std::string whole = ReadRaw(data_);
  WriteRaw(data_, whole.substr(0, 6 * kStride + 10));
  EXPECT_OK(store_->ReadChunk(blob_, 5));
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadChunk(blob_, 6).status()));
  EXPECT_TRUE(absl::IsDataLoss(store_->OpenReader(file_).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->VerifyBlob(file_)));
  EXPECT_EQ(store_->Scrub(blob_).value(), (std::vector<uint64_t>{6, 7, 8, 9}));
  for (const absl::Status& status : store_->WriteChunks(blob_, sent_.chunks)) EXPECT_OK(status);
  EXPECT_TRUE(ReadRaw(data_) == whole);
  EXPECT_OK(store_->VerifyBlob(file_));
}

TEST_F(BlobDamageTest, LostOrTruncatedTreeIsRebuilt) {
  const std::string whole = ReadRaw(tree_);
  for (const size_t size : {size_t{0}, size_t{50}, size_t{80}, whole.size() - 1}) {
    WriteRaw(tree_, whole.substr(0, size));
    EXPECT_OK(store_->ReadChunk(blob_, 7));
    EXPECT_TRUE(ReadRaw(tree_) == whole) << size;
  }
  std::filesystem::remove(tree_);
  EXPECT_EQ(store_->GetState(blob_)->chunk_count, file_.chunk_count());
  EXPECT_TRUE(ReadRaw(tree_) == whole);
}

TEST_F(BlobDamageTest, FlippedTreeNodeIsMendedByScrubbing) {
  const std::string whole = ReadRaw(tree_);
  for (size_t at = 80; at < whole.size(); at += 32) {
    FlipBit(tree_, at);
    const auto damaged = store_->Scrub(blob_);
    ASSERT_OK(damaged);
    EXPECT_TRUE(damaged->empty()) << "the chunks are sound";
    EXPECT_TRUE(ReadRaw(tree_) == whole) << at;
  }
}

// Otherwise a sound file would be taken for damaged, and its holder would be without it.
TEST_F(BlobDamageTest, FlippedTreeNodeIsMendedByReading) {
  const std::string whole = ReadRaw(tree_);
  for (size_t at = 80; at < whole.size(); at += 32) {
    FlipBit(tree_, at);
    for (uint64_t i = 0; i < file_.chunk_count(); ++i) EXPECT_OK(store_->ReadChunk(blob_, i));
    EXPECT_TRUE(ReadRaw(tree_) == whole) << at;
  }
}

TEST_F(BlobDamageTest, ADamagedChunkUnderADamagedTreeIsFoundByReading) {
  FlipBit(data_, 4 * kStride + 33);
  FlipBit(tree_, 80);  // the first leaf
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadChunk(blob_, 4).status()));
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadChunk(blob_, 1).status()));  // proved by the first leaf
  EXPECT_OK(store_->ReadChunk(blob_, 0));
  for (const absl::Status& status : store_->WriteChunks(blob_, sent_.chunks)) EXPECT_OK(status);
  for (uint64_t i = 0; i < file_.chunk_count(); ++i) EXPECT_OK(store_->ReadChunk(blob_, i));
}

TEST_F(BlobDamageTest, TreeAndDataBothDamagedStillHeal) {
  FlipBit(data_, 2 * kStride);
  std::filesystem::remove(tree_);
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadChunk(blob_, 0).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->VerifyBlob(file_)));
  EXPECT_TRUE(FilesBelow(here_ + "/tmp").empty());
  for (const absl::Status& status : store_->WriteChunks(blob_, sent_.chunks)) EXPECT_OK(status);
  EXPECT_OK(store_->VerifyBlob(file_));
}

// What the author sealed under the right id is not what its entry promises.
TEST_F(BlobDamageTest, BrokenPromisesAreTheAuthors) {
  const auto verdict = [&](const std::function<void(v1::FileRef&)>& change) {
    v1::FileRef file = file_;
    change(file);
    return store_->VerifyBlob(file).code();
  };
  using enum absl::StatusCode;
  EXPECT_EQ(verdict([](v1::FileRef&) {}), kOk);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.mutable_plain_sha256()->at(0) ^= 1; }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.mutable_file_key()->at(0) ^= 1; }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.mutable_commit()->at(0) ^= 1; }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.set_plain_size(f.plain_size() - 1); }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.set_plain_size(UINT64_MAX); }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.set_chunk_count(f.chunk_count() + 1); }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.set_chunk_bytes(512); }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.set_chunk_bytes(0); }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.clear_file_key(); }), kDataLoss);
  EXPECT_EQ(verdict([](v1::FileRef& f) { f.clear_blob_id(); }), kInvalidArgument);
}

// ---- interrupted transfers

class BlobTransferDamageTest : public BlobDamageTest {
 protected:
  void SetUp() override {
    BlobDamageTest::SetUp();
    there_store_ = Open(there_);
    for (size_t i = 0; i < 6; ++i) ASSERT_OK(there_store_->WriteChunk(blob_, sent_.chunks[i]));
    map_ = BlobPath(there_, blob_, ".map");
    part_ = BlobPath(there_, blob_, ".part");
  }
  void Reopen() {
    there_store_.reset();
    there_store_ = Open(there_);
  }
  std::vector<uint64_t> Missing() {
    const auto missing = there_store_->Missing(blob_, file_.chunk_count(), 0, 99);
    EXPECT_OK(missing);
    return *missing;
  }
  void FetchMissing() {
    for (const uint64_t index : Missing()) {
      ASSERT_OK(there_store_->WriteChunk(blob_, sent_.chunks[index]));
    }
    EXPECT_OK(there_store_->VerifyBlob(file_));
  }

  std::unique_ptr<BlobStore> there_store_;
  std::string map_;
  std::string part_;
};

TEST_F(BlobTransferDamageTest, TornMapCostsOnlyTheTornChunks) {
  const std::string whole = ReadRaw(map_);
  WriteRaw(map_, whole.substr(0, whole.size() - 10));
  Reopen();
  EXPECT_EQ(Missing(), (std::vector<uint64_t>{5, 6, 7, 8, 9}));
  FetchMissing();
}

TEST_F(BlobTransferDamageTest, LostMapMeansStartingOver) {
  for (const std::string& bytes :
       {std::string(), ReadRaw(map_).substr(0, 79), std::string(80, 'x')}) {
    WriteRaw(map_, bytes);
    Reopen();
    EXPECT_EQ(Missing().size(), 10u);
  }
  FetchMissing();
}

TEST_F(BlobTransferDamageTest, LostDataMeansStartingOver) {
  std::filesystem::remove(part_);
  Reopen();
  EXPECT_EQ(Missing().size(), 10u);
  FetchMissing();
}

// Dies after the last chunk's slot is written and before the blob is in place.
TEST_F(BlobTransferDamageTest, InterruptedCompletionIsTakenUpAgain) {
  const TempDir crash;
  for (size_t i = 6; i < 9; ++i) ASSERT_OK(there_store_->WriteChunk(blob_, sent_.chunks[i]));
  const std::string before = ReadRaw(map_);
  ASSERT_OK(there_store_->WriteChunk(blob_, sent_.chunks[9]));
  ASSERT_TRUE(there_store_->Has(blob_));
  // Put the clock back: data as .part, and a full map, which a map of another store gives.
  std::filesystem::rename(BlobPath(there_, blob_, ".blob"), part_);
  auto map = [&] {
    WriteRaw(map_, before);
    return BlobMap::Open(map_, blob_);
  }();
  ASSERT_OK(map);
  const std::vector<BlobMap::Slot> last = {{9, static_cast<uint32_t>(sent_.chunks[9].sealed.size()),
                                            crypto::ChunkLeaf(sent_.chunks[9].sealed)}};
  ASSERT_OK((*map)->Put(last));
  Reopen();
  EXPECT_FALSE(there_store_->Has(blob_));
  EXPECT_TRUE(Missing().empty());
  EXPECT_TRUE(there_store_->Has(blob_));
  EXPECT_OK(there_store_->VerifyBlob(file_));
  EXPECT_FALSE(std::filesystem::exists(map_));
}

TEST_F(BlobTransferDamageTest, FullVolumeRefusesTheChunkAndKeepsTheRest) {
  {
    const FileSizeLimit full(6 * kStride + 100);
    EXPECT_TRUE(absl::IsResourceExhausted(there_store_->WriteChunk(blob_, sent_.chunks[6])));
  }
  EXPECT_EQ(Missing(), (std::vector<uint64_t>{6, 7, 8, 9}));
  Reopen();
  EXPECT_EQ(Missing(), (std::vector<uint64_t>{6, 7, 8, 9}));
  FetchMissing();
}

TEST_F(BlobTransferDamageTest, FirstChunkOnAFullVolumeLeavesNothing) {
  uint64_t free = 1 << 30;
  reserve_.free_bytes = [&](const std::string&) { return absl::StatusOr<uint64_t>(free); };
  const std::string empty = dir_ / "empty";
  auto store = Open(empty);
  free = 1000;
  EXPECT_TRUE(absl::IsResourceExhausted(store->WriteChunk(blob_, sent_.chunks[0])));
  EXPECT_TRUE(FilesBelow(empty).empty());
  free = 1 << 30;
  EXPECT_OK(store->WriteChunk(blob_, sent_.chunks[0]));
}

}  // namespace
}  // namespace entente::store

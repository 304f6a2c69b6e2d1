// Slow work on files, done by several threads, each job answered once.
#include "node/driver/file_pool.h"

#include <set>
#include <string>
#include <variant>

#include "tests/node/store/blob_test_util.h"
#include "tests/support/event_queue.h"

namespace entente::driver {
namespace {

class FilePoolTest : public store::BlobTest {
 protected:
  FilePool::Post Collect() {
    return [this](sync::Input input) { results_.Push(std::move(input)); };
  }
  const PartyId peer_ = *PartyId::From(std::string(32, 'p'));
  testing_support::EventQueue<sync::Input> results_;
};

TEST_F(FilePoolTest, CarriesAFileFromOneStoreToAnotherChunkByChunk) {
  const auto from = Open(dir_ / "from"), to = Open(dir_ / "to");
  const v1::FileRef file = Add(*from, Content(40 * kChunk + 5));
  const BlobId blob = IdOf(file);
  FilePool reader(*from, 3, Collect());
  for (uint64_t i = 0; i < file.chunk_count(); ++i) {
    reader.Submit(sync::ReadChunkJob{blob, i, peer_});
  }
  testing_support::EventQueue<sync::Input> written;
  FilePool writer(*to, 3, [&](sync::Input input) { written.Push(std::move(input)); });
  for (uint64_t i = 0; i < file.chunk_count(); ++i) {
    const auto result = results_.Pop();
    ASSERT_TRUE(result.has_value());
    const auto& read = std::get<sync::ChunkRead>(*result);
    ASSERT_OK(read.status);
    writer.Submit(sync::WriteChunkJob{blob, read.index, read.count, read.sealed, read.path, peer_});
  }
  std::set<uint64_t> kept;
  for (uint64_t i = 0; i < file.chunk_count(); ++i) {
    const auto result = written.Pop();
    ASSERT_TRUE(result.has_value());
    EXPECT_OK(std::get<sync::ChunkWritten>(*result).status);
    kept.insert(std::get<sync::ChunkWritten>(*result).index);
  }
  EXPECT_EQ(kept.size(), file.chunk_count());
  writer.Submit(sync::VerifyBlobJob{file});
  EXPECT_OK(std::get<sync::BlobVerified>(*written.Pop()).status);
}

TEST_F(FilePoolTest, AChunkOfAnotherFileIsRefusedAndSaidSo) {
  const auto store = Open(dir_ / "one");
  FilePool pool(*store, 2, Collect());
  pool.Submit(sync::WriteChunkJob{BlobId(), 0, 1, "not a chunk", {}, peer_});
  EXPECT_REFUSED(std::get<sync::ChunkWritten>(*results_.Pop()).status, kDataLoss, "");
  pool.Submit(sync::ReadChunkJob{BlobId(), 0, peer_});
  EXPECT_REFUSED(std::get<sync::ChunkRead>(*results_.Pop()).status, kNotFound, "");
}

TEST_F(FilePoolTest, ACheckNamesWhatIsNoLongerWhatItWas) {
  const auto store = Open(dir_ / "one");
  const v1::FileRef file = Add(*store, Content(9 * kChunk + 5));
  const BlobId blob = IdOf(file);
  store::FlipBit(BlobPath(dir_ / "one", blob, ".blob"), 4 * (kChunk + 16) + 33);
  FilePool pool(*store, 2, Collect());
  pool.Submit(sync::CheckChunksJob{blob, {0, 3, 4, 9}});
  auto checked = std::get<sync::ChunksChecked>(*results_.Pop());
  EXPECT_OK(checked.status);
  EXPECT_EQ(checked.blob, blob);
  EXPECT_EQ(checked.checked, 4u);
  EXPECT_EQ(checked.damaged, (std::vector<uint64_t>{4}));
  pool.Submit(sync::CheckChunksJob{BlobId(), {0}});
  checked = std::get<sync::ChunksChecked>(*results_.Pop());
  EXPECT_REFUSED(checked.status, kNotFound, "");
  EXPECT_TRUE(checked.damaged.empty());
}

TEST_F(FilePoolTest, EndsWithJobsStillWaiting) {
  const auto store = Open(dir_ / "one");
  FilePool pool(*store, 2, Collect());
  for (uint64_t i = 0; i < 200; ++i) pool.Submit(sync::ReadChunkJob{BlobId(), i, peer_});
}

}  // namespace
}  // namespace entente::driver

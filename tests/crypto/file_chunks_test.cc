// Files in sealed chunks: whole, in order, of the promised length, or not at all.
#include "crypto/file_chunks.h"

#include <string>
#include <vector>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

constexpr uint32_t kSmallChunk = 1000;

class FileChunksTest : public testing::Test {
 protected:
  std::vector<std::string> SealAll(const std::string& content) {
    const FileSealer sealer(key_, content.size(), kSmallChunk);
    commit_ = sealer.commit().str();
    std::vector<std::string> out;
    for (uint64_t i = 0; i < sealer.chunk_count(); ++i) {
      auto chunk =
          sealer.SealChunk(i, std::string_view(content).substr(i * kSmallChunk, kSmallChunk));
      EXPECT_OK(chunk);
      EXPECT_EQ(chunk->size(), sealer.SealedChunkSize(i));
      out.push_back(*chunk);
    }
    return out;
  }
  FileOpener Opener(uint64_t size) { return *FileOpener::Create(key_, size, kSmallChunk, commit_); }

  SeededEntropy entropy_{4};
  const Secret32 key_ = entropy_.Draw<Secret32>();
  std::string commit_;
};

TEST_F(FileChunksTest, EveryLengthAroundAChunkBorderComesBackWhole) {
  for (const size_t size : {0, 1, 999, 1000, 1001, 1999, 2000, 2001, 5500}) {
    const std::string content = entropy_.Bytes(size);
    const std::vector<std::string> chunks = SealAll(content);
    std::string back;
    for (size_t i = 0; i < chunks.size(); ++i) back += *Opener(size).OpenChunk(i, chunks[i]);
    EXPECT_EQ(back, content) << size;
  }
}

TEST_F(FileChunksTest, AnEmptyFileHasOneChunk) { EXPECT_EQ(SealAll("").size(), 1u); }

TEST_F(FileChunksTest, ChunksCannotBeSwappedCutOrExtended) {
  const std::string content = entropy_.Bytes(3 * kSmallChunk);
  const std::vector<std::string> chunks = SealAll(content);
  const FileOpener opener = Opener(content.size());
  EXPECT_REFUSED(opener.OpenChunk(0, chunks[1]), kDataLoss, "");
  EXPECT_REFUSED(opener.OpenChunk(1, chunks[1].substr(1)), kDataLoss, "");
  // A file cut to two chunks: its second is not marked as the last.
  const auto shorter = FileOpener::Create(key_, 2 * kSmallChunk, kSmallChunk, commit_);
  EXPECT_REFUSED(shorter, kDataLoss, "");
  std::string altered = chunks[2];
  altered[5] ^= 1;
  EXPECT_REFUSED(opener.OpenChunk(2, altered), kDataLoss, "");
}

TEST_F(FileChunksTest, AnotherFilesKeyIsToldBeforeAnythingIsOpened) {
  SealAll("content");
  EXPECT_REFUSED(FileOpener::Create(entropy_.Draw<Secret32>(), 7, kSmallChunk, commit_), kDataLoss,
                 "");
  EXPECT_REFUSED(FileOpener::Create(key_, 7, 0, commit_), kInvalidArgument, "");
  EXPECT_REFUSED(FileOpener::Create(key_, 7, kChunkBytesMax + 1, commit_), kInvalidArgument, "");
}

TEST_F(FileChunksTest, TheLastChunkHidesTheLengthOfASmallFile) {
  const ChunkLayout one{900, kChunkBytes}, other{925, kChunkBytes};
  EXPECT_EQ(one.SealedSize(0), other.SealedSize(0));
}

TEST_F(FileChunksTest, AChunkOfTheWrongLengthIsNotSealed) {
  const FileSealer sealer(key_, 1500, kSmallChunk);
  EXPECT_REFUSED(sealer.SealChunk(0, "short"), kInvalidArgument, "");
  EXPECT_REFUSED(sealer.SealChunk(1, std::string(501, 'x')), kInvalidArgument, "");
}

}  // namespace
}  // namespace entente::crypto

// Files in, chunks out, chunks in, files out.
#include "node/store/blob_store.h"

#include <atomic>
#include <thread>

#include "tests/node/store/blob_test_util.h"

namespace entente::store {
namespace {

class BlobStoreTest : public BlobTest {};

TEST_F(BlobStoreTest, FilesOfEverySizeComeBack) {
  auto store = Open(here_);
  for (const uint64_t size :
       {uint64_t{0}, uint64_t{1}, uint64_t{kChunk - 1}, uint64_t{kChunk}, uint64_t{kChunk + 1},
        uint64_t{4 * kChunk}, uint64_t{9 * kChunk + 5}}) {
    const std::string content = Content(size);
    const v1::FileRef file = Add(*store, content);
    EXPECT_EQ(file.plain_size(), size);
    EXPECT_EQ(file.chunk_count(), std::max<uint64_t>(1, (size + kChunk - 1) / kChunk));
    EXPECT_EQ(file.plain_sha256(), crypto::Sha256(content).view());
    EXPECT_EQ(file.chunk_bytes(), kChunk);
    const auto back = ReadAll(*store, file);
    ASSERT_OK(back);
    EXPECT_TRUE(*back == content) << size;
    EXPECT_OK(store->VerifyBlob(file)) << size;
    EXPECT_TRUE(store->Has(IdOf(file)));
    const auto state = store->GetState(IdOf(file));
    ASSERT_OK(state);
    EXPECT_TRUE(state->complete);
    EXPECT_EQ(state->bytes_present,
              std::filesystem::file_size(BlobPath(here_, IdOf(file), ".blob")));
  }
}

TEST_F(BlobStoreTest, TheSameFileTwiceHasTwoKeysAndTwoIds) {
  auto store = Open(here_);
  const v1::FileRef a = Add(*store, "the same");
  const v1::FileRef b = Add(*store, "the same");
  EXPECT_NE(a.file_key(), b.file_key());
  EXPECT_NE(a.blob_id(), b.blob_id());
  EXPECT_EQ(a.plain_sha256(), b.plain_sha256());
}

TEST_F(BlobStoreTest, PlaintextNeverTouchesTheDisk) {
  auto store = Open(here_);
  std::string content;
  while (content.size() < 5 * kChunk) content += "CANARY-OF-A-FILE";
  Add(*store, content);
  for (const std::string& file : FilesBelow(here_)) {
    EXPECT_EQ(ReadRaw(file).find("CANARY-OF"), std::string::npos) << file;
  }
}

TEST_F(BlobStoreTest, NamesNeverTouchAPath) {
  auto store = Open(here_);
  for (const char* name : {"../../../etc/passwd", "/abs", "a\nb", "", ".", "tmp"}) {
    auto upload = store->BeginUpload(name, 1, entropy_);
    ASSERT_OK(upload);
    ASSERT_OK((*upload)->Write("x"));
    const auto file = (*upload)->Finish();
    ASSERT_OK(file);
    EXPECT_EQ(file->name(), name);
    ASSERT_OK(store->Adopt(IdOf(*file)));
    EXPECT_TRUE(std::filesystem::exists(BlobPath(here_, IdOf(*file), ".blob")));
  }
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    EXPECT_EQ(entry.path().filename(), "here");
  }
}

// ---- uploads that do not work out

TEST_F(BlobStoreTest, SizesOtherThanPromisedAreRefusedAndNothingStays) {
  auto store = Open(here_);
  auto longer = store->BeginUpload("f", 10, entropy_);
  ASSERT_OK(longer);
  EXPECT_TRUE(absl::IsInvalidArgument((*longer)->Write("12345678901")));
  EXPECT_TRUE(absl::IsInvalidArgument((*longer)->Write("1")));
  EXPECT_TRUE(absl::IsInvalidArgument((*longer)->Finish().status()));
  auto shorter = store->BeginUpload("f", 5000, entropy_);
  ASSERT_OK(shorter);
  ASSERT_OK((*shorter)->Write(Content(4999)));
  EXPECT_TRUE(absl::IsInvalidArgument((*shorter)->Finish().status()));
  EXPECT_TRUE(FilesBelow(here_).empty());
}

TEST_F(BlobStoreTest, AbandonedUploadsLeaveNothing) {
  auto store = Open(here_);
  {
    auto dropped = store->BeginUpload("f", 5000, entropy_);
    ASSERT_OK(dropped);
    ASSERT_OK((*dropped)->Write(Content(3000)));
    EXPECT_FALSE(FilesBelow(here_).empty());
  }
  EXPECT_TRUE(FilesBelow(here_).empty());
  auto aborted = store->BeginUpload("f", 5000, entropy_);
  (*aborted)->Abort();
  EXPECT_TRUE(absl::IsCancelled((*aborted)->Write("x")));
  EXPECT_TRUE(FilesBelow(here_).empty());
  const auto finished = Upload(*store, Content(100));
  ASSERT_OK(store->DiscardUpload(IdOf(*finished)));
  EXPECT_TRUE(FilesBelow(here_).empty());
  EXPECT_TRUE(absl::IsNotFound(store->Adopt(IdOf(*finished))));
}

TEST_F(BlobStoreTest, OnlyUploadsThatAnEntryNamesOutliveARestart) {
  auto store = Open(here_);
  const std::string content = Content(3000);
  const auto named = Upload(*store, content);
  const auto unnamed = Upload(*store, content);
  ASSERT_OK(named);
  ASSERT_OK(unnamed);
  // Dies in the middle of a third one, and between the two renames of the named one's adoption.
  auto third = store->BeginUpload("f", 5000, entropy_);
  ASSERT_OK((*third)->Write(content));
  CopyDir(here_, there_);
  const std::string moved = BlobPath(there_, IdOf(*named), ".tree");
  std::filesystem::create_directories(std::filesystem::path(moved).parent_path());
  std::filesystem::rename(Cat(there_, "/tmp/", IdOf(*named).hex(), ".tree"), moved);

  is_named_ = [&](const BlobId& blob) { return blob == IdOf(*named); };
  auto reopened = Open(there_);
  EXPECT_TRUE(reopened->Has(IdOf(*named)));
  EXPECT_OK(reopened->VerifyBlob(*named));
  EXPECT_TRUE(absl::IsNotFound(reopened->ReadChunk(IdOf(*unnamed), 0).status()));
  EXPECT_EQ(FilesBelow(there_).size(), 2u);
  EXPECT_OK(reopened->Adopt(IdOf(*named))) << "asking again is fine";
}

// The answer to the user goes out before the file job that adopts.
TEST_F(BlobStoreTest, FinishedUploadIsReadableBeforeItIsAdopted) {
  auto store = Open(here_);
  const auto file = Upload(*store, Content(3000));
  ASSERT_OK(file);
  EXPECT_TRUE(*ReadAll(*store, *file) == Content(3000));
  EXPECT_OK(store->ReadChunk(IdOf(*file), 1));
  EXPECT_FALSE(store->Has(IdOf(*file)));
}

TEST_F(BlobStoreTest, FullVolumeRefusesUploadsAndLeavesNothing) {
  uint64_t free = 1 << 30;
  reserve_.free_bytes = [&](const std::string&) { return absl::StatusOr<uint64_t>(free); };
  auto store = Open(here_);
  EXPECT_TRUE(
      absl::IsResourceExhausted(store->BeginUpload("f", uint64_t{1} << 40, entropy_).status()))
      << "too large from the start";
  auto upload = store->BeginUpload("f", 100'000, entropy_);
  ASSERT_OK(upload);
  ASSERT_OK((*upload)->Write(Content(50'000)));
  free = 0;
  EXPECT_TRUE(absl::IsResourceExhausted((*upload)->Write(Content(50'000))));
  EXPECT_TRUE(FilesBelow(here_).empty());

  free = 1 << 30;
  const FileSizeLimit full(20'000);  // the same, from the kernel
  EXPECT_TRUE(absl::IsResourceExhausted(Upload(*store, Content(50'000)).status()));
  EXPECT_TRUE(FilesBelow(here_).empty());
}

// ---- chunks

TEST_F(BlobStoreTest, BlobTravelsInAnyOrder) {
  auto here = Open(here_);
  auto there = Open(there_);
  for (const uint64_t size : {0u, 1u, 1024u, 5 * 1024u, 7 * 1024u + 3}) {
    const std::string content = Content(size);
    const v1::FileRef file = Add(*here, content);
    const Parcelled sent = ChunksOf(*here, file);
    EXPECT_TRUE(absl::IsNotFound(there->GetState(IdOf(file)).status()));
    for (size_t i = sent.chunks.size(); i-- > 0;) {
      EXPECT_FALSE(there->Has(IdOf(file)));
      ASSERT_OK(there->WriteChunk(IdOf(file), sent.chunks[i]));
    }
    EXPECT_TRUE(there->Has(IdOf(file)));
    EXPECT_OK(there->VerifyBlob(file));
    EXPECT_TRUE(*ReadAll(*there, file) == content);
    EXPECT_TRUE(ReadRaw(BlobPath(here_, IdOf(file), ".blob")) ==
                ReadRaw(BlobPath(there_, IdOf(file), ".blob")));
    EXPECT_TRUE(ReadRaw(BlobPath(here_, IdOf(file), ".tree")) ==
                ReadRaw(BlobPath(there_, IdOf(file), ".tree")));
    EXPECT_FALSE(std::filesystem::exists(BlobPath(there_, IdOf(file), ".map")));
  }
}

TEST_F(BlobStoreTest, TransferResumesAfterAReopenAtEveryPoint) {
  auto here = Open(here_);
  const v1::FileRef file = Add(*here, Content(10 * kChunk + 9));
  const BlobId blob = IdOf(file);
  const Parcelled sent = ChunksOf(*here, file);
  auto there = Open(there_);
  EXPECT_EQ(there->Missing(blob, file.chunk_count(), 3, 2).value(), (std::vector<uint64_t>{3, 4}));
  for (size_t i = 0; i < sent.chunks.size(); ++i) {
    const size_t next = i * 7 % sent.chunks.size();
    ASSERT_OK(there->WriteChunk(blob, sent.chunks[next]));
    there.reset();
    there = Open(there_);
    const auto state = there->GetState(blob);
    ASSERT_OK(state);
    EXPECT_EQ(state->chunks_present, i + 1);
    EXPECT_EQ(state->chunk_count, file.chunk_count());
    const auto missing = there->Missing(blob, file.chunk_count(), 0, 99);
    ASSERT_OK(missing);
    EXPECT_EQ(missing->size(), sent.chunks.size() - i - 1);
    EXPECT_EQ(std::count(missing->begin(), missing->end(), next), 0);
    if (i + 1 < sent.chunks.size()) {
      EXPECT_TRUE(absl::IsFailedPrecondition(there->ReadChunk(blob, 0).status()));
      EXPECT_TRUE(absl::IsFailedPrecondition(there->VerifyBlob(file)));
    }
  }
  EXPECT_OK(there->VerifyBlob(file));
}

TEST_F(BlobStoreTest, SeveralChunksAtOnceGetAVerdictEach) {
  auto here = Open(here_);
  const v1::FileRef file = Add(*here, Content(6 * kChunk));
  Parcelled sent = ChunksOf(*here, file);
  const std::string wrong(sent.chunks[2].sealed.size(), 'w');
  sent.chunks[2].sealed = wrong;
  sent.chunks.push_back(sent.chunks[0]);  // twice in one batch
  auto there = Open(there_);
  const auto verdicts = there->WriteChunks(IdOf(file), sent.chunks);
  ASSERT_EQ(verdicts.size(), 7u);
  for (size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_EQ(verdicts[i].ok(), i != 2) << i << verdicts[i].ToString();
  }
  EXPECT_TRUE(absl::IsDataLoss(verdicts[2]));
  EXPECT_EQ(there->Missing(IdOf(file), 6, 0, 9).value(), (std::vector<uint64_t>{2}));
}

TEST_F(BlobStoreTest, WrongChunksAreRefusedAndTheGoodCopyIsKept) {
  auto here = Open(here_);
  const v1::FileRef file = Add(*here, Content(4 * kChunk));
  const BlobId blob = IdOf(file);
  const Parcelled sent = ChunksOf(*here, file);
  auto there = Open(there_);
  ASSERT_OK(there->WriteChunk(blob, sent.chunks[1]));

  std::string flipped(sent.chunks[1].sealed);
  flipped[100] = static_cast<char>(flipped[100] ^ 1);
  BlobStore::ChunkIn bad = sent.chunks[1];
  bad.sealed = flipped;
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad))) << "content";
  bad = sent.chunks[1];
  bad.index = 2;
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad))) << "place";
  bad = sent.chunks[1];
  bad.index = 4;
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad))) << "beyond the end";
  bad = sent.chunks[1];
  bad.path.pop_back();
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad))) << "proof too short";
  bad = sent.chunks[1];
  bad.path[0] = Hash();
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad))) << "proof wrong";
  bad = sent.chunks[1];
  bad.sealed = bad.sealed.substr(1);
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad))) << "cut";
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(BlobId(), sent.chunks[1]))) << "another blob";
  EXPECT_TRUE(absl::IsNotFound(there->GetState(BlobId()).status()));

  EXPECT_EQ(there->GetState(blob)->chunks_present, 1u);
  for (const size_t i : {0u, 2u, 3u}) ASSERT_OK(there->WriteChunk(blob, sent.chunks[i]));
  EXPECT_OK(there->VerifyBlob(file));
  bad = sent.chunks[1];
  bad.sealed = flipped;
  EXPECT_TRUE(absl::IsDataLoss(there->WriteChunk(blob, bad)));
  EXPECT_OK(there->VerifyBlob(file)) << "also once complete";
}

// A proof binds index and count only together: chunk 2 of 3 passes for chunk 1 of 2.
TEST_F(BlobStoreTest, LyingAboutTheCountDoesNotMoveAChunk) {
  auto here = Open(here_);
  const v1::FileRef file = Add(*here, Content(3 * kChunk));
  const BlobId blob = IdOf(file);
  const Parcelled sent = ChunksOf(*here, file);
  auto there = Open(there_);
  ASSERT_OK(there->WriteChunk(blob, sent.chunks[0]));
  BlobStore::ChunkIn lie = sent.chunks[2];
  lie.index = 1;
  lie.count = 2;
  EXPECT_TRUE(absl::IsFailedPrecondition(there->WriteChunk(blob, lie)));
  ASSERT_OK(there->WriteChunk(blob, sent.chunks[1]));
  ASSERT_OK(there->WriteChunk(blob, sent.chunks[2]));
  EXPECT_TRUE(absl::IsFailedPrecondition(there->WriteChunk(blob, lie)));
  EXPECT_OK(there->VerifyBlob(file));
}

TEST_F(BlobStoreTest, RemovedBlobIsGone) {
  auto here = Open(here_);
  auto there = Open(there_);
  const v1::FileRef file = Add(*here, Content(3 * kChunk));
  const Parcelled sent = ChunksOf(*here, file);
  ASSERT_OK(here->Remove(IdOf(file)));
  EXPECT_TRUE(FilesBelow(here_).empty());
  EXPECT_FALSE(here->Has(IdOf(file)));
  EXPECT_TRUE(absl::IsNotFound(here->ReadChunk(IdOf(file), 0).status()));
  ASSERT_OK(there->WriteChunk(IdOf(file), sent.chunks[1]));
  ASSERT_OK(there->Remove(IdOf(file)));
  ASSERT_OK(there->Remove(IdOf(file)));
  EXPECT_TRUE(FilesBelow(there_).empty());
  EXPECT_TRUE(absl::IsNotFound(there->GetState(IdOf(file)).status()));
}

TEST_F(BlobStoreTest, SeveralThreadsFillOneBlob) {
  auto here = Open(here_);
  const v1::FileRef file = Add(*here, Content(64 * kChunk));
  const Parcelled sent = ChunksOf(*here, file);
  auto there = Open(there_);
  std::atomic<size_t> failures{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < sent.chunks.size(); ++i) {
        const size_t at = (i + t * 16) % sent.chunks.size();
        if (!there->WriteChunk(IdOf(file), sent.chunks[at]).ok()) ++failures;
        if (there->GetState(IdOf(file)).status().code() == absl::StatusCode::kDataLoss) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0u);
  EXPECT_OK(there->VerifyBlob(file));
}

}  // namespace
}  // namespace entente::store

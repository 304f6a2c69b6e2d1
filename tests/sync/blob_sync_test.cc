// Files between nodes: only for those who may have them, only what was asked for, from whoever has
// it, and a sender that fails is passed over.
#include "sync/blob_sync.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sync/limits.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"

namespace entente::sync {
namespace {

PartyId Party(char c) { return *PartyId::From(std::string(32, c)); }
const BlobId kBlob = *BlobId::From(std::string(32, 'B'));
const JitId kJit = *JitId::From(std::string(32, 'J'));

class BlobSyncTest : public testing::Test {
 protected:
  BlobSyncTest() {
    for (Link* link : {&alice_, &bob_}) {
      link->session = ++sessions_;
      link->ready = true;
      links_.push_back(link);
    }
    alice_.peer = Party('a');
    bob_.peer = Party('b');
  }
  static v1::FileRef File(uint64_t chunks = 20) {
    v1::FileRef file;
    file.set_blob_id(kBlob.str());
    file.set_plain_sha256(std::string(32, 'h'));
    file.set_file_key(std::string(32, 'k'));
    file.set_commit(std::string(32, 'c'));
    file.set_chunk_bytes(1 << 20);
    file.set_chunk_count(chunks);
    file.set_plain_size(chunks << 20);
    return file;
  }
  // An entry of `author` that names a file, readable by all three.
  void Learn(const v1::FileRef& file, char author = 'a', std::string audience = "sab") {
    OpenedEntry entry;
    entry.jit = kJit;
    entry.author = Party(author);
    for (const char c : audience) entry.audience.insert(Party(c));
    *entry.body.add_files() = file;
    blobs_.Learn(entry);
  }
  void Answer(Link& link, uint64_t index, uint64_t count = 20, std::string path = "") {
    v1::Chunk chunk;
    chunk.set_blob_id(kBlob.str());
    chunk.set_index(index);
    chunk.set_count(count);
    chunk.set_sealed("sealed");
    if (!path.empty()) chunk.add_path(path);
    blobs_.OnChunk(link, chunk, now_);
  }
  void Written(uint64_t index, absl::Status status = absl::OkStatus(), char sender = 'a') {
    blobs_.OnChunkWritten({kBlob, index, Party(sender), std::move(status)}, now_);
  }
  template <class Job>
  size_t Jobs() const {
    size_t count = 0;
    for (const FileJob& job : jobs_) count += std::holds_alternative<Job>(job) ? 1 : 0;
    return count;
  }
  v1::Frame LastTo(const Link& link) const {
    for (auto it = sent_.rbegin(); it != sent_.rend(); ++it) {
      if (it->first == &link) return it->second;
    }
    return {};
  }
  v1::RefusalCode LastRefusal(char peer) const {
    for (const Refusals::Item& item : refusals_.All()) {
      if (item.peer == Party(peer)) return static_cast<v1::RefusalCode>(item.row.code());
    }
    return v1::REFUSAL_CODE_UNSPECIFIED;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  MemoryKv disk_;
  OverlayKv store_{disk_};
  CardBook cards_;
  LogBook logs_{store_};
  SeededEntropy entropy_{1};
  Exclusions exclusions_{Party('s'), cards_, logs_, {}};
  Context context_{Party('s'), nullptr, cards_, store_, logs_, entropy_, 1, false, &exclusions_};
  Refusals refusals_{store_};
  SessionId sessions_ = 0;
  Link alice_, bob_;
  std::vector<Link*> links_;
  std::vector<std::pair<Link*, v1::Frame>> sent_;
  std::vector<FileJob> jobs_;
  std::vector<v1::FileRef> verified_;
  BlobSync blobs_{
      context_,
      refusals_,
      UINT64_MAX,
      kAnswerByParcel,
      {[this](Link& link, v1::Frame frame) { sent_.emplace_back(&link, std::move(frame)); },
       [this] { return links_; }, [this](FileJob job) { jobs_.push_back(std::move(job)); },
       [this](const v1::FileRef& file) { verified_.push_back(file); }}};
};

TEST_F(BlobSyncTest, FetchesFromItsAuthorInWindowsAndVerifiesAtTheEnd) {
  Learn(File());
  blobs_.Fetch(now_);
  ASSERT_TRUE(LastTo(alice_).has_want_chunks());
  EXPECT_EQ(LastTo(alice_).want_chunks().count(), kChunksInFlight);
  EXPECT_FALSE(LastTo(bob_).has_want_chunks());
  for (uint64_t i = 0; i < 20; ++i) {
    Answer(alice_, i);
    Written(i);
  }
  EXPECT_EQ(Jobs<WriteChunkJob>(), 20u);
  EXPECT_EQ(Jobs<VerifyBlobJob>(), 1u);
  blobs_.OnBlobVerified({kBlob, absl::OkStatus()}, now_);
  EXPECT_EQ(verified_.size(), 1u);
  EXPECT_TRUE(blobs_.Find(kBlob)->verified());
  EXPECT_EQ(blobs_.ReceivedFrom(Party('a')).size(), 1u);
  EXPECT_TRUE(blobs_.ReceivedFrom(Party('b')).empty());
}

TEST_F(BlobSyncTest, OnlyWhatWasAskedForIsKept) {
  Learn(File());
  Answer(alice_, 0);  // before anything was asked
  blobs_.Fetch(now_);
  Answer(bob_, 0);                       // from somebody who was not asked
  Answer(alice_, kChunksInFlight);       // further than asked
  Answer(alice_, 0, 21);                 // of a file of another size
  Answer(alice_, 0, 20, "half a hash");  // with a malformed proof
  v1::Chunk chunk;
  chunk.set_blob_id("no id");
  blobs_.OnChunk(alice_, chunk, now_);
  EXPECT_EQ(Jobs<WriteChunkJob>(), 0u);
  Answer(alice_, 0, 20, std::string(32, 'p'));
  EXPECT_EQ(Jobs<WriteChunkJob>(), 1u);
}

TEST_F(BlobSyncTest, AMalformedFileIsNotLearned) {
  v1::FileRef file = File();
  file.set_chunk_bytes(1000);
  Learn(file);
  file = File(0);
  Learn(file);
  file = File();
  file.set_file_key("short");
  Learn(file);
  EXPECT_EQ(blobs_.Find(kBlob), nullptr);
}

TEST_F(BlobSyncTest, AWrongChunkBlamesItsSenderAndAnotherIsAsked) {
  Learn(File());
  blobs_.Fetch(now_);
  Written(0, absl::DataLossError("not of this file"));
  EXPECT_EQ(LastRefusal('a'), v1::REFUSAL_CODE_BAD_PROOF);
  EXPECT_TRUE(LastTo(bob_).has_want_chunks());
}

TEST_F(BlobSyncTest, ADiskThatFailsIsNotTheSendersFault) {
  Learn(File());
  blobs_.Fetch(now_);
  Written(0, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(LastRefusal('a'), v1::REFUSAL_CODE_STORAGE);
}

TEST_F(BlobSyncTest, WhoRefusesOrFallsSilentIsPassedOver) {
  Learn(File());
  blobs_.Fetch(now_);
  blobs_.OnRefused(bob_, kBlob.str());  // was not asked: nothing changes
  blobs_.OnRefused(alice_, "another subject");
  EXPECT_FALSE(LastTo(bob_).has_want_chunks());
  blobs_.OnRefused(alice_, kBlob.str());
  blobs_.Fetch(now_);
  ASSERT_TRUE(LastTo(bob_).has_want_chunks());
  EXPECT_EQ(blobs_.NextTimeout(), now_ + kChunkTimeout);
  sent_.clear();
  now_ += kChunkTimeout;
  blobs_.Fetch(now_);  // both have failed: a new round
  blobs_.Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
}

TEST_F(BlobSyncTest, AGoneLinkFreesItsFetch) {
  Learn(File());
  blobs_.Fetch(now_);
  blobs_.OnLinkGone(Party('a'));
  links_ = {&bob_};
  blobs_.Fetch(now_);
  EXPECT_TRUE(LastTo(bob_).has_want_chunks());
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), 0u);
}

// Bob has been asked by parcel and went down before he answered; nobody waits for him.
TEST_F(BlobSyncTest, AnAuthorWhoComesOnTheLineIsAskedInsteadOfAParcel) {
  bob_.session = 0;
  links_ = {&bob_};
  Learn(File());
  blobs_.Fetch(now_);
  ASSERT_TRUE(LastTo(bob_).has_want_chunks());
  links_ = {&bob_, &alice_};
  blobs_.Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
  sent_.clear();
  blobs_.Fetch(now_);  // and not over and over
  EXPECT_TRUE(sent_.empty());
}

TEST_F(BlobSyncTest, WhoMayNotHaveTheFileDoesNotInterruptAParcel) {
  alice_.session = 0;
  links_ = {&alice_};
  Learn(File());
  blobs_.Fetch(now_);
  ASSERT_TRUE(LastTo(alice_).has_want_chunks());
  sent_.clear();
  links_ = {&alice_, &bob_};
  blobs_.Fetch(now_);
  EXPECT_TRUE(sent_.empty());
  v1::Cosign cosign;  // until he says that he has it
  cosign.add_received_blobs(kBlob.str());
  blobs_.OnReceived(Party('b'), cosign);
  blobs_.Fetch(now_);
  EXPECT_TRUE(LastTo(bob_).has_want_chunks());
}

TEST_F(BlobSyncTest, ContentThatIsNotWhatItsEntryPromisesIsKeptBack) {
  Learn(File(1));
  blobs_.Fetch(now_);
  Answer(alice_, 0, 1);
  Written(0);
  blobs_.OnBlobVerified({kBlob, absl::DataLossError("another hash")}, now_);
  EXPECT_TRUE(blobs_.Find(kBlob)->damaged());
  EXPECT_EQ(LastRefusal('a'), v1::REFUSAL_CODE_BAD_PROOF);
  sent_.clear();
  blobs_.Fetch(now_);
  EXPECT_TRUE(sent_.empty());
  blobs_.OnBlobVerified({*BlobId::From(std::string(32, 'x')), absl::OkStatus()}, now_);
}

TEST_F(BlobSyncTest, AFileThatCouldNotBeReadIsFetchedAgain) {
  Learn(File(1));
  blobs_.Fetch(now_);
  Written(0);
  blobs_.OnBlobVerified({kBlob, absl::NotFoundError("chunks are gone")}, now_);
  EXPECT_EQ(blobs_.Find(kBlob)->next_chunk(), 0u);
  sent_.clear();
  blobs_.Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
}

TEST_F(BlobSyncTest, ServesItsAudienceAndNobodyElseInOneVoice) {
  Learn(File(), 's', "sa");
  blobs_.AddLocal(File());
  EXPECT_EQ(Jobs<AdoptUploadJob>(), 1u);
  v1::WantChunks want;
  want.set_blob_id(kBlob.str());
  want.set_count(3);
  blobs_.OnWantChunks(alice_, want, now_);
  EXPECT_EQ(Jobs<ReadChunkJob>(), 3u);
  blobs_.OnWantChunks(bob_, want, now_);  // not in the audience
  const v1::Refused denied = LastTo(bob_).refused();
  want.set_blob_id(std::string(32, 'x'));  // not here at all
  blobs_.OnWantChunks(bob_, want, now_);
  EXPECT_EQ(LastTo(bob_).refused().code(), denied.code());
  EXPECT_EQ(denied.code(), v1::REFUSAL_CODE_NOT_HERE);
  want.set_blob_id(kBlob.str());
  want.set_count(kChunksInFlightByParcel + 1);
  blobs_.OnWantChunks(alice_, want, now_);
  want.set_count(1);
  want.set_from(20);
  blobs_.OnWantChunks(alice_, want, now_);
  EXPECT_EQ(Jobs<ReadChunkJob>(), 3u);
}

TEST_F(BlobSyncTest, AChunkThatCouldNotBeReadHereIsRefusedOpenly) {
  blobs_.OnChunkRead({kBlob, 4, Party('a'), absl::DataLossError("damaged"), 0, "", {}}, now_);
  EXPECT_EQ(LastTo(alice_).refused().code(), v1::REFUSAL_CODE_STORAGE);
  blobs_.OnChunkRead({kBlob, 4, Party('a'), absl::OkStatus(), 20, "sealed", {Hash()}}, now_);
  EXPECT_EQ(LastTo(alice_).chunk().path_size(), 1);
  links_.clear();
  sent_.clear();
  blobs_.OnChunkRead({kBlob, 4, Party('a'), absl::OkStatus(), 20, "sealed", {}}, now_);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(BlobSyncTest, ALocalFileIsReceivedByWhoSaysSoOnly) {
  Learn(File(), 's', "sab");
  blobs_.AddLocal(File());
  v1::Cosign cosign;
  cosign.add_received_blobs(kBlob.str());
  cosign.add_received_blobs("no id");
  cosign.add_received_blobs(std::string(32, 'x'));
  blobs_.OnReceived(Party('a'), cosign);
  blobs_.OnReceived(Party('a'), cosign);
  EXPECT_TRUE(blobs_.ReceivedBy(kBlob, Party('a')));
  EXPECT_FALSE(blobs_.ReceivedBy(kBlob, Party('b')));
  EXPECT_FALSE(blobs_.ReceivedBy(BlobId(), Party('a')));
}

TEST_F(BlobSyncTest, ProgressIsThereAfterARestart) {
  Learn(File(200));
  blobs_.Fetch(now_);
  for (uint64_t i = 0; i < 64; ++i) Written(i);
  ASSERT_OK(disk_.Commit(store_.Take()));
  disk_.rows()["bdamaged"] = "x";  // passed over
  BlobSync again(context_, refusals_, UINT64_MAX, kAnswerByParcel, {});
  ASSERT_OK(again.Load());
  EXPECT_EQ(again.Find(kBlob)->next_chunk(), 64u);
}

TEST_F(BlobSyncTest, FewFilesAtOnceAndTheOthersLater) {
  for (char c = '0'; c < '6'; ++c) {
    v1::FileRef file = File(1);
    file.set_blob_id(std::string(32, c));
    Learn(file);
  }
  blobs_.Fetch(now_);
  EXPECT_EQ(sent_.size(), 4u);
  blobs_.OnChunkWritten({*BlobId::From(std::string(32, '0')), 0, Party('a'), absl::OkStatus()},
                        now_);
  EXPECT_EQ(sent_.size(), 5u);
}

}  // namespace
}  // namespace entente::sync

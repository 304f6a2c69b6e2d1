// Files that are here: handed out to those who may have them, in turn and within caps; read again,
// and mended.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/sync/blob_fixture.h"

namespace entente::sync {
namespace {

class BlobChecksTest : public BlobFixture {};

TEST_F(BlobChecksTest, ServesItsAudienceAndNobodyElseInOneVoice) {
  Learn(File(), 's', "sa");
  owned_->AddLocal(File());
  EXPECT_EQ(Jobs<AdoptUploadJob>(), 1u);
  v1::WantChunks want;
  want.set_blob_id(kBlob.str());
  want.set_count(3);
  owned_->OnWantChunks(alice_, want, now_);
  EXPECT_EQ(Jobs<ReadChunkJob>(), 3u);
  owned_->OnWantChunks(bob_, want, now_);  // not in the audience
  const v1::Refused denied = LastTo(bob_).refused();
  want.set_blob_id(std::string(32, 'x'));  // not here at all
  owned_->OnWantChunks(bob_, want, now_);
  EXPECT_EQ(LastTo(bob_).refused().code(), denied.code());
  EXPECT_EQ(denied.code(), v1::REFUSAL_CODE_NOT_HERE);
  want.set_blob_id(kBlob.str());
  want.set_count(kChunksInFlightByParcel + 1);
  owned_->OnWantChunks(alice_, want, now_);
  want.set_count(1);
  want.set_from(20);
  owned_->OnWantChunks(alice_, want, now_);
  EXPECT_EQ(Jobs<ReadChunkJob>(), 3u);
}

TEST_F(BlobChecksTest, AChunkThatCouldNotBeReadHereIsRefusedOpenly) {
  owned_->OnChunkRead({kBlob, 4, Party('a'), absl::DataLossError("damaged"), 0, "", {}}, now_);
  EXPECT_EQ(LastTo(alice_).refused().code(), v1::REFUSAL_CODE_STORAGE);
  owned_->OnChunkRead({kBlob, 4, Party('a'), absl::OkStatus(), 20, "sealed", {Hash()}}, now_);
  EXPECT_EQ(LastTo(alice_).chunk().path_size(), 1);
  links_.clear();
  sent_.clear();
  owned_->OnChunkRead({kBlob, 4, Party('a'), absl::OkStatus(), 20, "sealed", {}}, now_);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(BlobChecksTest, ServingKeepsToItsCapAndPeersTakeTurns) {
  Start({.answer_by_parcel = kAnswerByParcel, .bytes_per_second_out = 1 << 20});
  Have(20);
  v1::WantChunks want;
  want.set_blob_id(kBlob.str());
  want.set_count(8);
  owned_->OnWantChunks(alice_, want, now_);
  owned_->OnWantChunks(bob_, want, now_);
  std::string turns;
  for (int i = 0; i < 6; ++i) {
    turns += std::get<ReadChunkJob>(jobs_.back()).requester.str()[0];
    now_ += absl::Seconds(1);
    owned_->Fetch(now_);
  }
  EXPECT_EQ(turns, "ababab");
}

TEST_F(BlobChecksTest, WhoAsksForMoreThanItTakesIsRefused) {
  Have(20);
  v1::WantChunks want;
  want.set_blob_id(kBlob.str());
  want.set_count(20);
  for (size_t i = 0; i < kReadsWaitingMax; ++i) owned_->OnWantChunks(alice_, want, now_);
  EXPECT_EQ(Jobs<ReadChunkJob>(), kReadsPerPeer);  // none has been read yet
  EXPECT_EQ(LastTo(alice_).refused().code(), v1::REFUSAL_CODE_BUDGET);
}

TEST_F(BlobChecksTest, WhoAsksForNothingGetsNothing) {
  Have(20);
  v1::WantChunks want;
  want.set_blob_id(kBlob.str());
  owned_->OnWantChunks(alice_, want, now_);
  owned_->Fetch(now_);
  EXPECT_EQ(Jobs<ReadChunkJob>(), 0u);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(BlobChecksTest, WhoMayHaveTheFileAndAsksTooEarlyIsRefusedWithoutBlame) {
  Learn(File());
  v1::WantChunks want;
  want.set_blob_id(kBlob.str());
  want.set_count(1);
  owned_->OnWantChunks(bob_, want, now_);
  EXPECT_EQ(LastTo(bob_).refused().code(), v1::REFUSAL_CODE_NOT_HERE);
  EXPECT_TRUE(refusals_.All().empty());
}

// ---- again

TEST_F(BlobChecksTest, ACheckReadsEverythingInPieces) {
  Have(kChunksPerCheck + 3);
  EXPECT_OK(owned_->Check(kBlob, 100));
  EXPECT_OK(owned_->Check(kBlob, 100));  // it runs already
  EXPECT_EQ(LastCheck().size(), kChunksPerCheck);
  EXPECT_EQ(owned_->ProgressOf(kBlob, now_).to_check, kChunksPerCheck + 3);
  owned_->OnChunksChecked({kBlob, kChunksPerCheck, {}, absl::OkStatus()}, now_);
  EXPECT_EQ(LastCheck(), (std::vector<uint64_t>{64, 65, 66}));
  owned_->OnChunksChecked({kBlob, 3, {}, absl::OkStatus()}, now_);
  EXPECT_EQ(owned_->Find(kBlob)->checked_at(), absl::ToUnixSeconds(now_));
  EXPECT_EQ(owned_->Find(kBlob)->checked_percent(), 100u);
  EXPECT_EQ(owned_->ProgressOf(kBlob, now_).to_check, 0u);
}

TEST_F(BlobChecksTest, ASampleIsDrawnByChanceAndNeverEmpty) {
  Have(20);
  EXPECT_OK(owned_->Check(kBlob, 25));
  EXPECT_EQ(LastCheck().size(), 5u);
  owned_->OnChunksChecked({kBlob, 5, {}, absl::OkStatus()}, now_);
  EXPECT_OK(owned_->Check(kBlob, 1));
  EXPECT_EQ(LastCheck().size(), 1u);
}

TEST_F(BlobChecksTest, WhatIsNotHereInFullIsNotChecked) {
  Learn(File());
  EXPECT_REFUSED(owned_->Check(kBlob, 100), kFailedPrecondition, "NOT_ARRIVED");
}

TEST_F(BlobChecksTest, ADamagedChunkIsMendedByAnotherHolder) {
  Have(20);
  v1::Cosign cosign;
  cosign.add_received_blobs(kBlob.str());
  owned_->OnReceived(Party('b'), cosign);
  links_ = {&bob_};
  EXPECT_OK(owned_->Check(kBlob, 100));
  owned_->OnChunksChecked({kBlob, 20, {4, 11}, absl::OkStatus()}, now_);
  EXPECT_EQ(StateOf(), State::kDamaged);
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), 4u);
  EXPECT_EQ(LastTo(bob_).want_chunks().count(), 1u);
  Deliver(bob_, 4, 5);
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), 11u);
  Deliver(bob_, 11, 12);
  EXPECT_EQ(StateOf(), State::kHere);
  EXPECT_EQ(owned_->Find(kBlob)->damaged_chunks_size(), 0);
}

TEST_F(BlobChecksTest, DamageThatShowsWhenAChunkIsServedIsMendedToo) {
  Have(20);
  owned_->OnChunkRead({kBlob, 7, Party('a'), absl::DataLossError("damaged"), 0, "", {}}, now_);
  EXPECT_EQ(StateOf(), State::kDamaged);
}

TEST_F(BlobChecksTest, AFileThatIsGoneIsFetchedAgainFromTheStart) {
  Have(20);
  EXPECT_OK(owned_->Check(kBlob, 100));
  owned_->OnChunksChecked({kBlob, 0, {}, absl::NotFoundError("no such file")}, now_);
  EXPECT_FALSE(owned_->Find(kBlob)->verified());
  EXPECT_EQ(owned_->Find(kBlob)->checked_damaged(), 20u);
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().from(), 0u);
}

TEST_F(BlobChecksTest, AFileThatIsGoneIsFetchedAgainHoweverLargeItIs) {
  Start({.auto_fetch_bytes = 1 << 20, .answer_by_parcel = kAnswerByParcel});
  Have(20);
  EXPECT_OK(owned_->Check(kBlob, 100));
  owned_->OnChunksChecked({kBlob, 0, {}, absl::NotFoundError("no such file")}, now_);
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
}

// Too many open files, a folder without rights: what is on the disk may be sound.
TEST_F(BlobChecksTest, AReadThatFailsIsNoReasonToGiveAFileUp) {
  Have(20);
  EXPECT_OK(owned_->Check(kBlob, 100));
  owned_->OnChunksChecked({kBlob, 3, {2}, absl::ResourceExhaustedError("files")}, now_);
  EXPECT_TRUE(owned_->Find(kBlob)->verified());
  EXPECT_EQ(owned_->Find(kBlob)->checked_at(), 0);
  EXPECT_EQ(owned_->Find(kBlob)->damaged_chunks_size(), 1);
  EXPECT_EQ(LastRefusal('s'), v1::REFUSAL_CODE_STORAGE);
}

// A memory that erred once: nobody else has the file, and it is sound.
TEST_F(BlobChecksTest, ACheckThatFindsNothingTakesBackWhatWasFoundBefore) {
  Have(20);
  owned_->OnChunkRead({kBlob, 7, Party('a'), absl::DataLossError("damaged"), 0, "", {}}, now_);
  EXPECT_OK(owned_->Check(kBlob, 25));
  owned_->OnChunksChecked({kBlob, 5, {}, absl::OkStatus()}, now_);
  EXPECT_EQ(StateOf(), State::kDamaged) << "a sample says nothing of the rest";
  EXPECT_OK(owned_->Check(kBlob, 100));
  owned_->OnChunksChecked({kBlob, 20, {}, absl::OkStatus()}, now_);
  EXPECT_EQ(StateOf(), State::kHere);
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).want_chunks().blob_id().empty());
}

TEST_F(BlobChecksTest, AChunkThatIsMendedIsNotStartedOverByWhoAsksForIt) {
  Have(20);
  const ChunkRead damaged{kBlob, 7, Party('b'), absl::DataLossError("damaged"), 0, "", {}};
  owned_->OnChunkRead(damaged, now_);
  owned_->Fetch(now_);
  ASSERT_EQ(LastTo(alice_).want_chunks().from(), 7u);
  Answer(alice_, 7);
  owned_->OnChunkRead(damaged, now_);
  Written(7);
  EXPECT_EQ(StateOf(), State::kHere);
}

TEST_F(BlobChecksTest, MoreDamageThanIsCountedBringsTheWholeFileAgain) {
  Have(5000);
  EXPECT_OK(owned_->Check(kBlob, 100));
  std::vector<uint64_t> all(5000);
  for (uint64_t i = 0; i < all.size(); ++i) all[i] = i;
  for (uint64_t at = 0; at < all.size(); at += kChunksPerCheck) {
    const uint64_t end = std::min<uint64_t>(at + kChunksPerCheck, all.size());
    owned_->OnChunksChecked({kBlob, end - at, {all.begin() + at, all.begin() + end}, {}}, now_);
  }
  EXPECT_FALSE(owned_->Find(kBlob)->verified());
  EXPECT_EQ(owned_->Find(kBlob)->damaged_chunks_size(), 0);
  EXPECT_EQ(owned_->Find(kBlob)->checked_damaged(), 5000u);
}

}  // namespace
}  // namespace entente::sync

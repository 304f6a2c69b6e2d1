// Files from other nodes: only what was asked for, from whoever has it, in the order that people
// want; a sender that fails is passed over.
#include <string>
#include <utility>
#include <vector>

#include "tests/sync/blob_fixture.h"

namespace entente::sync {
namespace {

class BlobSyncTest : public BlobFixture {};

TEST_F(BlobSyncTest, FetchesFromItsAuthorInWindowsAndVerifiesAtTheEnd) {
  Learn(File());
  owned_->Fetch(now_);
  ASSERT_TRUE(LastTo(alice_).has_want_chunks());
  EXPECT_EQ(LastTo(alice_).want_chunks().count(), kChunksInFlight);
  Refuse(bob_);
  Deliver(alice_, 0, 20);
  EXPECT_EQ(Jobs<WriteChunkJob>(), 20u);
  EXPECT_EQ(Jobs<VerifyBlobJob>(), 1u);
  owned_->OnBlobVerified({kBlob, absl::OkStatus()}, now_);
  EXPECT_EQ(verified_.size(), 1u);
  EXPECT_TRUE(owned_->Find(kBlob)->verified());
  EXPECT_EQ(owned_->ReceivedFrom(Party('a')).size(), 1u);
  EXPECT_TRUE(owned_->ReceivedFrom(Party('b')).empty());
}

TEST_F(BlobSyncTest, OnlyWhatWasAskedForIsKept) {
  Learn(File());
  Answer(alice_, 0);  // before anything was asked
  owned_->Fetch(now_);
  Answer(bob_, 0);                       // from somebody who was not asked for it
  Answer(alice_, kChunksInFlight);       // further than asked
  Answer(alice_, 0, 21);                 // of a file of another size
  Answer(alice_, 0, 20, "half a hash");  // with a malformed proof
  v1::Chunk chunk;
  chunk.set_blob_id("no id");
  owned_->OnChunk(alice_, chunk, now_);
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
  EXPECT_EQ(owned_->Find(kBlob), nullptr);
}

TEST_F(BlobSyncTest, AWrongChunkBlamesItsSenderAndAnotherIsAsked) {
  Learn(File());
  owned_->Fetch(now_);
  Answer(alice_, 0);
  Written(0, absl::DataLossError("not of this file"));
  EXPECT_EQ(LastRefusal('a'), v1::REFUSAL_CODE_BAD_PROOF);
  EXPECT_TRUE(LastTo(bob_).has_want_chunks());
}

TEST_F(BlobSyncTest, ADiskThatFailsIsNotTheSendersFault) {
  Learn(File());
  owned_->Fetch(now_);
  Written(0, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(LastRefusal('a'), v1::REFUSAL_CODE_STORAGE);
}

TEST_F(BlobSyncTest, WhoRefusesOrFallsSilentIsPassedOver) {
  Learn(File());
  links_ = {&alice_};
  owned_->Fetch(now_);
  links_ = {&alice_, &bob_};
  Refuse(bob_);  // was not asked: nothing changes
  Refuse(alice_, "another subject");
  EXPECT_FALSE(LastTo(bob_).has_want_chunks());
  Refuse(alice_);
  owned_->Fetch(now_);
  ASSERT_TRUE(LastTo(bob_).has_want_chunks());
  EXPECT_EQ(owned_->NextTimeout(), now_ + kChunkTimeout);
  sent_.clear();
  now_ += kChunkTimeout;
  owned_->Fetch(now_);  // both have failed: a new round, after a rest
  EXPECT_FALSE(LastTo(alice_).has_want_chunks());
  now_ = owned_->NextTimeout();
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
}

// A line on which an answer takes longer than we wait: asked again with every late answer, it would
// carry more and more of what nobody waits for (simulator, seed 407).
TEST_F(BlobSyncTest, WhoAnswersSlowlyIsGivenMoreTimeAndNotAskedAgainByItsLateAnswers) {
  Learn(File());
  owned_->Fetch(now_);
  Refuse(bob_);
  for (const absl::Duration patience : {kChunkTimeout, 2 * kChunkTimeout, 4 * kChunkTimeout}) {
    const absl::Time asked = now_;
    EXPECT_EQ(owned_->NextTimeout(), asked + patience);
    now_ = asked + patience;
    owned_->Fetch(now_);
    const size_t sent = sent_.size();
    EXPECT_GT(owned_->NextTimeout(), now_);  // it rests
    Answer(alice_, 0);                       // of then: too late
    owned_->Fetch(now_ + absl::Seconds(1));
    EXPECT_EQ(sent_.size(), sent);
    now_ = owned_->NextTimeout();
    owned_->Fetch(now_);
    EXPECT_EQ(sent_.size(), sent + 2);  // the next round: both of them
    Refuse(bob_);
  }
  now_ += 5 * kChunkTimeout;
  const size_t jobs = Jobs<WriteChunkJob>();
  Answer(alice_, 0);
  EXPECT_EQ(Jobs<WriteChunkJob>(), jobs + 1);
}

TEST_F(BlobSyncTest, ADiskThatStaysFullIsTriedLessAndLessOften) {
  Learn(File());
  const absl::Time end = now_ + absl::Hours(2);
  size_t rounds = 0;
  while (now_ < end) {
    owned_->Fetch(now_);
    const size_t before = sent_.size();
    for (Link* link : {&alice_, &bob_}) {
      Answer(*link, 0);
      Written(0, absl::ResourceExhaustedError("full"), link == &alice_ ? 'a' : 'b');
    }
    rounds += sent_.size() > before ? 1 : 0;
    const absl::Time next = owned_->NextTimeout();
    ASSERT_GT(next, now_);
    now_ = next;
  }
  EXPECT_LT(rounds, 60u);
  EXPECT_GT(rounds, 10u);
}

TEST_F(BlobSyncTest, AGoneLinkFreesItsFetch) {
  Learn(File());
  owned_->Fetch(now_);
  owned_->OnLinkGone(Party('a'));
  links_ = {&bob_};
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(bob_).has_want_chunks());
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), 0u);
}

// Bob has been asked by parcel and went down before he answered; nobody waits for him.
TEST_F(BlobSyncTest, AnAuthorWhoComesOnTheLineIsAskedInsteadOfAParcel) {
  bob_.session = 0;
  links_ = {&bob_};
  Learn(File());
  owned_->Fetch(now_);
  ASSERT_TRUE(LastTo(bob_).has_want_chunks());
  links_ = {&bob_, &alice_};
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
  sent_.clear();
  owned_->Fetch(now_);  // and not over and over
  EXPECT_TRUE(sent_.empty());
}

TEST_F(BlobSyncTest, WhoMayNotHaveTheFileDoesNotInterruptAParcel) {
  alice_.session = 0;
  links_ = {&alice_};
  Learn(File());
  owned_->Fetch(now_);
  ASSERT_TRUE(LastTo(alice_).has_want_chunks());
  sent_.clear();
  links_ = {&alice_, &bob_};
  owned_->Fetch(now_);
  EXPECT_TRUE(sent_.empty());
  v1::Cosign cosign;  // until he says that he has it
  cosign.add_received_blobs(kBlob.str());
  owned_->OnReceived(Party('b'), cosign);
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(bob_).has_want_chunks());
}

TEST_F(BlobSyncTest, ContentThatIsNotWhatItsEntryPromisesIsKeptBack) {
  Learn(File(1));
  owned_->Fetch(now_);
  Answer(alice_, 0, 1);
  Written(0);
  owned_->OnBlobVerified({kBlob, absl::DataLossError("another hash")}, now_);
  EXPECT_TRUE(owned_->Find(kBlob)->damaged());
  EXPECT_EQ(LastRefusal('a'), v1::REFUSAL_CODE_BAD_PROOF);
  sent_.clear();
  owned_->Fetch(now_);
  EXPECT_TRUE(sent_.empty());
  owned_->OnBlobVerified({*BlobId::From(std::string(32, 'x')), absl::OkStatus()}, now_);
}

TEST_F(BlobSyncTest, AFileThatCouldNotBeReadIsFetchedAgain) {
  Learn(File(1));
  owned_->Fetch(now_);
  Deliver(alice_, 0, 1, 1);
  owned_->OnBlobVerified({kBlob, absl::NotFoundError("chunks are gone")}, now_);
  EXPECT_EQ(owned_->Find(kBlob)->next_chunk(), 0u);
  sent_.clear();
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
}

TEST_F(BlobSyncTest, ALocalFileIsReceivedByWhoSaysSoOnly) {
  Learn(File(), 's', "sab");
  owned_->AddLocal(File());
  v1::Cosign cosign;
  cosign.add_received_blobs(kBlob.str());
  cosign.add_received_blobs("no id");
  cosign.add_received_blobs(std::string(32, 'x'));
  owned_->OnReceived(Party('a'), cosign);
  owned_->OnReceived(Party('a'), cosign);
  EXPECT_TRUE(owned_->ReceivedBy(kBlob, Party('a')));
  EXPECT_FALSE(owned_->ReceivedBy(kBlob, Party('b')));
  EXPECT_FALSE(owned_->ReceivedBy(BlobId(), Party('a')));
}

TEST_F(BlobSyncTest, ProgressIsThereAfterARestart) {
  Learn(File(200));
  links_ = {&alice_};
  owned_->Fetch(now_);
  Deliver(alice_, 0, 64, 200);
  ASSERT_OK(disk_.Commit(store_.Take()));
  disk_.rows()["bdamaged"] = "x";  // passed over
  BlobSync again(context_, refusals_, {}, {});
  ASSERT_OK(again.Load());
  EXPECT_EQ(again.Find(kBlob)->next_chunk(), 64u);
}

TEST_F(BlobSyncTest, FewFilesAtOnceAndTheOthersLater) {
  for (char c = '0'; c < '6'; ++c) {
    v1::FileRef file = File(1);
    file.set_blob_id(std::string(32, c));
    Learn(file);
  }
  owned_->Fetch(now_);
  EXPECT_EQ(sent_.size(), 4u);
  v1::Chunk chunk;
  chunk.set_blob_id(std::string(32, '0'));
  chunk.set_count(1);
  chunk.set_sealed("sealed");
  owned_->OnChunk(alice_, chunk, now_);
  owned_->OnChunkWritten({*BlobId::From(std::string(32, '0')), 0, Party('a'), absl::OkStatus()},
                         now_);
  EXPECT_EQ(sent_.size(), 5u);
}

// ---- several holders

TEST_F(BlobSyncTest, SeveralHoldersAreAskedForDifferentChunks) {
  Learn(File());
  v1::Cosign cosign;
  cosign.add_received_blobs(kBlob.str());
  owned_->OnReceived(Party('b'), cosign);
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().from(), 0u);
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), kChunksInFlight);
  Deliver(bob_, kChunksInFlight, 2 * kChunksInFlight);
  Deliver(alice_, 0, kChunksInFlight);
  Deliver(alice_, 16, 20);
  Deliver(bob_, 16, 20);
  EXPECT_TRUE(owned_->Find(kBlob)->complete());
  EXPECT_EQ(Jobs<WriteChunkJob>(), 20u);
  EXPECT_EQ(Jobs<VerifyBlobJob>(), 1u);
}

TEST_F(BlobSyncTest, WhatOneHolderDoesNotDeliverComesFromTheOther) {
  Learn(File());
  v1::Cosign cosign;
  cosign.add_received_blobs(kBlob.str());
  owned_->OnReceived(Party('b'), cosign);
  owned_->Fetch(now_);
  Deliver(bob_, 8, 16);
  owned_->OnLinkGone(Party('a'));
  links_ = {&bob_};
  owned_->Fetch(now_);
  Deliver(bob_, 0, 8);
  Deliver(bob_, 16, 20);
  EXPECT_TRUE(owned_->Find(kBlob)->complete());
}

// Who received a file tells its author only: others are tried with little.
TEST_F(BlobSyncTest, SomebodyWhoMayHaveItIsTriedWithOneChunkAndAskedForMoreWhenItDelivers) {
  Learn(File(100));
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().count(), kChunksInFlight);
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), kChunksInFlight);
  EXPECT_EQ(LastTo(bob_).want_chunks().count(), 1u);
  Deliver(bob_, kChunksInFlight, kChunksInFlight + 1, 100);
  EXPECT_EQ(LastTo(bob_).want_chunks().from(), kChunksInFlight + 1);
  EXPECT_EQ(LastTo(bob_).want_chunks().count(), kChunksInFlight);
}

TEST_F(BlobSyncTest, SomebodyWhoDoesNotHaveItIsNotTriedAgainAndItsChunkComesFromTheAuthor) {
  Learn(File(100));
  owned_->Fetch(now_);
  Refuse(bob_);
  sent_.clear();
  Deliver(alice_, 0, kChunksInFlight, 100);
  EXPECT_FALSE(LastTo(bob_).has_want_chunks());
  bool asked_again = false;
  for (const auto& [link, frame] : sent_) {
    asked_again = asked_again || frame.want_chunks().from() == kChunksInFlight;
  }
  EXPECT_TRUE(asked_again);
}

TEST_F(BlobSyncTest, OnlyWhoWasTriedMayLackAFileUnnoticed) {
  Learn(File(100));
  owned_->Fetch(now_);
  EXPECT_FALSE(Refuse(bob_, std::string(32, 'x')));
  EXPECT_TRUE(Refuse(bob_));
  EXPECT_FALSE(Refuse(bob_)) << "was not asked again";
  EXPECT_FALSE(Refuse(alice_)) << "has written it";
  links_ = {&bob_};
  owned_->OnLinkGone(Party('b'));
  owned_->Fetch(now_);
  EXPECT_FALSE(Refuse(bob_, kBlob.str(), v1::REFUSAL_CODE_STORAGE));
}

TEST_F(BlobSyncTest, AFileOfFewChunksComesFromItsAuthorAlone) {
  Learn(File(kChunksInFlight));
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
  EXPECT_FALSE(LastTo(bob_).has_want_chunks());
}

// ---- what people say

TEST_F(BlobSyncTest, ALargeFileWaitsUntilPeopleAskForIt) {
  Start({.auto_fetch_bytes = 5 << 20, .answer_by_parcel = kAnswerByParcel});
  Learn(File());
  owned_->Fetch(now_);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(StateOf(), State::kOnRequest);
  EXPECT_OK(owned_->Wish(kBlob, v1::FILE_WISH_FETCH, 0));
  owned_->Fetch(now_);
  EXPECT_TRUE(LastTo(alice_).has_want_chunks());
  EXPECT_EQ(StateOf(), State::kFetching);
  EXPECT_REFUSED(owned_->Wish(BlobId(), v1::FILE_WISH_FETCH, 0), kNotFound, "NO_FILE");
}

TEST_F(BlobSyncTest, APausedFileKeepsWhatItHasAndGoesOnFromThere) {
  Learn(File());
  owned_->Fetch(now_);
  Deliver(alice_, 0, 4);
  EXPECT_OK(owned_->Wish(kBlob, v1::FILE_WISH_PAUSE, 0));
  sent_.clear();
  owned_->Fetch(now_);
  Answer(alice_, 4);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(StateOf(), State::kPaused);
  EXPECT_OK(owned_->Wish(kBlob, v1::FILE_WISH_AUTOMATIC, 0));
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().from(), 4u);
}

TEST_F(BlobSyncTest, AnUrgentFileTakesThePlaceOfAnother) {
  for (char c = '0'; c < '5'; ++c) {
    v1::FileRef file = File(100);
    file.set_blob_id(std::string(32, c));
    Learn(file);
  }
  links_ = {&alice_};
  owned_->Fetch(now_);
  EXPECT_EQ(sent_.size(), 4u);
  const BlobId last = *BlobId::From(std::string(32, '4'));
  EXPECT_EQ(owned_->ProgressOf(last, now_).state, State::kWaiting);
  EXPECT_OK(owned_->Wish(last, v1::FILE_WISH_FETCH, 1));
  owned_->Fetch(now_);
  EXPECT_EQ(owned_->ProgressOf(last, now_).state, State::kFetching);
  EXPECT_EQ(LastTo(alice_).want_chunks().blob_id(), last.str());
}

TEST_F(BlobSyncTest, TheSmallerFileComesFirst) {
  for (const char c : {'0', '1', '2', '3', '4'}) {
    v1::FileRef file = File(c == '4' ? 1 : 100);
    file.set_blob_id(std::string(32, c));
    Learn(file);
  }
  owned_->Fetch(now_);
  EXPECT_EQ(sent_.front().second.want_chunks().blob_id(), std::string(32, '4'));
}

TEST_F(BlobSyncTest, TheRateIsThatOfTheLastSeconds) {
  Learn(File(200));
  links_ = {&alice_};
  owned_->Fetch(now_);
  for (uint64_t i = 0; i < 12; ++i) {
    now_ += absl::Milliseconds(500);
    Deliver(alice_, i, i + 1, 200);
  }
  const BlobSync::Progress progress = owned_->ProgressOf(kBlob, now_);
  EXPECT_EQ(progress.bytes_per_second, uint64_t{2} << 20);
  EXPECT_EQ(progress.chunks_here, 12u);
  EXPECT_EQ(progress.sources, std::vector<PartyId>{Party('a')});
  EXPECT_EQ(owned_->ProgressOf(kBlob, now_ + absl::Minutes(1)).bytes_per_second, 0u);
}

// ---- caps

TEST_F(BlobSyncTest, AskingKeepsToItsCap) {
  Start({.answer_by_parcel = kAnswerByParcel, .bytes_per_second_in = 1 << 20});
  Learn(File(100));
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().count(), kChunksInFlight);
  sent_.clear();
  Deliver(alice_, 0, kChunksInFlight, 100);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(owned_->NextTimeout(), now_ + absl::Seconds(8));
  now_ += absl::Seconds(8);
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().from(), kChunksInFlight);
}

TEST_F(BlobSyncTest, AFileThatCannotStartForTheCapStartsWhenThereIsRoom) {
  Start({.answer_by_parcel = kAnswerByParcel, .bytes_per_second_in = 1 << 20});
  Learn(File(1));
  owned_->Fetch(now_);
  Deliver(alice_, 0, 1, 1);
  const BlobId second = *BlobId::From(std::string(32, 'C'));
  v1::FileRef file = File(1);
  file.set_blob_id(second.str());
  Learn(file);
  sent_.clear();
  owned_->Fetch(now_);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(owned_->NextTimeout(), now_ + absl::Seconds(1));
  now_ += absl::Seconds(1);
  owned_->Fetch(now_);
  EXPECT_EQ(LastTo(alice_).want_chunks().blob_id(), second.str());
}

}  // namespace
}  // namespace entente::sync

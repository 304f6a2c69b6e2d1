// Two or three nodes on wires that lose, cut and lie: what belongs to both arrives, and nothing
// else is ever said.
#include "sync/exchange.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "crypto/ids.h"
#include "gtest/gtest.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() { f_.TrustAll(); }
  std::vector<v1::RefusalCode> RefusalsAt(const std::string& code) {
    std::vector<v1::RefusalCode> out;
    for (const Refusals::Item& item : f_[code].replica->refusals().All()) {
      out.push_back(static_cast<v1::RefusalCode>(item.row.code()));
    }
    return out;
  }
  Federation f_{{"XA", "XB", "XC"}};
};

TEST_F(ExchangeTest, WhatIsWrittenArrivesAndIsReceipted) {
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "live"));
  f_.Settle();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"live"});
  const OpenedEntry& entry = f_["XA"].opened.back();
  EXPECT_EQ(f_["XA"].replica->Delivery(entry.ref, f_["XB"].party), DeliveryState::kVerified);
  EXPECT_EQ(f_["XA"].replica->WaitingFor(f_["XB"].party), 0u);
}

// It came from somebody else, and no log has grown that would make anybody compare.
TEST_F(ExchangeTest, AnAuthorThatComesBackIsToldOfAFileThatArrivedMeanwhile) {
  f_.Connect(f_["XA"], f_["XB"]);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "with a file"));
  f_.Settle();
  f_.Pass(absl::Hours(2));
  f_.Disconnect(f_["XA"]);
  OpenedEntry entry = f_["XA"].opened.back();
  v1::FileRef& file = *entry.body.add_files();
  const BlobId blob = *BlobId::From(std::string(32, 'B'));
  file.set_blob_id(blob.str());
  for (std::string* field :
       {file.mutable_plain_sha256(), file.mutable_file_key(), file.mutable_commit()}) {
    *field = std::string(32, 'x');
  }
  file.set_chunk_bytes(1 << 20);
  file.set_chunk_count(1);
  for (const char* code : {"XA", "XB"}) f_[code].replica->blobs().Learn(entry);
  f_["XB"].replica->blobs().AddLocal(file);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_TRUE(f_["XA"].replica->blobs().ReceivedBy(blob, f_["XB"].party));
}

TEST_F(ExchangeTest, WhatWasWrittenApartMeetsOnConnecting) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "a" + std::to_string(i)));
    ASSERT_OK(f_.Write(f_["XB"], {"XA", "XB"}, "b" + std::to_string(i)));
  }
  EXPECT_EQ(f_["XA"].replica->WaitingFor(f_["XB"].party), 51u);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]).size(), 50u);
  EXPECT_EQ(f_["XA"].TextsOf(f_["XB"]).size(), 50u);
  f_.Pass(absl::Minutes(1));
  EXPECT_TRUE(f_["XA"].replica->InSync(f_["XB"].party));
}

TEST_F(ExchangeTest, AThirdMemberForwardsWhatIsAddressedToAllThree) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "for all"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "for two"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.Disconnect(f_["XA"]);
  f_.Connect(f_["XB"], f_["XC"]);
  f_.Settle();
  f_.Pass(absl::Minutes(1));  // the agreement has been read: the rest is asked for
  f_.Pass(absl::Minutes(1));
  EXPECT_EQ(f_["XC"].TextsOf(f_["XA"]), Texts{"for all"});
}

// Nobody outside an audience hears a log's id, not even as a number in a digest or a head.
TEST_F(ExchangeTest, NothingOfALogIsSaidToABodyOutsideIt) {
  std::string heard;
  f_.on_frame = [&](Body&, Body& to, v1::Frame& frame) {
    if (to.code == "XC") heard += frame.SerializeAsString();
    return true;
  };
  for (const char* a : {"XA", "XB"}) f_.Connect(f_[a], f_["XC"]);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "between two"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XC"}, "with XC"));
  f_.Settle();
  f_.Pass(absl::Minutes(5));
  const LogState* secret = f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"});
  ASSERT_NE(f_.FindLog(f_["XC"], f_["XA"], {"XA", "XC"}), nullptr);
  EXPECT_EQ(heard.find(secret->id.view()), std::string::npos);
  EXPECT_EQ(heard.find(secret->audience.view()), std::string::npos);
  EXPECT_EQ(heard.find(secret->Root().view()), std::string::npos);
}

TEST_F(ExchangeTest, AskingForALogOfOthersIsAnsweredLikeAskingForNone) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "between two"));
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Settle();
  std::vector<v1::Refused> answers;
  f_.on_frame = [&](Body&, Body& to, v1::Frame& frame) {
    if (to.code == "XC" && frame.has_refused()) answers.push_back(frame.refused());
    return true;
  };
  // XC has learned the id by other means; its node is altered to ask for it.
  const LogState* secret = f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"});
  for (const std::string& id : {secret->id.str(), std::string(32, 'q')}) {
    v1::Frame frame;
    frame.mutable_want()->set_log_id(id);
    frame.mutable_want()->set_to(100);
    frame.mutable_want()->set_budget_bytes(1000);
    f_.Feed(f_["XA"], Input(FrameReceived{1, frame}));
    f_.Settle();
  }
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].code(), v1::REFUSAL_CODE_NOT_HERE);
  EXPECT_EQ(answers[1].code(), answers[0].code());
  EXPECT_EQ(answers[1].position(), answers[0].position());
}

TEST_F(ExchangeTest, LostFramesCostTimeAndNothingElse) {
  std::mt19937 dice(5);
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) {
    return frame.has_hello() || frame.has_hello_proof() || dice() % 3 != 0;
  };
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, std::to_string(i)));
    f_.Settle();
  }
  for (int i = 0; i < 40; ++i) f_.Pass(absl::Seconds(30));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]).size(), 20u);
}

TEST_F(ExchangeTest, ATamperedBatchIsRefusedByNameOnBothSidesAndTheTruthStillArrives) {
  bool lie = true;
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) {
    if (lie && frame.has_batch()) {
      frame.mutable_batch()
          ->mutable_entries(frame.batch().entries_size() - 1)
          ->mutable_body()
          ->back() ^= 1;
    }
    return true;
  };
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "true"));
  f_.Settle();
  EXPECT_TRUE(f_["XB"].opened.empty());
  EXPECT_EQ(RefusalsAt("XB"), std::vector{v1::REFUSAL_CODE_BAD_PROOF});
  EXPECT_EQ(RefusalsAt("XA"), std::vector{v1::REFUSAL_CODE_BAD_PROOF});
  lie = false;
  for (int i = 0; i < 5; ++i) f_.Pass(absl::Minutes(1));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"true"});
}

TEST_F(ExchangeTest, ARestartInTheMiddleOfACatchUpGoesOnWhereItWas) {
  for (int i = 0; i < 300; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, std::string(4000, 'x') + std::to_string(i)));
  }
  int batches = 0;
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) {
    return !frame.has_batch() || ++batches <= 1;
  };
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  const size_t before = f_["XB"].opened.size();
  EXPECT_GT(before, 0u);
  EXPECT_LT(before, 300u);
  f_.on_frame = nullptr;
  f_.Start(f_["XB"]);
  EXPECT_EQ(f_["XB"].opened.size(), before);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]).size(), 300u);
}

// Before an agreement little is taken from anybody, and a node with an empty database knows of
// none.
class SigningRoundTest : public ExchangeTest {
 protected:
  // In force is what has been read.
  SigningRoundTest() {
    f_.agreement_in_force = [](const Body& body) {
      return std::any_of(body.opened.begin(), body.opened.end(), [](const OpenedEntry& entry) {
        return entry.body.justification() == "agreed";
      });
    };
    f_.Start(f_["XA"]);
    f_.Start(f_["XB"]);
  }
  uint64_t HeldAtXb(const std::vector<std::string>& audience) {
    const LogState* log = f_.FindLog(f_["XB"], f_["XA"], audience);
    return log == nullptr ? 0 : log->size;
  }
};

TEST_F(SigningRoundTest, ABodyThatLostItsDatabaseComesBackIntoALargeJit) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "agreed"));
  for (uint64_t i = 0; i < kEntriesBeforeAgreement + 200; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "all"));
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "more"));
  }
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.LoseDatabase(f_["XB"]);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.Pass(absl::Minutes(1));  // the agreement has been read: the rest is asked for
  f_.Pass(absl::Minutes(1));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]).size(), 2 * (kEntriesBeforeAgreement + 200) + 1);
  EXPECT_TRUE(f_["XB"].replica->InSync(f_["XA"].party));
  EXPECT_TRUE(RefusalsAt("XB").empty());
}

TEST_F(SigningRoundTest, WithoutAnAgreementTheBeginningOfALogIsAllThatIsKept) {
  for (uint64_t i = 0; i < 2 * kEntriesBeforeAgreement; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "flood"));
  }
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.Pass(absl::Minutes(5));
  EXPECT_EQ(HeldAtXb({"XA", "XB"}), kEntriesBeforeAgreement);
}

TEST_F(SigningRoundTest, WhatIsPushedBeyondItIsRefusedByName) {
  for (uint64_t i = 0; i < kEntriesBeforeAgreement; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "flood"));
  }
  f_.Connect(f_["XA"], f_["XB"]);
  v1::Batch batch = f_.WholeLog(f_["XA"], {"XA", "XB"});
  ASSERT_GT(batch.entries_size(), static_cast<int>(kEntriesBeforeAgreement));
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (from.code == "XA" && frame.has_batch()) *frame.mutable_batch() = batch;
    return true;
  };
  f_.Settle();
  const std::vector<v1::RefusalCode> refused = RefusalsAt("XB");
  EXPECT_EQ(std::count(refused.begin(), refused.end(), v1::REFUSAL_CODE_BUDGET), 1);
  EXPECT_EQ(HeldAtXb({"XA", "XB"}), 0u);
}

TEST_F(ExchangeTest, EntriesOfOnesOwnLogFromElsewhereAreRefused) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "one"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  // A clone of XA writes on; its entries reach XA through XB.
  Body& xa = f_["XA"];
  const auto rows = xa.disk.rows();
  ASSERT_OK(f_.Write(xa, {"XA", "XB"}, "by the clone"));
  f_.Settle();
  f_.Disconnect(xa);
  xa.disk.rows() = rows;
  const std::vector<AnchorRecord> anchors(xa.anchors.begin(), xa.anchors.end() - 1);
  xa.anchors = anchors;
  f_.Start(xa);
  f_.Connect(xa, f_["XB"]);
  f_.Settle();
  EXPECT_EQ(RefusalsAt("XA"), std::vector{v1::REFUSAL_CODE_FROZEN});
  EXPECT_EQ(xa.TextsOf(xa), Texts{"one"});
}

// Who could name a node's log before the node has begun it would decide what is written into it.
TEST_F(ExchangeTest, NobodyElseBeginsALogOfThisNodes) {
  Body &xa = f_["XA"], &xb = f_["XB"];
  f_.agreement_in_force = [](const Body&) { return false; };
  f_.Start(xa);  // and so it writes nothing of its own accord
  ASSERT_OK(f_.Write(xb, {"XA", "XB"}, "first"));
  ASSERT_OK(f_.Write(xa, {"XA", "XC"}, "elsewhere"));
  const uint32_t incarnation = f_.FindLog(xa, xa, {"XA", "XC"})->incarnation;
  f_.Connect(xa, xb);
  f_.Settle();
  const LogState& theirs = *f_.FindLog(xb, xb, {"XA", "XB"});
  v1::Head head = DescribeLog(theirs);
  head.set_author(xa.party.str());
  head.set_author_card(VerifyCard(xa.signed_card)->hash.str());
  head.set_incarnation(incarnation);
  head.set_log_id(
      crypto::ComputeLogId(f_.jit, xa.keys->log.public_key(), theirs.audience, incarnation).str());
  v1::Frame frame;
  *frame.mutable_heads()->add_heads() = head;
  f_.Feed(xa, Input(FrameReceived{1, frame}));
  EXPECT_EQ(RefusalsAt("XA"), std::vector{v1::REFUSAL_CODE_FROZEN});
  ASSERT_OK(f_.Write(xa, {"XA", "XB"}, "answer"));
  f_.Settle();
  EXPECT_EQ(xb.TextsOf(xa), Texts{"answer"});
}

// Otherwise each answer that came twice would call for two more, without end.
TEST_F(ExchangeTest, WhatComesManyTimesIsAskedForOnce) {
  Body &xa = f_["XA"], &xb = f_["XB"];
  for (int i = 0; i < 3; ++i) ASSERT_OK(f_.Write(xa, {"XA", "XB"}, "text"));
  const v1::Batch old = f_.WholeLog(xa, {"XA", "XB"});
  for (int i = 0; i < 3; ++i) ASSERT_OK(f_.Write(xa, {"XA", "XB"}, "text"));
  int wants = 0;
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    wants += from.code == "XB" && frame.has_want() ? 1 : 0;
    return from.code == "XB" || !frame.has_batch();  // the answers take their time
  };
  f_.Connect(xa, xb);
  f_.Settle();
  v1::Frame frame;
  *frame.mutable_batch() = old;
  for (int i = 0; i < 20; ++i) f_.Feed(xb, Input(FrameReceived{2, frame}));
  f_.Settle();
  EXPECT_EQ(wants, 1);
  f_.on_frame = nullptr;
  f_.Pass(absl::Minutes(1));
  EXPECT_EQ(xb.TextsOf(xa).size(), 6u);
}

TEST_F(ExchangeTest, WhatOvertookAnAnswerIsAskedForAsSoonAsThatHasCome) {
  Body &xa = f_["XA"], &xb = f_["XB"];
  for (int i = 0; i < 2; ++i) ASSERT_OK(f_.Write(xa, {"XA", "XB"}, "text"));
  std::vector<v1::Want> wants;
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (from.code == "XB" && frame.has_want()) wants.push_back(frame.want());
    return from.code == "XB" || !frame.has_batch();  // the answers take their time
  };
  f_.Connect(xa, xb);
  f_.Settle();
  ASSERT_EQ(wants.size(), 1u);
  const uint64_t asked = wants.front().to();
  ASSERT_OK(f_.Write(xa, {"XA", "XB"}, "text"));
  const LogBook& logs = xa.replica->logs();
  const LogState& log = *f_.FindLog(xa, xa, {"XA", "XB"});
  v1::Frame answer, push;
  *answer.mutable_batch() = *BuildBatch(logs, log, 0, kBatchBytesMax, asked);
  *push.mutable_batch() = *BuildBatch(logs, log, asked, kBatchBytesMax);
  f_.Feed(xb, Input(FrameReceived{2, push}));
  f_.Settle();
  EXPECT_EQ(wants.size(), 1u);
  f_.Feed(xb, Input(FrameReceived{2, answer}));
  f_.Settle();
  ASSERT_EQ(wants.size(), 2u);
  EXPECT_EQ(wants.back().from(), asked);
}

TEST_F(ExchangeTest, OneFrameHasOneLookAtEachTree) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  // Of the second head of one log the root is wrong, which nobody looks at.
  v1::Frame frame;
  *frame.mutable_heads()->add_heads() = DescribeLog(*f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"}));
  *frame.mutable_heads()->add_heads() = frame.heads().heads(0);
  frame.mutable_heads()->mutable_heads(1)->set_root(std::string(32, 'r'));
  int asked = 0;
  f_.on_frame = [&](Body& from, Body&, v1::Frame& sent) {
    asked += from.code == "XB" && !sent.has_cosign() ? 1 : 0;
    return true;
  };
  f_.Feed(f_["XB"], Input(FrameReceived{2, frame}));
  f_.Settle();
  EXPECT_EQ(asked, 0);
}

TEST_F(ExchangeTest, FramesOfNoFormAreRefusedAndTheSessionLivesOn) {
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  std::vector<v1::Frame> odd(6);
  odd[0].mutable_want()->set_log_id("short");
  odd[1].mutable_heads()->add_heads()->set_log_id("short");
  odd[2].mutable_batch();
  odd[3].mutable_cosign()->set_log_id("short");
  odd[4].mutable_chunk()->set_blob_id("short");
  odd[5].mutable_want_chunks()->set_blob_id("short");
  for (const v1::Frame& frame : odd) f_.Feed(f_["XB"], Input(FrameReceived{2, frame}));
  f_.Settle();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "still talking"));
  f_.Settle();
  f_.Pass(absl::Minutes(2));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"still talking"});
}

}  // namespace
}  // namespace entente::sync

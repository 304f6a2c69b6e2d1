// An author that signs two versions of one log is caught, by a proof that anybody can check; what
// all had acknowledged stands, the rest loses its effect, the same for everybody.
#include "sync/fork.h"

#include <string>
#include <vector>

#include "crypto/note.h"
#include "gtest/gtest.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

const std::vector<std::string> kAll = {"XA", "XB", "XC"};

// XA's disk is copied; the copy and the original then write different entries to different peers.
class ForkTest : public testing::Test {
 protected:
  ForkTest() { f_.TrustAll(); }

  void WriteShared(int entries) {
    for (int i = 0; i < entries; ++i) {
      ASSERT_OK(f_.Write(f_["XA"], kAll, "shared " + std::to_string(i)));
    }
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Connect(f_["XA"], f_["XC"]);
    f_.Settle();
    for (int i = 0; i < 10; ++i) f_.Pass(absl::Minutes(1));
    f_.Disconnect(f_["XA"]);
  }
  void Fork(int to_b, int to_c) {
    const MemoryKv before = f_["XA"].disk;
    const std::vector<AnchorRecord> anchors = f_["XA"].anchors;
    for (int i = 0; i < to_b; ++i) {
      ASSERT_OK(f_.Write(f_["XA"], kAll, "to B " + std::to_string(i)));
    }
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Settle();
    f_.Disconnect(f_["XA"]);
    f_["XA"].disk = before;
    f_["XA"].anchors = anchors;
    f_.Start(f_["XA"]);
    for (int i = 0; i < to_c; ++i) {
      ASSERT_OK(f_.Write(f_["XA"], kAll, "to C " + std::to_string(i)));
    }
    f_.Connect(f_["XA"], f_["XC"]);
    f_.Settle();
    f_.Disconnect(f_["XA"]);
  }
  void Meet() {
    f_.Connect(f_["XB"], f_["XC"]);
    f_.Settle();
    for (int i = 0; i < 10; ++i) f_.Pass(absl::Minutes(1));
  }
  const LogState& LogAt(const std::string& code) { return *f_.FindLog(f_[code], f_["XA"], kAll); }
  v1::ForkProof ProofAt(const std::string& code) {
    v1::ForkProof proof;
    const auto row = f_[code].disk.Get(schema::Fork(LogAt(code).id));
    EXPECT_TRUE(row.ok() && row->has_value() && proof.ParseFromString(**row));
    return proof;
  }
  const PublicKey& KeyOfA() { return f_["XA"].keys->log.public_key(); }

  Federation f_{kAll};
};

TEST_F(ForkTest, TwoBranchesOfDifferentLengthAreProvenOnMeeting) {
  WriteShared(3);
  Fork(5, 2);
  Meet();
  for (const char* code : {"XB", "XC"}) {
    ASSERT_TRUE(LogAt(code).fork.has_value()) << code;
    EXPECT_OK(VerifyFork(ProofAt(code), LogAt(code).id, KeyOfA()).status());
  }
}

TEST_F(ForkTest, TwoBranchesOfOneLengthAreProvenOnMeeting) {
  WriteShared(3);
  Fork(2, 2);
  Meet();
  EXPECT_TRUE(LogAt("XB").fork.has_value());
  EXPECT_TRUE(LogAt("XC").fork.has_value());
}

TEST_F(ForkTest, WhatAllHadAcknowledgedStandsAndTheRestDoesNotTheSameForAll) {
  WriteShared(3);
  const uint64_t shared = LogAt("XB").size;
  Fork(5, 2);
  Meet();
  for (const char* code : {"XB", "XC"}) {
    EXPECT_GE(f_[code].replica->EffectSize(LogAt(code).id), 1u) << code;
    EXPECT_LE(f_[code].replica->EffectSize(LogAt(code).id), shared) << code;
  }
  EXPECT_EQ(f_["XB"].replica->EffectSize(LogAt("XB").id),
            f_["XC"].replica->EffectSize(LogAt("XC").id));
  EXPECT_TRUE(f_["XB"].replica->InSync(f_["XC"].party));
  // The tail is kept, on either side, for people and courts to look at.
  EXPECT_GT(LogAt("XB").size, shared);
  EXPECT_GT(LogAt("XC").size, shared);
}

TEST_F(ForkTest, NothingMoreIsTakenFromAForkedLog) {
  WriteShared(3);
  Fork(5, 2);
  Meet();
  const uint64_t before = LogAt("XC").size;
  for (int i = 0; i < 9; ++i) ASSERT_OK(f_.Write(f_["XA"], kAll, "late"));
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Settle();
  f_.Pass(absl::Minutes(2));
  EXPECT_LE(LogAt("XC").size, std::max(before, LogAt("XC").fork->longer));
}

TEST_F(ForkTest, TheProofOutlivesARestartAndReachesThoseWhoComeLater) {
  WriteShared(3);
  Fork(5, 2);
  Meet();
  f_.Start(f_["XC"]);
  EXPECT_TRUE(LogAt("XC").fork.has_value());
  // The author itself is told: a node whose disk was copied learns of its copy.
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Settle();
  EXPECT_TRUE(f_["XA"].replica->cloned());
  EXPECT_REFUSED(f_.Write(f_["XA"], kAll, "more"), kFailedPrecondition, "CLONED");
}

TEST_F(ForkTest, ALateMemberFetchesABranchAndArrivesAtTheSameEffect) {
  Federation four({"XA", "XB", "XC", "XD"});
  four.TrustAll();
  const std::vector<std::string> all = {"XA", "XB", "XC", "XD"};
  ASSERT_OK(four.Write(four["XA"], all, "shared"));
  four.Connect(four["XA"], four["XB"]);
  four.Connect(four["XA"], four["XC"]);
  four.Settle();
  four.Disconnect(four["XA"]);
  const MemoryKv before = four["XA"].disk;
  const auto anchors = four["XA"].anchors;
  ASSERT_OK(four.Write(four["XA"], all, "to B"));
  four.Connect(four["XA"], four["XB"]);
  four.Settle();
  four.Disconnect(four["XA"]);
  four["XA"].disk = before;
  four["XA"].anchors = anchors;
  four.Start(four["XA"]);
  ASSERT_OK(four.Write(four["XA"], all, "to C"));
  four.Connect(four["XA"], four["XC"]);
  four.Settle();
  four.Disconnect(four["XA"]);
  four.Connect(four["XB"], four["XC"]);
  four.Connect(four["XB"], four["XD"]);
  four.Connect(four["XC"], four["XD"]);
  four.Settle();
  for (int i = 0; i < 20; ++i) four.Pass(absl::Minutes(1));
  std::vector<uint64_t> effect;
  for (const char* code : {"XB", "XC", "XD"}) {
    const LogState* log = four.FindLog(four[code], four["XA"], all);
    ASSERT_NE(log, nullptr) << code;
    EXPECT_TRUE(log->fork.has_value()) << code;
    effect.push_back(four[code].replica->EffectSize(log->id));
  }
  EXPECT_EQ(effect, (std::vector<uint64_t>(3, 2)));  // the epoch and "shared"
}

TEST_F(ForkTest, ConsistentHeadsProveNothing) {
  WriteShared(3);
  v1::ForkProof proof;
  const LogState& log = LogAt("XB");
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ProveFork(f_["XB"].replica->logs(), log, log.head_note, KeyOfA()).status()));
  proof.set_note_a(log.head_note);
  proof.set_note_b(log.head_note);
  for (const Hash& hash : log.range.hashes()) proof.add_left(hash.str());
  EXPECT_FALSE(VerifyFork(proof, log.id, KeyOfA()).ok());
}

TEST_F(ForkTest, AProofWithAnAlteredPartIsRefused) {
  WriteShared(3);
  Fork(5, 2);
  Meet();
  const v1::ForkProof good = ProofAt("XB");
  const LogId log = LogAt("XB").id;
  ASSERT_OK(VerifyFork(good, log, KeyOfA()).status());
  EXPECT_FALSE(VerifyFork(good, log, f_["XB"].keys->log.public_key()).ok());
  EXPECT_FALSE(VerifyFork(good, *LogId::From(std::string(32, 'x')), KeyOfA()).ok());
  std::vector<v1::ForkProof> bad(5, good);
  bad[0].mutable_left(0)->front() ^= 1;
  bad[1].mutable_mid()->RemoveLast();
  bad[2].mutable_note_a()->swap(*bad[2].mutable_note_b());
  bad[3].add_left(std::string(32, 'x'));
  bad[4].clear_note_a();
  for (const v1::ForkProof& proof : bad) {
    EXPECT_FALSE(VerifyFork(proof, log, KeyOfA()).ok());
  }
}

}  // namespace
}  // namespace entente::sync

// Sign, then Confirm: at most one version per predecessor comes into force, in whatever order word
// of it arrives.
#include "sync/agreement.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::sync {
namespace {

const PartyId kA = *PartyId::From(std::string(32, 'a'));
const PartyId kB = *PartyId::From(std::string(32, 'b'));
const PartyId kC = *PartyId::From(std::string(32, 'c'));
const JitId kJit = *JitId::From(std::string(32, 'J'));

absl::StatusOr<std::set<PartyId>> AllThree(const v1::Proposal& proposal, const ProposalState*) {
  if (proposal.text() == "unlawful") return absl::InvalidArgumentError("unlawful text");
  return std::set<PartyId>{kA, kB, kC};
}

std::optional<Hash> NoLock(const Hash&) { return std::nullopt; }

std::string MakeProposal(const Hash& prev, uint32_t version, const std::string& text) {
  v1::Proposal proposal;
  proposal.set_prev(prev.str());
  proposal.set_version(version);
  proposal.set_kind(v1::PROPOSAL_KIND_AGREEMENT);
  proposal.set_text(text);
  for (const PartyId& party : {kA, kB, kC}) proposal.add_required(party.str());
  return proposal.SerializeAsString();
}

class DecisionChainTest : public testing::Test {
 protected:
  Hash Propose(const std::string& text, DecisionChain* chain = nullptr) {
    DecisionChain& to = chain == nullptr ? chain_ : *chain;
    const std::string bytes = MakeProposal(to.NextPrev(), to.NextVersion(), text);
    EXPECT_TRUE(to.AddProposal(kA, "ada", 1, {kA, kB, kC}, bytes));
    to.Evaluate(AllThree);
    return crypto::Sha256(bytes);
  }
  void Say(const PartyId& who, const char* purpose, const Hash& what,
           const std::string& more = "") {
    chain_.AddStatement(who, purpose, Cat(what.view(), more), "user", ++hlc_);
    chain_.Evaluate(AllThree);
  }
  void All(const char* purpose, const Hash& what) {
    for (const PartyId& who : {kA, kB, kC}) Say(who, purpose, what);
  }

  DecisionChain chain_{kJit, v1::PROPOSAL_KIND_AGREEMENT};
  uint64_t hlc_ = 10;
};

TEST_F(DecisionChainTest, IsInForceOnceEveryBodyHasSignedAndConfirmed) {
  const Hash v1 = Propose("one");
  EXPECT_OK(chain_.MaySign(kB, v1));
  EXPECT_EQ(chain_.Current(), nullptr);
  Say(kA, "sign", v1);
  Say(kB, "sign", v1);
  EXPECT_TRUE(chain_.ToConfirm(kA, NoLock).empty());
  Say(kC, "sign", v1);
  EXPECT_EQ(chain_.ToConfirm(kA, NoLock), std::vector<Hash>{v1});
  Say(kA, "confirm", v1);
  EXPECT_TRUE(chain_.ToConfirm(kA, NoLock).empty());
  Say(kB, "confirm", v1);
  EXPECT_EQ(chain_.Current(), nullptr);
  Say(kC, "confirm", v1);
  ASSERT_NE(chain_.Current(), nullptr);
  EXPECT_EQ(chain_.Current()->hash, v1);
  EXPECT_EQ(chain_.NextVersion(), 2u);
}

TEST_F(DecisionChainTest, ARefusalIsFinalAndSaysWhy) {
  const Hash v1 = Propose("one");
  All("sign", v1);
  Say(kB, "refuse", v1, "the period is too long");
  EXPECT_TRUE(chain_.ToConfirm(kA, NoLock).empty());
  EXPECT_EQ(chain_.Find(v1)->signers.at(kB).reason, "the period is too long");
  EXPECT_REFUSED(chain_.MayRefuse(kA, v1), kFailedPrecondition, "ALREADY_SIGNED");
}

TEST_F(DecisionChainTest, StrangersNeitherSignNorCount) {
  const Hash v1 = Propose("one");
  const PartyId stranger = *PartyId::From(std::string(32, 'x'));
  Say(stranger, "sign", v1);
  EXPECT_FALSE(chain_.Find(v1)->signers.contains(stranger));
  EXPECT_REFUSED(chain_.MaySign(stranger, v1), kPermissionDenied, "NOT_A_SIGNER");
  EXPECT_REFUSED(chain_.MaySign(kA, Hash()), kNotFound, "NOT_HERE");
}

TEST_F(DecisionChainTest, AnUnlawfulTextOrShortSignerListIsShownAndNeverConfirmed) {
  const Hash unlawful = Propose("unlawful");
  All("sign", unlawful);
  EXPECT_TRUE(chain_.ToConfirm(kA, NoLock).empty());
  EXPECT_REFUSED(chain_.Find(unlawful)->validity, kInvalidArgument, "unlawful");
  v1::Proposal fewer;
  ASSERT_TRUE(fewer.ParseFromString(MakeProposal(chain_.NextPrev(), 1, "fewer")));
  fewer.mutable_required()->RemoveLast();
  ASSERT_TRUE(chain_.AddProposal(kA, "ada", 1, {kA, kB}, fewer.SerializeAsString()));
  chain_.Evaluate(AllThree);
  EXPECT_REFUSED(chain_.MaySign(kB, crypto::Sha256(fewer.SerializeAsString())), kPermissionDenied,
                 "WRONG_SIGNERS");
}

// However much one body says first, what the others say has its place.
TEST_F(DecisionChainTest, OneBodyCrowdsNobodyOut) {
  for (int i = 0; i < 1000; ++i) {
    chain_.AddProposal(kB, "bob", 1, {kA, kB, kC},
                       MakeProposal(chain_.NextPrev(), 1, "junk " + std::to_string(i)));
    chain_.AddStatement(kB, "sign", crypto::Sha256("nothing " + std::to_string(i)).view(), "bob",
                        ++hlc_);
  }
  EXPECT_LT(chain_.all().size(), 1000u);
  const std::string bytes = MakeProposal(chain_.NextPrev(), 1, "one");
  const Hash one = crypto::Sha256(bytes);
  for (const PartyId& who : {kA, kC}) Say(who, "sign", one);  // before the text itself
  EXPECT_TRUE(chain_.AddProposal(kA, "ada", 1, {kA, kB, kC}, bytes));
  Say(kB, "sign", one);
  All("confirm", one);
  ASSERT_NE(chain_.Current(), nullptr);
  EXPECT_EQ(chain_.Current()->hash, one);
}

TEST_F(DecisionChainTest, WhoSignedOneVersionSignsItsRivalOnlyAfterARefusal) {
  const Hash one = Propose("one"), two = Propose("two");
  Say(kA, "sign", one);
  EXPECT_REFUSED(chain_.MaySign(kA, two), kFailedPrecondition, "SIGNED_ANOTHER");
  EXPECT_OK(chain_.MaySign(kB, two));
  Say(kC, "refuse", one, "no");
  EXPECT_OK(chain_.MaySign(kA, two));
}

TEST_F(DecisionChainTest, AnAnchoredConfirmIsNeverGivenToAnother) {
  const Hash one = Propose("one"), two = Propose("two");
  All("sign", one);
  All("sign", two);  // somebody lied
  const auto lock = [&](const Hash&) { return std::optional<Hash>(two); };
  EXPECT_EQ(chain_.ToConfirm(kA, lock), std::vector<Hash>{two});
  EXPECT_EQ(chain_.ToConfirm(kA, NoLock).size(), 1u);
}

// Otherwise the others would be bound for ever to a text that nobody can complete: who has signed
// it cannot sign another before one of its signers refuses.
TEST_F(DecisionChainTest, WhatAnExcludedBodyNeverSignedIsCompletedByTheOthers) {
  const Hash v1 = Propose("one");
  Say(kA, "sign", v1);
  Say(kB, "sign", v1);
  EXPECT_TRUE(chain_.ToConfirm(kA, NoLock).empty());
  chain_.SetExcluded({kC});
  chain_.Evaluate(AllThree);
  EXPECT_EQ(chain_.ToConfirm(kA, NoLock), std::vector<Hash>{v1});
  Say(kA, "confirm", v1);
  EXPECT_EQ(chain_.Current(), nullptr);
  Say(kB, "confirm", v1);
  ASSERT_NE(chain_.Current(), nullptr);
  EXPECT_EQ(chain_.Current()->hash, v1);
}

// Version 5 of somebody else's chain, for a body that was in none before.
class JoiningTest : public DecisionChainTest {
 protected:
  Hash Offer(const std::string& text, const Hash& prev, uint32_t version = 5) {
    const std::string bytes = MakeProposal(prev, version, text);
    EXPECT_TRUE(chain_.AddProposal(kA, "ada", 1, {kA, kB, kC}, bytes));
    chain_.Evaluate(AllThree);
    return crypto::Sha256(bytes);
  }
  const Hash unseen_ = crypto::Sha256("version 4, of a time before this body came");
};

TEST_F(JoiningTest, TheVersionABodyJoinsByIsItsFirst) {
  const Hash joined = Offer("with C", unseen_);
  EXPECT_OK(chain_.MaySign(kC, joined));
  All("sign", joined);
  EXPECT_EQ(chain_.ToConfirm(kC, NoLock), std::vector<Hash>{joined});
  All("confirm", joined);
  ASSERT_NE(chain_.Current(), nullptr);
  EXPECT_EQ(chain_.Current()->hash, joined);
  const Hash next = Propose("the sixth");
  All("sign", next);
  All("confirm", next);
  EXPECT_EQ(chain_.Current()->hash, next);
  EXPECT_EQ(chain_.Current()->proposal.version(), 6u);
}

TEST_F(JoiningTest, ItNeedsEveryBodyThatItsTextNames) {
  v1::Proposal proposal;
  ASSERT_TRUE(proposal.ParseFromString(MakeProposal(unseen_, 5, "without B")));
  proposal.clear_required();
  for (const PartyId& party : {kA, kC}) proposal.add_required(party.str());
  const std::string bytes = proposal.SerializeAsString();
  chain_.AddProposal(kA, "ada", 1, {kA, kB, kC}, bytes);
  chain_.Evaluate(AllThree);
  EXPECT_REFUSED(chain_.MaySign(kC, crypto::Sha256(bytes)), kPermissionDenied, "[WRONG_SIGNERS]");
  EXPECT_REFUSED(chain_.MaySign(kC, Offer("first and not first", unseen_, 1)), kInvalidArgument,
                 "version 1");
}

TEST_F(JoiningTest, ABodyComesInOnce) {
  const Hash joined = Offer("with C", unseen_);
  const Hash rival = Offer("with C, from elsewhere", crypto::Sha256("another past"));
  Say(kC, "sign", joined);
  EXPECT_REFUSED(chain_.MaySign(kC, rival), kFailedPrecondition, "[SIGNED_ANOTHER]");
  All("sign", joined);
  All("sign", rival);
  ASSERT_EQ(chain_.ToConfirm(kC, NoLock).size(), 1u);
  // Nor after its database was set back: the anchor knows.
  const std::vector<Hash> locks = chain_.LocksOf(joined);
  const auto anchored = [&](const Hash& place) -> std::optional<Hash> {
    if (std::find(locks.begin(), locks.end(), place) == locks.end()) return std::nullopt;
    return joined;
  };
  EXPECT_EQ(chain_.ToConfirm(kC, anchored), std::vector<Hash>{joined});
  Say(kC, "confirm", joined);
  EXPECT_TRUE(chain_.ToConfirm(kC, NoLock).empty());
}

TEST_F(JoiningTest, ABodyThatWasThereFromTheStartWaitsForTheVersionsBetween) {
  const Hash first = Propose("one");
  All("sign", first);
  All("confirm", first);
  const Hash later = Offer("the fifth", unseen_);
  EXPECT_REFUSED(chain_.MaySign(kA, later), kFailedPrecondition, "not here");
  All("sign", later);
  All("confirm", later);
  EXPECT_EQ(chain_.Current()->hash, first);
}

TEST_F(DecisionChainTest, TheSameWordsInAnyOrderGiveTheSameAnswers) {
  struct Event {
    PartyId who;
    std::string purpose, payload;
    uint64_t hlc;
  };
  const std::string first = MakeProposal(chain_.NextPrev(), 1, "one");
  const Hash one = crypto::Sha256(first);
  const std::string second = MakeProposal(one, 2, "two");
  const Hash two = crypto::Sha256(second);
  std::vector<Event> events = {{kA, "proposal", first, 1}, {kB, "proposal", second, 2}};
  uint64_t hlc = 3;
  for (const Hash& what : {one, two}) {
    for (const PartyId& who : {kA, kB, kC}) {
      events.push_back({who, "sign", what.str(), hlc++});
      events.push_back({who, "confirm", what.str(), hlc++});
    }
  }
  std::mt19937 dice(1);
  for (int round = 0; round < 200; ++round) {
    std::shuffle(events.begin(), events.end(), dice);
    DecisionChain chain(kJit, v1::PROPOSAL_KIND_AGREEMENT);
    for (const Event& e : events) {
      if (e.purpose == "proposal") {
        chain.AddProposal(e.who, "u", e.hlc, {kA, kB, kC}, e.payload);
      } else {
        chain.AddStatement(e.who, e.purpose, e.payload, "u", e.hlc);
      }
      chain.Evaluate(AllThree);
    }
    ASSERT_EQ(chain.InForce().size(), 2u) << "round " << round;
    ASSERT_EQ(chain.Current()->hash, two);
  }
}

// The whole point: three honest bodies that hear everything in different orders, and a proposer who
// offers two versions at once, never end with two versions in force.
TEST_F(DecisionChainTest, TwoRivalsNeverBothComeIntoForce) {
  std::mt19937 dice(7);
  for (int round = 0; round < 300; ++round) {
    std::map<PartyId, DecisionChain> at;
    std::map<PartyId, std::map<Hash, Hash>> locks;
    for (const PartyId& who : {kA, kB, kC}) {
      at.emplace(who, DecisionChain(kJit, v1::PROPOSAL_KIND_AGREEMENT));
    }
    const Hash genesis = at.at(kA).NextPrev();
    const std::vector<std::string> rivals = {MakeProposal(genesis, 1, "one"),
                                             MakeProposal(genesis, 1, "two")};
    struct Word {
      PartyId to, from;
      std::string purpose, payload;
    };
    std::vector<Word> air;
    const auto tell = [&](const PartyId& from, const std::string& purpose,
                          const std::string& payload) {
      for (const PartyId& to : {kA, kB, kC}) air.push_back({to, from, purpose, payload});
    };
    for (const std::string& bytes : rivals) tell(kA, "proposal", bytes);
    while (!air.empty()) {
      const size_t pick = dice() % air.size();
      const Word word = air[pick];
      air.erase(air.begin() + static_cast<int64_t>(pick));
      DecisionChain& chain = at.at(word.to);
      if (word.purpose == "proposal") {
        chain.AddProposal(word.from, "u", 1, {kA, kB, kC}, word.payload);
      } else {
        chain.AddStatement(word.from, word.purpose, word.payload, "u", 1);
      }
      chain.Evaluate(AllThree);
      for (const auto& [hash, state] : chain.all()) {
        if (chain.MaySign(word.to, hash).ok() && dice() % 2 == 0) {
          chain.AddStatement(word.to, "sign", hash.view(), "u", 1);
          tell(word.to, "sign", hash.str());
        }
      }
      const auto lock = [&](const Hash& prev) -> std::optional<Hash> {
        const auto it = locks[word.to].find(prev);
        return it == locks[word.to].end() ? std::nullopt : std::optional<Hash>(it->second);
      };
      for (const Hash& hash : chain.ToConfirm(word.to, lock)) {
        locks[word.to][genesis] = hash;
        chain.AddStatement(word.to, "confirm", hash.view(), "u", 1);
        tell(word.to, "confirm", hash.str());
      }
    }
    std::set<Hash> in_force;
    for (const auto& [who, chain] : at) {
      for (const auto& [hash, state] : chain.all()) {
        if (state.InForce()) in_force.insert(hash);
      }
    }
    ASSERT_LE(in_force.size(), 1u) << "round " << round;
  }
}

}  // namespace
}  // namespace entente::sync

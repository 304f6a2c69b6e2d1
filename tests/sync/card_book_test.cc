// Node cards: signed by their party, clean, distinct keys, in an unbroken chain.
#include "sync/card_book.h"

#include <functional>
#include <string>

#include "crypto/box.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class CardBookTest : public testing::Test {
 protected:
  std::string Signed(const std::function<void(v1::NodeCard&)>& change) {
    v1::NodeCard card = f_["XA"].card;
    change(card);
    return SignCard(card, f_["XA"].root.root);
  }
  absl::Status Verified(const std::function<void(v1::NodeCard&)>& change) {
    return VerifyCard(Signed(change)).status();
  }

  // The card of XA that follows `before`.
  std::string NextAfter(const std::string& before,
                        const std::function<void(v1::NodeCard&)>& change = nullptr) {
    const TrustedCard held = *VerifyCard(before);
    v1::NodeCard card = held.card;
    card.set_seq(card.seq() + 1);
    card.set_prev_hash(held.hash.str());
    if (change) change(card);
    return SignCard(card, f_["XA"].root.root);
  }
  void TrustSeries(int n) {
    std::string card = f_["XA"].signed_card;
    for (int i = 0; i < n; ++i) {
      ASSERT_OK(book_.Trust(card, &writes_));
      card = NextAfter(card);
    }
  }

  Federation f_{{"XA", "XB"}};
  CardBook book_;
  WriteBatch writes_;
};

TEST_F(CardBookTest, ACardIsTakenOnceAndFoundByPartyCodeAndHash) {
  EXPECT_FALSE(*book_.Trust(f_["XA"].signed_card, &writes_));
  EXPECT_TRUE(*book_.Trust(f_["XA"].signed_card, &writes_));
  EXPECT_EQ(writes_.writes().size(), 1u);
  const TrustedCard* card = book_.FindByCode("XA");
  ASSERT_NE(card, nullptr);
  EXPECT_EQ(book_.Find(f_["XA"].party), card);
  EXPECT_EQ(book_.FindByHash(card->hash), card);
  EXPECT_EQ(book_.FindByCode("XB"), nullptr);
}

TEST_F(CardBookTest, AForgedOrAlteredCardIsRefused) {
  EXPECT_REFUSED(VerifyCard(SignCard(f_["XA"].card, f_["XB"].root.root)), kUnauthenticated, "");
  for (size_t i = 0; i < f_["XA"].signed_card.size(); ++i) {
    std::string altered = f_["XA"].signed_card;
    altered[i] ^= 1;
    const auto card = VerifyCard(altered);
    EXPECT_FALSE(card.ok() && card->party == f_["XA"].party) << "byte " << i;
  }
  EXPECT_REFUSED(VerifyCard(""), kInvalidArgument, "not a node card");
  EXPECT_REFUSED(VerifyCard(std::string(70000, 'x')), kInvalidArgument, "larger than 64 KiB");
  EXPECT_REFUSED(Verified([](auto& c) { c.set_name(std::string(20000, 'x')); }), kInvalidArgument,
                 "larger than 16 KiB");
}

TEST_F(CardBookTest, WhatPeopleReadOnACardIsClean) {
  EXPECT_REFUSED(Verified([](auto& c) { c.set_code("xa"); }), kInvalidArgument, "code");
  EXPECT_REFUSED(Verified([](auto& c) { c.set_code("A VERY LONG ONE"); }), kInvalidArgument,
                 "code");
  EXPECT_REFUSED(Verified([](auto& c) { c.set_name(""); }), kInvalidArgument, "name");
  EXPECT_REFUSED(Verified([](auto& c) { c.set_name("a\x1b[2Jb"); }), kInvalidArgument,
                 "control characters");
  EXPECT_REFUSED(Verified([](auto& c) { c.set_seq(0); }), kInvalidArgument, "sequence");
  EXPECT_REFUSED(Verified([](auto& c) {
                   for (int i = 0; i < 9; ++i) c.add_addresses("127.0.0.1:1");
                 }),
                 kInvalidArgument, "more than 8");
}

TEST_F(CardBookTest, OneKeyHasOneRole) {
  EXPECT_REFUSED(Verified([](auto& c) { c.set_cosign_key(c.log_key()); }), kInvalidArgument,
                 "one key for two roles");
  EXPECT_REFUSED(Verified([](auto& c) { c.set_log_key(std::string(32, '\0')); }), kInvalidArgument,
                 "log key");
  EXPECT_REFUSED(Verified([](auto& c) { c.mutable_box_key()->set_id("wrong"); }), kInvalidArgument,
                 "reading key");
}

// A trusted body that renewed its card with such a key would stop everybody who writes to it.
TEST_F(CardBookTest, AReadingKeyThatNothingCanBeSealedToIsRefused) {
  for (const char first : {'\0', '\1'}) {
    const BoxPublicKey low = *BoxPublicKey::From(Cat(std::string(1, first), std::string(31, '\0')));
    const auto with_low = [&](v1::BoxKey* key) {
      key->set_public_key(low.str());
      key->set_id(crypto::BoxKeyId(low).str());
    };
    EXPECT_REFUSED(Verified([&](auto& c) { with_low(c.mutable_box_key()); }), kInvalidArgument,
                   "reading key");
    EXPECT_REFUSED(Verified([&](auto& c) { with_low(c.mutable_recovery_box_key()); }),
                   kInvalidArgument, "recovery key");
  }
}

TEST_F(CardBookTest, TwoBodiesCannotShareACode) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  v1::NodeCard impostor = f_["XB"].card;
  impostor.set_code("XA");
  EXPECT_REFUSED(book_.Trust(SignCard(impostor, f_["XB"].root.root), &writes_), kAlreadyExists,
                 "CODE_TAKEN");
}

TEST_F(CardBookTest, ANewCardNamesTheOneItFollows) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  const Hash held = book_.FindByCode("XA")->hash;
  EXPECT_REFUSED(book_.Trust(Signed([](auto& c) { c.set_seq(2); }), &writes_), kFailedPrecondition,
                 "CARD_NOT_NEWER");
  EXPECT_FALSE(*book_.Trust(Signed([&](auto& c) {
                              c.set_seq(2);
                              c.set_prev_hash(held.str());
                            }),
                            &writes_));
  EXPECT_REFUSED(book_.Trust(f_["XA"].signed_card, &writes_), kFailedPrecondition,
                 "CARD_NOT_NEWER");
}

// What was made under an earlier card is verified by it, however many came since.
// "a body's code": agreements in force name it.
TEST_F(CardBookTest, ABodyKeepsItsCodeAndItsKind) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  const auto renamed = [](auto& card) { card.set_code("MM"); };
  EXPECT_REFUSED(book_.Trust(NextAfter(f_["XA"].signed_card, renamed), &writes_), kInvalidArgument,
                 "[CODE_CHANGED]");
  const auto other_kind = [](auto& card) { card.set_kind(v1::BODY_KIND_RELAY); };
  EXPECT_REFUSED(book_.Trust(NextAfter(f_["XA"].signed_card, other_kind), &writes_),
                 kInvalidArgument, "[CODE_CHANGED]");
  EXPECT_OK(book_.Trust(NextAfter(f_["XA"].signed_card), &writes_));
}

TEST_F(CardBookTest, EarlierCardsAreKeptForWhatWasMadeUnderThem) {
  TrustSeries(3);
  const Hash first = VerifyCard(f_["XA"].signed_card)->hash;
  ASSERT_NE(book_.FindByHash(first), nullptr);
  EXPECT_EQ(book_.FindByHash(first)->card.seq(), 1u);
  EXPECT_EQ(book_.Find(f_["XA"].party)->card.seq(), 3u);
  EXPECT_EQ(book_.FindOf(f_["XB"].party, first.view()), nullptr);
  MemoryKv disk;
  ASSERT_OK(disk.Commit(writes_));
  CardBook again;
  ASSERT_OK(again.Load(disk));
  EXPECT_EQ(again.ChainOf(f_["XA"].party).size(), 3u);
  EXPECT_EQ(again.Find(f_["XA"].party)->card.seq(), 3u);
  EXPECT_NE(again.FindByHash(first), nullptr);
}

TEST_F(CardBookTest, WhoMissedACardFollowsTheChainThatTheNewestBrings) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  CardBook source;
  WriteBatch ignored;
  std::string third = f_["XA"].signed_card;
  ASSERT_OK(source.Trust(third, &ignored));
  for (int i = 0; i < 2; ++i) ASSERT_OK(source.Trust(third = NextAfter(third), &ignored));
  EXPECT_REFUSED(book_.Trust(third, &writes_), kFailedPrecondition, "CARD_NOT_NEWER");
  ASSERT_OK(book_.Trust(source.Portable(f_["XA"].party).SerializeAsString(), &writes_));
  EXPECT_EQ(book_.ChainOf(f_["XA"].party).size(), 3u);
}

TEST_F(CardBookTest, CardsThatDoNotLeadToTheNewestAreRefused) {
  const std::string second = NextAfter(f_["XA"].signed_card), third = NextAfter(second);
  v1::SignedCard shown;
  ASSERT_TRUE(shown.ParseFromString(third));
  shown.add_earlier(f_["XA"].signed_card);
  EXPECT_REFUSED(book_.Trust(shown.SerializeAsString(), &writes_), kInvalidArgument, "do not lead");
  shown.set_earlier(0, f_["XB"].signed_card);
  EXPECT_REFUSED(book_.Trust(shown.SerializeAsString(), &writes_), kInvalidArgument, "do not lead");
}

TEST_F(CardBookTest, ARevokedCardIsKnownAsSuch) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  const Hash first = book_.FindByCode("XA")->hash;
  EXPECT_FALSE(book_.IsRevoked(*book_.FindByHash(first)));
  ASSERT_OK(book_.Trust(
      NextAfter(f_["XA"].signed_card, [&](auto& c) { c.add_revokes(first.str()); }), &writes_));
  EXPECT_TRUE(book_.IsRevoked(*book_.FindByHash(first)));
  EXPECT_FALSE(book_.IsRevoked(*book_.FindByCode("XA")));
  EXPECT_REFUSED(Verified([](auto& c) { c.add_revokes("short"); }), kInvalidArgument, "no card");
}

// "two cards with one seq are a fork proof against the party"
TEST_F(CardBookTest, TwoCardsWithOneNumberAreAProofAndNeitherSideGoesOn) {
  const std::string mine = NextAfter(f_["XA"].signed_card),
                    other = NextAfter(f_["XA"].signed_card, [](auto&c) { c.set_name("Other"); });
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  ASSERT_OK(book_.Trust(mine, &writes_));
  EXPECT_REFUSED(book_.Trust(other, &writes_), kFailedPrecondition, "CARD_FORKED");
  EXPECT_EQ(book_.TakeFreshForks(), std::vector<PartyId>{f_["XA"].party});
  EXPECT_REFUSED(book_.Trust(NextAfter(mine), &writes_), kFailedPrecondition, "CARD_FORKED");
  EXPECT_TRUE(*book_.Trust(mine, &writes_));
  EXPECT_TRUE(book_.TakeFreshForks().empty());

  MemoryKv disk;
  ASSERT_OK(disk.Commit(writes_));
  CardBook again;
  ASSERT_OK(again.Load(disk));
  ASSERT_NE(again.ForkOf(f_["XA"].party), nullptr);
  EXPECT_REFUSED(again.Trust(NextAfter(mine), &writes_), kFailedPrecondition, "CARD_FORKED");

  CardBook third;
  ASSERT_OK(third.Trust(f_["XA"].signed_card, &writes_));
  EXPECT_TRUE(*third.LearnFork(*again.ForkOf(f_["XA"].party), &writes_));
  EXPECT_REFUSED(third.Trust(mine, &writes_), kFailedPrecondition, "CARD_FORKED");
}

TEST_F(CardBookTest, CardsOfDifferentNumbersOrBodiesProveNothing) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  const std::string& first = f_["XA"].signed_card;
  EXPECT_REFUSED(book_.LearnFork({first, NextAfter(first)}, &writes_), kInvalidArgument, "");
  EXPECT_REFUSED(book_.LearnFork({first, first}, &writes_), kInvalidArgument, "");
  EXPECT_REFUSED(book_.LearnFork({first, f_["XB"].signed_card}, &writes_), kInvalidArgument, "");
  EXPECT_EQ(book_.ForkOf(f_["XA"].party), nullptr);
}

TEST_F(CardBookTest, WhatWasTrustedIsThereAfterARestartAndDamageIsNamed) {
  ASSERT_OK(book_.Trust(f_["XA"].signed_card, &writes_));
  MemoryKv disk;
  ASSERT_OK(disk.Commit(writes_));
  CardBook again;
  ASSERT_OK(again.Load(disk));
  EXPECT_NE(again.FindByCode("XA"), nullptr);
  disk.rows().begin()->second[40] ^= 1;
  CardBook damaged;
  EXPECT_REFUSED(damaged.Load(disk), kDataLoss, "no longer verifies");
}

}  // namespace
}  // namespace entente::sync

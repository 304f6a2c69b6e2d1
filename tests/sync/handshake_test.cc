// Who is at the other end: the TLS key, the card and the statement key must all say the same.
#include "sync/handshake.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class HandshakeTest : public testing::Test {
 protected:
  HandshakeTest() { f_.TrustAll(); }
  // Two ends of one connection, greeted and proved as far as `f_.on_frame` lets them.
  bool Ready() {
    f_.Connect(f_["XA"], f_["XB"]);
    f_.Settle();
    return f_["XA"].replica->Connected(f_["XB"].party) &&
           f_["XB"].replica->Connected(f_["XA"].party);
  }
  Federation f_{{"XA", "XB", "XC"}};
};

TEST_F(HandshakeTest, TwoTrustedBodiesMeet) { EXPECT_TRUE(Ready()); }

TEST_F(HandshakeTest, AProofOfAnotherConversationDoesNotHold) {
  f_.on_frame = [](Body&, Body&, v1::Frame& frame) {
    if (frame.has_hello_proof()) frame.mutable_hello_proof()->mutable_signature()->at(3) ^= 1;
    return true;
  };
  EXPECT_FALSE(Ready());
}

TEST_F(HandshakeTest, AnotherBodysCardUnderThisTlsKeyIsRefused) {
  f_.on_frame = [this](Body& from, Body&, v1::Frame& frame) {
    if (frame.has_hello() && from.code == "XA") {
      frame.mutable_hello()->set_signed_card(f_["XC"].signed_card);
    }
    return true;
  };
  EXPECT_FALSE(Ready());
}

TEST_F(HandshakeTest, ReflectedGreetingsAreRefused) {
  std::string nonce;
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (!frame.has_hello()) return true;
    if (from.code == "XA") nonce = frame.hello().nonce();
    if (from.code == "XB") frame.mutable_hello()->set_nonce(nonce);
    return true;
  };
  EXPECT_FALSE(Ready());
}

TEST_F(HandshakeTest, AVersionNobodyKnowsIsRefused) {
  f_.on_frame = [](Body&, Body&, v1::Frame& frame) {
    if (frame.has_hello()) frame.mutable_hello()->set_version_min(99);
    return true;
  };
  EXPECT_FALSE(Ready());
}

TEST_F(HandshakeTest, ASilentPeerIsNotWaitedForForEver) {
  f_.on_frame = [](Body&, Body&, v1::Frame&) { return false; };
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.on_frame = nullptr;
  f_.Pass(absl::Seconds(11));
  EXPECT_TRUE(Ready());
}

TEST_F(HandshakeTest, NothingIsSaidBeforeTheProof) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  bool leaked = false;
  f_.on_frame = [&](Body&, Body&, v1::Frame& frame) {
    leaked = leaked || !(frame.has_hello() || frame.has_hello_proof());
    return frame.has_hello();
  };
  EXPECT_FALSE(Ready());
  EXPECT_FALSE(leaked);
}

TEST_F(HandshakeTest, ANewerCardOfATrustedBodyIsTakenOver) {
  Body& xa = f_["XA"];
  CardBook book;
  ASSERT_OK(book.Load(f_["XB"].disk));
  v1::NodeCard next = xa.card;
  next.set_seq(2);
  next.set_prev_hash(book.Find(xa.party)->hash.str());
  next.set_name("Renamed authority");
  xa.signed_card = SignCard(next, xa.root.root);
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (frame.has_hello() && from.code == "XA") {
      frame.mutable_hello()->set_signed_card(xa.signed_card);
    }
    return true;
  };
  EXPECT_TRUE(Ready());
  EXPECT_EQ(f_["XB"].replica->cards().FindByCode("XA")->card.name(), "Renamed authority");
}

// A copy of a node from before its renewal keeps its TLS key and is refused all the same.
TEST_F(HandshakeTest, ARevokedCardGetsNoSession) {
  Body& xa = f_["XA"];
  v1::NodeCard next = xa.card;
  next.set_seq(2);
  const Hash first = VerifyCard(xa.signed_card)->hash;
  next.set_prev_hash(first.str());
  next.add_revokes(first.str());
  next.set_statement_key(crypto::SigningKey::Generate(f_.entropy).public_key().str());
  ASSERT_OK(f_["XB"].replica->TrustCard(SignCard(next, xa.root.root), f_.now));
  EXPECT_FALSE(Ready());
  bool shown = false;
  for (const Refusals::Item& item : f_["XB"].replica->refusals().All()) {
    shown = shown || item.row.code() == v1::REFUSAL_CODE_REVOKED_CARD;
  }
  EXPECT_TRUE(shown);
}

// "Two different cards with one seq": refused, kept, shown, and told to those who share a log.
TEST_F(HandshakeTest, TwoCardsWithOneNumberRaiseTheAlarmEverywhere) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "shared"));
  EXPECT_TRUE(Ready());
  f_.Connect(f_["XB"], f_["XC"]);
  f_.Settle();
  const auto next = [&](const std::string& name) {
    v1::NodeCard card = f_["XA"].card;
    card.set_seq(2);
    card.set_prev_hash(VerifyCard(f_["XA"].signed_card)->hash.str());
    card.set_name(name);
    return SignCard(card, f_["XA"].root.root);
  };
  ASSERT_OK(f_["XB"].replica->TrustCard(next("One"), f_.now));
  EXPECT_REFUSED(f_["XB"].replica->TrustCard(next("Two"), f_.now), kFailedPrecondition,
                 "CARD_FORKED");
  f_.Feed(f_["XB"], Input(Tick{}));
  f_.Settle();
  for (const char* code : {"XA", "XB", "XC"}) {
    EXPECT_NE(f_[code].replica->cards().ForkOf(f_["XA"].party), nullptr) << code;
  }
  EXPECT_REFUSED(f_["XC"].replica->TrustCard(next("One"), f_.now), kFailedPrecondition,
                 "CARD_FORKED");
  f_.Start(f_["XC"]);
  EXPECT_NE(f_["XC"].replica->cards().ForkOf(f_["XA"].party), nullptr);
}

TEST_F(HandshakeTest, WhoSharesNothingWithABodyHearsNothingOfItsAlarm) {
  f_.Connect(f_["XB"], f_["XC"]);
  f_.Settle();
  v1::NodeCard card = f_["XA"].card;
  card.set_name("Another first card");
  EXPECT_REFUSED(f_["XB"].replica->TrustCard(SignCard(card, f_["XA"].root.root), f_.now),
                 kFailedPrecondition, "CARD_FORKED");
  f_.Feed(f_["XB"], Input(Tick{}));
  f_.Settle();
  EXPECT_EQ(f_["XC"].replica->cards().ForkOf(f_["XA"].party), nullptr);
}

}  // namespace
}  // namespace entente::sync

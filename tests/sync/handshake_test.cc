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

}  // namespace
}  // namespace entente::sync

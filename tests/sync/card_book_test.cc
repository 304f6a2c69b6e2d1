// Node cards: signed by their party, clean, distinct keys, in an unbroken chain.
#include "sync/card_book.h"

#include <functional>
#include <string>

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
  EXPECT_REFUSED(VerifyCard(std::string(20000, 'x')), kInvalidArgument, "larger than 16 KiB");
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
  EXPECT_REFUSED(book_.Trust(Signed([](auto& c) { c.set_name("Renamed"); }), &writes_),
                 kFailedPrecondition, "CARD_NOT_NEWER");
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

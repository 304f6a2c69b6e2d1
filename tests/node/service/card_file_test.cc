// A card handed over as a file: only its last line is believed.
#include "node/service/card_file.h"

#include <string>

#include "crypto/keystore.h"
#include "crypto/words.h"
#include "gtest/gtest.h"
#include "sync/card_book.h"
#include "tests/support/status_testing.h"

namespace entente::service {
namespace {

class CardFileTest : public testing::Test {
 protected:
  CardFileTest() {
    SeededEntropy entropy(1);
    const crypto::SigningKey root = crypto::SigningKey::Generate(entropy);
    v1::NodeCard card;
    card.set_party(root.public_key().str());
    card.set_code("XA");
    card.set_name("Arvenia");
    signed_card_ = sync::SignCard(card, root);
    words_ = crypto::WordString(*PartyId::From(card.party()));
  }
  std::string signed_card_, words_;
};

TEST_F(CardFileTest, GoesBothWaysAndShowsItsWords) {
  const auto text = EncodeCardFile(signed_card_);
  ASSERT_OK(text);
  EXPECT_NE(text->find("code: XA"), std::string::npos);
  EXPECT_NE(text->find(words_), std::string::npos);
  const auto back = ParseCardFile(*text);
  ASSERT_OK(back);
  EXPECT_EQ(back->signed_card, signed_card_);
  EXPECT_EQ(back->words, words_);
  EXPECT_EQ(ParseCardFile(signed_card_)->card.code(), "XA");
}

TEST_F(CardFileTest, TheWordsInTheFileAreNotBelieved) {
  std::string text = *EncodeCardFile(signed_card_);
  text.replace(text.find(words_), words_.size(), std::string(words_.size(), 'z'));
  EXPECT_EQ(ParseCardFile(text)->words, words_);
}

TEST_F(CardFileTest, WhatIsNoCardIsSaidToBeNone) {
  for (const char* text :
       {"", "a shopping list", "entente-card-1\ncard: !!!\n", "entente-card-1\ncode: XA\n"}) {
    EXPECT_REFUSED(ParseCardFile(text), kInvalidArgument, "NOT_A_CARD") << text;
  }
}

}  // namespace
}  // namespace entente::service

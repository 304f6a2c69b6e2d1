// Words for the telephone: eight, pronounceable, forgiving about how they are typed.
#include "crypto/words.h"

#include <regex>
#include <set>
#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"

namespace entente::crypto {
namespace {

TEST(WordsTest, EightPronounceableWordsPerParty) {
  SeededEntropy entropy(11);
  const std::regex shape(
      "([bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]-?){8}");
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string words = WordString(entropy.Draw<PartyId>());
    EXPECT_TRUE(std::regex_match(words, shape)) << words;
    seen.insert(words);
  }
  EXPECT_EQ(seen.size(), 200u);
}

TEST(WordsTest, TypedWordsAreComparedWithoutTheirDress) {
  EXPECT_EQ(NormalizeWords("  Lusab. BABAD,gutih - tugad\n"), "lusab-babad-gutih-tugad");
  EXPECT_EQ(NormalizeWords(""), "");
}

}  // namespace
}  // namespace entente::crypto

// Enumerations as words, read from the descriptors.
#include "node/cli/words.h"

#include <string>

#include "entente/v1/records.pb.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

TEST(WordsTest, ValuesAreWordsAndWordsAreValues) {
  EXPECT_EQ(EnumWord(v1::TASK_KIND_BANK_DATA), "bank-data");
  for (const char* word : {"bank-data", "BANK_DATA", "TASK_KIND_BANK_DATA"}) {
    EXPECT_EQ(*ParseEnumWord<v1::TaskKind>(word), v1::TASK_KIND_BANK_DATA) << word;
  }
}

TEST(WordsTest, AWrongWordIsAnsweredWithTheRightOnes) {
  EXPECT_REFUSED(ParseEnumWord<v1::TaskKind>("bankdata"), kInvalidArgument, "bank-data");
  EXPECT_REFUSED(ParseEnumWord<v1::TaskKind>("unspecified"), kInvalidArgument, "BAD_VALUE");
  EXPECT_REFUSED(ParseEnumWord<v1::TaskKind>(""), kInvalidArgument, "BAD_VALUE");
}

TEST(WordsTest, ValuesOfALaterVersionAreNumbers) {
  EXPECT_EQ(EnumWord(static_cast<v1::TaskKind>(99)), "99");
  EXPECT_EQ(EnumWord(v1::TASK_KIND_UNSPECIFIED), "");
}

TEST(WordsTest, StatesReadAsPeopleSayThem) {
  EXPECT_EQ(StateWord("IN_PROGRESS"), "in progress");
  EXPECT_EQ(StateName("in-progress"), "IN_PROGRESS");
}

}  // namespace
}  // namespace entente::cli

// Texts that people read say what they seem to say.
#include <string>

#include "gtest/gtest.h"
#include "node/model/kinds.h"
#include "tests/support/status_testing.h"

namespace entente::model {
namespace {

TEST(TextTest, WordsOfEveryLanguageAreAccepted) {
  for (const char* text : {"Ελλάδα", "Příběh číslo 7", "عربي", "日本語", "Ștefan Ionuț", "🙂"}) {
    EXPECT_OK(CheckText(text, 100, false)) << text;
  }
}

TEST(TextTest, ControlAndInvisibleCharactersAreNamed) {
  for (const char* text : {"a\x1b[31mb", "a\x07", "a\xC2\x85z",
                           "pay\xE2\x80\xAE"
                           "gpj.exe",
                           "zero\xE2\x80\x8Bwidth", "\xEF\xBB\xBFmark", "line\xE2\x80\xA8sep"}) {
    EXPECT_REFUSED(CheckText(text, 100, true), kInvalidArgument, "") << text;
  }
  EXPECT_EQ(CleanForDisplay("pay\xE2\x80\xAEgpj"), "pay\\u{202E}gpj");
}

TEST(TextTest, LineBreaksBelongInLongTextsOnly) {
  EXPECT_OK(CheckText("one\ntwo\tthree", 100, true));
  EXPECT_REFUSED(CheckText("one\ntwo", 100, false), kInvalidArgument, "");
}

TEST(TextTest, BrokenUtf8IsRefusedAndNeverPrinted) {
  for (const char* text : {"\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_REFUSED(CheckText(text, 100, true), kInvalidArgument, "");
    for (const char c : CleanForDisplay(text)) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F);
    }
  }
}

TEST(TextTest, LengthIsCountedInBytes) {
  EXPECT_OK(CheckText("éé", 4, false));
  EXPECT_FALSE(CheckText("ééa", 4, false).ok());
}

}  // namespace
}  // namespace entente::model

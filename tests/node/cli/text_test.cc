// Text from others is safe to print and safe to use as a file name.
#include "node/cli/text.h"

#include <string>

#include "gtest/gtest.h"

namespace entente::cli {
namespace {

TEST(TextTest, WhatHidesOrReordersIsShown) {
  EXPECT_EQ(Clean("pay\xE2\x80\xAEgpj"), "pay<U+202E>gpj");
  EXPECT_EQ(Clean("a\x1b[2Jb").find('\x1b'), std::string::npos);
  EXPECT_EQ(Clean("Ελλάδα 日本"), "Ελλάδα 日本");
  EXPECT_EQ(Clean("\xFF").find('\xFF'), std::string::npos);
}

TEST(TextTest, LinesStayAndAreIndented) { EXPECT_EQ(CleanLines("one\ntwo", 2), "one\n  two"); }

TEST(TextTest, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("é"), 1u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(Fit("abcdef", 4), "abc…");
  EXPECT_EQ(Fit("abc", 4), "abc");
  EXPECT_LE(DisplayWidth(Fit("日本語", 4)), 4u);
  EXPECT_EQ(PadTo("é", 3), "é  ");
}

TEST(TextTest, AFileNameStaysInItsFolder) {
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "..", ".", "", "-rf", ".hidden",
                           "a/b", "x\n", "pay\xE2\x80\xAEgpj"}) {
    const std::string safe = SafeFileName(name);
    EXPECT_FALSE(safe.empty()) << name;
    EXPECT_EQ(safe.find('/'), std::string::npos) << name;
    EXPECT_NE(safe[0], '.') << name;
    EXPECT_NE(safe[0], '-') << name;
    EXPECT_EQ(safe.find('\n'), std::string::npos) << name;
  }
  EXPECT_EQ(SafeFileName("ledger 2026.pdf"), "ledger 2026.pdf");
  EXPECT_LE(SafeFileName(std::string(400, 'x')).size(), 200u);
}

TEST(TextTest, BytesAreForPeople) {
  EXPECT_EQ(HumanBytes(12), "12 B");
  EXPECT_EQ(HumanBytes(uint64_t{3} << 29), "1.5 GiB");
}

}  // namespace
}  // namespace entente::cli

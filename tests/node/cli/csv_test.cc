// CSV as spreadsheets write it, and errors by the line that a person sees.
#include "node/cli/csv.h"

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

using Fields = std::vector<std::string>;

TEST(CsvTest, FieldsInQuotesHoldCommasLineBreaksAndQuotes) {
  const auto rows = ParseCsv("title,note\r\n\"Ledger, \"\"black\"\"\",\"first\nsecond\"\r\nb,\r\n");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[1].fields, (Fields{"Ledger, \"black\"", "first\nsecond"}));
  EXPECT_EQ((*rows)[1].line, 2u);
  EXPECT_EQ((*rows)[2].fields, (Fields{"b", ""}));
  EXPECT_EQ((*rows)[2].line, 4u);
}

TEST(CsvTest, ByteOrderMarkSemicolonsAndEmptyLinesAreThoseOfSpreadsheets) {
  const auto rows = ParseCsv("\xEF\xBB\xBFtitle;note\n\n\"a;b\";c,d\n\n");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].fields, (Fields{"title", "note"}));
  EXPECT_EQ((*rows)[1].fields, (Fields{"a;b", "c,d"}));
  EXPECT_EQ((*rows)[1].line, 3u);
}

TEST(CsvTest, WhatIsNotCsvIsNamedByItsLine) {
  EXPECT_REFUSED(ParseCsv("a,b\nc,\"d\n"), kInvalidArgument, "line 2");
  EXPECT_REFUSED(ParseCsv("a,b\n\"c\"d,e\n"), kInvalidArgument, "line 2");
  EXPECT_REFUSED(ParseCsv("a,b\nc,d\ne\"f,g\n"), kInvalidArgument, "line 3");
}

TEST(CsvTest, NothingIsNoRows) {
  ASSERT_OK(ParseCsv(""));
  EXPECT_TRUE(ParseCsv("")->empty());
  EXPECT_TRUE(ParseCsv("\r\n\n")->empty());
}

TEST(CsvTest, WhatIsWrittenReadsBackAndNoFieldIsAFormula) {
  const Fields fields = {"a,b", "c\"d", "e\nf", "", "g"};
  const auto rows = ParseCsv(CsvLine(fields));
  ASSERT_OK(rows);
  EXPECT_EQ((*rows)[0].fields, fields);
  EXPECT_EQ(CsvLine({""}), "\"\"\r\n");
  EXPECT_EQ(CsvLine({"=SUM(A1)", "-1", "@x"}), "'=SUM(A1),'-1,'@x\r\n");
}

}  // namespace
}  // namespace entente::cli

// Lists fit the line, align whatever the script, and cannot be broken by what they show.
#include "node/cli/table.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "node/cli/text.h"

namespace entente::cli {
namespace {

TEST(TableTest, ColumnsAlignWithoutTrailingBlanks) {
  Table table({"REF", "TITLE"});
  table.Add({"T-1", "short"});
  table.Add({"T-22222", "日本"});
  EXPECT_EQ(table.Render(), "REF      TITLE\nT-1      short\nT-22222  日本\n");
  EXPECT_EQ(Table({"A"}).Render(), "");
}

TEST(TableTest, LongCellsGiveWayAndEveryLineFits) {
  Table table({"REF", "TITLE", "OWNER"});
  table.Add({"T-1", std::string(300, 'x'), "XA"});
  std::istringstream lines(table.Render());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(DisplayWidth(line), kLineWidth);
    EXPECT_TRUE(line.find("XA") != std::string::npos || line.find("OWNER") != std::string::npos);
  }
}

TEST(TableTest, ACellCannotStartALineOrMoveTheCursor) {
  Table table({"A", "B"});
  table.Add({"x\ny", "\x1b[2J"});
  const std::string text = table.Render();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(TableTest, FactsLeaveOutWhatIsEmpty) {
  Facts facts;
  facts.Add("Title", "The ledger");
  facts.Add("Place", "");
  EXPECT_EQ(facts.Render().find("Place"), std::string::npos);
  EXPECT_NE(facts.Render().find("The ledger"), std::string::npos);
}

}  // namespace
}  // namespace entente::cli

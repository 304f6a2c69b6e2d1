// How files are shown while they come, and how a check ends.
#include "node/cli/file_text.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

v1::FileProgress File(const std::string& state, uint64_t here = 10 << 20) {
  v1::FileProgress item;
  item.set_ref("E-7K3M9Q");
  item.mutable_file()->set_name("disk\x1b[2J.img");
  item.mutable_file()->set_size(10 << 20);
  item.mutable_file()->set_bytes_here(here);
  item.mutable_file()->set_state(state);
  return item;
}

Files List(std::initializer_list<v1::FileProgress> items) { return {items.begin(), items.end()}; }

// The second line, blanks squeezed.
std::string Row(const v1::FileProgress& item) {
  const std::string text = FilesTable(List({item}), absl::UTCTimeZone());
  std::string out;
  for (const char c : text.substr(text.find('\n') + 1)) {
    if (c != ' ' || !out.ends_with(' ')) out += c;
  }
  return out;
}

TEST(FileTextTest, AFileThatComesShowsHowFarHowFastAndFromWhom) {
  v1::FileProgress item = File("fetching", (10 << 20) - 1);
  item.set_urgent(true);
  item.set_bytes_per_second(3 << 20);
  item.set_seconds_left(125);
  item.add_from("XA");
  item.add_from("XB");
  const std::string row = Row(item);
  EXPECT_NE(row.find("fetching, urgent 99 %"), std::string::npos) << row;  // not 100 before the end
  EXPECT_NE(row.find("/s, 3 min XA, XB"), std::string::npos) << row;
  EXPECT_EQ(row.find('\x1b'), std::string::npos);
  item.set_seconds_left(12);
  EXPECT_NE(Row(item).find("/s, 12 s "), std::string::npos);
  item.set_seconds_left(7201);
  EXPECT_NE(Row(item).find("/s, 3 h "), std::string::npos);
}

TEST(FileTextTest, AnEmptyFileIsAllHere) {
  v1::FileProgress item = File("here", 0);
  item.mutable_file()->set_size(0);
  EXPECT_NE(Row(item).find("here all"), std::string::npos);
  EXPECT_EQ(FilesTable({}), "no files\n");
}

TEST(FileTextTest, WhenItWasReadAgainAndWhatThatFound) {
  v1::FileProgress item = File("here");
  item.set_checked(1'800'000'000);
  item.set_checked_percent(100);
  EXPECT_NE(Row(item).find("2027-01-15"), std::string::npos) << Row(item);
  item.set_checked_percent(10);
  EXPECT_NE(Row(item).find("10 %, 2027-"), std::string::npos);
  item.set_checked_damaged(2);
  EXPECT_NE(Row(item).find("2 MiB bad, 2027-"), std::string::npos);
  item.set_damaged_chunks(2);
  EXPECT_NE(Row(item).find("2 MiB damaged"), std::string::npos);
  item.set_check_done(3);
  item.set_check_total(10);
  EXPECT_NE(Row(item).find("now, 3 of 10 MiB"), std::string::npos);
}

TEST(FileTextTest, ASampleIsAShareInPercent) {
  EXPECT_EQ(ParseSample("10").value(), 10u);
  EXPECT_EQ(ParseSample("1%").value(), 1u);
  EXPECT_EQ(ParseSample("100").value(), 100u);
  for (const char* bad : {"", "%", "0", "101", "ten", "10%%", "-1", "10 %", "1.5"}) {
    const absl::Status status = ParseSample(bad).status();
    EXPECT_REFUSED(status, kInvalidArgument, "USAGE") << bad;
    EXPECT_NE(status.message().find("Next: "), std::string::npos);
  }
}

TEST(FileTextTest, ACheckEndsWithSevenForDamageAlsoWhenItIsMendedAlready) {
  v1::FileProgress item = File("here");
  item.set_checked(1'800'000'000);
  EXPECT_EQ(EndOf(List({item}), 1, false).exit_code, kDone);
  item.set_checked_damaged(1);
  EXPECT_EQ(EndOf(List({File("waiting"), item}), 1, false).exit_code, kIntegrity);
  EXPECT_EQ(EndOf(List({item}), 1, /*goes_on=*/true).exit_code, kDone);
  EXPECT_EQ(EndOf(List({File("damaged")}), 1, false).exit_code, kIntegrity);
}

TEST(FileTextTest, ACheckThatCouldNotReadSaysSo) {
  EXPECT_EQ(EndOf(List({File("here")}), 1, false).exit_code, kFailed);
  EXPECT_EQ(EndOf(List({File("waiting")}), 0, false).sentence,
            "nothing was read: no file is here in full\n");
}

}  // namespace
}  // namespace entente::cli

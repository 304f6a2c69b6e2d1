// Dates as people write them; what cannot be meant is refused.
#include "node/cli/times.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

constexpr int64_t kFirstOfMarch = 1772323200;  // 2026-03-01T00:00:00Z

TEST(TimesTest, ADayIsItsStartOrTheMomentAfterItsEnd) {
  EXPECT_EQ(*ParseWhen("2026-03-01", DayMeans::kStart), kFirstOfMarch);
  EXPECT_EQ(*ParseWhen("2026-03-01", DayMeans::kEnd), kFirstOfMarch + 86400);
}

TEST(TimesTest, ATimeIsUtcUnlessItSaysOtherwise) {
  EXPECT_EQ(*ParseWhen("2026-03-01T10:00", DayMeans::kEnd), kFirstOfMarch + 36000);
  EXPECT_EQ(*ParseWhen("2026-03-01T10:00:00Z", DayMeans::kEnd), kFirstOfMarch + 36000);
  EXPECT_EQ(*ParseWhen("2026-03-01T10:00:00+01:00", DayMeans::kEnd), kFirstOfMarch + 32400);
}

TEST(TimesTest, WhatIsNoDateIsQuoted) {
  for (const char* text : {"", "tomorrow", "2026-13-01", "2026-02-30", "01.03.2026",
                           "2026-03-01T25:00", "2026-03-01x"}) {
    EXPECT_REFUSED(ParseWhen(text, DayMeans::kStart), kInvalidArgument, "BAD_DATE") << text;
  }
}

TEST(TimesTest, TimesReadInTheZoneOfTheReader) {
  absl::TimeZone zone;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Prague", &zone));
  EXPECT_EQ(FormatTime(kFirstOfMarch + 36000, zone), "2026-03-01 11:00 CET");
  EXPECT_EQ(FormatTime(0, zone), "never");
  EXPECT_NE(FormatDeadline(kFirstOfMarch + 36000, zone).find("UTC"), std::string::npos);
  EXPECT_EQ(FormatDay(kFirstOfMarch + 86400, DayMeans::kEnd), "2026-03-01");
  EXPECT_EQ(FormatAgo(100, absl::FromUnixSeconds(112)), "12 s ago");
}

}  // namespace
}  // namespace entente::cli

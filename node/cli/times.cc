#include "node/cli/times.h"

#include <array>

#include "crypto/bytes.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr size_t kDateLength = 10;
constexpr int64_t kDaySeconds = 24 * 60 * 60;

std::string Format(const char* format, int64_t unix_seconds, absl::TimeZone zone) {
  return absl::FormatTime(format, absl::FromUnixSeconds(unix_seconds), zone);
}

}  // namespace

absl::StatusOr<int64_t> ParseWhen(std::string_view text, DayMeans day) {
  constexpr std::array kFormats = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S",
                                   "%Y-%m-%dT%H:%M%Ez", "%Y-%m-%dT%H:%M:%S%Ez"};
  for (const char* format : kFormats) {
    absl::Time time;
    std::string error;
    // Four-digit years only: a typing slip must not become the year 202.
    if (text.size() < kDateLength || text[4] != '-') break;
    if (!absl::ParseTime(format, ToAbsl(text), absl::UTCTimeZone(), &time, &error)) continue;
    const bool date_alone = text.size() == kDateLength;
    const int64_t seconds = absl::ToUnixSeconds(time);
    if (seconds <= 0) break;
    return seconds + (date_alone && day == DayMeans::kEnd ? kDaySeconds : 0);
  }
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = Cat("\"", Clean(text), "\" is not a date"),
                         .code = "BAD_DATE",
                         .why = "Dates are written year first, in UTC unless they say otherwise.",
                         .next = "2026-03-01, or 2026-03-01T10:00Z, or 2026-03-01T11:00+01:00"});
}

std::string FormatTime(int64_t unix_seconds, absl::TimeZone zone) {
  if (unix_seconds == 0) return "never";
  return Format("%Y-%m-%d %H:%M %Z", unix_seconds, zone);
}

std::string FormatDeadline(int64_t unix_seconds, absl::TimeZone zone) {
  if (unix_seconds == 0) return "";
  const std::string local = FormatTime(unix_seconds, zone);
  const std::string utc = FormatTime(unix_seconds, absl::UTCTimeZone());
  return local == utc ? local : Cat(local, " (", utc, ")");
}

std::string FormatDay(int64_t unix_seconds, DayMeans day) {
  if (unix_seconds == 0) return "";
  const bool midnight = unix_seconds % kDaySeconds == 0;
  if (!midnight) return FormatTime(unix_seconds, absl::UTCTimeZone());
  return Format("%Y-%m-%d", unix_seconds - (day == DayMeans::kEnd ? 1 : 0), absl::UTCTimeZone());
}

std::string FormatAgo(int64_t unix_seconds, absl::Time now) {
  if (unix_seconds == 0) return "never";
  const int64_t age = absl::ToUnixSeconds(now) - unix_seconds;
  if (age < 0) return "now";
  if (age < 120) return Cat(std::to_string(age), " s ago");
  if (age < 120 * 60) return Cat(std::to_string(age / 60), " min ago");
  if (age < 48 * 3600) return Cat(std::to_string(age / 3600), " h ago");
  return Cat(std::to_string(age / kDaySeconds), " days ago");
}

}  // namespace entente::cli

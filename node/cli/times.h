// Dates and times as people write and read them. What is stored is always UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace entente::cli {

enum class DayMeans { kStart, kEnd };

// "2026-03-01", "2026-03-01T10:00", "2026-03-01T10:00:00Z", "…+01:00": ISO 8601, UTC unless it says
// otherwise. A date alone means its first second, or with kEnd the first moment after it.
// Unix seconds. InvalidArgument [BAD_DATE].
absl::StatusOr<int64_t> ParseWhen(std::string_view text, DayMeans day);

// "2026-03-01 11:00 CET". "never" for 0.
std::string FormatTime(int64_t unix_seconds, absl::TimeZone zone = absl::LocalTimeZone());
// With UTC beside it when the zone is another: for deadlines.
std::string FormatDeadline(int64_t unix_seconds, absl::TimeZone zone = absl::LocalTimeZone());
// "2026-03-01" in UTC; the day before when `end` is a first moment after.
std::string FormatDay(int64_t unix_seconds, DayMeans day);
// "12 s ago", "3 h ago".
std::string FormatAgo(int64_t unix_seconds, absl::Time now);

}  // namespace entente::cli

#include "node/cli/file_text.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_format.h"
#include "crypto/bytes.h"
#include "node/cli/args.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"

namespace entente::cli {
namespace {

std::string LeftOf(uint64_t seconds) {
  if (seconds < 100) return absl::StrFormat("%d s", seconds);
  if (seconds < 100 * 60) return absl::StrFormat("%d min", (seconds + 59) / 60);
  return absl::StrFormat("%d h", (seconds + 3599) / 3600);
}

std::string SpeedOf(const v1::FileProgress& item) {
  if (item.bytes_per_second() == 0) return "";
  return Cat(HumanBytes(item.bytes_per_second()), "/s, ", LeftOf(item.seconds_left()));
}

std::string HereOf(const v1::FileProgress& item) {
  const uint64_t size = item.file().size();
  if (item.file().bytes_here() >= size) return "all";
  // Rounded down: a file is not "100 %" here until it is here.
  const double share = static_cast<double>(item.file().bytes_here()) / static_cast<double>(size);
  return absl::StrFormat("%d %%", static_cast<int>(share * 100));
}

// What matters first: a narrow table cuts the end off.
std::string CheckedOf(const v1::FileProgress& item, absl::TimeZone zone) {
  if (item.check_total() > 0) {
    return absl::StrFormat("now, %d of %d MiB", item.check_done(), item.check_total());
  }
  if (item.damaged_chunks() > 0) {
    return absl::StrFormat("%d MiB damaged", item.damaged_chunks());
  }
  if (item.checked() == 0) return "";
  const std::string when = FormatTime(item.checked(), zone);
  if (item.checked_damaged() > 0) {
    return absl::StrFormat("%d MiB bad, %s", item.checked_damaged(), when);
  }
  return item.checked_percent() < 100 ? absl::StrFormat("%d %%, %s", item.checked_percent(), when)
                                      : when;
}

// Mended since or not.
bool WasDamaged(const v1::FileProgress& item) {
  return item.checked_damaged() > 0 || item.file().state() == "damaged";
}

bool WasNotRead(const v1::FileProgress& item) {
  return item.file().state() == "here" && item.checked() == 0;
}

}  // namespace

std::string FilesTable(const Files& files, absl::TimeZone zone) {
  Table table({"REF", "FILE", "SIZE", "STATE", "HERE", "SPEED", "FROM", "CHECKED"});
  for (const v1::FileProgress& item : files) {
    table.Add({item.ref(), item.file().name(), HumanBytes(item.file().size()),
               Cat(item.file().state(), item.urgent() ? ", urgent" : ""), HereOf(item),
               SpeedOf(item), JoinCodes(item.from()), CheckedOf(item, zone)});
  }
  return table.empty() ? std::string("no files\n") : table.Render();
}

absl::StatusOr<uint32_t> ParseSample(std::string_view text) {
  const std::string_view digits = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
  uint32_t percent = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), percent);
  if (error == std::errc() && end == digits.data() + digits.size() && percent >= 1 &&
      percent <= 100) {
    return percent;
  }
  return UsageError(Cat("\"", Clean(text), "\" is no share of a file"),
                    "say how much of each file, in percent: --sample 10");
}

CheckEnd EndOf(const Files& files, uint32_t begun, bool goes_on) {
  if (begun == 0) return {kDone, "nothing was read: no file is here in full\n"};
  if (goes_on) {
    return {kDone, "it is being read; what is found stands in: entente evidence files\n"};
  }
  if (std::any_of(files.begin(), files.end(), WasDamaged)) {
    return {kIntegrity,
            "some of it was no longer what it was; that is fetched again from another body\n"};
  }
  if (std::any_of(files.begin(), files.end(), WasNotRead)) {
    return {kFailed, "some of it could not be read\n  Next: entente node doctor\n"};
  }
  return {kDone, "everything that was read is as it came\n"};
}

}  // namespace entente::cli

#include "node/daemon/node_files.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "crypto/bytes.h"
#include "node/service/errors.h"
#include "node/store/file_io.h"

namespace entente::daemon {
namespace {

constexpr std::string_view kMagic = "entente-node-1";
constexpr std::string_view kImmediate = "immediate";
constexpr uint64_t kConfigBytesMax = 64 << 10;
constexpr int kPaceSecondsMax = 86400;
constexpr uint64_t kMibMax = uint64_t{1} << 32;
constexpr uint32_t kBackupDaysMax = 36500;

absl::Status BadLine(size_t number, const std::string& line) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = Cat("node.conf, line ", std::to_string(number),
                                     " is not understood: \"", line, "\""),
                         .code = "BAD_CONFIG",
                         .next = "lines are listen: HOST:PORT, relay-pace: SECONDS or immediate, "
                                 "files-below:, files-in: or files-out: MIB, and backups-kept: "
                                 "DAYS"});
}

// Of a size or a rate; less than one MiB a second would make a chunk late.
bool ParseMib(const std::string& text, uint64_t* out) {
  return absl::SimpleAtoi(text, out) && *out >= 1 && *out <= kMibMax;
}

}  // namespace

std::string PathIn(const std::string& dir, std::string_view name) { return Cat(dir, "/", name); }

absl::StatusOr<absl::Duration> ParsePace(const std::string& text) {
  if (text == kImmediate) return absl::ZeroDuration();
  int seconds = 0;
  if (absl::SimpleAtoi(text, &seconds) && seconds >= 1 && seconds <= kPaceSecondsMax) {
    return absl::Seconds(seconds);
  }
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = Cat("\"", text, "\" is no pace for the relay"),
                         .code = "BAD_VALUE",
                         .next = "say immediate, or a number of seconds up to 86400"});
}

std::string EncodeNodeConfig(const NodeConfig& config) {
  std::string out = Cat(kMagic, "\n");
  for (const std::string& address : config.listen) out += Cat("listen: ", address, "\n");
  out += Cat("relay-pace: ",
             config.relay_pace == absl::ZeroDuration()
                 ? std::string(kImmediate)
                 : std::to_string(absl::ToInt64Seconds(config.relay_pace)),
             "\n");
  const auto add = [&out](std::string_view name, uint64_t number) {
    out += Cat(name, ": ", std::to_string(number), "\n");
  };
  if (config.files_below_mib.has_value()) add("files-below", *config.files_below_mib);
  if (config.files_in_mib > 0) add("files-in", config.files_in_mib);
  if (config.files_out_mib > 0) add("files-out", config.files_out_mib);
  if (config.backup_days.has_value()) add("backups-kept", *config.backup_days);
  return out;
}

absl::StatusOr<NodeConfig> ParseNodeConfig(std::string_view text) {
  NodeConfig out;
  const std::vector<std::string> lines = absl::StrSplit(ToAbsl(text), '\n');
  if (lines.front() != kMagic) return BadLine(1, lines.front());
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.empty() || line.front() == '#') continue;
    const size_t colon = line.find(": ");
    const std::string name = line.substr(0, colon);
    if (colon == std::string::npos) return BadLine(i + 1, line);
    const std::string value = line.substr(colon + 2);
    if (name == "listen") {
      out.listen.push_back(value);
    } else if (name == "relay-pace") {
      const absl::StatusOr<absl::Duration> pace = ParsePace(value);
      if (!pace.ok()) return BadLine(i + 1, line);
      out.relay_pace = *pace;
    } else if (name == "files-below") {
      uint64_t mib = 0;
      if (!absl::SimpleAtoi(value, &mib) || mib > kMibMax) return BadLine(i + 1, line);
      out.files_below_mib = mib;
    } else if (name == "files-in" || name == "files-out") {
      uint64_t& rate = name == "files-in" ? out.files_in_mib : out.files_out_mib;
      if (!ParseMib(value, &rate)) return BadLine(i + 1, line);
    } else if (name == "backups-kept") {
      uint32_t days = 0;
      if (!absl::SimpleAtoi(value, &days) || days > kBackupDaysMax) return BadLine(i + 1, line);
      out.backup_days = days;
    } else {
      return BadLine(i + 1, line);
    }
  }
  return out;
}

absl::StatusOr<NodeConfig> ReadNodeConfig(const std::string& data_dir) {
  const std::string path = PathIn(data_dir, kNodeConfigFile);
  if (!store::Exists(path)) {
    return service::Error(absl::StatusCode::kNotFound,
                          {.what = Cat("there is no node in \"", data_dir, "\""),
                           .code = "NO_NODE",
                           .why = "The folder has no node.conf.",
                           .next = "make one: entente node init --data DIR …"});
  }
  const absl::StatusOr<std::string> text = store::ReadFile(path, kConfigBytesMax);
  if (!text.ok()) return text.status();
  return ParseNodeConfig(*text);
}

}  // namespace entente::daemon

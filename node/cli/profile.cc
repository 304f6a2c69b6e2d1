#include "node/cli/profile.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "crypto/bytes.h"
#include "node/cli/files.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

namespace fs = std::filesystem;
using service::Error;

constexpr std::string_view kUnix = "unix:";
constexpr size_t kProfileBytesMax = 64u << 10;

bool IsAddress(std::string_view text) { return text.substr(0, kUnix.size()) == kUnix; }

std::string Trimmed(std::string_view text) {
  return std::string(ToStd(absl::StripAsciiWhitespace(ToAbsl(text))));
}

absl::StatusOr<Target> FromDataDir(const std::string& dir) {
  const absl::StatusOr<std::string> line = ReadWhole(dir + "/api.address", kProfileBytesMax);
  if (!line.ok()) {
    return Error(absl::StatusCode::kUnavailable,
                 {.what = Cat("no node serves the data directory \"", Clean(dir), "\""),
                  .code = "UNREACHABLE",
                  .why = "A running node leaves its address there in api.address.",
                  .next = Cat("start it: entented --data ", Clean(dir))});
  }
  return Target{Trimmed(*line), "", dir};
}

absl::Status BadProfile(const std::string& path, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument,
               {.what = Cat("the profile \"", Clean(path), "\" cannot be used"),
                .code = "BAD_PROFILE",
                .why = why,
                .next = "lines are address=unix:/path or data=DIR, and key=FILE"});
}

absl::StatusOr<Target> FromProfile(const fs::path& path) {
  const absl::StatusOr<std::string> text = ReadWhole(path.string(), kProfileBytesMax);
  if (!text.ok()) return text.status();
  std::string address;
  std::string data;
  std::string key;
  for (const std::string& raw : std::vector<std::string>(absl::StrSplit(*text, '\n'))) {
    const std::string line = Trimmed(raw);
    if (line.empty() || line[0] == '#') continue;
    const size_t equals = line.find('=');
    const std::string name = Trimmed(line.substr(0, equals));
    std::string* field = name == "address" ? &address
                         : name == "data"  ? &data
                         : name == "key"   ? &key
                                           : nullptr;
    if (field == nullptr || equals == std::string::npos) {
      return BadProfile(path.string(), Cat("It has a line \"", Clean(line), "\"."));
    }
    *field = Trimmed(line.substr(equals + 1));
  }
  Target target;
  if (!address.empty()) {
    target.address = address;
  } else if (!data.empty()) {
    absl::StatusOr<Target> found = FromDataDir((path.parent_path() / data).string());
    if (!found.ok()) return found.status();
    target = *found;
  } else {
    return BadProfile(path.string(), "It names neither an address nor a data directory.");
  }
  target.shown = path.stem().string();
  if (!key.empty()) target.key_file = (path.parent_path() / key).string();
  return target;
}

std::vector<std::string> ProfileNames(const std::string& dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    if (entry.path().extension() == ".profile") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status NoProfile(std::string_view what, const std::string& dir) {
  const std::vector<std::string> names = ProfileNames(dir);
  const std::string known = absl::StrJoin(names, ", ");
  return Error(absl::StatusCode::kNotFound,
               {.what = what,
                .code = "NO_PROFILE",
                .why = names.empty() ? Cat("There are no profiles in ", Clean(dir), ".")
                                     : Cat("There are: ", Clean(known), "."),
                .next = "say which node: --node NAME, --node DATA_DIRECTORY, or set ENTENTE_NODE"});
}

absl::StatusOr<Target> Named(const std::string& node, const std::string& dir) {
  if (IsAddress(node)) return Target{node, "", node};
  std::error_code error;
  if (node.find('/') != std::string::npos) return FromDataDir(node);
  const fs::path profile = fs::path(dir) / (node + ".profile");
  if (!fs::exists(profile, error)) {
    if (fs::is_directory(node, error)) return FromDataDir(node);
    return NoProfile(Cat("there is no profile \"", Clean(node), "\""), dir);
  }
  return FromProfile(profile);
}

}  // namespace

std::string ProfileDir(const GetEnv& env) {
  if (const std::string dir = env("ENTENTE_PROFILES"); !dir.empty()) return dir;
  if (const std::string config = env("XDG_CONFIG_HOME"); !config.empty()) {
    return config + "/entente";
  }
  return env("HOME") + "/.config/entente";
}

absl::StatusOr<Target> ResolveTarget(const std::string& node_flag, const std::string& key_flag,
                                     const GetEnv& env) {
  const std::string dir = ProfileDir(env);
  std::string node = node_flag.empty() ? env("ENTENTE_NODE") : node_flag;
  if (node.empty()) {
    const std::vector<std::string> names = ProfileNames(dir);
    if (names.size() != 1) return NoProfile("it is not clear which node is meant", dir);
    node = names.front();
  }
  absl::StatusOr<Target> target = Named(node, dir);
  if (!target.ok()) return target;
  if (!IsAddress(target->address)) {
    return Error(absl::StatusCode::kInvalidArgument,
                 {.what = Cat("\"", Clean(target->address), "\" is not the address of a node"),
                  .code = "BAD_PROFILE",
                  .why = "Nodes are reached over a local socket: unix:/path."});
  }
  const std::string from_env = env("ENTENTE_USER_KEY");
  if (!key_flag.empty()) {
    target->key_file = key_flag;
  } else if (target->key_file.empty()) {
    target->key_file = from_env;
  }
  return target;
}

}  // namespace entente::cli

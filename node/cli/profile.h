// Which node a command talks to, and as whom.
//
//   --node unix:/path   that socket
//   --node DIR          a data directory: DIR/api.address says where its node listens
//   --node NAME         $ENTENTE_PROFILES/NAME.profile (default ~/.config/entente/NAME.profile)
//   otherwise           $ENTENTE_NODE, read the same way; else the only profile there is
//
// A profile is lines of text: `address=unix:/path` or `data=DIR`, and `key=PATH` of the user key
// file (relative paths: beside the profile). `#` begins a comment. --user-key goes before the
// profile's key; $ENTENTE_USER_KEY serves when there is neither.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace entente::cli {

struct Target {
  std::string address;   // "unix:/path"
  std::string key_file;  // empty: nobody signs in
  std::string shown;     // how to name the node in errors
};

// The environment, handed in; an unset variable is empty.
using GetEnv = std::function<std::string(const char* name)>;

// NotFound [NO_PROFILE], InvalidArgument [BAD_PROFILE], Unavailable [UNREACHABLE] when a data
// directory has no api.address because its node has not been started.
absl::StatusOr<Target> ResolveTarget(const std::string& node_flag, const std::string& key_flag,
                                     const GetEnv& env);

std::string ProfileDir(const GetEnv& env);

}  // namespace entente::cli

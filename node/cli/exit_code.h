// How the command ends, for scripts; documented in `entente help` and the man page, never changed.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace entente::cli {

enum ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,        // the command, or a value in it, is wrong
  kRefused = 3,      // a rule says no: rights, agreement, state
  kNotFound = 4,     // not there, or not for you: the two look alike on purpose
  kConflict = 5,     // it exists already, or changed meanwhile
  kUnreachable = 6,  // the node, a body or a file cannot be reached now
  kIntegrity = 7,    // something is not what it was signed to be
};

ExitCode ExitCodeOf(const absl::Status& status);

// An error taken apart: what [CODE] / why / Next: …
struct ErrorParts {
  std::string code;    // TRANSFER_NEEDS_CONSENT
  std::string reason;  // "refused", "not_found", …: one word per exit code
  std::string what;
  std::string why;
  std::string next;
};
ErrorParts TakeApart(const absl::Status& status);

// For people, on standard error. Cleaned.
std::string ErrorForPeople(const absl::Status& status);
// {"error":{"code":…,"reason":…,"what":…,"why":…,"next":…}}
std::string ErrorAsJson(const absl::Status& status);

}  // namespace entente::cli

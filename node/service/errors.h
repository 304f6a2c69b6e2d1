// Errors as people meet them: one sentence what, one why, one what next, and a stable code in
// square brackets at the end of the first line. Words: docs on errors in the project's UX guide;
// programs read the code, people the rest.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace entente::service {

struct ErrorText {
  std::string_view what;  // no full stop
  std::string_view code;  // STABLE_CODE
  std::string_view why = {};
  std::string_view next = {};  // what the person can do
};

absl::Status Error(absl::StatusCode code, const ErrorText& text);

// The message of `status` with a stable code in it: errors from below that carry none get the one
// of their class. Cut to what fits a gRPC trailer.
std::string MessageWithCode(const absl::Status& status);

}  // namespace entente::service

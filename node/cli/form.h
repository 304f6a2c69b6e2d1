// Long documents (agreement, strategy) from a file instead of flags.
//
// Text: lines `flag: value`, the same names as the flags; an indented line continues the one
// before;
// `#` begins a comment. JSON: the protobuf JSON of the message, where a body may be named by its
// code ("party": "XA") and a date written as one ("period_to": "2027-03-01").
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/statusor.h"
#include "node/cli/args.h"

namespace entente::cli {

// `args` with what `--file` adds: flags given on the command line go first. JSON fills `message`.
absl::StatusOr<Args> WithForm(const Verb& verb, const Args& args,
                              google::protobuf::Message* message);

// Parsing alone, for tests.
absl::Status ParseTextForm(const Verb& verb, std::string_view text, Args* args);
absl::Status ParseJsonForm(std::string_view json, google::protobuf::Message* message);

}  // namespace entente::cli

// How far files are, as people read it, and what a check found.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/cli/exit_code.h"

namespace entente::cli {

using Files = google::protobuf::RepeatedPtrField<v1::FileProgress>;

std::string FilesTable(const Files& files, absl::TimeZone zone = absl::LocalTimeZone());

// "10" or "10%", from 1 to 100. InvalidArgument [USAGE].
absl::StatusOr<uint32_t> ParseSample(std::string_view text);

struct CheckEnd {
  ExitCode exit_code = kDone;
  std::string sentence;  // after the table
};
// `begun` files are read; `goes_on` when nobody waited for the end. kIntegrity: something was
// damaged, mended since or not.
CheckEnd EndOf(const Files& files, uint32_t begun, bool goes_on);

}  // namespace entente::cli

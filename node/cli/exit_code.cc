#include "node/cli/exit_code.h"

#include <string_view>

#include "crypto/bytes.h"
#include "node/cli/json.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr std::string_view kNext = "Next: ";

std::string_view ReasonOf(ExitCode code) {
  switch (code) {
    case kDone:
      return "done";
    case kUsage:
      return "usage";
    case kRefused:
      return "refused";
    case kNotFound:
      return "not_found";
    case kConflict:
      return "conflict";
    case kUnreachable:
      return "unreachable";
    case kIntegrity:
      return "integrity";
    case kFailed:
      break;
  }
  return "failed";
}

std::string_view TrimLeft(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kUsage;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
      return kRefused;
    case absl::StatusCode::kNotFound:
      return kNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return kConflict;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kUnreachable;
    case absl::StatusCode::kDataLoss:
      return kIntegrity;
    default:
      return kFailed;
  }
}

ErrorParts TakeApart(const absl::Status& status) {
  const std::string message = service::MessageWithCode(status);
  ErrorParts parts;
  parts.reason = ReasonOf(ExitCodeOf(status));
  std::string_view rest = message;
  const size_t line_end = std::min(rest.find('\n'), rest.size());
  const std::string_view first = rest.substr(0, line_end);
  const size_t open = first.rfind('[');
  parts.what = std::string(first.substr(0, open == 0 ? 0 : open - 1));
  parts.code = std::string(first.substr(open + 1, first.size() - open - 2));
  rest.remove_prefix(line_end);
  std::string* filling = &parts.why;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = TrimLeft(rest.substr(0, end));
    if (line.substr(0, kNext.size()) == kNext) {
      filling = &parts.next;
      line.remove_prefix(kNext.size());
    }
    if (!filling->empty()) *filling += '\n';
    *filling += line;
    rest.remove_prefix(end);
  }
  return parts;
}

std::string ErrorForPeople(const absl::Status& status) {
  const ErrorParts parts = TakeApart(status);
  std::string out = Cat(Clean(parts.what), " [", parts.code, "]\n");
  if (!parts.why.empty()) out += Cat("  ", CleanLines(parts.why, 2), "\n");
  if (!parts.next.empty()) out += Cat("  Next: ", CleanLines(parts.next, 8), "\n");
  return out;
}

std::string ErrorAsJson(const absl::Status& status) {
  const ErrorParts parts = TakeApart(status);
  return JsonObject()
      .Add("error", JsonObject()
                        .Add("code", parts.code)
                        .Add("reason", parts.reason)
                        .Add("what", parts.what)
                        .Add("why", parts.why)
                        .Add("next", parts.next))
      .str();
}

}  // namespace entente::cli

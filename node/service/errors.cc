#include "node/service/errors.h"

#include "crypto/bytes.h"

namespace entente::service {
namespace {

// gRPC sends the message percent-encoded in a trailer, and a peer's default bound for all trailers
// is 8 KiB.
constexpr size_t kMessageBytesMax = 2048;

std::string_view DefaultCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return "BAD_VALUE";
    case absl::StatusCode::kNotFound:
      return "NOT_FOUND";
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return "CONFLICT";
    case absl::StatusCode::kPermissionDenied:
      return "REFUSED";
    case absl::StatusCode::kUnauthenticated:
      return "NOT_SIGNED_IN";
    case absl::StatusCode::kFailedPrecondition:
      return "WRONG_STATE";
    case absl::StatusCode::kResourceExhausted:
      return "LIMIT_REACHED";
    case absl::StatusCode::kUnimplemented:
      return "UNKNOWN_METHOD";
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
      return "UNAVAILABLE";
    case absl::StatusCode::kDataLoss:
      return "INTEGRITY";
    default:
      return "INTERNAL";
  }
}

bool EndsWithCode(std::string_view line) {
  if (line.empty() || line.back() != ']') return false;
  const size_t open = line.rfind('[');
  if (open == std::string_view::npos || open + 2 >= line.size()) return false;
  for (const char c : line.substr(open + 1, line.size() - open - 2)) {
    const bool allowed = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!allowed) return false;
  }
  return true;
}

// Never in the middle of a UTF-8 sequence.
std::string Cut(std::string text) {
  if (text.size() <= kMessageBytesMax) return text;
  size_t end = kMessageBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

}  // namespace

absl::Status Error(absl::StatusCode code, const ErrorText& text) {
  std::string message = Cat(text.what, " [", text.code, "]");
  if (!text.why.empty()) message += Cat("\n  ", text.why);
  if (!text.next.empty()) message += Cat("\n  Next: ", text.next);
  return absl::Status(code, message);
}

std::string MessageWithCode(const absl::Status& status) {
  const std::string_view message = ToStd(status.message());
  const size_t line_end = std::min(message.find('\n'), message.size());
  const std::string_view first = message.substr(0, line_end);
  if (EndsWithCode(first)) return Cut(std::string(message));
  return Cut(Cat(first.empty() ? std::string_view("the call failed") : first, " [",
                 DefaultCode(status.code()), "]", message.substr(line_end)));
}

}  // namespace entente::service

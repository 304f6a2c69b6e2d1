// Which texts are accepted, and how others are shown.
#include <array>
#include <cstdio>

#include "crypto/bytes.h"
#include "node/model/kinds.h"

namespace entente::model {
namespace {

// One code point of well-formed UTF-8 from the front of `text`, or -1. Overlong forms, surrogates
// and values beyond U+10FFFF are malformed.
int32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || text.size() < length) return -1;
  int32_t value = first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return -1;
    value = value << 6 | (byte(i) & 0x3F);
  }
  static constexpr std::array<int32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return -1;
  }
  text.remove_prefix(length);
  return value;
}

// Characters that reorder or hide text: bidirectional controls (Trojan Source, CVE-2021-42574),
// zero-width marks, line and paragraph separators, the byte order mark.
bool Invisible(int32_t c) {
  return c == 0x061C || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

bool Control(int32_t c, bool multiline) {
  if (multiline && (c == '\n' || c == '\t')) return false;
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

}  // namespace

absl::Status CheckText(std::string_view text, size_t max_bytes, bool multiline) {
  if (text.size() > max_bytes) {
    return absl::InvalidArgumentError(Cat("has ", std::to_string(text.size()),
                                          " bytes, the most is ", std::to_string(max_bytes),
                                          " [TOO_LONG]"));
  }
  const std::string_view whole = text;
  while (!text.empty()) {
    const int32_t c = TakeCodePoint(text);
    if (c < 0) {
      return absl::InvalidArgumentError(
          Cat("is not valid UTF-8: \"", CleanForDisplay(whole.substr(0, 80)), "\" [BAD_TEXT]"));
    }
    if (Control(c, multiline) || Invisible(c)) {
      return absl::InvalidArgumentError(Cat("has a control or invisible character: \"",
                                            CleanForDisplay(whole.substr(0, 80)),
                                            "\"; remove it [BAD_TEXT]"));
    }
  }
  return absl::OkStatus();
}

std::string CleanForDisplay(std::string_view text) {
  std::string out;
  const auto escape = [&out](int32_t value) {
    std::array<char, 16> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "\\u{%X}", static_cast<unsigned>(value));
    out += buffer.data();
  };
  while (!text.empty()) {
    const std::string_view before = text;
    const int32_t c = TakeCodePoint(text);
    if (c < 0) {
      escape(static_cast<uint8_t>(text.front()));
      text.remove_prefix(1);
    } else if (Control(c, /*multiline=*/false) || Invisible(c)) {
      escape(c);
    } else {
      out.append(before.substr(0, before.size() - text.size()));
    }
  }
  return out;
}

}  // namespace entente::model

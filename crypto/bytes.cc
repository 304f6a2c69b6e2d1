#include "crypto/bytes.h"

#include "absl/strings/escaping.h"

namespace entente {
namespace {

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendInteger(std::string* out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

}  // namespace

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    out.push_back(kDigits[static_cast<uint8_t>(c) & 0x0F]);
  }
  return out;
}

absl::StatusOr<std::string> Unhex(std::string_view hex) {
  if (hex.size() % 2 != 0) return absl::InvalidArgumentError("an odd number of hex digits");
  std::string out;
  out.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = Nibble(hex[i]);
    const int low = Nibble(hex[i + 1]);
    if (high < 0 || low < 0) return absl::InvalidArgumentError("not a hex digit");
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string Base64Encode(std::string_view bytes) { return absl::Base64Escape(ToAbsl(bytes)); }

absl::StatusOr<std::string> Base64Decode(std::string_view text) {
  std::string out;
  // Encoding again refuses what a lenient decoder lets through: blanks, lost padding, stray bits.
  if (!absl::Base64Unescape(ToAbsl(text), &out) || Base64Encode(out) != text) {
    return absl::InvalidArgumentError("not strict base64");
  }
  return out;
}

void AppendU8(std::string* out, uint8_t value) { AppendInteger(out, value, 1); }
void AppendU16(std::string* out, uint16_t value) { AppendInteger(out, value, 2); }
void AppendU32(std::string* out, uint32_t value) { AppendInteger(out, value, 4); }
void AppendU64(std::string* out, uint64_t value) { AppendInteger(out, value, 8); }

absl::StatusOr<std::string_view> ByteReader::ReadBytes(size_t n) {
  if (rest_.size() < n) {
    return absl::InvalidArgumentError(
        Cat("expected ", std::to_string(n), " more bytes, got ", std::to_string(rest_.size())));
  }
  const std::string_view out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return out;
}

absl::StatusOr<uint64_t> ByteReader::ReadInteger(size_t n) {
  const absl::StatusOr<std::string_view> bytes = ReadBytes(n);
  if (!bytes.ok()) return bytes.status();
  uint64_t value = 0;
  for (const char c : *bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

absl::StatusOr<uint8_t> ByteReader::ReadU8() {
  const absl::StatusOr<uint64_t> value = ReadInteger(1);
  if (!value.ok()) return value.status();
  return static_cast<uint8_t>(*value);
}
absl::StatusOr<uint16_t> ByteReader::ReadU16() {
  const absl::StatusOr<uint64_t> value = ReadInteger(2);
  if (!value.ok()) return value.status();
  return static_cast<uint16_t>(*value);
}
absl::StatusOr<uint32_t> ByteReader::ReadU32() {
  const absl::StatusOr<uint64_t> value = ReadInteger(4);
  if (!value.ok()) return value.status();
  return static_cast<uint32_t>(*value);
}
absl::StatusOr<uint64_t> ByteReader::ReadU64() { return ReadInteger(8); }

}  // namespace entente

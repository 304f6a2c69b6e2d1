// Bytes, ids and fixed-width encodings that every layer shares.
//
// Debian builds Abseil with its own string_view, which does not convert to or from std::string_view
// in either direction; ToAbsl, ToStd and Cat are the bridge, so that our interfaces stay standard.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

// Concatenates anything that converts to std::string_view.
template <class... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  out.reserve((std::string_view(parts).size() + ... + 0));
  (out.append(std::string_view(parts)), ...);
  return out;
}

std::string Hex(std::string_view bytes);
// Strict: an even number of lower- or upper-case digits.
absl::StatusOr<std::string> Unhex(std::string_view hex);
std::string Base64Encode(std::string_view bytes);
// Strict RFC 4648 §4: padding required, no blanks, no stray bits.
absl::StatusOr<std::string> Base64Decode(std::string_view text);

// Raw bytes of one fixed length and one meaning; ordered, so that it can be a map's key.
template <class Tag, size_t N = 32>
class FixedBytes {
 public:
  static constexpr size_t kSize = N;

  FixedBytes() = default;  // all zero

  static absl::StatusOr<FixedBytes> From(std::string_view raw) {
    if (raw.size() != N) {
      return absl::InvalidArgumentError(
          Cat("expected ", std::to_string(N), " bytes, got ", std::to_string(raw.size())));
    }
    FixedBytes out;
    std::copy(raw.begin(), raw.end(), out.bytes_.begin());
    return out;
  }
  static absl::StatusOr<FixedBytes> FromHex(std::string_view hex) {
    const absl::StatusOr<std::string> raw = Unhex(hex);
    if (!raw.ok()) return raw.status();
    return From(*raw);
  }

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), N}; }
  std::string str() const { return std::string(view()); }
  std::string hex() const { return Hex(view()); }
  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  bool is_zero() const { return *this == FixedBytes(); }
  auto operator<=>(const FixedBytes&) const = default;

 private:
  std::array<uint8_t, N> bytes_{};
};

using Hash = FixedBytes<struct HashTag>;
using Hash512 = FixedBytes<struct Hash512Tag, 64>;
using JitId = FixedBytes<struct JitIdTag>;
using PartyId = FixedBytes<struct PartyIdTag>;  // the party root public key
using AudienceId = FixedBytes<struct AudienceIdTag>;
using LogId = FixedBytes<struct LogIdTag>;
using BlobId = FixedBytes<struct BlobIdTag>;
using MailboxId = FixedBytes<struct MailboxIdTag>;
using ParcelId = FixedBytes<struct ParcelIdTag>;
using KeyId = FixedBytes<struct KeyIdTag, 8>;
using RecordId = FixedBytes<struct RecordIdTag, 16>;
using PublicKey = FixedBytes<struct PublicKeyTag>;        // Ed25519
using Signature = FixedBytes<struct SignatureTag, 64>;    // Ed25519
using BoxPublicKey = FixedBytes<struct BoxPublicKeyTag>;  // X25519

// Big-endian integers.
void AppendU8(std::string* out, uint8_t value);
void AppendU16(std::string* out, uint16_t value);
void AppendU32(std::string* out, uint32_t value);
void AppendU64(std::string* out, uint64_t value);

// Reads what the Append functions wrote. Every read checks what is left: InvalidArgument.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  absl::StatusOr<uint8_t> ReadU8();
  absl::StatusOr<uint16_t> ReadU16();
  absl::StatusOr<uint32_t> ReadU32();
  absl::StatusOr<uint64_t> ReadU64();
  absl::StatusOr<std::string_view> ReadBytes(size_t n);
  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  absl::StatusOr<uint64_t> ReadInteger(size_t n);
  std::string_view rest_;
};

}  // namespace entente

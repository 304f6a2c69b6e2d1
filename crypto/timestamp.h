// Time stamps after RFC 3161, by OpenSSL: what a time-stamping authority is asked, and what its
// answer shows. The authority's word is independent of every body of a case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"

namespace entente::crypto {

inline constexpr size_t kTimestampBytesMax = 256 * 1024;

// A TimeStampReq in DER over a SHA-256 digest, asking for the authority's certificate.
std::string TimestampQuery(const Hash& digest);

struct Timestamp {
  int64_t time = 0;      // Unix seconds
  std::string serial;    // decimal, the authority's own number
  bool trusted = false;  // the signature leads to one of the certificates that were given
};

// Reads a TimeStampResp in DER. `roots` are certificates of authorities in PEM, or empty: then the
// signature is not looked at. A certificate that has expired since counts as of the stamp's time.
// InvalidArgument: no time stamp, or not in DER; Unauthenticated: of something else, or not signed
// under `roots`.
absl::StatusOr<Timestamp> ReadTimestamp(std::string_view der, const Hash& digest,
                                        std::string_view roots);

}  // namespace entente::crypto

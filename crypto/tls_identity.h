// TLS identities: a self-signed Ed25519 certificate whose key is pinned; nothing in it but the key
// counts, neither name nor dates nor any authority. The dates are fixed (2024 to "no end", RFC 5280
// §4.1.2.5), so that a certificate follows from its seed and tells nobody when it was made.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace entente::crypto {

struct TlsIdentity {
  std::string certificate_pem;
  SecretBytes private_key_pem;
};

// InvalidArgument unless the name has 1 to 64 characters.
absl::StatusOr<TlsIdentity> GenerateTlsIdentity(Entropy& entropy, std::string_view common_name);

// The identity whose private key is `seed`: both ends of a mailbox can compute its public half.
absl::StatusOr<TlsIdentity> TlsIdentityFromSeed(const Secret32& seed, std::string_view common_name);

// SHA-256 over the DER SubjectPublicKeyInfo: the pin. InvalidArgument when it is no certificate.
absl::StatusOr<Hash> SpkiSha256(std::string_view certificate_pem);

}  // namespace entente::crypto

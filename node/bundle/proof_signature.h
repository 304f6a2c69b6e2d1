// The exporter's signature over the proof of a bundle, as a text that people and scripts can read:
//
//   entente/v1/export
//   <JIT id in hex>
//   <party id in hex>
//   <SHA-256 of proof/bundle.pb in hex>
//   <base64 of the Ed25519 signature>
//
// It is the statement "export" under the statement key of the exporter's card, over the hash. The
// other files of a bundle follow from the proof, so nothing else needs to be signed.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/signing.h"

namespace entente::bundle {

struct ProofSignature {
  JitId jit;
  PartyId party;
  Hash digest;
  Signature signature;
};

std::string SignProof(const crypto::SigningKey& statement_key, const JitId& jit,
                      const PartyId& party, std::string_view proof);
// Only the very form that SignProof writes. InvalidArgument.
absl::StatusOr<ProofSignature> ParseProofSignature(std::string_view text);
// That it is by that key; that the digest is the proof's is for the caller to compare.
// Unauthenticated.
absl::Status VerifyProofSignature(const ProofSignature& signature, const PublicKey& statement_key);

}  // namespace entente::bundle

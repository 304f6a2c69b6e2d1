// Ed25519 signatures, one key per role, and the labelled statements that people and nodes sign.
//
// A signed statement is `entente/v1/statement` 0x00 purpose 0x00 jit_id(32) ‖ payload. No signed
// note can contain a 0x00 byte and a cosignature starts with "cosignature/v1", so the three
// families of signatures cannot be taken for each other even under one key. Protocol §2.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace entente::crypto {

class SigningKey {
 public:
  static SigningKey Generate(Entropy& entropy);
  static SigningKey FromSeed(Secret32 seed);

  const PublicKey& public_key() const { return public_key_; }
  Signature Sign(std::string_view message) const;
  const Secret32& seed() const { return seed_; }

 private:
  SigningKey() = default;
  Secret32 seed_;
  Secret<64> expanded_;
  PublicKey public_key_;
};

// A canonical point of the prime-order subgroup; anything else would let two correct verifiers
// disagree about one signature. InvalidArgument.
absl::Status CheckPublicKey(const PublicKey& key);

// Unauthenticated when the signature does not hold.
absl::Status Verify(const PublicKey& key, std::string_view message, std::string_view signature);

enum class Purpose {
  card,
  box_key,
  hello,
  sign,
  refuse,
  confirm,
  exclude,
  suspend,
  erase,
  destroyed,
  parcel,
  relay_auth,
  export_,
};

std::string_view PurposeName(Purpose purpose);
absl::StatusOr<Purpose> ParsePurpose(std::string_view name);

std::string StatementBytes(Purpose purpose, const JitId& jit, std::string_view payload);
Signature SignStatement(const SigningKey& key, Purpose purpose, const JitId& jit,
                        std::string_view payload);
absl::Status VerifyStatement(const PublicKey& key, Purpose purpose, const JitId& jit,
                             std::string_view payload, std::string_view signature);

}  // namespace entente::crypto

// X25519 boxes: how a key reaches one body and nobody else.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr size_t kSealedBoxOverhead = 48;

// The short name of a box key: first 8 bytes of H("slot", public key).
KeyId BoxKeyId(const BoxPublicKey& key);

class BoxKeyPair {
 public:
  static BoxKeyPair Generate(Entropy& entropy);
  static BoxKeyPair FromSecret(Secret32 secret);

  const BoxPublicKey& public_key() const { return public_key_; }
  KeyId id() const { return BoxKeyId(public_key_); }
  const Secret32& secret() const { return secret_; }

  // InvalidArgument when too short to be a box; Unauthenticated when it was not sealed to this key
  // or was altered.
  absl::StatusOr<SecretBytes> Open(std::string_view sealed) const;

  // The X25519 secret shared with `peer`, hashed by HSalsa20 (crypto_box_beforenm). InvalidArgument
  // for points of low order, whose secret everybody knows.
  absl::StatusOr<Secret32> SharedSecret(const BoxPublicKey& peer) const;

 private:
  BoxKeyPair() = default;
  Secret32 secret_;
  BoxPublicKey public_key_;
};

// InvalidArgument for a point of low order, whose secrets everybody knows: nothing can be sealed to
// it.
absl::Status CheckBoxKey(const BoxPublicKey& key);

// crypto_box_seal: anonymous, to one key. InvalidArgument for a key of low order.
absl::StatusOr<std::string> SealBox(const BoxPublicKey& to, std::string_view plain);

}  // namespace entente::crypto

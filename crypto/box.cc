#include "crypto/box.h"

#include <sodium.h>

#include <utility>

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

static_assert(kSealedBoxOverhead == crypto_box_SEALBYTES);

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

}  // namespace

KeyId BoxKeyId(const BoxPublicKey& key) {
  return *KeyId::From(H("slot", {key.view()}).view().substr(0, KeyId::kSize));
}

BoxKeyPair BoxKeyPair::Generate(Entropy& entropy) { return FromSecret(entropy.Draw<Secret32>()); }

BoxKeyPair BoxKeyPair::FromSecret(Secret32 secret) {
  BoxKeyPair pair;
  crypto_scalarmult_curve25519_base(pair.public_key_.data(), secret.data());
  pair.secret_ = std::move(secret);
  return pair;
}

absl::StatusOr<SecretBytes> BoxKeyPair::Open(std::string_view sealed) const {
  if (sealed.size() < kSealedBoxOverhead) {
    return absl::InvalidArgumentError("a sealed box is too short");
  }
  std::string plain(sealed.size() - kSealedBoxOverhead, '\0');
  if (crypto_box_seal_open(Raw(plain), Raw(sealed), sealed.size(), public_key_.data(),
                           secret_.data()) != 0) {
    return absl::UnauthenticatedError("a sealed box does not open with this key");
  }
  SecretBytes out(std::move(plain));
  return out;
}

absl::StatusOr<Secret32> BoxKeyPair::SharedSecret(const BoxPublicKey& peer) const {
  Secret32 out;
  if (crypto_box_beforenm(out.data(), peer.data(), secret_.data()) != 0) {
    return absl::InvalidArgumentError("a box key of low order");
  }
  return out;
}

absl::Status CheckBoxKey(const BoxPublicKey& key) {
  // Scalars are multiples of eight, so any of them takes such a point to zero, which libsodium
  // reports.
  const Secret32 any;
  Secret32 product;
  if (crypto_scalarmult_curve25519(product.data(), any.data(), key.data()) == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a box key of low order");
}

absl::StatusOr<std::string> SealBox(const BoxPublicKey& to, std::string_view plain) {
  std::string out(plain.size() + kSealedBoxOverhead, '\0');
  if (crypto_box_seal(Raw(out), Raw(plain), plain.size(), to.data()) != 0) {
    return absl::InvalidArgumentError("a box key of low order");
  }
  return out;
}

}  // namespace entente::crypto

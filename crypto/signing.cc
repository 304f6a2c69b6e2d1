#include "crypto/signing.h"

#include <sodium.h>

#include <array>
#include <utility>

namespace entente::crypto {
namespace {

constexpr std::array<std::pair<Purpose, std::string_view>, 13> kPurposes = {{
    {Purpose::card, "card"},
    {Purpose::box_key, "box-key"},
    {Purpose::hello, "hello"},
    {Purpose::sign, "sign"},
    {Purpose::refuse, "refuse"},
    {Purpose::confirm, "confirm"},
    {Purpose::exclude, "exclude"},
    {Purpose::suspend, "suspend"},
    {Purpose::erase, "erase"},
    {Purpose::destroyed, "destroyed"},
    {Purpose::parcel, "parcel"},
    {Purpose::relay_auth, "relay-auth"},
    {Purpose::export_, "export"},
}};

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace

SigningKey SigningKey::Generate(Entropy& entropy) { return FromSeed(entropy.Draw<Secret32>()); }

SigningKey SigningKey::FromSeed(Secret32 seed) {
  SigningKey key;
  crypto_sign_seed_keypair(key.public_key_.data(), key.expanded_.data(), seed.data());
  key.seed_ = std::move(seed);
  return key;
}

Signature SigningKey::Sign(std::string_view message) const {
  Signature out;
  crypto_sign_detached(out.data(), nullptr, Raw(message), message.size(), expanded_.data());
  return out;
}

absl::Status CheckPublicKey(const PublicKey& key) {
  if (crypto_core_ed25519_is_valid_point(key.data()) == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("not a public key of the prime-order subgroup");
}

absl::Status Verify(const PublicKey& key, std::string_view message, std::string_view signature) {
  if (signature.size() != Signature::kSize) {
    return absl::UnauthenticatedError(
        Cat("a signature has 64 bytes, got ", std::to_string(signature.size())));
  }
  if (crypto_sign_verify_detached(Raw(signature), Raw(message), message.size(), key.data()) != 0) {
    return absl::UnauthenticatedError("the signature does not hold");
  }
  return absl::OkStatus();
}

std::string_view PurposeName(Purpose purpose) {
  for (const auto& [value, name] : kPurposes) {
    if (value == purpose) return name;
  }
  return "";
}

absl::StatusOr<Purpose> ParsePurpose(std::string_view name) {
  for (const auto& [value, known] : kPurposes) {
    if (known == name) return value;
  }
  return absl::InvalidArgumentError("a statement of no known purpose");
}

std::string StatementBytes(Purpose purpose, const JitId& jit, std::string_view payload) {
  static constexpr std::string_view kZero("\0", 1);
  return Cat("entente/v1/statement", kZero, PurposeName(purpose), kZero, jit.view(), payload);
}

Signature SignStatement(const SigningKey& key, Purpose purpose, const JitId& jit,
                        std::string_view payload) {
  return key.Sign(StatementBytes(purpose, jit, payload));
}

absl::Status VerifyStatement(const PublicKey& key, Purpose purpose, const JitId& jit,
                             std::string_view payload, std::string_view signature) {
  return Verify(key, StatementBytes(purpose, jit, payload), signature);
}

}  // namespace entente::crypto

#include "crypto/value_seal.h"

#include <sodium.h>

#include "crypto/bytes.h"

namespace entente::crypto {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kValueOverhead == kNonceBytes + kTagBytes);

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

}  // namespace

std::string SealValue(const Secret32& storage_key, std::string_view key, std::string_view value,
                      Entropy& entropy) {
  std::string out = entropy.Bytes(kNonceBytes);
  out.resize(kNonceBytes + value.size() + kTagBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Raw(out) + kNonceBytes, nullptr, Raw(value),
                                             value.size(), Raw(key), key.size(), nullptr, Raw(out),
                                             storage_key.data());
  return out;
}

absl::StatusOr<std::string> OpenValue(const Secret32& storage_key, std::string_view key,
                                      std::string_view sealed) {
  if (sealed.size() < kValueOverhead) return absl::DataLossError("a stored value is too short");
  std::string out(sealed.size() - kValueOverhead, '\0');
  const std::string_view body = sealed.substr(kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Raw(out), nullptr, nullptr, Raw(body), body.size(),
                                                 Raw(key), key.size(), Raw(sealed),
                                                 storage_key.data()) != 0) {
    return absl::DataLossError("a stored value is damaged or belongs to another key");
  }
  return out;
}

}  // namespace entente::crypto

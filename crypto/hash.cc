#include "crypto/hash.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <array>

#include "crypto/check.h"

namespace entente::crypto {
namespace {

// Fetched once: an implicit fetch per call costs more than a short hash itself.
template <class Digest>
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm =
      EVP_MD_fetch(nullptr, Digest::kSize == Hash::kSize ? "SHA256" : "SHA512", nullptr);
  ENTENTE_CHECK(algorithm != nullptr);
  return algorithm;
}

// A hash that failed in silence would be all zeros and match another that failed.
template <class Digest>
void Start(EVP_MD_CTX* context) {
  ENTENTE_CHECK(context != nullptr &&
                EVP_DigestInit_ex(context, Algorithm<Digest>(), nullptr) == 1);
}
void Add(EVP_MD_CTX* context, std::string_view bytes) {
  ENTENTE_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}
template <class Digest>
Digest End(EVP_MD_CTX* context) {
  Digest out;
  ENTENTE_CHECK(EVP_DigestFinal_ex(context, out.data(), nullptr) == 1);
  return out;
}

EVP_MD_CTX* ThreadContext() {
  struct Holder {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~Holder() { EVP_MD_CTX_free(context); }
  };
  static thread_local Holder holder;
  return holder.context;
}

void LabelledHash(std::string_view key, std::string_view label, Parts parts, uint8_t* out,
                  size_t out_bytes) {
  static constexpr std::string_view kPrefix = "entente/v1/";
  crypto_generichash_state state;
  crypto_generichash_init(&state, reinterpret_cast<const uint8_t*>(key.data()), key.size(),
                          out_bytes);
  const auto update = [&state](std::string_view bytes) {
    crypto_generichash_update(&state, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  };
  update(kPrefix);
  update(label);
  update(std::string_view("\0", 1));
  for (const std::string_view part : parts) {
    std::array<char, 8> length{};
    for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(part.size() >> (8 * i) & 0xFF);
    update({length.data(), length.size()});
    update(part);
  }
  crypto_generichash_final(&state, out, out_bytes);
  sodium_memzero(&state, sizeof(state));
}

}  // namespace

Hash H(std::string_view label, Parts parts) {
  Hash out;
  LabelledHash({}, label, parts, out.data(), Hash::kSize);
  return out;
}

Secret32 K(const Secret32& key, std::string_view label, Parts parts) {
  Secret32 out;
  LabelledHash(key.view(), label, parts, out.data(), Secret32::kSize);
  return out;
}

KeyAndCommit K64(const Secret32& key, std::string_view label, Parts parts) {
  Secret<64> both;
  LabelledHash(key.view(), label, parts, both.data(), 64);
  return {*Secret32::From(both.view().substr(0, 32)), *Hash::From(both.view().substr(32))};
}

Hash Sha256(std::string_view bytes) { return Sha256({bytes}); }

Hash Sha256(Parts parts) {
  EVP_MD_CTX* const context = ThreadContext();
  Start<Hash>(context);
  for (const std::string_view part : parts) Add(context, part);
  return End<Hash>(context);
}

template <class Digest>
struct DigestStream<Digest>::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

template <class Digest>
DigestStream<Digest>::DigestStream() : state_(std::make_unique<State>()) {
  Start<Digest>(state_->context);
}
template <class Digest>
DigestStream<Digest>::~DigestStream() = default;
template <class Digest>
DigestStream<Digest>::DigestStream(DigestStream&&) noexcept = default;
template <class Digest>
DigestStream<Digest>& DigestStream<Digest>::operator=(DigestStream&&) noexcept = default;

template <class Digest>
void DigestStream<Digest>::Update(std::string_view bytes) {
  Add(state_->context, bytes);
}

template <class Digest>
Digest DigestStream<Digest>::Finish() {
  return End<Digest>(state_->context);
}

template class DigestStream<Hash>;
template class DigestStream<Hash512>;

}  // namespace entente::crypto

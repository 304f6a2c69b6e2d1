#include "crypto/entropy.h"

#include <sodium.h>

#include <array>
#include <cstring>

#include "crypto/bytes.h"

namespace entente {

void SystemEntropy::Fill(std::span<uint8_t> out) { randombytes_buf(out.data(), out.size()); }

void SeededEntropy::Fill(std::span<uint8_t> out) {
  std::array<uint8_t, crypto_stream_chacha20_KEYBYTES> key{};
  std::array<uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
  static_assert(sizeof(seed_) <= key.size() && sizeof(block_) == nonce.size());
  std::memcpy(key.data(), &seed_, sizeof(seed_));
  // A fresh nonce per call: the stream never repeats, whatever the sizes asked for.
  std::memcpy(nonce.data(), &block_, sizeof(block_));
  ++block_;
  crypto_stream_chacha20(out.data(), out.size(), nonce.data(), key.data());
}

namespace crypto {
namespace {

Entropy* g_seeded = nullptr;  // set by single-threaded simulators before they start

const char* SeededName() { return "seeded"; }
void SeededFill(void* const buf, const size_t size) {
  g_seeded->Fill({static_cast<uint8_t*>(buf), size});
}
uint32_t SeededNumber() {
  uint32_t value = 0;
  SeededFill(&value, sizeof(value));
  return value;
}

randombytes_implementation MakeSeededImplementation() {
  randombytes_implementation out{};
  out.implementation_name = SeededName;
  out.random = SeededNumber;
  out.buf = SeededFill;
  return out;
}

// RFC 8032 §7.1 test 1: the empty message under the first secret key.
bool Ed25519Answers() {
  static constexpr std::string_view kSeed =
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  static constexpr std::string_view kPublic =
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  const std::string seed = *Unhex(kSeed);
  std::array<uint8_t, crypto_sign_PUBLICKEYBYTES> pk{};
  std::array<uint8_t, crypto_sign_SECRETKEYBYTES> sk{};
  crypto_sign_seed_keypair(pk.data(), sk.data(), reinterpret_cast<const uint8_t*>(seed.data()));
  sodium_memzero(sk.data(), sk.size());
  return Hex({reinterpret_cast<const char*>(pk.data()), pk.size()}) == kPublic;
}

// The point of order eight plus a prime-order point must be refused: libsodium before
// 1.0.18-1+deb12u1 accepts some of these (CVE-2025-69277).
bool RefusesSmallOrder() {
  static constexpr std::string_view kOrderEight =
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
  const std::string point = *Unhex(kOrderEight);
  return crypto_core_ed25519_is_valid_point(reinterpret_cast<const uint8_t*>(point.data())) == 0;
}

}  // namespace

absl::Status Init() {
  if (sodium_init() < 0) return absl::InternalError("libsodium did not initialise");
  if (!Ed25519Answers()) return absl::InternalError("libsodium gives wrong Ed25519 answers");
  if (!RefusesSmallOrder()) {
    return absl::InternalError("libsodium accepts keys of small order; install 1.0.18-1+deb12u1");
  }
  return absl::OkStatus();
}

void InstallSeededRandombytes(Entropy* source) {
  static randombytes_implementation seeded = MakeSeededImplementation();
  g_seeded = source;
  randombytes_set_implementation(source != nullptr ? &seeded
                                                   : &randombytes_sysrandom_implementation);
}

}  // namespace crypto
}  // namespace entente

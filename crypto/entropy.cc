#include "crypto/entropy.h"

#include <sodium.h>

#include <array>
#include <cstring>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/self_test.h"

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

constexpr int kSodiumMajorMin = 10;  // the library version of libsodium 1.0.18
constexpr int kSodiumMinorMin = 3;

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

}  // namespace

absl::Status InitLibrary() {
  if (sodium_init() < 0) return absl::InternalError("libsodium did not initialise");
  if (std::pair(sodium_library_version_major(), sodium_library_version_minor()) <
      std::pair(kSodiumMajorMin, kSodiumMinorMin)) {
    return absl::InternalError(
        Cat("libsodium ", sodium_version_string(), " is too old; install 1.0.18 or later"));
  }
  return absl::OkStatus();
}

absl::Status Init() {
  if (absl::Status s = InitLibrary(); !s.ok()) return s;
  return SelfTest();
}

void InstallSeededRandombytes(Entropy* source) {
  static randombytes_implementation seeded = MakeSeededImplementation();
  g_seeded = source;
  randombytes_set_implementation(source != nullptr ? &seeded
                                                   : &randombytes_sysrandom_implementation);
}

}  // namespace crypto
}  // namespace entente

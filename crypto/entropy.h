// Where randomness comes from: always a parameter, so that whole federations replay from one seed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace entente {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void Fill(std::span<uint8_t> out) = 0;

  template <class T>
  T Draw() {
    T out;
    Fill({out.data(), T::kSize});
    return out;
  }
  std::string Bytes(size_t n) {
    std::string out(n, '\0');
    Fill({reinterpret_cast<uint8_t*>(out.data()), n});
    return out;
  }
};

// The operating system's generator, through libsodium.
class SystemEntropy : public Entropy {
 public:
  void Fill(std::span<uint8_t> out) override;
};

// A ChaCha20 stream from a seed. For tests and the simulator alone.
class SeededEntropy : public Entropy {
 public:
  explicit SeededEntropy(uint64_t seed) : seed_(seed) {}
  void Fill(std::span<uint8_t> out) override;

 private:
  uint64_t seed_;
  uint64_t block_ = 0;
};

namespace crypto {

// Initialises libsodium, checks its version and runs the self-test. Once, before anything else.
// Internal when the libraries of this machine cannot be trusted.
absl::Status Init();

// libsodium alone, without the self-test: for the relay, which opens nothing and links no more.
absl::Status InitLibrary();

// libsodium draws two things by itself: the ephemeral key of a sealed box and the stream header of
// a parcel. Tests and the simulator route those through their own generator, which must outlive the
// routing; nullptr restores the system's. Before other threads start.
void InstallSeededRandombytes(Entropy* source);

}  // namespace crypto
}  // namespace entente

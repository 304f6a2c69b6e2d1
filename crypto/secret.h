// Secrets wipe themselves, do not copy by accident (Clone says so aloud), cannot be printed, and
// compare in constant time only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"

namespace entente::crypto {

// Overwrites in a way that no optimiser removes.
void WipeMemory(void* data, size_t size);
bool EqualInConstantTime(std::string_view a, std::string_view b);

template <size_t N>
class Secret {
 public:
  static constexpr size_t kSize = N;

  Secret() = default;
  ~Secret() { WipeMemory(bytes_.data(), N); }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { WipeMemory(other.bytes_.data(), N); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      WipeMemory(other.bytes_.data(), N);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  static absl::StatusOr<Secret> From(std::string_view raw) {
    if (raw.size() != N) return absl::InvalidArgumentError("a secret of the wrong length");
    Secret out;
    std::copy(raw.begin(), raw.end(), out.bytes_.begin());
    return out;
  }
  Secret Clone() const {
    Secret out;
    out.bytes_ = bytes_;
    return out;
  }

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), N}; }
  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  bool Equals(const Secret& other) const { return EqualInConstantTime(view(), other.view()); }

 private:
  std::array<uint8_t, N> bytes_{};
};

using Secret32 = Secret<32>;

// Of variable length: decrypted keys, private keys in PEM form.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  ~SecretBytes() { Wipe(); }
  SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) { other.Wipe(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      Wipe();
      bytes_ = other.bytes_;
      other.Wipe();
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  SecretBytes Clone() const { return SecretBytes(bytes_); }
  std::string_view view() const { return bytes_; }

 private:
  void Wipe() {
    WipeMemory(bytes_.data(), bytes_.size());
    bytes_.clear();
  }
  std::string bytes_;
};

}  // namespace entente::crypto

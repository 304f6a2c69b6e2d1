// Hashing: labelled BLAKE2b for ids, keys and commitments; SHA-256 for everything a court checks.
//
//   H(label, parts…)   = BLAKE2b-256("entente/v1/" label ‖ 0x00 ‖ Σ u64le(len) ‖ part)
//   K(key, label, …)   = the same, keyed; K64 draws 64 bytes: a key and a commitment
// A label per use keeps values of one meaning from being taken for another. Protocol §2.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/secret.h"

namespace entente::crypto {

using Parts = std::initializer_list<std::string_view>;

Hash H(std::string_view label, Parts parts);
Secret32 K(const Secret32& key, std::string_view label, Parts parts);

struct KeyAndCommit {
  Secret32 key;
  Hash commit;
};
KeyAndCommit K64(const Secret32& key, std::string_view label, Parts parts);

Hash Sha256(std::string_view bytes);
Hash Sha256(Parts parts);  // of the concatenation

// Incremental SHA-2 by OpenSSL, several times faster than libsodium's on hardware with SHA-NI.
template <class Digest>
class DigestStream {
 public:
  DigestStream();
  ~DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;

  void Update(std::string_view bytes);
  Digest Finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using Sha256Stream = DigestStream<Hash>;
using Sha512Stream = DigestStream<Hash512>;  // only for manifests that others read
extern template class DigestStream<Hash>;
extern template class DigestStream<Hash512>;

}  // namespace entente::crypto

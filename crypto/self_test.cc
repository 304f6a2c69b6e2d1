#include "crypto/self_test.h"

#include <sodium.h>

#include <array>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/signing.h"

namespace entente::crypto {
namespace {

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

// FIPS 180-4 example, one block.
bool Sha256Answers() {
  return Sha256("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
}

// BLAKE2b with 32 bytes of output, the digest b2sum -l 256 gives for "abc".
bool Blake2bAnswers() {
  std::string out(32, '\0');
  crypto_generichash(Raw(out), out.size(), Raw("abc"), 3, nullptr, 0);
  return Hex(out) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
}

// RFC 8032 §7.1, test 1: the empty message.
bool Ed25519Answers() {
  const SigningKey key = SigningKey::FromSeed(
      *Secret32::From(*Unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
  Signature signature = key.Sign("");
  const bool right =
      key.public_key().hex() ==
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" &&
      signature.hex() ==
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
          "1cf9b46bd25bf5f0595bbe24655141438e7a100b" &&
      Verify(key.public_key(), "", signature.view()).ok();
  signature.data()[0] ^= 1;
  return right && !Verify(key.public_key(), "", signature.view()).ok();
}

// Base point plus the point of order two: (-x, -y). Such a key lets two correct verifiers disagree
// about one signature, and libsodium before 1.0.18-1+deb12u1 takes it for sound (CVE-2025-69277).
bool MixedOrderKeysAreRefused() {
  const std::string key = Cat("\x95", std::string(31, '\x99'));
  return !CheckPublicKey(*PublicKey::From(key)).ok();
}

// RFC 7748 §5.2, first vector.
bool X25519Answers() {
  const std::string scalar =
      *Unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const std::string point =
      *Unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  std::string out(32, '\0');
  return crypto_scalarmult_curve25519(Raw(out), Raw(scalar), Raw(point)) == 0 &&
         Hex(out) == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";
}

// draft-irtf-cfrg-xchacha-03 §A.3.1: the tag depends on every byte of ciphertext and context.
bool XChaChaAnswers() {
  static constexpr std::string_view kPlain =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const std::string key =
      *Unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const std::string nonce = *Unhex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const std::string ad = *Unhex("50515253c0c1c2c3c4c5c6c7");
  std::string out(kPlain.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(Raw(out), nullptr, Raw(kPlain), kPlain.size(), Raw(ad),
                                             ad.size(), nullptr, Raw(nonce), Raw(key));
  return Hex(std::string_view(out).substr(kPlain.size())) == "c0875924c1c7987947deafd8780acf49";
}

}  // namespace

absl::Status SelfTest() {
  struct Answer {
    std::string_view what;
    bool (*right)();
  };
  static constexpr std::array<Answer, 6> kAnswers = {{
      {"SHA-256 answers wrongly", Sha256Answers},
      {"BLAKE2b answers wrongly", Blake2bAnswers},
      {"Ed25519 answers wrongly", Ed25519Answers},
      {"X25519 answers wrongly", X25519Answers},
      {"XChaCha20-Poly1305 answers wrongly", XChaChaAnswers},
      {"libsodium accepts keys of mixed order; install 1.0.18-1+deb12u1 or later",
       MixedOrderKeysAreRefused},
  }};
  for (const Answer& answer : kAnswers) {
    if (!answer.right()) return absl::InternalError(ToAbsl(answer.what));
  }
  return absl::OkStatus();
}

}  // namespace entente::crypto

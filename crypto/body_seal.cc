#include "crypto/body_seal.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/padme.h"

namespace entente::crypto {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kCommitBytes = 32;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kBodyOverhead == kNonceBytes + kCommitBytes + kTagBytes);

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

std::string AssociatedData(const EntryHeader& header) {
  return Cat("entente/v1/body", std::string_view("\0", 1), header.Part());
}

size_t PaddedPlainSize(size_t content) {
  return std::max<size_t>(PadmeLength(4 + content), kBodyPlainMin);
}

}  // namespace

size_t SealedBodySize(size_t plain_bytes) { return kBodyOverhead + PaddedPlainSize(plain_bytes); }

absl::StatusOr<std::string> SealBody(const Secret32& entry_key, EntryHeader& header,
                                     std::string_view plain, Entropy& entropy) {
  if (plain.size() > UINT32_MAX / 2) return absl::InvalidArgumentError("an entry is too large");
  std::string padded;
  padded.reserve(PaddedPlainSize(plain.size()));
  AppendU32(&padded, static_cast<uint32_t>(plain.size()));
  padded.append(plain);
  padded.resize(PaddedPlainSize(plain.size()), '\0');
  header.body_size = static_cast<uint32_t>(kBodyOverhead + padded.size());
  const KeyAndCommit keys = K64(entry_key, "body", {header.Part()});
  const std::string ad = AssociatedData(header);
  std::string out = entropy.Bytes(kNonceBytes);
  out.append(keys.commit.view());
  out.resize(header.body_size);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Raw(out) + kNonceBytes + kCommitBytes, nullptr,
                                             Raw(padded), padded.size(), Raw(ad), ad.size(),
                                             nullptr, Raw(out), keys.key.data());
  WipeMemory(padded.data(), padded.size());
  header.body_hash = Sha256(out);
  return out;
}

absl::StatusOr<std::string> OpenBody(const Secret32& entry_key, const EntryHeader& header,
                                     std::string_view body) {
  if (body.size() < SealedBodySize(0) || body.size() != header.body_size) {
    return absl::InvalidArgumentError("a sealed body of impossible size");
  }
  const KeyAndCommit keys = K64(entry_key, "body", {header.Part()});
  if (!EqualInConstantTime(keys.commit.view(), body.substr(kNonceBytes, kCommitBytes))) {
    return absl::UnauthenticatedError("a sealed body does not commit to this key");
  }
  const std::string_view sealed = body.substr(kNonceBytes + kCommitBytes);
  const std::string ad = AssociatedData(header);
  std::string plain(sealed.size() - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Raw(plain), nullptr, nullptr, Raw(sealed),
                                                 sealed.size(), Raw(ad), ad.size(), Raw(body),
                                                 keys.key.data()) != 0) {
    return absl::UnauthenticatedError("a sealed body has been altered");
  }
  const uint32_t length = *ByteReader(plain).ReadU32();
  if (length > plain.size() - 4 || PaddedPlainSize(length) != plain.size() ||
      plain.find_first_not_of('\0', 4 + length) != std::string::npos) {
    return absl::DataLossError("a sealed body opens to malformed padding");
  }
  plain.resize(4 + length);
  plain.erase(0, 4);
  return plain;
}

}  // namespace entente::crypto

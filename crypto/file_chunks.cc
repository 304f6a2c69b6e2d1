#include "crypto/file_chunks.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/check.h"
#include "crypto/hash.h"
#include "crypto/padme.h"

namespace entente::crypto {
namespace {

// Above this the padding of the last chunk hides nothing worth its room.
constexpr uint64_t kPadBelow = uint64_t{1} << 30;

KeyAndCommit DeriveKeys(const Secret32& file_key, const ChunkLayout& layout) {
  std::string sizes;
  AppendU64(&sizes, layout.plain_size);
  AppendU32(&sizes, layout.chunk_bytes);
  return K64(file_key, "file", {sizes});
}

std::string ChunkNonce(uint64_t index, bool last) {
  std::string nonce;
  AppendU64(&nonce, index);
  AppendU8(&nonce, last ? 1 : 0);
  nonce.resize(24, '\0');
  return nonce;
}

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

// XChaCha20-Poly1305 = ChaCha20-Poly1305 under HChaCha20(key, nonce[0..16)) with the nonce
// 0^4 ‖ nonce[16..24) (draft-irtf-cfrg-xchacha §2.3).
class XChaCha {
 public:
  XChaCha(const Secret32& key, std::string_view nonce) : context_(EVP_CIPHER_CTX_new()) {
    crypto_core_hchacha20(subkey_.data(), Raw(nonce), key.data(), nullptr);
    std::copy(nonce.begin() + 16, nonce.end(), nonce_.begin() + 4);
  }
  ~XChaCha() { EVP_CIPHER_CTX_free(context_); }
  XChaCha(const XChaCha&) = delete;
  XChaCha& operator=(const XChaCha&) = delete;

  // `out` has room for plain.size() + 16 bytes.
  bool Seal(std::string_view plain, std::string_view ad, uint8_t* out) {
    int n = 0;
    return EVP_EncryptInit_ex(context_, EVP_chacha20_poly1305(), nullptr, subkey_.data(),
                              nonce_.data()) == 1 &&
           EVP_EncryptUpdate(context_, nullptr, &n, Raw(ad), static_cast<int>(ad.size())) == 1 &&
           EVP_EncryptUpdate(context_, out, &n, Raw(plain), static_cast<int>(plain.size())) == 1 &&
           EVP_EncryptFinal_ex(context_, out + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, kChunkTagBytes,
                               out + plain.size()) == 1;
  }

  bool Open(std::string_view sealed, std::string_view ad, uint8_t* out) {
    const size_t size = sealed.size() - kChunkTagBytes;
    std::array<uint8_t, kChunkTagBytes> tag{};
    std::copy(sealed.begin() + static_cast<std::ptrdiff_t>(size), sealed.end(), tag.begin());
    int n = 0;
    const bool opened =
        EVP_DecryptInit_ex(context_, EVP_chacha20_poly1305(), nullptr, subkey_.data(),
                           nonce_.data()) == 1 &&
        EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, kChunkTagBytes, tag.data()) == 1 &&
        EVP_DecryptUpdate(context_, nullptr, &n, Raw(ad), static_cast<int>(ad.size())) == 1 &&
        EVP_DecryptUpdate(context_, out, &n, Raw(sealed), static_cast<int>(size)) == 1 &&
        EVP_DecryptFinal_ex(context_, out + n, &n) == 1;
    // TLS on this thread would take what is left in OpenSSL's error queue for its own.
    if (!opened) ERR_clear_error();
    return opened;
  }

 private:
  EVP_CIPHER_CTX* context_;
  Secret32 subkey_;
  std::array<uint8_t, 12> nonce_{};
};

}  // namespace

uint64_t ChunkLayout::count() const {
  return std::max<uint64_t>(1, plain_size / chunk_bytes + (plain_size % chunk_bytes != 0 ? 1 : 0));
}

size_t ChunkLayout::PlainSize(uint64_t index) const {
  if (index + 1 < count()) return chunk_bytes;
  return static_cast<size_t>(plain_size - index * chunk_bytes);
}

size_t ChunkLayout::SealedSize(uint64_t index) const {
  size_t size = PlainSize(index);
  if (index + 1 == count() && plain_size < kPadBelow) {
    size = std::min<size_t>(static_cast<size_t>(PadmeLength(size)), chunk_bytes);
  }
  return size + kChunkTagBytes;
}

Hash ChunkLeaf(std::string_view sealed) { return Sha256({std::string_view("\0", 1), sealed}); }

FileSealer::FileSealer(const Secret32& file_key, uint64_t plain_size, uint32_t chunk_bytes)
    : layout_{plain_size, chunk_bytes} {
  ENTENTE_CHECK(chunk_bytes > 0 && chunk_bytes <= kChunkBytesMax);
  KeyAndCommit keys = DeriveKeys(file_key, layout_);
  key_ = std::move(keys.key);
  commit_ = keys.commit;
}

absl::StatusOr<std::string> FileSealer::SealChunk(uint64_t index, std::string_view plain) const {
  if (index >= layout_.count() || plain.size() != layout_.PlainSize(index)) {
    return absl::InvalidArgumentError("a chunk of the wrong size");
  }
  const size_t sealed_size = layout_.SealedSize(index);
  std::string padded;
  if (plain.size() + kChunkTagBytes != sealed_size) {
    padded.assign(plain);
    padded.resize(sealed_size - kChunkTagBytes, '\0');
    plain = padded;
  }
  std::string out(sealed_size, '\0');
  XChaCha cipher(key_, ChunkNonce(index, index + 1 == layout_.count()));
  if (!cipher.Seal(plain, commit_.view(), Raw(out))) {
    return absl::InternalError("OpenSSL did not seal a chunk");
  }
  return out;
}

absl::StatusOr<FileOpener> FileOpener::Create(const Secret32& file_key, uint64_t plain_size,
                                              uint32_t chunk_bytes, std::string_view commit) {
  if (chunk_bytes == 0 || chunk_bytes > kChunkBytesMax) {
    return absl::InvalidArgumentError("a file of impossible chunk size");
  }
  FileOpener opener;
  opener.layout_ = {plain_size, chunk_bytes};
  KeyAndCommit keys = DeriveKeys(file_key, opener.layout_);
  if (!EqualInConstantTime(keys.commit.view(), commit)) {
    return absl::DataLossError("a file key that its entry does not commit to");
  }
  opener.key_ = std::move(keys.key);
  opener.commit_ = keys.commit;
  return opener;
}

absl::StatusOr<std::string> FileOpener::OpenChunk(uint64_t index, std::string_view sealed) const {
  if (index >= layout_.count() || sealed.size() != layout_.SealedSize(index)) {
    return absl::DataLossError("a chunk of the wrong size");
  }
  std::string out(sealed.size() - kChunkTagBytes, '\0');
  XChaCha cipher(key_, ChunkNonce(index, index + 1 == layout_.count()));
  if (!cipher.Open(sealed, commit_.view(), Raw(out))) {
    return absl::DataLossError("a chunk that has been altered or moved");
  }
  const size_t plain_size = layout_.PlainSize(index);
  if (out.find_first_not_of('\0', plain_size) != std::string::npos) {
    return absl::DataLossError("a chunk with malformed padding");
  }
  out.resize(plain_size);
  return out;
}

}  // namespace entente::crypto

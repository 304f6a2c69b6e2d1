// Files in chunks of 1 MiB, each sealed under the file's own random key. Protocol §11.
//
//   (key ‖ commit) = K64(file key, "file", u64 plain size ‖ u32 chunk size)
//   chunk i: XChaCha20-Poly1305, nonce = u64be(i) ‖ u8 last ‖ 15 zero bytes, ad = commit
//   blob id = RFC 6962 root over SHA-256(0x00 ‖ sealed chunk)
//
// The counter and the last mark make a cut, reordered or extended file fail (the STREAM shape); the
// key is fresh per ingest, so counters never repeat under it. The last chunk of a file below 1 GiB
// is padded to its Padmé length. Bulk work runs on OpenSSL's ChaCha20-Poly1305 under the HChaCha20
// subkey, byte-identical to libsodium's XChaCha20-Poly1305 and about three times as fast.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/secret.h"

namespace entente::crypto {

inline constexpr uint32_t kChunkBytes = 1u << 20;
inline constexpr uint32_t kChunkBytesMax = 16u << 20;
inline constexpr size_t kChunkTagBytes = 16;

// How a file of `plain_size` bytes is cut: chunk_bytes in 1…kChunkBytesMax, index < count(). A file
// of 0 bytes has one chunk.
struct ChunkLayout {
  uint64_t plain_size = 0;
  uint32_t chunk_bytes = kChunkBytes;

  uint64_t count() const;
  size_t PlainSize(uint64_t index) const;   // content bytes of a chunk
  size_t SealedSize(uint64_t index) const;  // with padding and tag
};

// SHA-256(0x00 ‖ sealed chunk).
Hash ChunkLeaf(std::string_view sealed);

class FileSealer {
 public:
  FileSealer(const Secret32& file_key, uint64_t plain_size, uint32_t chunk_bytes = kChunkBytes);

  const Hash& commit() const { return commit_; }
  uint64_t chunk_count() const { return layout_.count(); }
  size_t SealedChunkSize(uint64_t index) const { return layout_.SealedSize(index); }
  // InvalidArgument when `plain` is not the size this chunk has.
  absl::StatusOr<std::string> SealChunk(uint64_t index, std::string_view plain) const;

 private:
  ChunkLayout layout_;
  Secret32 key_;
  Hash commit_;
};

class FileOpener {
 public:
  // InvalidArgument for an impossible chunk size; DataLoss when the key does not lead to `commit`.
  static absl::StatusOr<FileOpener> Create(const Secret32& file_key, uint64_t plain_size,
                                           uint32_t chunk_bytes, std::string_view commit);

  const ChunkLayout& layout() const { return layout_; }
  // The content of a chunk without padding. DataLoss when it was altered, moved, cut, or padded
  // with anything but zeros.
  absl::StatusOr<std::string> OpenChunk(uint64_t index, std::string_view sealed) const;

 private:
  FileOpener() = default;
  ChunkLayout layout_;
  Secret32 key_;
  Hash commit_;
};

}  // namespace entente::crypto

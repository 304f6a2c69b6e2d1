// One file on its way in: plaintext is hashed and sealed as it streams, in constant memory.
//
// The file key is drawn anew for every attempt and never reused, also not after a crash, because
// chunk nonces are counters (protocol §11). Nothing is left on disk unless Finish succeeds.
// Not thread-safe. Made by BlobStore::BeginUpload.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entropy.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "entente/v1/file.pb.h"
#include "node/store/blob_tree.h"
#include "node/store/file_io.h"

namespace entente::store {

class UploadWriter {
 public:
  // `tmp_dir` exists. `promised_size` is final: it is bound into the sealing of every chunk.
  static absl::StatusOr<std::unique_ptr<UploadWriter>> Create(
      const std::string& tmp_dir, std::string_view name, uint64_t promised_size,
      uint32_t chunk_bytes, const SpaceReserve& reserve, Entropy& entropy);
  ~UploadWriter();  // discards what was not finished
  UploadWriter(const UploadWriter&) = delete;
  UploadWriter& operator=(const UploadWriter&) = delete;

  // Any amount at a time. InvalidArgument as soon as more than the promised size has come. After an
  // error the upload is discarded and every further call repeats the error.
  absl::Status Write(std::string_view bytes);

  // Seals the rest, syncs, and leaves TMP/<blob id>.blob and .tree for BlobStore::Adopt.
  // InvalidArgument when fewer bytes came than were promised. media_type stays empty: it is for the
  // caller to find out.
  absl::StatusOr<v1::FileRef> Finish();

  void Abort();

  uint64_t bytes_received() const { return received_; }

 private:
  UploadWriter(std::string tmp_dir, std::string_view name, uint64_t promised_size,
               uint32_t chunk_bytes, const SpaceReserve& reserve, crypto::Secret32 file_key);
  absl::Status Fail(absl::Status status);
  absl::Status SealBuffered();
  absl::Status WriteInner(std::string_view bytes);
  absl::StatusOr<v1::FileRef> FinishInner();

  const std::string tmp_dir_;
  const std::string name_;
  const uint64_t promised_size_;
  const uint32_t chunk_bytes_;
  const SpaceReserve& reserve_;
  crypto::Secret32 file_key_;
  crypto::FileSealer sealer_;
  crypto::Sha256Stream plain_hash_;
  std::string data_path_;
  std::string tree_path_;
  Fd data_;
  std::unique_ptr<TreeWriter> tree_;
  std::string buffer_;  // plaintext of the chunk under way; wiped
  uint64_t received_ = 0;
  uint64_t next_chunk_ = 0;
  uint64_t data_bytes_ = 0;
  uint32_t last_sealed_bytes_ = 0;
  absl::Status status_ = absl::OkStatus();
  bool done_ = false;
};

}  // namespace entente::store

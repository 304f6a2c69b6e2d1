// The plaintext of a blob, chunk by chunk.
//
// Each chunk is authenticated before it is returned, and the whole is compared with the promised
// SHA-256 before the end is reported: a caller that saw the end without an error has the file that
// the entry speaks of. Not thread-safe. Made by BlobStore::OpenReader.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "entente/v1/file.pb.h"
#include "node/store/blob_tree.h"
#include "node/store/file_io.h"

namespace entente::store {

// What a FileRef says about the sealed chunks. InvalidArgument when it contradicts itself or has
// another chunk size than `chunk_bytes`.
absl::StatusOr<BlobShape> ShapeOf(const v1::FileRef& file, uint32_t chunk_bytes);

class BlobReader {
 public:
  // `data` is the .blob file. InvalidArgument when the FileRef contradicts itself or does not fit
  // `chunk_bytes`; DataLoss when its key does not fit its commitment.
  static absl::StatusOr<std::unique_ptr<BlobReader>> Create(const v1::FileRef& file,
                                                            uint32_t chunk_bytes, Fd data,
                                                            std::string path);

  // The next piece of plaintext, at most one chunk; an empty string is the end of the file.
  // DataLoss when a chunk does not open or, at the end, when size or SHA-256 differ.
  absl::StatusOr<std::string> Next();

 private:
  BlobReader(const v1::FileRef& file, crypto::FileOpener opener, const BlobShape& shape, Fd data,
             std::string path);
  absl::Status CheckEnd();

  crypto::FileOpener opener_;
  const BlobShape shape_;
  Fd data_;
  std::string path_;
  const uint64_t plain_size_;
  const std::string plain_sha256_;
  crypto::Sha256Stream hash_;
  uint64_t returned_ = 0;
  uint64_t next_ = 0;
  bool ended_ = false;
};

}  // namespace entente::store

#include "node/store/blob_reader.h"

#include <utility>

namespace entente::store {

absl::StatusOr<BlobShape> ShapeOf(const v1::FileRef& file, uint32_t chunk_bytes) {
  if (file.file_key().size() != crypto::Secret32::kSize || file.blob_id().size() != BlobId::kSize ||
      file.plain_sha256().size() != Hash::kSize || file.commit().size() != Hash::kSize) {
    return absl::InvalidArgumentError("a file reference with an id, hash or key of a wrong length");
  }
  if (file.chunk_bytes() != chunk_bytes) {
    return absl::InvalidArgumentError(Cat("a file in chunks of ",
                                          std::to_string(file.chunk_bytes()), " bytes; expected ",
                                          std::to_string(chunk_bytes)));
  }
  const crypto::ChunkLayout layout{file.plain_size(), chunk_bytes};
  const uint64_t count = layout.count();
  if (file.chunk_count() != count) {
    return absl::InvalidArgumentError(
        Cat("a file of ", std::to_string(file.plain_size()), " bytes has ", std::to_string(count),
            " chunks; the reference says ", std::to_string(file.chunk_count())));
  }
  return BlobShape{count, chunk_bytes + uint32_t{crypto::kChunkTagBytes},
                   static_cast<uint32_t>(layout.SealedSize(count - 1))};
}

BlobReader::BlobReader(const v1::FileRef& file, crypto::FileOpener opener, const BlobShape& shape,
                       Fd data, std::string path)
    : opener_(std::move(opener)),
      shape_(shape),
      data_(std::move(data)),
      path_(std::move(path)),
      plain_size_(file.plain_size()),
      plain_sha256_(file.plain_sha256()) {}

absl::StatusOr<std::unique_ptr<BlobReader>> BlobReader::Create(const v1::FileRef& file,
                                                               uint32_t chunk_bytes, Fd data,
                                                               std::string path) {
  const absl::StatusOr<BlobShape> shape = ShapeOf(file, chunk_bytes);
  if (!shape.ok()) return shape.status();
  const absl::StatusOr<crypto::Secret32> key = crypto::Secret32::From(file.file_key());
  if (!key.ok()) return key.status();
  absl::StatusOr<crypto::FileOpener> opener =
      crypto::FileOpener::Create(*key, file.plain_size(), chunk_bytes, file.commit());
  if (!opener.ok()) return absl::DataLossError(opener.status().message());
  const absl::StatusOr<uint64_t> size = FileSize(data, path);
  if (!size.ok()) return size.status();
  if (*size != shape->TotalBytes()) {
    return absl::DataLossError(Cat(path, " has ", std::to_string(*size),
                                   " bytes; the file reference promises ",
                                   std::to_string(shape->TotalBytes())));
  }
  return std::unique_ptr<BlobReader>(
      new BlobReader(file, std::move(*opener), *shape, std::move(data), std::move(path)));
}

absl::StatusOr<std::string> BlobReader::Next() {
  if (ended_) return std::string();
  if (next_ == shape_.count || returned_ == plain_size_) {
    if (absl::Status status = CheckEnd(); !status.ok()) return status;
    ended_ = true;
    return std::string();
  }
  const absl::StatusOr<std::string> sealed =
      ReadAt(data_, shape_.Offset(next_), shape_.Bytes(next_), path_);
  if (!sealed.ok()) return sealed.status();
  absl::StatusOr<std::string> plain = opener_.OpenChunk(next_, *sealed);
  if (!plain.ok()) {
    return absl::DataLossError(Cat("chunk ", std::to_string(next_), " of ", path_,
                                   " does not open: ", ToStd(plain.status().message())));
  }
  hash_.Update(*plain);
  returned_ += plain->size();
  ++next_;
  if (plain->empty()) return Next();  // the one chunk of an empty file
  return plain;
}

absl::Status BlobReader::CheckEnd() {
  if (returned_ != plain_size_) {
    return absl::DataLossError(Cat(path_, " holds ", std::to_string(returned_),
                                   " bytes of content; promised were ",
                                   std::to_string(plain_size_)));
  }
  if (hash_.Finish().view() != plain_sha256_) {
    return absl::DataLossError(Cat(path_, " holds content with another SHA-256 than promised"));
  }
  return absl::OkStatus();
}

}  // namespace entente::store

#include "node/store/blob_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "crypto/bytes.h"

namespace entente::store {
namespace {

uint64_t SealedBytes(const crypto::FileSealer& sealer) {
  const uint64_t last = sealer.chunk_count() - 1;
  return last * sealer.SealedChunkSize(0) + sealer.SealedChunkSize(last);
}

// Renames, and keeps `path` pointing at the file whatever became of it.
absl::Status Move(std::string& path, const std::string& to) {
  absl::Status status = RenameDurably(path, to);
  if (Exists(to)) path = to;
  return status;
}

}  // namespace

UploadWriter::UploadWriter(std::string tmp_dir, std::string_view name, uint64_t promised_size,
                           uint32_t chunk_bytes, const SpaceReserve& reserve,
                           crypto::Secret32 file_key)
    : tmp_dir_(std::move(tmp_dir)),
      name_(name),
      promised_size_(promised_size),
      chunk_bytes_(chunk_bytes),
      reserve_(reserve),
      file_key_(std::move(file_key)),
      sealer_(file_key_, promised_size, chunk_bytes) {}

UploadWriter::~UploadWriter() {
  Abort();
  crypto::WipeMemory(buffer_.data(), buffer_.size());
}

absl::StatusOr<std::unique_ptr<UploadWriter>> UploadWriter::Create(
    const std::string& tmp_dir, std::string_view name, uint64_t promised_size, uint32_t chunk_bytes,
    const SpaceReserve& reserve, Entropy& entropy) {
  crypto::Secret32 file_key = entropy.Draw<crypto::Secret32>();
  std::unique_ptr<UploadWriter> upload(
      new UploadWriter(tmp_dir, name, promised_size, chunk_bytes, reserve, std::move(file_key)));
  absl::Status room = reserve.Check(tmp_dir, SealedBytes(upload->sealer_));
  if (!room.ok()) return room;

  const std::string stem = Cat(tmp_dir, "/", Hex(entropy.Bytes(16)));
  upload->data_path_ = Cat(stem, ".upload");
  upload->tree_path_ = Cat(stem, ".leaves");
  absl::StatusOr<Fd> data = OpenFile(upload->data_path_, O_WRONLY | O_CREAT | O_EXCL);
  if (!data.ok()) return data.status();
  upload->data_ = std::move(*data);
  absl::StatusOr<std::unique_ptr<TreeWriter>> tree = TreeWriter::Create(upload->tree_path_);
  if (!tree.ok()) return tree.status();
  upload->tree_ = std::move(*tree);
  upload->buffer_.reserve(std::min<uint64_t>(chunk_bytes, promised_size));
  return upload;
}

absl::Status UploadWriter::Write(std::string_view bytes) {
  if (!status_.ok()) return status_;
  if (done_) return absl::FailedPreconditionError("the upload is finished");
  absl::Status status = WriteInner(bytes);
  return status.ok() ? status : Fail(std::move(status));
}

absl::Status UploadWriter::WriteInner(std::string_view bytes) {
  if (bytes.size() > promised_size_ - received_) {
    return absl::InvalidArgumentError(
        Cat("the file is larger than the ", std::to_string(promised_size_), " bytes promised"));
  }
  plain_hash_.Update(bytes);
  received_ += bytes.size();
  while (!bytes.empty()) {
    const size_t piece = std::min<size_t>(bytes.size(), chunk_bytes_ - buffer_.size());
    buffer_ += bytes.substr(0, piece);
    bytes.remove_prefix(piece);
    if (buffer_.size() < chunk_bytes_) continue;
    if (absl::Status status = SealBuffered(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status UploadWriter::SealBuffered() {
  const absl::StatusOr<std::string> sealed = sealer_.SealChunk(next_chunk_, buffer_);
  if (!sealed.ok()) return sealed.status();
  if (absl::Status status = reserve_.Check(tmp_dir_, sealed->size()); !status.ok()) return status;
  if (absl::Status status = store::Write(data_, *sealed, data_path_); !status.ok()) return status;
  absl::Status status = tree_->Append(crypto::ChunkLeaf(*sealed));
  if (!status.ok()) return status;
  last_sealed_bytes_ = static_cast<uint32_t>(sealed->size());
  ++next_chunk_;
  crypto::WipeMemory(buffer_.data(), buffer_.size());
  buffer_.clear();
  return absl::OkStatus();
}

absl::StatusOr<v1::FileRef> UploadWriter::Finish() {
  if (!status_.ok()) return status_;
  if (done_) return absl::FailedPreconditionError("the upload is finished");
  absl::StatusOr<v1::FileRef> file = FinishInner();
  if (!file.ok()) return Fail(file.status());
  done_ = true;
  return file;
}

absl::StatusOr<v1::FileRef> UploadWriter::FinishInner() {
  if (received_ != promised_size_) {
    return absl::InvalidArgumentError(Cat("the file ended after ", std::to_string(received_),
                                          " of the ", std::to_string(promised_size_),
                                          " bytes promised"));
  }
  // Whatever is buffered is the last chunk; an empty file has one empty chunk.
  if (next_chunk_ < sealer_.chunk_count()) {
    if (absl::Status status = SealBuffered(); !status.ok()) return status;
  }
  if (absl::Status status = SyncData(data_, data_path_); !status.ok()) return status;
  const absl::StatusOr<BlobId> blob =
      tree_->Finish(chunk_bytes_ + uint32_t{crypto::kChunkTagBytes}, last_sealed_bytes_);
  if (!blob.ok()) return blob.status();
  const std::string stem = Cat(tmp_dir_, "/", blob->hex());
  if (absl::Status status = Move(tree_path_, Cat(stem, ".tree")); !status.ok()) return status;
  if (absl::Status status = Move(data_path_, Cat(stem, ".blob")); !status.ok()) return status;

  v1::FileRef file;
  file.set_blob_id(blob->str());
  file.set_chunk_bytes(chunk_bytes_);
  file.set_chunk_count(sealer_.chunk_count());
  file.set_plain_size(promised_size_);
  file.set_plain_sha256(plain_hash_.Finish().str());
  file.set_file_key(std::string(file_key_.view()));
  file.set_commit(sealer_.commit().str());
  file.set_name(name_);
  return file;
}

void UploadWriter::Abort() {
  if (!done_ && status_.ok()) Fail(absl::CancelledError("the upload was given up")).IgnoreError();
}

absl::Status UploadWriter::Fail(absl::Status status) {
  tree_.reset();
  data_.Close();
  RemoveFile(data_path_).IgnoreError();
  RemoveFile(tree_path_).IgnoreError();
  status_ = std::move(status);
  return status_;
}

}  // namespace entente::store

#include "node/store/blob_tree.h"

#include <fcntl.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "crypto/hash.h"

namespace entente::store {
namespace {

constexpr std::string_view kMagic("entente-tree-1\0\0", 16);
constexpr size_t kCheckBytes = 16;
constexpr size_t kHeaderBytes = kMagic.size() + 8 + 4 + 4 + BlobId::kSize + kCheckBytes;
constexpr size_t kHashBytes = Hash::kSize;
constexpr uint64_t kNodesAtOnce = 2048;  // 64 KiB
constexpr uint32_t kLevelsMax = 64;

std::string Header(const BlobShape& shape, const BlobId& blob) {
  std::string header(kMagic);
  AppendU64(&header, shape.count);
  AppendU32(&header, shape.stride);
  AppendU32(&header, shape.last_bytes);
  header += blob.view();
  header += crypto::H("blob-tree", {header}).view().substr(0, kCheckBytes);
  return header;
}

absl::StatusOr<BlobShape> ParseHeader(std::string_view header) {
  ByteReader reader(header.substr(kMagic.size()));
  const absl::StatusOr<uint64_t> count = reader.ReadU64();
  const absl::StatusOr<uint32_t> stride = reader.ReadU32();
  const absl::StatusOr<uint32_t> last = reader.ReadU32();
  if (!count.ok() || !stride.ok() || !last.ok()) return absl::InternalError("header too short");
  return BlobShape{*count, *stride, *last};
}

// Writes level `level` of `levels` from the level below.
absl::Status RaiseLevel(const TreeLevels& levels, uint32_t level) {
  const uint64_t total = levels.count() >> level;
  for (uint64_t first = 0; first < total; first += kNodesAtOnce) {
    const uint64_t many = std::min(kNodesAtOnce, total - first);
    const absl::StatusOr<std::string> below = levels.Nodes(level - 1, 2 * first, 2 * many);
    if (!below.ok()) return below.status();
    std::string above;
    above.reserve(many * kHashBytes);
    for (uint64_t i = 0; i < many; ++i) {
      const std::string_view pair = std::string_view(*below).substr(2 * i * kHashBytes);
      above += crypto::NodeHash(*Hash::From(pair.substr(0, kHashBytes)),
                                *Hash::From(pair.substr(kHashBytes, kHashBytes)))
                   .view();
    }
    absl::Status status = WriteAt(levels.fd(), levels.OffsetOf(level, first), above, levels.path());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t TreeLevels::OffsetOf(uint32_t level, uint64_t index) const {
  uint64_t nodes = index;
  for (uint32_t below = 0; below < level; ++below) nodes += count_ >> below;
  return kHeaderBytes + nodes * kHashBytes;
}

uint64_t TreeLevels::FileBytes() const { return OffsetOf(kLevelsMax, 0); }

absl::StatusOr<std::string> TreeLevels::Nodes(uint32_t level, uint64_t first,
                                              uint64_t count) const {
  return ReadAt(fd_, OffsetOf(level, first), count * kHashBytes, path_);
}

absl::StatusOr<Hash> TreeLevels::Node(uint32_t level, uint64_t index) const {
  if (level >= kLevelsMax || index >= count_ >> level) {
    return absl::InvalidArgumentError(Cat("no node ", std::to_string(index), " at level ",
                                          std::to_string(level), " of a tree of ",
                                          std::to_string(count_)));
  }
  const absl::StatusOr<std::string> bytes = Nodes(level, index, 1);
  if (!bytes.ok()) return bytes.status();
  return Hash::From(*bytes);
}

absl::StatusOr<std::unique_ptr<TreeWriter>> TreeWriter::Create(const std::string& path) {
  absl::StatusOr<Fd> fd = OpenFile(path, O_RDWR | O_CREAT | O_TRUNC);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<TreeWriter>(new TreeWriter(std::move(*fd), path));
}

TreeWriter::~TreeWriter() {
  if (!finished_) RemoveFile(path_).IgnoreError();
}

absl::Status TreeWriter::Append(const Hash& leaf) {
  buffer_ += leaf.view();
  ++count_;
  return buffer_.size() >= kNodesAtOnce * kHashBytes ? Flush() : absl::OkStatus();
}

absl::Status TreeWriter::Flush() {
  const uint64_t written = count_ * kHashBytes - buffer_.size();
  absl::Status status = WriteAt(fd_, kHeaderBytes + written, buffer_, path_);
  buffer_.clear();
  return status;
}

absl::StatusOr<BlobId> TreeWriter::Finish(uint32_t stride, uint32_t last_bytes) {
  if (count_ == 0) return absl::InternalError("a blob has at least one chunk");
  if (absl::Status status = Flush(); !status.ok()) return status;
  const TreeLevels levels(std::move(fd_), path_, count_);
  for (uint32_t level = 1; level < kLevelsMax && count_ >> level > 0; ++level) {
    if (absl::Status status = RaiseLevel(levels, level); !status.ok()) return status;
  }
  const absl::StatusOr<crypto::CompactRange> whole = crypto::RangeFrom(levels, 0, count_);
  if (!whole.ok()) return whole.status();
  const absl::StatusOr<Hash> root = whole->Root();
  if (!root.ok()) return root.status();
  const absl::StatusOr<BlobId> blob = BlobId::From(root->view());
  if (!blob.ok()) return blob.status();

  const std::string header = Header({count_, stride, last_bytes}, *blob);
  if (absl::Status status = WriteAt(levels.fd(), 0, header, path_); !status.ok()) return status;
  if (absl::Status status = SyncData(levels.fd(), path_); !status.ok()) return status;
  finished_ = true;
  return *blob;
}

absl::StatusOr<TreeReader> TreeReader::Open(const std::string& path, const BlobId& blob) {
  absl::StatusOr<Fd> fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<uint64_t> size = FileSize(*fd, path);
  if (!size.ok()) return size.status();
  const absl::Status damaged = absl::DataLossError(Cat(path, " is damaged"));
  if (*size < kHeaderBytes) return damaged;
  const absl::StatusOr<std::string> header = ReadAt(*fd, 0, kHeaderBytes, path);
  if (!header.ok()) return header.status();
  const absl::StatusOr<BlobShape> shape = ParseHeader(*header);
  if (!shape.ok()) return shape.status();
  if (*header != Header(*shape, blob) || shape->count == 0) return damaged;
  TreeLevels levels(std::move(*fd), path, shape->count);
  if (*size != levels.FileBytes()) return damaged;
  return TreeReader(std::move(levels), *shape);
}

}  // namespace entente::store

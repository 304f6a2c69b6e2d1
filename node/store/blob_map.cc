#include "node/store/blob_map.h"

#include <fcntl.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "crypto/hash.h"

namespace entente::store {
namespace {

constexpr std::string_view kMagic("entente-map-1\0\0\0", 16);
constexpr size_t kHeaderCheckBytes = 20;
constexpr size_t kHeaderBytes = kMagic.size() + BlobId::kSize + 8 + 4 + kHeaderCheckBytes;
constexpr size_t kSlotCheckBytes = 12;
constexpr size_t kSlotBytes = Hash::kSize + 4 + kSlotCheckBytes;
constexpr uint64_t kSlotsAtOnce = 1024;  // 48 KiB

std::string Header(const BlobId& blob, uint64_t count, uint32_t stride) {
  std::string header(kMagic);
  header += blob.view();
  AppendU64(&header, count);
  AppendU32(&header, stride);
  header += crypto::H("blob-map", {header}).view().substr(0, kHeaderCheckBytes);
  return header;
}

uint64_t SlotOffset(uint64_t index) { return kHeaderBytes + index * kSlotBytes; }

}  // namespace

absl::StatusOr<std::unique_ptr<BlobMap>> BlobMap::Create(const std::string& path,
                                                         const BlobId& blob, uint64_t count,
                                                         uint32_t stride) {
  absl::Status status = WriteFileAtomically(path, Header(blob, count, stride));
  if (!status.ok()) return status;
  return std::unique_ptr<BlobMap>(new BlobMap(path, blob, count, stride));
}

absl::StatusOr<std::unique_ptr<BlobMap>> BlobMap::Open(const std::string& path,
                                                       const BlobId& blob) {
  const absl::StatusOr<Fd> fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<uint64_t> size = FileSize(*fd, path);
  if (!size.ok()) return size.status();
  const absl::Status damaged = absl::DataLossError(Cat(path, " is damaged"));
  if (*size < kHeaderBytes) return damaged;
  const absl::StatusOr<std::string> header = ReadAt(*fd, 0, kHeaderBytes, path);
  if (!header.ok()) return header.status();
  ByteReader reader(std::string_view(*header).substr(kMagic.size() + BlobId::kSize));
  const absl::StatusOr<uint64_t> count = reader.ReadU64();
  const absl::StatusOr<uint32_t> stride = reader.ReadU32();
  if (!count.ok() || !stride.ok() || *header != Header(blob, *count, *stride)) return damaged;

  std::unique_ptr<BlobMap> map(new BlobMap(path, blob, *count, *stride));
  absl::Status status = map->ForEach([&](const Slot& slot) {
    map->Mark(slot);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return map;
}

std::string BlobMap::EncodeSlot(const Slot& slot) const {
  std::string place;
  AppendU64(&place, slot.index);
  std::string bytes;
  AppendU32(&bytes, slot.sealed_bytes);
  const Hash check = crypto::H("blob-map", {blob_.view(), place, bytes, slot.leaf.view()});
  return Cat(slot.leaf.view(), bytes, check.view().substr(0, kSlotCheckBytes));
}

absl::Status BlobMap::Put(std::span<const Slot> slots) {
  const absl::StatusOr<Fd> fd = OpenFile(path_, O_WRONLY);
  if (!fd.ok()) return fd.status();
  for (const Slot& slot : slots) {
    absl::Status status = WriteAt(*fd, SlotOffset(slot.index), EncodeSlot(slot), path_);
    if (!status.ok()) return status;
  }
  if (absl::Status status = SyncData(*fd, path_); !status.ok()) return status;
  for (const Slot& slot : slots) Mark(slot);
  return absl::OkStatus();
}

void BlobMap::Mark(const Slot& slot) {
  if (Present(slot.index)) return;
  Page& page = pages_[slot.index / kPageChunks];
  page[slot.index % kPageChunks / 64] |= uint64_t{1} << slot.index % 64;
  ++chunks_present_;
  bytes_present_ += slot.sealed_bytes;
  if (slot.index + 1 == count_) last_bytes_ = slot.sealed_bytes;
}

bool BlobMap::Present(uint64_t index) const {
  const auto page = pages_.find(index / kPageChunks);
  return page != pages_.end() && (page->second[index % kPageChunks / 64] >> index % 64 & 1) != 0;
}

std::vector<uint64_t> BlobMap::Missing(uint64_t from, size_t limit) const {
  std::vector<uint64_t> missing;
  for (uint64_t index = from; index < count_ && missing.size() < limit; ++index) {
    if (!Present(index)) missing.push_back(index);
  }
  return missing;
}

absl::Status BlobMap::ForEach(const std::function<absl::Status(const Slot&)>& visit) const {
  const absl::StatusOr<Fd> fd = OpenFile(path_, O_RDONLY);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<uint64_t> size = FileSize(*fd, path_);
  if (!size.ok()) return size.status();
  const uint64_t held = *size < kHeaderBytes ? 0 : (*size - kHeaderBytes) / kSlotBytes;
  const uint64_t end = std::min(held, count_);  // a torn slot at the end does not count
  for (uint64_t first = 0; first < end; first += kSlotsAtOnce) {
    const uint64_t many = std::min(kSlotsAtOnce, end - first);
    const absl::StatusOr<std::string> bytes =
        ReadAt(*fd, SlotOffset(first), many * kSlotBytes, path_);
    if (!bytes.ok()) return bytes.status();
    for (uint64_t i = 0; i < many; ++i) {
      ByteReader reader(std::string_view(*bytes).substr(i * kSlotBytes, kSlotBytes));
      const absl::StatusOr<std::string_view> leaf = reader.ReadBytes(Hash::kSize);
      const absl::StatusOr<uint32_t> sealed_bytes = reader.ReadU32();
      if (!leaf.ok() || !sealed_bytes.ok()) return absl::InternalError("a slot has 48 bytes");
      if (*sealed_bytes == 0) continue;  // never written
      const Slot slot{first + i, *sealed_bytes, *Hash::From(*leaf)};
      if (std::string_view(*bytes).substr(i * kSlotBytes, kSlotBytes) != EncodeSlot(slot)) continue;
      if (absl::Status status = visit(slot); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace entente::store

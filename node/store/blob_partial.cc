#include "node/store/blob_partial.h"

#include <fcntl.h>

#include <utility>
#include <vector>

#include "node/store/blob_tree.h"
#include "node/store/file_io.h"

namespace entente::store {

absl::StatusOr<std::unique_ptr<PartialBlob>> PartialBlob::Open(const std::string& stem,
                                                               const BlobId& blob) {
  absl::StatusOr<std::unique_ptr<BlobMap>> map = BlobMap::Open(Cat(stem, ".map"), blob);
  if (absl::IsDataLoss(map.status())) {
    return absl::NotFoundError(Cat("nothing usable of blob ", blob.hex(), " is held"));
  }
  if (!map.ok()) return map.status();
  if ((*map)->chunks_present() > 0 && !Exists(Cat(stem, ".part"))) {
    return absl::NotFoundError(Cat("nothing of blob ", blob.hex(), " is held"));
  }
  return std::unique_ptr<PartialBlob>(new PartialBlob(stem, blob, std::move(*map)));
}

absl::StatusOr<std::unique_ptr<PartialBlob>> PartialBlob::Create(const std::string& stem,
                                                                 const BlobId& blob, uint64_t count,
                                                                 uint32_t stride) {
  if (absl::Status status = RemoveFile(Cat(stem, ".part")); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<BlobMap>> map =
      BlobMap::Create(Cat(stem, ".map"), blob, count, stride);
  if (!map.ok()) return map.status();
  return std::unique_ptr<PartialBlob>(new PartialBlob(stem, blob, std::move(*map)));
}

absl::Status PartialBlob::Store(std::span<const Verified> chunks) {
  const std::string path = Cat(stem_, ".part");
  const bool first = !Exists(path);
  std::vector<BlobMap::Slot> slots;
  slots.reserve(chunks.size());
  {
    const absl::StatusOr<Fd> fd = OpenFile(path, O_WRONLY | O_CREAT);
    if (!fd.ok()) return fd.status();
    for (const Verified& chunk : chunks) {
      absl::Status status = WriteAt(*fd, chunk.index * map_->stride(), chunk.sealed, path);
      if (!status.ok()) return status;
      slots.push_back({chunk.index, static_cast<uint32_t>(chunk.sealed.size()), chunk.leaf});
    }
    if (absl::Status status = SyncData(*fd, path); !status.ok()) return status;
  }
  if (first) {
    if (absl::Status status = SyncDir(ParentDir(path)); !status.ok()) return status;
  }
  return map_->Put(slots);
}

absl::Status PartialBlob::Complete() {
  absl::StatusOr<std::unique_ptr<TreeWriter>> tree = TreeWriter::Create(Cat(stem_, ".tree"));
  if (!tree.ok()) return tree.status();
  absl::Status status =
      map_->ForEach([&](const BlobMap::Slot& slot) { return (*tree)->Append(slot.leaf); });
  if (!status.ok()) return status;
  const absl::StatusOr<BlobId> root = (*tree)->Finish(map_->stride(), map_->last_bytes());
  if (!root.ok()) return root.status();
  if (*root != blob_) {
    Remove(stem_).IgnoreError();
    RemoveFile(Cat(stem_, ".tree")).IgnoreError();
    return absl::DataLossError(Cat("the chunks received as blob ", blob_.hex(), " make up ",
                                   root->hex(), "; they are discarded"));
  }
  status = RenameDurably(Cat(stem_, ".part"), Cat(stem_, ".blob"));
  if (!status.ok()) return status;
  return RemoveFile(Cat(stem_, ".map"));
}

absl::Status PartialBlob::Remove(const std::string& stem) {
  absl::Status status = RemoveFile(Cat(stem, ".map"));
  status.Update(RemoveFile(Cat(stem, ".part")));
  return status;
}

}  // namespace entente::store

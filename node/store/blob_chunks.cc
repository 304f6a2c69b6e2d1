// BlobStore: sealed chunks in and out, and keeping them sound.
#include <fcntl.h>

#include <atomic>
#include <utility>

#include "node/store/blob_store.h"

namespace entente::store {
namespace {

absl::Status NotHeld(const BlobId& blob) {
  return absl::NotFoundError(Cat("blob ", blob.hex(), " is not held"));
}

Hash RootOf(const BlobId& blob) { return *Hash::From(blob.view()); }

}  // namespace

// ---- out

absl::StatusOr<BlobStore::CompleteBlob> BlobStore::OpenAt(const std::string& stem,
                                                          const BlobId& blob) const {
  std::string path = Cat(stem, ".blob");
  absl::StatusOr<Fd> data = OpenFile(path, O_RDONLY);
  if (!data.ok()) return data.status();
  absl::StatusOr<TreeReader> tree = TreeReader::Open(Cat(stem, ".tree"), blob);
  if (absl::IsNotFound(tree.status()) || absl::IsDataLoss(tree.status())) {
    if (absl::Status status = RebuildTree(stem, blob); !status.ok()) return status;
    tree = TreeReader::Open(Cat(stem, ".tree"), blob);
  }
  if (!tree.ok()) return tree.status();
  return CompleteBlob{std::move(*data), std::move(path), std::move(*tree)};
}

// A finished upload is readable before it is adopted: its record is committed, and answered, before
// the move into place has its turn.
absl::StatusOr<BlobStore::CompleteBlob> BlobStore::OpenComplete(const BlobId& blob) const {
  if (Has(blob)) return OpenAt(Stem(blob), blob);
  const std::lock_guard lock(mutex_);  // nothing is adopted while we look in both places
  if (Has(blob)) return OpenAt(Stem(blob), blob);
  if (Exists(Cat(TmpStem(blob), ".blob"))) return OpenAt(TmpStem(blob), blob);
  if (Exists(Cat(Stem(blob), ".map"))) {
    return absl::FailedPreconditionError(Cat("blob ", blob.hex(), " is still incomplete"));
  }
  return NotHeld(blob);
}

// Reads the whole blob. The tree replaces the old one only if it leads to the blob id.
absl::Status BlobStore::RebuildTree(const std::string& stem, const BlobId& blob) const {
  static std::atomic<uint64_t> counter{0};
  const std::string path = Cat(stem, ".blob");
  const absl::StatusOr<Fd> data = OpenFile(path, O_RDONLY);
  if (!data.ok()) return data.status();
  const absl::StatusOr<uint64_t> size = FileSize(*data, path);
  if (!size.ok()) return size.status();
  const absl::Status damaged = absl::DataLossError(Cat(path, " is damaged"));
  if (*size == 0) return damaged;
  const uint64_t count = (*size - 1) / stride() + 1;
  const BlobShape shape{count, stride(), static_cast<uint32_t>(*size - (count - 1) * stride())};

  const std::string rebuilt = Cat(TmpDir(), "/", std::to_string(++counter), ".rebuilt");
  absl::StatusOr<std::unique_ptr<TreeWriter>> tree = TreeWriter::Create(rebuilt);
  if (!tree.ok()) return tree.status();
  for (uint64_t index = 0; index < count; ++index) {
    const absl::StatusOr<std::string> sealed =
        ReadAt(*data, shape.Offset(index), shape.Bytes(index), path);
    if (!sealed.ok()) return sealed.status();
    absl::Status status = (*tree)->Append(crypto::ChunkLeaf(*sealed));
    if (!status.ok()) return status;
  }
  const absl::StatusOr<BlobId> root = (*tree)->Finish(shape.stride, shape.last_bytes);
  if (!root.ok()) return root.status();
  if (*root != blob) {
    RemoveFile(rebuilt).IgnoreError();
    return damaged;
  }
  return RenameDurably(rebuilt, Cat(stem, ".tree"));
}

absl::StatusOr<BlobStore::Chunk> BlobStore::ReadVerified(const CompleteBlob& held,
                                                         const BlobId& blob, uint64_t index) const {
  const BlobShape& shape = held.tree.shape();
  if (index >= shape.count) {
    return absl::InvalidArgumentError(Cat("blob ", blob.hex(), " has ", std::to_string(shape.count),
                                          " chunks; asked for number ", std::to_string(index)));
  }
  absl::StatusOr<std::string> sealed =
      ReadAt(held.data, shape.Offset(index), shape.Bytes(index), held.path);
  if (!sealed.ok()) return sealed.status();
  absl::StatusOr<std::vector<Hash>> path =
      crypto::InclusionProof(held.tree.nodes(), index, shape.count);
  if (!path.ok()) return path.status();
  const absl::Status fits =
      crypto::VerifyInclusion(crypto::ChunkLeaf(*sealed), index, shape.count, *path, RootOf(blob));
  if (!fits.ok()) {
    return absl::DataLossError(
        Cat("chunk ", std::to_string(index), " of ", held.path, " is damaged"));
  }
  return Chunk{shape.count, std::move(*sealed), std::move(*path)};
}

// A sound tree proves its own leaf; a chunk that is unlike a proven leaf is damaged itself.
bool BlobStore::TreeProves(const CompleteBlob& held, const BlobId& blob, uint64_t index) {
  const crypto::MerkleSource& nodes = held.tree.nodes();
  const uint64_t count = held.tree.shape().count;
  const absl::StatusOr<Hash> leaf = nodes.Node(0, index);
  const absl::StatusOr<std::vector<Hash>> path = crypto::InclusionProof(nodes, index, count);
  return leaf.ok() && path.ok() &&
         crypto::VerifyInclusion(*leaf, index, count, *path, RootOf(blob)).ok();
}

absl::StatusOr<BlobStore::Chunk> BlobStore::ReadChunk(const BlobId& blob, uint64_t index) const {
  const absl::StatusOr<CompleteBlob> held = OpenComplete(blob);
  if (!held.ok()) return held.status();
  absl::StatusOr<Chunk> chunk = ReadVerified(*held, blob, index);
  if (!absl::IsDataLoss(chunk.status()) || TreeProves(*held, blob, index)) return chunk;
  if (!RebuildTree(held->path.substr(0, held->path.rfind('.')), blob).ok()) return chunk;
  const absl::StatusOr<CompleteBlob> mended = OpenComplete(blob);
  if (!mended.ok()) return mended.status();
  return ReadVerified(*mended, blob, index);
}

absl::StatusOr<std::vector<uint64_t>> BlobStore::Scrub(const BlobId& blob) const {
  const absl::StatusOr<CompleteBlob> held = OpenComplete(blob);
  if (!held.ok()) return held.status();
  std::vector<uint64_t> damaged;
  for (uint64_t index = 0; index < held->tree.shape().count; ++index) {
    const absl::Status status = ReadVerified(*held, blob, index).status();
    if (absl::IsDataLoss(status)) {
      damaged.push_back(index);
    } else if (!status.ok()) {
      return status;
    }
  }
  if (damaged.empty()) return damaged;
  // It may be the tree that is wrong.
  const std::string stem = held->path.substr(0, held->path.rfind('.'));
  const absl::Status rebuilt = RebuildTree(stem, blob);
  if (rebuilt.ok()) return std::vector<uint64_t>();
  return absl::IsDataLoss(rebuilt) ? absl::StatusOr<std::vector<uint64_t>>(damaged) : rebuilt;
}

// ---- in

absl::Status BlobStore::WriteChunk(const BlobId& blob, const ChunkIn& chunk) {
  return WriteChunks(blob, {&chunk, 1}).front();
}

std::vector<absl::Status> BlobStore::WriteChunks(const BlobId& blob,
                                                 std::span<const ChunkIn> chunks) {
  std::vector<absl::Status> verdicts;
  std::vector<PartialBlob::Verified> verified;
  for (const ChunkIn& chunk : chunks) {
    verified.push_back({chunk.index, chunk.sealed, crypto::ChunkLeaf(chunk.sealed)});
    verdicts.push_back(CheckChunk(blob, chunk, verified.back().leaf));
  }
  Turn turn = TakeTurn(blob);
  const absl::Status status = StoreVerified(blob, *turn.desk, chunks, verified, verdicts);
  if (!status.ok()) {
    for (absl::Status& verdict : verdicts) verdict.Update(status);
  }
  const bool idle = turn.desk->partial == nullptr || turn.desk->partial->map().full() ||
                    turn.desk->partial->map().chunks_present() == 0;
  if (idle) ClearDesk(blob, turn);
  return verdicts;
}

absl::Status BlobStore::CheckChunk(const BlobId& blob, const ChunkIn& chunk,
                                   const Hash& leaf) const {
  const absl::Status fits =
      chunk.index < chunk.count
          ? crypto::VerifyInclusion(leaf, chunk.index, chunk.count, chunk.path, RootOf(blob))
          : absl::InvalidArgumentError("index beyond the count");
  if (!fits.ok()) {
    return absl::DataLossError(Cat("chunk ", std::to_string(chunk.index), " does not belong to ",
                                   "blob ", blob.hex(), ": ", ToStd(fits.message())));
  }
  const bool last = chunk.index + 1 == chunk.count;
  const size_t size = chunk.sealed.size();
  if (size > stride() || size < crypto::kChunkTagBytes || (!last && size != stride())) {
    return absl::InvalidArgumentError(Cat("chunk ", std::to_string(chunk.index), " of blob ",
                                          blob.hex(), " has ", std::to_string(size),
                                          " bytes; chunks here have ", std::to_string(stride())));
  }
  return absl::OkStatus();
}

// A verified chunk for a blob that is complete: nothing to do, unless the stored copy is damaged.
absl::Status BlobStore::Mend(const BlobId& blob, const ChunkIn& chunk) const {
  const std::string path = Cat(Stem(blob), ".blob");
  const absl::StatusOr<TreeReader> tree = TreeReader::Open(Cat(Stem(blob), ".tree"), blob);
  if (tree.ok() && tree->shape().count != chunk.count) {
    return absl::FailedPreconditionError(Cat("blob ", blob.hex(), " has ",
                                             std::to_string(tree->shape().count), " chunks, not ",
                                             std::to_string(chunk.count)));
  }
  const absl::StatusOr<Fd> fd = OpenFile(path, O_RDWR);
  if (!fd.ok()) return fd.status();
  const uint64_t offset = chunk.index * stride();
  const absl::StatusOr<std::string> stored = ReadAt(*fd, offset, chunk.sealed.size(), path);
  if (stored.ok() && *stored == chunk.sealed) return absl::OkStatus();
  if (absl::Status status = WriteAt(*fd, offset, chunk.sealed, path); !status.ok()) return status;
  return SyncData(*fd, path);
}

absl::Status BlobStore::OpenPartial(const BlobId& blob, Desk& desk) const {
  if (Has(blob)) return absl::NotFoundError(Cat("blob ", blob.hex(), " is complete"));
  if (desk.partial != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<PartialBlob>> partial = PartialBlob::Open(Stem(blob), blob);
  if (!partial.ok()) return absl::IsNotFound(partial.status()) ? NotHeld(blob) : partial.status();
  if ((*partial)->map().full()) {  // interrupted after the last chunk: do the rest now
    if (absl::Status status = (*partial)->Complete(); !status.ok()) return status;
    return absl::NotFoundError(Cat("blob ", blob.hex(), " is complete"));
  }
  desk.partial = std::move(*partial);
  return absl::OkStatus();
}

absl::Status BlobStore::StoreVerified(const BlobId& blob, Desk& desk,
                                      std::span<const ChunkIn> chunks,
                                      std::span<const PartialBlob::Verified> verified,
                                      std::vector<absl::Status>& verdicts) const {
  absl::Status opened = OpenPartial(blob, desk);
  std::vector<PartialBlob::Verified> wanted;
  uint64_t bytes = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    const ChunkIn& chunk = chunks[i];
    if (!verdicts[i].ok()) continue;
    if (Has(blob)) {
      verdicts[i] = Mend(blob, chunk);
      continue;
    }
    if (absl::IsNotFound(opened)) {
      if (absl::Status status = MakeDirs(Folder(blob)); !status.ok()) return status;
      auto made = PartialBlob::Create(Stem(blob), blob, chunk.count, stride());
      if (!made.ok()) return made.status();
      desk.partial = std::move(*made);
      opened = absl::OkStatus();
    }
    if (!opened.ok()) return opened;
    const BlobMap& map = desk.partial->map();
    if (map.count() != chunk.count) {
      verdicts[i] = absl::FailedPreconditionError(Cat("blob ", blob.hex(), " is arriving with ",
                                                      std::to_string(map.count()), " chunks, not ",
                                                      std::to_string(chunk.count)));
    } else if (!map.Present(chunk.index)) {
      wanted.push_back(verified[i]);
      bytes += chunk.sealed.size();
    }
  }
  if (wanted.empty()) return absl::OkStatus();
  absl::Status status = options_.reserve.Check(dir_, bytes);
  if (status.ok()) status = desk.partial->Store(wanted);
  if (!status.ok()) {
    if (desk.partial->map().chunks_present() == 0) PartialBlob::Remove(Stem(blob)).IgnoreError();
    return status;
  }
  return desk.partial->map().full() ? desk.partial->Complete() : absl::OkStatus();
}

}  // namespace entente::store

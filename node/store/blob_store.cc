// Opening, uploads, adoption, what is held, removal. Chunks are in blob_chunks.cc.
#include "node/store/blob_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace entente::store {
namespace {

constexpr std::string_view kExtensions[] = {".blob", ".tree", ".part", ".map"};

// The blob id in "<64 hex>.blob", if that is what the name is.
absl::StatusOr<BlobId> BlobNamed(std::string_view name) {
  constexpr std::string_view kEnd = ".blob";
  if (!name.ends_with(kEnd)) return absl::NotFoundError("another file");
  name.remove_suffix(kEnd.size());
  return BlobId::FromHex(name);
}

// Renames within one volume; OK when `from` is not there and `to` is.
absl::Status MoveInto(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  if (error == ENOENT && Exists(to)) return absl::OkStatus();
  return ErrnoError(error, "adopt", from);
}

}  // namespace

BlobStore::BlobStore(std::string dir, Options options)
    : dir_(std::move(dir)), options_(std::move(options)) {}
BlobStore::~BlobStore() = default;

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const std::string& dir,
                                                           Options options) {
  std::unique_ptr<BlobStore> store(new BlobStore(dir, std::move(options)));
  if (absl::Status status = MakeDirs(store->TmpDir()); !status.ok()) return status;
  if (absl::Status status = store->CleanTmp(); !status.ok()) return status;
  return store;
}

absl::Status BlobStore::CleanTmp() {
  const absl::StatusOr<std::vector<std::string>> names = ListDir(TmpDir());
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const absl::StatusOr<BlobId> blob = BlobNamed(name);
    if (!blob.ok() || !options_.is_named || !options_.is_named(*blob)) continue;
    if (absl::Status status = Adopt(*blob); !status.ok()) return status;
  }
  for (const std::string& name : *names) {
    absl::Status status = RemoveFile(Cat(TmpDir(), "/", name));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string BlobStore::TmpDir() const { return Cat(dir_, "/tmp"); }

std::string BlobStore::Folder(const BlobId& blob) const {
  const std::string hex = blob.hex();
  return Cat(dir_, "/", hex.substr(0, 2), "/", hex.substr(2, 2));
}

std::string BlobStore::Stem(const BlobId& blob) const { return Cat(Folder(blob), "/", blob.hex()); }

std::string BlobStore::TmpStem(const BlobId& blob) const { return Cat(TmpDir(), "/", blob.hex()); }

absl::StatusOr<std::unique_ptr<UploadWriter>> BlobStore::BeginUpload(std::string_view name,
                                                                     uint64_t promised_size,
                                                                     Entropy& entropy) {
  return UploadWriter::Create(TmpDir(), name, promised_size, options_.chunk_bytes, options_.reserve,
                              entropy);
}

absl::Status BlobStore::Adopt(const BlobId& blob) {
  const std::lock_guard lock(mutex_);
  if (!Exists(Cat(TmpStem(blob), ".blob"))) {
    if (Has(blob)) return absl::OkStatus();
    return absl::NotFoundError(Cat("no finished upload has the blob id ", blob.hex()));
  }
  if (absl::Status status = MakeDirs(Folder(blob)); !status.ok()) return status;
  // The tree first: a .blob in place is complete. A lost tree is rebuilt when it is needed.
  absl::Status status = MoveInto(Cat(TmpStem(blob), ".tree"), Cat(Stem(blob), ".tree"));
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  status = MoveInto(Cat(TmpStem(blob), ".blob"), Cat(Stem(blob), ".blob"));
  if (!status.ok()) return status;
  return SyncDir(Folder(blob));
}

absl::Status BlobStore::DiscardUpload(const BlobId& blob) {
  const std::lock_guard lock(mutex_);
  absl::Status status = RemoveFile(Cat(TmpStem(blob), ".blob"));
  status.Update(RemoveFile(Cat(TmpStem(blob), ".tree")));
  return status;
}

// ---- what is here

bool BlobStore::Has(const BlobId& blob) const { return Exists(Cat(Stem(blob), ".blob")); }

absl::StatusOr<BlobStore::State> BlobStore::GetState(const BlobId& blob) const {
  Turn turn = TakeTurn(blob);
  absl::Status status = OpenPartial(blob, *turn.desk);
  if (status.ok()) {
    const BlobMap& map = turn.desk->partial->map();
    return State{map.count(), map.chunks_present(), map.bytes_present(), false};
  }
  ClearDesk(blob, turn);
  if (!Has(blob)) return status;
  const absl::StatusOr<CompleteBlob> held = OpenComplete(blob);
  if (!held.ok()) return held.status();
  const BlobShape& shape = held->tree.shape();
  return State{shape.count, shape.count, shape.TotalBytes(), true};
}

absl::StatusOr<std::vector<uint64_t>> BlobStore::Missing(const BlobId& blob, uint64_t count,
                                                         uint64_t from, size_t limit) const {
  Turn turn = TakeTurn(blob);
  absl::Status status = OpenPartial(blob, *turn.desk);
  if (status.ok()) return turn.desk->partial->map().Missing(from, limit);
  ClearDesk(blob, turn);
  std::vector<uint64_t> missing;
  if (Has(blob)) return missing;
  if (!absl::IsNotFound(status)) return status;
  for (; from < count && missing.size() < limit; ++from) missing.push_back(from);
  return missing;
}

absl::Status BlobStore::Remove(const BlobId& blob) {
  Turn turn = TakeTurn(blob);
  ClearDesk(blob, turn);
  absl::Status status = DiscardUpload(blob);
  for (const std::string_view extension : kExtensions) {
    status.Update(RemoveFile(Cat(Stem(blob), extension)));
  }
  if (status.ok() && Exists(Folder(blob))) status = SyncDir(Folder(blob));
  return status;
}

// ---- one writer per blob

BlobStore::Turn BlobStore::TakeTurn(const BlobId& blob) const {
  while (true) {
    Turn turn;
    {
      const std::lock_guard lock(mutex_);
      std::shared_ptr<Desk>& desk = desks_[blob];
      if (desk == nullptr) desk = std::make_shared<Desk>();
      turn.desk = desk;
    }
    turn.lock = std::unique_lock(turn.desk->mutex);
    // While this call waited, the desk may have been cleared away and another one set up.
    const std::lock_guard lock(mutex_);
    const auto current = desks_.find(blob);
    if (current != desks_.end() && current->second == turn.desk) return turn;
  }
}

void BlobStore::ClearDesk(const BlobId& blob, Turn& turn) const {
  turn.desk->partial.reset();
  const std::lock_guard lock(mutex_);
  desks_.erase(blob);
}

// ---- opening with the file's key

absl::Status BlobStore::VerifyBlob(const v1::FileRef& file) const {
  const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
  if (!blob.ok()) return blob.status();
  const absl::StatusOr<CompleteBlob> held = OpenComplete(*blob);
  if (!held.ok()) {
    // Damage here is ours to mend by fetching again; DataLoss would blame whoever sealed the file.
    return absl::FailedPreconditionError(held.status().message());
  }
  absl::Status promise = ShapeOf(file, options_.chunk_bytes).status();
  std::unique_ptr<BlobReader> reader;
  if (promise.ok()) {
    absl::StatusOr<std::unique_ptr<BlobReader>> opened = OpenReader(file);
    promise = opened.status();
    if (opened.ok()) reader = std::move(*opened);
  }
  const BlobShape& shape = held->tree.shape();
  crypto::CompactRange range = crypto::CompactRange::Empty(0);
  for (uint64_t index = 0; index < shape.count; ++index) {
    const absl::StatusOr<std::string> sealed =
        ReadAt(held->data, shape.Offset(index), shape.Bytes(index), held->path);
    if (!sealed.ok()) return absl::FailedPreconditionError(sealed.status().message());
    range.Append(crypto::ChunkLeaf(*sealed));
    if (promise.ok()) promise = reader->Next().status();
  }
  const absl::StatusOr<Hash> root = range.Root();
  if (!root.ok()) return root.status();
  if (root->view() != blob->view()) {
    return absl::FailedPreconditionError(Cat(held->path, " is damaged on this disk"));
  }
  if (promise.ok()) promise = reader->Next().status();  // the end: size and SHA-256
  if (promise.ok()) return promise;
  return absl::DataLossError(promise.message());
}

absl::StatusOr<std::unique_ptr<BlobReader>> BlobStore::OpenReader(const v1::FileRef& file) const {
  const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
  if (!blob.ok()) return blob.status();
  absl::StatusOr<CompleteBlob> held = OpenComplete(*blob);
  if (!held.ok()) return held.status();
  return BlobReader::Create(file, options_.chunk_bytes, std::move(held->data), held->path);
}

}  // namespace entente::store

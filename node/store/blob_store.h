// Evidence files at rest: sealed chunks in plain files named by content, outside the database.
//
// A blob is the sealed form of one file; its id is the RFC 6962 root over the sealed chunks, so
// every chunk can be checked without any key, before it is kept and before it is handed out.
//
//   DIR/ab/cd/<64 hex>.blob   complete: sealed chunk i at offset i * (chunk_bytes + 16)
//                     .tree   its Merkle tree (blob_tree.h): a proof costs O(log n) small reads
//                     .part   incomplete, same layout as .blob
//                     .map    which chunks of .part are durable (blob_map.h)
//   DIR/tmp/                  uploads: under way (random name) or finished and not yet adopted
//
// .part becomes .blob only when every chunk is in place and the tree's root is the blob id, so
// a .blob is never half-written. A lost or damaged .tree is rebuilt from the chunks; a lost or
// damaged slot of a .map costs that chunk's transfer again. File names in a FileRef are data and
// never touch a path.
//
// Errors: ResourceExhausted when the volume is full, or down to its reserve; DataLoss when stored
// or received bytes are not what the blob id says; NotFound when nothing is held under that id. All
// memory use is one chunk, whatever the file's size; sizes are 64-bit.
//
// Thread-safe: calls on different blobs run side by side, writes to one blob take turns. Writers
// and readers that it hands out belong to one thread each, and must not outlive it.
// Design §7, protocol §11. Tests: tests/node/store/blob_store_test.cc, blob_damage_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/file_chunks.h"
#include "entente/v1/file.pb.h"
#include "node/store/blob_partial.h"
#include "node/store/blob_reader.h"
#include "node/store/blob_tree.h"
#include "node/store/blob_upload.h"
#include "node/store/file_io.h"

namespace entente::store {

class BlobStore {
 public:
  struct Options {
    uint32_t chunk_bytes = crypto::kChunkBytes;  // smaller in tests only: it is the same everywhere
    SpaceReserve reserve;
    // Whether a committed entry names this blob. Asked at Open for each finished upload: one that
    // is named was about to be adopted when the process died, and is adopted now.
    std::function<bool(const BlobId&)> is_named;
  };

  // Makes `dir` when absent. Removes what an earlier process left in tmp/, except uploads that
  // `is_named` claims.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& dir, Options options);
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& dir) {
    return Open(dir, Options());
  }
  ~BlobStore();
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  // ---- own files, coming in as plaintext

  // Draws a fresh file key; see blob_upload.h for what follows. Refused when the volume has no room
  // for the whole.
  absl::StatusOr<std::unique_ptr<UploadWriter>> BeginUpload(std::string_view name,
                                                            uint64_t promised_size,
                                                            Entropy& entropy);
  // Moves a finished upload into place, durably. OK when that has already happened.
  absl::Status Adopt(const BlobId& blob);
  // Forgets a finished upload that no entry will name.
  absl::Status DiscardUpload(const BlobId& blob);

  // ---- sealed chunks, to and from peers

  struct Chunk {
    uint64_t count = 0;
    std::string sealed;
    std::vector<Hash> path;  // RFC 6962 inclusion proof of the chunk under the blob id
  };
  // Checked against the blob id before it is returned: damage on this disk is DataLoss and never
  // reaches a peer. If it is the tree that is damaged, that is mended first, which reads the whole
  // blob. FailedPrecondition while the blob is incomplete.
  absl::StatusOr<Chunk> ReadChunk(const BlobId& blob, uint64_t index) const;

  struct ChunkIn {
    uint64_t index = 0;
    uint64_t count = 0;  // as the signed FileRef says, not as the sender says
    std::string_view sealed;
    std::vector<Hash> path;
  };
  // OK means verified and durable. DataLoss: the chunk does not belong to the blob; nothing that
  // was there is touched. A chunk that is held already is left alone, unless the stored copy is
  // damaged and the new one mends it. With the last missing chunk the blob becomes complete.
  absl::Status WriteChunk(const BlobId& blob, const ChunkIn& chunk);
  // The same for several chunks of one blob with one sync for all (protocol §11: up to 32); one
  // status each.
  std::vector<absl::Status> WriteChunks(const BlobId& blob, std::span<const ChunkIn> chunks);

  // ---- what is here

  struct State {
    uint64_t chunk_count = 0;
    uint64_t chunks_present = 0;
    uint64_t bytes_present = 0;  // sealed bytes
    bool complete = false;
  };
  // NotFound when nothing is held.
  absl::StatusOr<State> GetState(const BlobId& blob) const;
  bool Has(const BlobId& blob) const;  // complete
  // The first `limit` chunks at or after `from` that are not held, ascending. Empty when complete;
  // all of [0, count) when nothing is held.
  absl::StatusOr<std::vector<uint64_t>> Missing(const BlobId& blob, uint64_t count, uint64_t from,
                                                size_t limit) const;

  // ---- opening

  // Opens every chunk with the file's key and compares size and SHA-256 with what the entry
  // promised. DataLoss when they differ.
  absl::Status VerifyBlob(const v1::FileRef& file) const;
  // Plaintext from start to end; every chunk is authenticated before it is returned.
  absl::StatusOr<std::unique_ptr<BlobReader>> OpenReader(const v1::FileRef& file) const;

  // ---- upkeep

  // Checks every sealed chunk against the blob id, without keys, and mends the tree file if that is
  // all that is wrong. Returns the damaged chunks; writing good copies of them heals the blob.
  absl::StatusOr<std::vector<uint64_t>> Scrub(const BlobId& blob) const;
  // Removes a blob, complete or not. OK when there is none.
  absl::Status Remove(const BlobId& blob);

 private:
  // What calls about one incomplete blob share; they take turns at it.
  struct Desk {
    std::mutex mutex;
    std::unique_ptr<PartialBlob> partial;  // null until opened, and again once complete
  };
  struct Turn {
    std::shared_ptr<Desk> desk;
    std::unique_lock<std::mutex> lock;
  };
  struct CompleteBlob {
    Fd data;
    std::string path;
    TreeReader tree;
  };

  BlobStore(std::string dir, Options options);
  absl::Status CleanTmp();

  std::string TmpDir() const;
  std::string Folder(const BlobId& blob) const;
  std::string Stem(const BlobId& blob) const;     // path without extension
  std::string TmpStem(const BlobId& blob) const;  // the same for a finished upload
  uint32_t stride() const { return options_.chunk_bytes + uint32_t{crypto::kChunkTagBytes}; }

  Turn TakeTurn(const BlobId& blob) const;
  void ClearDesk(const BlobId& blob, Turn& turn) const;

  absl::StatusOr<CompleteBlob> OpenComplete(const BlobId& blob) const;
  absl::StatusOr<CompleteBlob> OpenAt(const std::string& stem, const BlobId& blob) const;
  absl::Status RebuildTree(const std::string& stem, const BlobId& blob) const;
  absl::StatusOr<Chunk> ReadVerified(const CompleteBlob& held, const BlobId& blob,
                                     uint64_t index) const;
  static bool TreeProves(const CompleteBlob& held, const BlobId& blob, uint64_t index);
  // OK: the blob is incomplete and desk.partial is set. NotFound: nothing is held, or it is
  // complete by now.
  absl::Status OpenPartial(const BlobId& blob, Desk& desk) const;

  absl::Status CheckChunk(const BlobId& blob, const ChunkIn& chunk, const Hash& leaf) const;
  absl::Status Mend(const BlobId& blob, const ChunkIn& chunk) const;
  absl::Status StoreVerified(const BlobId& blob, Desk& desk, std::span<const ChunkIn> chunks,
                             std::span<const PartialBlob::Verified> verified,
                             std::vector<absl::Status>& verdicts) const;

  const std::string dir_;
  const Options options_;
  mutable std::mutex mutex_;  // guards desks_, and moving uploads into place
  mutable std::map<BlobId, std::shared_ptr<Desk>> desks_;
};

}  // namespace entente::store

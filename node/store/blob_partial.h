// A blob that is still arriving: STEM.part, STEM.map, and at the end STEM.tree and STEM.blob.
//
// Order on disk, so that any interruption leaves something true: chunk bytes, sync, slots of the
// map, sync; and for the last chunk the tree, sync, rename .part to .blob, folder sync, drop .map.
// Callers have verified every chunk against the blob id. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "node/store/blob_map.h"

namespace entente::store {

class PartialBlob {
 public:
  struct Verified {
    uint64_t index = 0;
    std::string_view sealed;
    Hash leaf;
  };

  // NotFound when nothing usable has arrived yet: a damaged map counts as nothing.
  static absl::StatusOr<std::unique_ptr<PartialBlob>> Open(const std::string& stem,
                                                           const BlobId& blob);
  // Starts over: data of an earlier attempt is removed.
  static absl::StatusOr<std::unique_ptr<PartialBlob>> Create(const std::string& stem,
                                                             const BlobId& blob, uint64_t count,
                                                             uint32_t stride);

  // Durable on return. On an error none of `chunks` is marked as present.
  absl::Status Store(std::span<const Verified> chunks);

  // Turns a full map into a finished blob; may be repeated after an interruption. DataLoss, and all
  // is removed, when the leaves do not make up the blob id: then the count was not the blob's.
  absl::Status Complete();

  // Removes every trace of `stem`'s unfinished blob.
  static absl::Status Remove(const std::string& stem);

  const BlobMap& map() const { return *map_; }

 private:
  PartialBlob(std::string stem, const BlobId& blob, std::unique_ptr<BlobMap> map)
      : stem_(std::move(stem)), blob_(blob), map_(std::move(map)) {}

  std::string stem_;
  BlobId blob_;
  std::unique_ptr<BlobMap> map_;
};

}  // namespace entente::store

// Which chunks of an incomplete blob are durably here.
//
// A bit alone would have to be trusted; here every chunk has a slot that proves itself:
//   header  "entente-map-1" 00 00 00 ‖ blob id 32 ‖ chunk count u64 ‖ stride u32 ‖ check 20
//   slot i  leaf hash 32 ‖ sealed bytes u32 ‖ check 12,  at 80 + 48 * i
//   check   first bytes of H("blob-map", …) over the header; over {blob id, i, bytes, leaf} for a
//   slot
// A slot that is absent, torn, zero or flipped means that the chunk is fetched again, nothing
// worse. Slots are written after the chunk itself has been synced. The leaves become the tree's
// level 0 when the last chunk is in.
//
// The bitmap in memory grows with what is present, not with what an entry claims the file's size
// to be. Not thread-safe. Tests: tests/node/store/blob_map_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "node/store/blob_tree.h"

namespace entente::store {

class BlobMap {
 public:
  struct Slot {
    uint64_t index = 0;
    uint32_t sealed_bytes = 0;
    Hash leaf;
  };

  // A new, empty map, durable on return; replaces an older one.
  static absl::StatusOr<std::unique_ptr<BlobMap>> Create(const std::string& path,
                                                         const BlobId& blob, uint64_t count,
                                                         uint32_t stride);
  // NotFound when absent; DataLoss when the header is damaged: then nothing is known to be here.
  static absl::StatusOr<std::unique_ptr<BlobMap>> Open(const std::string& path, const BlobId& blob);

  // Durable on return. The chunks must be durable before.
  absl::Status Put(std::span<const Slot> slots);

  uint64_t count() const { return count_; }
  uint32_t stride() const { return stride_; }
  bool Present(uint64_t index) const;
  uint64_t chunks_present() const { return chunks_present_; }
  uint64_t bytes_present() const { return bytes_present_; }
  bool full() const { return chunks_present_ == count_; }
  uint32_t last_bytes() const { return last_bytes_; }  // of the last chunk; 0 while it is missing
  std::vector<uint64_t> Missing(uint64_t from, size_t limit) const;

  // Calls `visit` for every present slot in ascending order until it returns an error.
  absl::Status ForEach(const std::function<absl::Status(const Slot&)>& visit) const;

 private:
  // 32 768 chunks to a page of 4 KiB.
  static constexpr uint64_t kPageChunks = 32768;
  using Page = std::array<uint64_t, kPageChunks / 64>;

  BlobMap(std::string path, const BlobId& blob, uint64_t count, uint32_t stride)
      : path_(std::move(path)), blob_(blob), count_(count), stride_(stride) {}
  std::string EncodeSlot(const Slot& slot) const;
  void Mark(const Slot& slot);

  std::string path_;
  BlobId blob_;
  uint64_t count_;
  uint32_t stride_;
  std::map<uint64_t, Page> pages_;
  uint64_t chunks_present_ = 0;
  uint64_t bytes_present_ = 0;
  uint32_t last_bytes_ = 0;
};

}  // namespace entente::store

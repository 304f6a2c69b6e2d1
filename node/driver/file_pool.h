// Threads that do the slow work on chunk files, so that the one thread that steps the engine never
// waits for a disk. Jobs come from Effects, results go back as inputs.
//
// Chunks of one file that wait together are written with one sync (protocol §11). Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "node/store/blob_store.h"
#include "sync/effects.h"

namespace entente::driver {

class FilePool {
 public:
  using Post = std::function<void(sync::Input)>;
  // Rewrites the store's files that hold keys in [from, to): the second half of an erasure.
  using Compact = std::function<absl::Status(std::string_view from, std::string_view to)>;

  FilePool(store::BlobStore& blobs, int threads, Post post, Compact compact = nullptr);
  ~FilePool();  // finishes the jobs under way and drops those that wait
  FilePool(const FilePool&) = delete;
  FilePool& operator=(const FilePool&) = delete;

  void Submit(sync::FileJob job);

 private:
  void Run();
  // The next job and, for a chunk to write, the others of its file that wait with it.
  bool Take(std::vector<sync::FileJob>* jobs);
  void Do(const std::vector<sync::FileJob>& jobs);
  void CheckChunks(const sync::CheckChunksJob& job);
  absl::Status Erase(const sync::EraseJob& job);
  void WriteChunks(const std::vector<sync::FileJob>& jobs);

  store::BlobStore& blobs_;
  Post post_;
  Compact compact_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<sync::FileJob> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace entente::driver

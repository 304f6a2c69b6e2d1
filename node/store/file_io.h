// The few POSIX calls the store is made of, with errors that say what failed on which file.
//
// Interrupted calls are repeated, short reads and writes are completed, a failed fsync is never
// retried: after it the kernel may have dropped the pages, so the only honest answer is the error.
// No exceptions. All functions may be called from any thread; an Fd belongs to one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entente::store {

// ENOENT NotFound, EEXIST AlreadyExists, no room or no descriptors ResourceExhausted, no right
// PermissionDenied, read-only volume FailedPrecondition, EIO DataLoss, all else Internal.
absl::Status ErrnoError(int error, std::string_view what, std::string_view path);

// An open file that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// `flags` as for open(2); O_CLOEXEC is added. New files get mode 0600.
absl::StatusOr<Fd> OpenFile(const std::string& path, int flags);
absl::StatusOr<uint64_t> FileSize(const Fd& fd, std::string_view path);
bool Exists(const std::string& path);

// Reads exactly `size` bytes at `offset`. DataLoss when the file ends before.
absl::StatusOr<std::string> ReadAt(const Fd& fd, uint64_t offset, size_t size,
                                   std::string_view path);
// The whole file. ResourceExhausted when it is larger than `size_max`.
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_max);

absl::Status WriteAt(const Fd& fd, uint64_t offset, std::string_view bytes, std::string_view path);
// At the current position, or at the end of a file opened with O_APPEND.
absl::Status Write(const Fd& fd, std::string_view bytes, std::string_view path);
absl::Status SyncData(const Fd& fd, std::string_view path);
absl::Status SyncDir(const std::string& dir);

// What rename(2) promises, plus a synced target folder.
absl::Status RenameDurably(const std::string& from, const std::string& to);
// Not an error when there is nothing to remove.
absl::Status RemoveFile(const std::string& path);
// mkdir -p with mode 0700; every folder that was made is durable in its parent.
absl::Status MakeDirs(const std::string& dir);
// Names only, sorted, without "." and "..".
absl::StatusOr<std::vector<std::string>> ListDir(const std::string& dir);
std::string ParentDir(const std::string& path);

enum class IfExists { kReplace, kFail };

// Readers see the old content or the new one, also after a power cut: a temporary file next to
// `path` is written, synced and renamed over it. Mode 0600. Nothing is left behind on failure.
// AlreadyExists with kFail when there is such a file.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes,
                                 IfExists if_exists = IfExists::kReplace);

// ---- room on the volume

using FreeBytesFn = std::function<absl::StatusOr<uint64_t>(const std::string& path)>;
absl::StatusOr<uint64_t> VolumeFreeBytes(const std::string& path);

// Room that is kept back, so that receipts, erasures and the database's own upkeep can still finish
// on a volume that users and peers have filled.
struct SpaceReserve {
  uint64_t bytes = uint64_t{64} << 20;
  FreeBytesFn free_bytes = VolumeFreeBytes;  // replaced in tests

  // ResourceExhausted when writing `wanted` bytes below `path` would touch the reserve.
  absl::Status Check(const std::string& path, uint64_t wanted) const;
};

}  // namespace entente::store

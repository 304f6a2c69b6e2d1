#include "node/store/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "crypto/bytes.h"

namespace entente::store {
namespace {

absl::StatusCode CodeFor(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return absl::StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    case EROFS:
      return absl::StatusCode::kFailedPrecondition;
    case EIO:
      return absl::StatusCode::kDataLoss;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status MakeError(absl::StatusCode code, const std::string& message) {
  return absl::Status(code, message);
}

template <class Call>
auto Retry(const Call& call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// Distinguishes temporary files of several writers in one process; O_EXCL does the rest.
std::string TemporaryName(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  return Cat(path, ".tmp-", std::to_string(getpid()), "-", std::to_string(++counter));
}

absl::Status WriteTemporary(const std::string& path, std::string_view bytes) {
  absl::StatusOr<Fd> fd = OpenFile(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!fd.ok()) return fd.status();
  if (absl::Status status = Write(*fd, bytes, path); !status.ok()) return status;
  return SyncData(*fd, path);
}

}  // namespace

absl::Status ErrnoError(int error, std::string_view what, std::string_view path) {
  const std::string text = Cat("cannot ", what, " ", path, ": ", std::strerror(error));
  const bool volume_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  if (!volume_full) return MakeError(CodeFor(error), text);
  return MakeError(CodeFor(error), Cat(text,
                                       " [NO_ROOM]\n  Next: the node's operator makes room "
                                       "on that volume, then repeat the command"));
}

Fd::~Fd() { Close(); }

void Fd::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

absl::StatusOr<Fd> OpenFile(const std::string& path, int flags) {
  const int fd = Retry([&] { return open(path.c_str(), flags | O_CLOEXEC, 0600); });
  if (fd < 0) return ErrnoError(errno, "open", path);
  return Fd(fd);
}

absl::StatusOr<uint64_t> FileSize(const Fd& fd, std::string_view path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoError(errno, "inspect", path);
  return static_cast<uint64_t>(info.st_size);
}

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::string> ReadAt(const Fd& fd, uint64_t offset, size_t size,
                                   std::string_view path) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = Retry([&] {
      return pread(fd.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    });
    if (got < 0) return ErrnoError(errno, "read", path);
    if (got == 0) {
      return MakeError(absl::StatusCode::kDataLoss,
                       Cat(path, " ends at byte ", std::to_string(offset + done),
                           "; expected at least ", std::to_string(offset + size)));
    }
    done += static_cast<size_t>(got);
  }
  return bytes;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_max) {
  absl::StatusOr<Fd> fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return fd.status();
  absl::StatusOr<uint64_t> size = FileSize(*fd, path);
  if (!size.ok()) return size.status();
  if (*size > size_max) {
    return MakeError(absl::StatusCode::kResourceExhausted,
                     Cat(path, " has ", std::to_string(*size), " bytes; at most ",
                         std::to_string(size_max), " are accepted"));
  }
  return ReadAt(*fd, 0, static_cast<size_t>(*size), path);
}

absl::Status WriteAt(const Fd& fd, uint64_t offset, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t put = Retry(
        [&] { return pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (put < 0) return ErrnoError(errno, "write", path);
    offset += static_cast<uint64_t>(put);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status Write(const Fd& fd, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t put = Retry([&] { return write(fd.get(), bytes.data(), bytes.size()); });
    if (put < 0) return ErrnoError(errno, "write", path);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status SyncData(const Fd& fd, std::string_view path) {
  if (Retry([&] { return fdatasync(fd.get()); }) != 0) return ErrnoError(errno, "sync", path);
  return absl::OkStatus();
}

absl::Status SyncDir(const std::string& dir) {
  absl::StatusOr<Fd> fd = OpenFile(dir, O_RDONLY | O_DIRECTORY);
  if (!fd.ok()) return fd.status();
  if (Retry([&] { return fsync(fd->get()); }) != 0) return ErrnoError(errno, "sync folder", dir);
  return absl::OkStatus();
}

absl::Status RenameDurably(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return ErrnoError(errno, "rename", from);
  return SyncDir(ParentDir(to));
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, "remove", path);
  return absl::OkStatus();
}

absl::Status MakeDirs(const std::string& dir) {
  if (mkdir(dir.c_str(), 0700) == 0) return SyncDir(ParentDir(dir));
  const int error = errno;
  if (error == EEXIST) {
    struct stat info;
    if (stat(dir.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return absl::OkStatus();
  }
  if (error != ENOENT) return ErrnoError(error, "make folder", dir);
  const std::string parent = ParentDir(dir);
  if (parent == dir) return ErrnoError(error, "make folder", dir);
  if (absl::Status status = MakeDirs(parent); !status.ok()) return status;
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
    return ErrnoError(errno, "make folder", dir);
  return SyncDir(parent);
}

absl::StatusOr<std::vector<std::string>> ListDir(const std::string& dir) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(dir, error);
  const std::filesystem::directory_iterator end;
  while (!error && entry != end) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  if (error) return ErrnoError(error.value(), "list", dir);
  std::sort(names.begin(), names.end());
  return names;
}

std::string ParentDir(const std::string& path) {
  const size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return path.empty() ? "." : "/";
  const size_t slash = path.find_last_of('/', last);
  if (slash == std::string::npos) return ".";
  const size_t end = path.find_last_not_of('/', slash);
  return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes,
                                 IfExists if_exists) {
  const std::string temporary = TemporaryName(path);
  absl::Status status = WriteTemporary(temporary, bytes);
  if (status.ok() && if_exists == IfExists::kReplace) {
    if (rename(temporary.c_str(), path.c_str()) != 0) status = ErrnoError(errno, "write", path);
  } else if (status.ok()) {
    // Unlike rename, link never replaces: of two writers at once, one is told so.
    if (link(temporary.c_str(), path.c_str()) != 0) status = ErrnoError(errno, "write", path);
    unlink(temporary.c_str());
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncDir(ParentDir(path));
}

absl::StatusOr<uint64_t> VolumeFreeBytes(const std::string& path) {
  struct statvfs info;
  if (Retry([&] { return statvfs(path.c_str(), &info); }) != 0) {
    return ErrnoError(errno, "ask for free space at", path);
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

absl::Status SpaceReserve::Check(const std::string& path, uint64_t wanted) const {
  const absl::StatusOr<uint64_t> available = free_bytes(path);
  if (!available.ok()) return available.status();
  if (*available >= bytes && *available - bytes >= wanted) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kResourceExhausted,
      Cat("the volume of ", path, " has ", std::to_string(*available), " bytes free; writing ",
          std::to_string(wanted), " would touch the reserve of ", std::to_string(bytes),
          " [NO_ROOM]\n  Next: the node's operator makes room on that volume"));
}

}  // namespace entente::store

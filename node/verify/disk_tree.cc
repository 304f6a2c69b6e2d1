#include "node/verify/disk_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "node/model/kinds.h"

namespace entente::verify {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPieceBytes = 1 << 20;

std::string Named(const std::string& path) { return Cat("\"", model::CleanForDisplay(path), "\""); }

// Calls `take` with the bytes of a file until it returns false.
absl::Status ReadFile(const std::string& place, const std::string& path,
                      const std::function<bool(std::string_view)>& take) {
  // Not through links, and not waiting for somebody at the other end of a pipe.
  const int fd = ::open(place.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat info = {};
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return absl::UnavailableError(Cat(Named(path), " cannot be read: ", why));
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(fd);
    return absl::UnavailableError(Cat(Named(path), " is no plain file"));
  }
  std::string piece(kPieceBytes, '\0');
  absl::Status out;
  for (;;) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      out = absl::UnavailableError(Cat(Named(path), " cannot be read: ", std::strerror(errno)));
    }
    if (n <= 0 || !take({piece.data(), static_cast<size_t>(n)})) break;
  }
  ::close(fd);
  return out;
}

absl::StatusOr<std::string> ReadWhole(const std::string& place, const std::string& path,
                                      size_t bytes_max) {
  std::string out;
  const absl::Status read = ReadFile(place, path, [&](std::string_view piece) {
    out += piece;
    return out.size() <= bytes_max;
  });
  if (!read.ok()) return read;
  if (out.size() > bytes_max) {
    return absl::ResourceExhaustedError(Cat(Named(path), " is larger than it can be"));
  }
  return out;
}

}  // namespace

absl::StatusOr<DiskTree> DiskTree::Open(const std::string& root) {
  std::error_code error;
  if (!fs::exists(root, error)) {
    return absl::NotFoundError(Cat("there is no folder ", Named(root)));
  }
  if (!fs::is_directory(root, error)) {
    return absl::InvalidArgumentError(Cat(Named(root), " is not a folder; unpack it first"));
  }
  return DiskTree(root);
}

absl::StatusOr<std::set<std::string>> DiskTree::List() const {
  std::set<std::string> out;
  std::error_code error;
  const auto end = fs::recursive_directory_iterator();
  auto it = fs::recursive_directory_iterator(root_, error);
  for (; !error && it != end; it.increment(error)) {
    const std::string path = it->path().lexically_relative(root_).generic_string();
    std::error_code ignored;
    if (!fs::is_directory(it->symlink_status(ignored))) {
      out.insert(path);
    } else if (fs::is_empty(it->path(), ignored)) {
      out.insert(path + "/");
    }
  }
  if (error) {
    return absl::UnavailableError(Cat("the folder cannot be read: ", error.message()));
  }
  return out;
}

absl::StatusOr<std::string> DiskTree::Read(const std::string& path, size_t bytes_max) const {
  return ReadWhole(Cat(root_, "/", path), path, bytes_max);
}

absl::StatusOr<std::string> ReadPlainFile(const std::string& path, size_t bytes_max) {
  return ReadWhole(path, path, bytes_max);
}

absl::StatusOr<bundle::Digests> DiskTree::Digest(const std::string& path) const {
  bundle::DigestWriter writer;
  const absl::Status read = ReadFile(Cat(root_, "/", path), path, [&](std::string_view piece) {
    writer.Update(piece);
    return true;
  });
  if (!read.ok()) return read;
  return writer.Finish();
}

}  // namespace entente::verify

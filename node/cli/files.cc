#include "node/cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/bytes.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr size_t kPieceBytes = 1u << 20;

using service::Error;

absl::Status Failed(std::string_view what, const std::string& path) {
  const int error = errno;
  const bool missing = error == ENOENT || error == ENOTDIR;
  return Error(missing ? absl::StatusCode::kNotFound : absl::StatusCode::kInternal,
               {.what = Cat(what, " \"", Clean(path), "\""),
                .code = missing ? "NO_SUCH_FILE" : "FILE_ERROR",
                .why = Cat("The system says: ", std::generic_category().message(error), ".")});
}

absl::Status Exists(const std::string& path, std::string_view next = kOtherName) {
  return Error(absl::StatusCode::kAlreadyExists,
               {.what = Cat("there is a file \"", Clean(path), "\" already"),
                .code = "FILE_EXISTS",
                .why = "Nothing is overwritten by accident.",
                .next = next});
}

absl::Status Changed(const std::string& path) {
  return Error(absl::StatusCode::kAborted,
               {.what = Cat("\"", Clean(path), "\" changed while it was read"),
                .code = "FILE_CHANGED",
                .why = "Nothing was registered: the copy would be of a file that never existed.",
                .next = "wait until nothing writes to it, or copy it first, then add the copy"});
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

// Fills `buffer` as far as the file goes.
ssize_t ReadFull(int fd, char* buffer, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = read(fd, buffer + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(got);
}

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// Moves without replacing; by link where the file system cannot do it in one call.
int MoveNew(const char* from, const char* to) {
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (link(from, to) != 0) return -1;
  return unlink(from);
}

}  // namespace

absl::StatusOr<std::string> ReadWhole(const std::string& path, size_t bytes_max) {
  const bool standard_input = path == "-";
  const int fd = standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed("cannot open", path);
  std::string bytes;
  std::string piece(64u << 10, '\0');
  ssize_t n = 0;
  while (bytes.size() <= bytes_max && (n = ReadFull(fd, piece.data(), piece.size())) > 0) {
    bytes.append(piece, 0, static_cast<size_t>(n));
  }
  const absl::Status failed = n < 0 ? Failed("cannot read", path) : absl::OkStatus();
  if (!standard_input) close(fd);
  if (!failed.ok()) return failed;
  if (bytes.size() > bytes_max) {
    return Error(absl::StatusCode::kInvalidArgument,
                 {.what = Cat("\"", Clean(path), "\" is larger than ", HumanBytes(bytes_max)),
                  .code = "TOO_LARGE",
                  .why = "Such a file is small; this must be another one."});
  }
  return bytes;
}

absl::StatusOr<std::unique_ptr<NewFile>> NewFile::Make(const std::string& path, mode_t mode,
                                                       size_t room) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return errno == EEXIST ? Exists(path) : Failed("cannot make", path);
  std::unique_ptr<NewFile> file(new NewFile(path, fd));
  // Only a lack of room counts: not every file system can set some aside.
  errno = room == 0 ? 0 : posix_fallocate(fd, 0, static_cast<off_t>(room));
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return Failed("cannot write", path);
  return file;
}

NewFile::~NewFile() {
  close(fd_);
  if (!kept_) unlink(path_.c_str());
}

absl::Status NewFile::Keep(std::string_view bytes) {
  if (absl::Status s = WriteAll(fd_, bytes, path_); !s.ok()) return s;
  if (ftruncate(fd_, static_cast<off_t>(bytes.size())) != 0 || fsync(fd_) != 0) {
    return Failed("cannot write", path_);
  }
  kept_ = true;
  return absl::OkStatus();
}

absl::Status WriteNew(const std::string& path, std::string_view bytes, mode_t mode) {
  const absl::StatusOr<std::unique_ptr<NewFile>> file = NewFile::Make(path, mode);
  if (!file.ok()) return file.status();
  return (*file)->Keep(bytes);
}

absl::Status WriteOut(const std::string& path, std::string_view bytes, bool force) {
  absl::StatusOr<std::unique_ptr<FileSink>> sink = FileSink::Open(path, force);
  if (!sink.ok()) return sink.status();
  if (absl::Status wrote = (*sink)->Write(bytes); !wrote.ok()) return wrote;
  return (*sink)->Commit(bytes.size(), crypto::Sha256(bytes).hex());
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path) {
  // Not blocking: a pipe in the place of a file must not stop the command before it is refused.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Failed("cannot open", path);
  struct stat info = {};
  if (fstat(fd, &info) != 0) {
    const absl::Status failed = Failed("cannot read", path);
    close(fd);
    return failed;
  }
  if (S_ISREG(info.st_mode)) {
    return std::unique_ptr<FileSource>(new FileSource(path, fd, info));
  }
  close(fd);
  const bool folder = S_ISDIR(info.st_mode);
  return Error(absl::StatusCode::kInvalidArgument,
               {.what = Cat("\"", Clean(path), "\" is ", folder ? "a folder" : "not a plain file"),
                .code = "NOT_A_FILE",
                .why = "Evidence is registered file by file, each with its own hash.",
                .next = folder ? "name the files in it, or pack it first: tar -cf FOLDER.tar FOLDER"
                               : "copy what it holds into a file and add that"});
}

FileSource::~FileSource() { close(fd_); }

std::string FileSource::name() const { return std::filesystem::path(path_).filename().string(); }

absl::StatusOr<std::string> FileSource::Next() {
  const uint64_t left = size() - read_;
  std::string piece(left < kPieceBytes ? static_cast<size_t>(left) : kPieceBytes, '\0');
  if (piece.empty()) return piece;
  const ssize_t n = ReadFull(fd_, piece.data(), piece.size());
  if (n < 0) return Failed("cannot read", path_);
  if (static_cast<size_t>(n) != piece.size()) return Changed(path_);
  read_ += piece.size();
  return piece;
}

absl::Status FileSource::CheckUnchanged() const {
  struct stat after = {};
  if (fstat(fd_, &after) != 0) return Failed("cannot read", path_);
  char extra = 0;
  const bool longer = pread(fd_, &extra, 1, before_.st_size) != 0;
  const bool same = after.st_size == before_.st_size && SameTime(after.st_mtim, before_.st_mtim) &&
                    SameTime(after.st_ctim, before_.st_ctim);
  return same && !longer ? absl::OkStatus() : Changed(path_);
}

absl::StatusOr<std::unique_ptr<FileSink>> FileSink::Open(const std::string& path, bool force,
                                                         std::string_view if_there) {
  struct stat info = {};
  if (!force && lstat(path.c_str(), &info) == 0) return Exists(path, if_there);
  const std::filesystem::path place(path);
  std::string temporary = (place.parent_path() / ".entente-XXXXXX").string();
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return Failed("cannot make a file in the folder of", path);
  return std::unique_ptr<FileSink>(new FileSink(path, std::move(temporary), fd, force, if_there));
}

FileSink::~FileSink() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

absl::Status FileSink::Write(std::string_view bytes) {
  hash_.Update(bytes);
  written_ += bytes.size();
  return WriteAll(fd_, bytes, path_);
}

absl::Status FileSink::Commit(uint64_t size, std::string_view sha256) {
  if (written_ != size || hash_.Finish().hex() != sha256) {
    return Error(
        absl::StatusCode::kDataLoss,
        {.what = Cat("the bytes for \"", Clean(path_), "\" are not the registered file"),
         .code = "WRONG_HASH",
         .why = "Size or SHA-256 differ from what the evidence item says; nothing was kept.",
         .next = "tell the operator, and ask for: entente log verify"});
  }
  if (fsync(fd_) != 0) return Failed("cannot write", path_);
  const int moved = force_ ? rename(temporary_.c_str(), path_.c_str())
                           : MoveNew(temporary_.c_str(), path_.c_str());
  if (moved != 0) return errno == EEXIST ? Exists(path_, if_there_) : Failed("cannot make", path_);
  temporary_.clear();
  return absl::OkStatus();
}

}  // namespace entente::cli

#include "node/store/keystore_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "crypto/bytes.h"
#include "node/store/file_io.h"

namespace entente::store {
namespace {

absl::Status CheckPrivate(const Fd& fd, const std::string& path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoError(errno, "inspect", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(Cat(path, " is not a regular file"));
  }
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return absl::FailedPreconditionError(
        Cat(path, " belongs to another user; a secret must belong to the user that runs this"));
  }
  if ((info.st_mode & 077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
    return absl::FailedPreconditionError(Cat(path, " has mode ", std::string_view(mode),
                                             ", so others can reach it; run: chmod 600 ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<crypto::SecretBytes> ReadSecretFile(const std::string& path, uint64_t bytes_max) {
  absl::StatusOr<Fd> fd = OpenFile(path, O_RDONLY | O_NONBLOCK);  // a FIFO must not hang us
  if (!fd.ok()) return fd.status();
  if (absl::Status status = CheckPrivate(*fd, path); !status.ok()) return status;
  absl::StatusOr<uint64_t> size = FileSize(*fd, path);
  if (!size.ok()) return size.status();
  if (*size > bytes_max) {
    return absl::ResourceExhaustedError(Cat(path, " has ", std::to_string(*size),
                                            " bytes; at most ", std::to_string(bytes_max),
                                            " are expected of a file of this kind"));
  }
  absl::StatusOr<std::string> bytes = ReadAt(*fd, 0, static_cast<size_t>(*size), path);
  if (!bytes.ok()) return bytes.status();
  return crypto::SecretBytes(std::move(*bytes));
}

absl::Status WriteSecretFile(const std::string& path, std::string_view content,
                             Overwrite overwrite) {
  if (content.size() > kSecretFileBytesMax) {
    return absl::ResourceExhaustedError(Cat("a secret file holds at most ",
                                            std::to_string(kSecretFileBytesMax), " bytes, got ",
                                            std::to_string(content.size())));
  }
  if (overwrite == Overwrite::kRefuse && Exists(path)) {
    return absl::AlreadyExistsError(Cat(path, " exists already and is not replaced"));
  }
  return WriteFileAtomically(
      path, content, overwrite == Overwrite::kRefuse ? IfExists::kFail : IfExists::kReplace);
}

}  // namespace entente::store

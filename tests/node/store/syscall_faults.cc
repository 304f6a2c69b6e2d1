#include "tests/node/store/syscall_faults.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>

namespace entente::store {
namespace {

enum class Kind { kWrite, kSync, kName, kRead };

std::atomic<bool> armed = false;
std::atomic<bool> fired = false;
std::atomic<uint64_t> calls = 0;
uint64_t failing = 0;
Fault chosen = Fault::kIoError;

// Whether the call at hand is the one; counts it.
bool Hit(Kind kind) {
  if (!armed || (kind == Kind::kRead) != (chosen == Fault::kReadError)) return false;
  if (chosen == Fault::kNoSpace && kind == Kind::kSync) return false;
  if (chosen == Fault::kShortWrite && kind != Kind::kWrite) return false;
  const uint64_t number = calls++;
  const bool hit = chosen == Fault::kNoSpace ? number >= failing : number == failing;
  if (hit) fired = true;
  return hit;
}

int Fails() {
  errno = chosen == Fault::kNoSpace ? ENOSPC : EIO;
  return -1;
}

}  // namespace

void ArmFault(Fault fault, uint64_t call) {
  chosen = fault;
  failing = call;
  calls = 0;
  fired = false;
  armed = true;
}

bool DisarmFault() {
  armed = false;
  return fired;
}

namespace {

ssize_t WriteOrFail(long number, int fd, const void* bytes, size_t size, off64_t offset) {
  if (fd > 2 && Hit(Kind::kWrite)) {
    if (chosen != Fault::kShortWrite) return Fails();
    size /= 2;
    if (size == 0) return Fails();
  }
  return syscall(number, fd, bytes, size, offset);
}

ssize_t ReadOrFail(long number, int fd, void* bytes, size_t size, off64_t offset) {
  if (fd > 2 && Hit(Kind::kRead)) return Fails();
  return syscall(number, fd, bytes, size, offset);
}

int OpenOrFail(const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0 && Hit(Kind::kName)) return Fails();
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

mode_t ModeOf(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

}  // namespace
}  // namespace entente::store

// In place of the C library's. The second names are what programs built for large files call.
// NOLINTBEGIN: these are the C library's names and types.
using entente::store::Fails;
using entente::store::Hit;
using entente::store::Kind;

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  return entente::store::WriteOrFail(SYS_write, fd, bytes, size, 0);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return entente::store::WriteOrFail(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return entente::store::WriteOrFail(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t read(int fd, void* bytes, size_t size) {
  return entente::store::ReadOrFail(SYS_read, fd, bytes, size, 0);
}
ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  return entente::store::ReadOrFail(SYS_pread64, fd, bytes, size, offset);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t offset) {
  return entente::store::ReadOrFail(SYS_pread64, fd, bytes, size, offset);
}
int fsync(int fd) { return Hit(Kind::kSync) ? Fails() : static_cast<int>(syscall(SYS_fsync, fd)); }
int fdatasync(int fd) {
  return Hit(Kind::kSync) ? Fails() : static_cast<int>(syscall(SYS_fdatasync, fd));
}
int ftruncate(int fd, off_t size) {
  return Hit(Kind::kName) ? Fails() : static_cast<int>(syscall(SYS_ftruncate, fd, size));
}
int ftruncate64(int fd, off64_t size) {
  return Hit(Kind::kName) ? Fails() : static_cast<int>(syscall(SYS_ftruncate, fd, size));
}
int rename(const char* from, const char* to) {
  return Hit(Kind::kName) ? Fails() : static_cast<int>(syscall(SYS_rename, from, to));
}
int link(const char* from, const char* to) {
  return Hit(Kind::kName) ? Fails() : static_cast<int>(syscall(SYS_link, from, to));
}
int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = entente::store::ModeOf(flags, rest);
  va_end(rest);
  return entente::store::OpenOrFail(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = entente::store::ModeOf(flags, rest);
  va_end(rest);
  return entente::store::OpenOrFail(path, flags, mode);
}

}  // extern "C"
// NOLINTEND

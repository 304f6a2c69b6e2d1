#include "node/service/unix_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "node/service/errors.h"

namespace entente::service {
namespace {

constexpr std::string_view kSocketName = "api.sock";
constexpr int kBacklog = 64;

using store::ErrnoError;
using store::Fd;

bool Fits(std::string_view path) { return path.size() < sizeof(sockaddr_un::sun_path); }

sockaddr_un AddressOf(std::string_view path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Somebody else could have made the folder first: it must be ours and closed to others.
absl::Status MakePrivateDir(const std::string& dir) {
  if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return ErrnoError(errno, "mkdir", dir);
  struct stat info = {};
  if (lstat(dir.c_str(), &info) != 0) return ErrnoError(errno, "stat", dir);
  const bool ours = S_ISDIR(info.st_mode) && info.st_uid == geteuid();
  if (ours && (info.st_mode & 0077) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied,
               {.what = Cat("the folder for the node's socket belongs to somebody else: ", dir),
                .code = "SOCKET_FOLDER",
                .next = "remove it, or use a shorter path for the data directory"});
}

absl::StatusOr<std::string> SocketPath(const std::string& data_dir) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(data_dir, error).string();
  std::string path = Cat(error ? data_dir : absolute, "/", kSocketName);
  if (Fits(path)) return path;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string base = runtime != nullptr && *runtime == '/' ? runtime : "/tmp";
  const std::string dir = Cat(base, "/entente-", std::to_string(geteuid()), "-",
                              crypto::H("api-socket", {absolute}).hex().substr(0, 16));
  if (absl::Status made = MakePrivateDir(dir); !made.ok()) return made;
  path = Cat(dir, "/", kSocketName);
  if (Fits(path)) return path;
  return absl::InvalidArgumentError(Cat("no path short enough for a socket: ", path));
}

absl::Status RemoveStale(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoError(errno, "stat", path);
  }
  if (!S_ISSOCK(info.st_mode)) return absl::FailedPreconditionError(Cat("not a socket: ", path));
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 {.what = "another process already serves this data directory",
                  .code = "ALREADY_RUNNING",
                  .next = "stop it first, or give this one a data directory of its own"});
  }
  if (unlink(path.c_str()) != 0) return ErrnoError(errno, "unlink", path);
  return absl::OkStatus();
}

absl::StatusOr<Fd> BindPrivate(const std::string& path) {
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, "socket", path);
  // On Linux the file that bind makes takes its mode from the socket: there is no moment at which
  // somebody else could connect.
  if (fchmod(fd.get(), 0600) != 0) return ErrnoError(errno, "chmod", path);
  const sockaddr_un address = AddressOf(path);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoError(errno, "bind", path);
  }
  if (chmod(path.c_str(), 0600) != 0) return ErrnoError(errno, "chmod", path);
  if (listen(fd.get(), kBacklog) != 0) return ErrnoError(errno, "listen", path);
  return fd;
}

bool PeerMayEnter(int fd) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixListener>> UnixListener::Listen(const std::string& data_dir) {
  absl::StatusOr<std::string> path = SocketPath(data_dir);
  if (!path.ok()) return path.status();
  if (absl::Status clear = RemoveStale(*path); !clear.ok()) return clear;
  absl::StatusOr<Fd> listening = BindPrivate(*path);
  if (!listening.ok()) return listening.status();
  Fd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.valid()) return ErrnoError(errno, "eventfd", *path);
  return std::unique_ptr<UnixListener>(
      new UnixListener(*std::move(path), *std::move(listening), std::move(stop)));
}

UnixListener::~UnixListener() {
  Stop();
  unlink(path_.c_str());
}

void UnixListener::Start(Accept accept) {
  accept_ = std::move(accept);
  thread_ = std::thread([this] { Run(); });
}

void UnixListener::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

void UnixListener::Run() {
  while (true) {
    std::array<pollfd, 2> watched = {pollfd{listening_.get(), POLLIN, 0},
                                     pollfd{stop_.get(), POLLIN, 0}};
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (watched[1].revents != 0) return;
    if (watched[0].revents == 0) continue;
    const int fd = accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      // Out of descriptors: the connection stays in the backlog; a busy loop would not help it.
      if (errno != EAGAIN) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    if (PeerMayEnter(fd)) {
      accept_(fd);
    } else {
      close(fd);
    }
  }
}

}  // namespace entente::service

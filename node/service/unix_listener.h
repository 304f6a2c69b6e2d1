// A Unix socket that only the daemon's own user can reach: mode 0600 from the first moment, and the
// peer's user id is asked of the kernel for each connection. Root may connect: nothing on this
// machine is hidden from root.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "node/store/file_io.h"

namespace entente::service {

class UnixListener {
 public:
  // Takes over a connected, non-blocking descriptor.
  using Accept = std::function<void(int fd)>;

  // Listens on DATA/api.sock. Where that path is longer than a socket's may be (107 bytes), in a
  // folder of this user's alone under $XDG_RUNTIME_DIR or /tmp, whose name follows from the data
  // directory. A socket that a dead process left behind is replaced; one that answers is
  // FailedPrecondition.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Listen(const std::string& data_dir);
  ~UnixListener();  // stops, removes the socket
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  const std::string& path() const { return path_; }
  void Start(Accept accept);
  void Stop();

 private:
  UnixListener(std::string path, store::Fd listening, store::Fd stop)
      : path_(std::move(path)), listening_(std::move(listening)), stop_(std::move(stop)) {}
  void Run();

  const std::string path_;
  store::Fd listening_;
  store::Fd stop_;  // an eventfd: readable when it is time to end
  Accept accept_;
  std::thread thread_;
};

}  // namespace entente::service

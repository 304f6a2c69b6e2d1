#include "node/transport/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "crypto/bytes.h"

namespace entente::transport {
namespace {

constexpr int kBacklog = 256;
constexpr int kSweepMillis = 500;

int SpareDescriptor() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// "host:port" or "[v6]:port".
bool Split(const std::string& address, std::string* host, std::string* port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return false;
  *host = address.substr(0, colon);
  *port = address.substr(colon + 1);
  if (host->size() > 2 && host->front() == '[' && host->back() == ']') {
    *host = host->substr(1, host->size() - 2);
  }
  return !host->empty();
}

std::string Describe(const sockaddr_storage& address, bool with_port) {
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof(address), host, sizeof(host),
              port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
  if (!with_port) return host;
  const bool v6 = address.ss_family == AF_INET6;
  return v6 ? Cat("ipv6:[", host, "]:", port) : Cat("ipv4:", host, ":", port);
}

absl::StatusOr<int> BindAndListen(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return absl::InvalidArgumentError(Cat("cannot listen on ", host, ":", port, ": ",
                                          gai_strerror(error)));
  }
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  const bool bound = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
                     listen(fd, kBacklog) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (bound) return fd;
  if (fd >= 0) close(fd);
  return absl::UnavailableError(Cat("cannot listen on ", host, ":", port, ": ",
                                    std::strerror(error), " [CANNOT_LISTEN]"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const std::string& address,
                                                           Options options) {
  std::string host;
  std::string port;
  if (!Split(address, &host, &port)) {
    return absl::InvalidArgumentError(
        Cat("\"", address, "\" is no address to listen on; write host:port"));
  }
  const absl::StatusOr<int> fd = BindAndListen(host, port);
  if (!fd.ok()) return fd.status();
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  getsockname(*fd, reinterpret_cast<sockaddr*>(&bound), &size);
  std::string real = Describe(bound, true);
  real = real.substr(real.find(':') + 1);
  return std::unique_ptr<Acceptor>(new Acceptor(*fd, std::move(real), options));
}

Acceptor::Acceptor(int listener, std::string address, Options options)
    : listener_(listener), address_(std::move(address)), options_(options) {
  spare_ = SpareDescriptor();
  if (pipe2(stop_pipe_, O_CLOEXEC | O_NONBLOCK) != 0) stop_pipe_[0] = stop_pipe_[1] = -1;
}

Acceptor::~Acceptor() {
  Stop();
  for (const int fd : {listener_, spare_, stop_pipe_[0], stop_pipe_[1]}) {
    if (fd >= 0) close(fd);
  }
}

void Acceptor::Start(std::unique_ptr<External> external) {
  external_ = std::move(external);
  thread_ = std::thread([this] { Run(); });
}

void Acceptor::Stop() {
  if (stop_pipe_[1] >= 0 && write(stop_pipe_[1], "x", 1) < 0) errno = 0;
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  while (!connections_.empty()) End(connections_.begin());
}

void Acceptor::Run() {
  for (;;) {
    pollfd waits[2] = {{listener_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}};
    poll(waits, 2, kSweepMillis);
    if (waits[1].revents != 0) return;
    if (waits[0].revents != 0) AcceptAll();
    Sweep();
  }
}

void Acceptor::AcceptAll() {
  for (int i = 0; i < kBacklog; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    const int fd = accept4(listener_, reinterpret_cast<sockaddr*>(&from), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Admit(fd, Describe(from, true), Describe(from, false));
      continue;
    }
    if ((errno == EMFILE || errno == ENFILE) && spare_ >= 0) {
      // Out of descriptors: give up the spare one to take the connection and end it, so that the
      // queue moves; ending an unproven connection frees more.
      close(spare_);
      const int shed = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (shed >= 0) close(shed);
      spare_ = SpareDescriptor();
      ++shed_;
      const std::lock_guard lock(mutex_);
      for (auto it = connections_.begin(); it != connections_.end(); ++it) {
        if (it->second.established) continue;
        End(it);
        break;
      }
      return;
    }
    if (errno != EINTR && errno != ECONNABORTED) return;
  }
}

bool Acceptor::MakeRoom(const std::string& host) {
  size_t same_host = 0;
  auto oldest = connections_.end();
  auto oldest_same_host = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (it->second.established) continue;
    if (oldest == connections_.end()) oldest = it;
    if (it->second.host != host) continue;
    if (oldest_same_host == connections_.end()) oldest_same_host = it;
    ++same_host;
  }
  if (same_host >= options_.per_address_max) {
    End(oldest_same_host);
    ++shed_;
  }
  if (connections_.size() < options_.connections_max) return true;
  if (oldest == connections_.end()) return false;
  End(connections_.begin()->second.established ? oldest : connections_.begin());
  ++shed_;
  return true;
}

void Acceptor::Admit(int fd, const std::string& peer, const std::string& host) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  {
    const std::lock_guard lock(mutex_);
    const int watch = MakeRoom(host) ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (watch < 0) {
      close(fd);
      ++shed_;
      return;
    }
    connections_[next_++] = {watch, peer, host, absl::Now(), false};
  }
  External::NewConnectionParameters parameters;
  parameters.listener_fd = listener_;
  parameters.fd = fd;
  external_->HandleNewConnection(&parameters);
}

void Acceptor::Established(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  for (auto& [order, connection] : connections_) {
    if (connection.peer == peer) connection.established = true;
  }
}

void Acceptor::Sweep() {
  const absl::Time now = absl::Now();
  const std::lock_guard lock(mutex_);
  for (auto it = connections_.begin(); it != connections_.end();) {
    pollfd gone = {it->second.watch, POLLRDHUP, 0};
    const bool ended = poll(&gone, 1, 0) > 0 && (gone.revents & (POLLHUP | POLLERR | POLLRDHUP));
    const bool late = !it->second.established && now - it->second.since > options_.handshake_timeout;
    const auto current = it++;
    if (ended || late) End(current);
  }
}

void Acceptor::End(std::map<uint64_t, Connection>::iterator it) {
  shutdown(it->second.watch, SHUT_RDWR);  // gRPC notices and closes its own descriptor
  close(it->second.watch);
  connections_.erase(it);
}

size_t Acceptor::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

}  // namespace entente::transport

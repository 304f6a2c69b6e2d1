#include "node/transport/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "crypto/bytes.h"

namespace entente::transport {
namespace {

constexpr int kBacklog = 256;
constexpr int kSweepMillis = 500;
// Descriptors that the rest of the process needs: database, chunk files, local API, dialled peers.
constexpr uint64_t kDescriptorsKept = 256;

int SpareDescriptor() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

struct HostPort {
  std::string host;
  std::string port;
};

absl::StatusOr<HostPort> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(
        Cat("\"", address, "\" is no address to listen on; write host:port [BAD_ADDRESS]"));
  }
  HostPort out{address.substr(0, colon), address.substr(colon + 1)};
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  if (out.host.empty()) out.host = "127.0.0.1";
  return out;
}

// IPv4 that comes in through an IPv6 socket is shown as what it is, as gRPC does.
sockaddr_storage Plain(const sockaddr_storage& address) {
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  if (address.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  sockaddr_storage out{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
  return out;
}

// gRPC writes the brackets of an IPv6 address as a URI does.
std::string PeerName(std::string_view peer) {
  return absl::StrReplaceAll(absl::string_view(peer.data(), peer.size()),
                             {{"%5B", "["}, {"%5D", "]"}});
}

std::string Describe(const sockaddr_storage& address, bool with_port) {
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof(address), host, sizeof(host),
              port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
  if (!with_port) return host;
  return address.ss_family == AF_INET6 ? Cat("[", host, "]:", port) : Cat(host, ":", port);
}

absl::StatusOr<int> BindAndListen(const HostPort& where) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int unknown = getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &found);
  if (unknown != 0) {
    return absl::InvalidArgumentError(Cat("cannot listen on ", where.host, ":", where.port, ": ",
                                          gai_strerror(unknown), " [BAD_ADDRESS]"));
  }
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  const bool bound =
      fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, kBacklog) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (bound) return fd;
  if (fd >= 0) close(fd);
  return absl::FailedPreconditionError(
      Cat("cannot listen on ", where.host, ":", where.port, ": ", std::strerror(error),
          " [CANNOT_LISTEN]\n  Next: end what listens there, or choose another address"));
}

struct Connection {
  int watch = -1;  // our own descriptor of it
  std::string source;
  absl::Time since;
  bool admitted = false;
};

}  // namespace

struct Acceptor::Impl {
  Options options;
  std::vector<int> listeners;
  std::vector<std::string> addresses;
  int spare = -1;
  int stop = -1;
  HandOver hand_over;
  std::thread thread;

  mutable std::mutex mutex;
  std::map<std::string, Connection, std::less<>> connections;  // by peer, as gRPC says it
  std::set<std::string, std::less<>> proven;                   // sources of admitted connections
  Counts counts;

  ~Impl() {
    for (const int fd : listeners) close(fd);
    for (const int fd : {spare, stop}) {
      if (fd >= 0) close(fd);
    }
    for (auto& [peer, connection] : connections) close(connection.watch);
  }

  using Iterator = decltype(connections)::iterator;

  void Run();
  void AcceptAll(int listener);
  void Shed(int listener);
  bool MakeRoom(const std::string& source);
  Iterator OldestStrangerOfBusiestSource();
  void Admit(int fd, const sockaddr_storage& from);
  void Sweep();
  void End(Iterator it);
  void FitDescriptorLimit();
};

void Acceptor::Impl::FitDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  // Two descriptors per connection: gRPC's and ours.
  const uint64_t room = limit.rlim_cur > 2 * kDescriptorsKept
                            ? (limit.rlim_cur - kDescriptorsKept) / 2
                            : limit.rlim_cur / 4;
  options.strangers_max = std::min<size_t>(options.strangers_max, std::max<uint64_t>(room / 4, 1));
  options.admitted_max =
      std::min<size_t>(options.admitted_max, std::max<uint64_t>(room - room / 4, 1));
}

void Acceptor::Impl::Run() {
  std::vector<pollfd> waits;
  for (;;) {
    waits.clear();
    for (const int fd : listeners) waits.push_back({fd, POLLIN, 0});
    waits.push_back({stop, POLLIN, 0});
    poll(waits.data(), waits.size(), kSweepMillis);
    if (waits.back().revents != 0) return;
    for (size_t i = 0; i < listeners.size(); ++i) {
      if (waits[i].revents != 0) AcceptAll(listeners[i]);
    }
    Sweep();
  }
}

void Acceptor::Impl::AcceptAll(int listener) {
  for (int i = 0; i < kBacklog; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    const int fd =
        accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Admit(fd, from);
    } else if (errno == EMFILE || errno == ENFILE) {
      return Shed(listener);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// Out of descriptors: the spare one is given up to take whoever waits and end it, so that the queue
// moves on; ending a stranger frees two more.
void Acceptor::Impl::Shed(int listener) {
  if (spare >= 0) close(spare);
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) close(fd);
  spare = SpareDescriptor();
  const std::lock_guard lock(mutex);
  ++counts.shed;
  if (const Iterator it = OldestStrangerOfBusiestSource(); it != connections.end()) End(it);
}

Acceptor::Impl::Iterator Acceptor::Impl::OldestStrangerOfBusiestSource() {
  std::map<std::string_view, size_t> held;
  for (const auto& [peer, connection] : connections) {
    if (!connection.admitted) ++held[connection.source];
  }
  Iterator chosen = connections.end();
  const auto worse = [&](const Connection& a, const Connection& b) {
    const bool a_proven = proven.contains(a.source);
    const bool b_proven = proven.contains(b.source);
    if (a_proven != b_proven) return b_proven;
    if (held[a.source] != held[b.source]) return held[a.source] > held[b.source];
    return a.since < b.since;
  };
  for (Iterator it = connections.begin(); it != connections.end(); ++it) {
    if (it->second.admitted) continue;
    if (chosen == connections.end() || worse(it->second, chosen->second)) chosen = it;
  }
  return chosen;
}

// True when a stranger from `source` may come in, perhaps in the place of another one.
bool Acceptor::Impl::MakeRoom(const std::string& source) {
  size_t strangers = 0;
  size_t of_source = 0;
  Iterator oldest_of_source = connections.end();
  for (Iterator it = connections.begin(); it != connections.end(); ++it) {
    if (it->second.admitted) continue;
    ++strangers;
    if (it->second.source != source) continue;
    ++of_source;
    if (oldest_of_source == connections.end() ||
        it->second.since < oldest_of_source->second.since) {
      oldest_of_source = it;
    }
  }
  if (of_source >= options.strangers_per_source_max) {
    End(oldest_of_source);
    ++counts.shed;
    return true;
  }
  if (strangers < options.strangers_max) return true;
  const Iterator out = OldestStrangerOfBusiestSource();
  if (out == connections.end()) return false;
  End(out);
  ++counts.shed;
  return true;
}

void Acceptor::Impl::Admit(int fd, const sockaddr_storage& raw_from) {
  const sockaddr_storage from = Plain(raw_from);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  const std::string source = Describe(from, false);
  const std::string peer =
      Cat(from.ss_family == AF_INET6 ? "ipv6:" : "ipv4:", Describe(from, true));
  {
    const std::lock_guard lock(mutex);
    const int watch = MakeRoom(source) ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (watch < 0) {
      ++counts.shed;
      close(fd);
      return;
    }
    if (const Iterator old = connections.find(peer); old != connections.end()) End(old);
    connections[peer] = {watch, source, absl::Now(), false};
  }
  hand_over(fd);
}

void Acceptor::Impl::Sweep() {
  const absl::Time now = absl::Now();
  const std::lock_guard lock(mutex);
  for (Iterator it = connections.begin(); it != connections.end();) {
    const Iterator current = it++;
    pollfd gone = {current->second.watch, POLLRDHUP, 0};
    const bool ended = poll(&gone, 1, 0) > 0 && (gone.revents & (POLLHUP | POLLERR)) != 0;
    const bool late =
        !current->second.admitted && now - current->second.since > options.admit_within;
    if (late && !ended) ++counts.late;
    if (ended || late) End(current);
  }
}

void Acceptor::Impl::End(Iterator it) {
  shutdown(it->second.watch, SHUT_RDWR);  // gRPC notices, and closes its own descriptor
  close(it->second.watch);
  connections.erase(it);
}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(Options options) {
  auto impl = std::make_unique<Impl>();
  for (const std::string& address : options.addresses) {
    const absl::StatusOr<HostPort> where = Split(address);
    if (!where.ok()) return where.status();
    const absl::StatusOr<int> fd = BindAndListen(*where);
    if (!fd.ok()) return fd.status();
    impl->listeners.push_back(*fd);
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    getsockname(*fd, reinterpret_cast<sockaddr*>(&bound), &size);
    impl->addresses.push_back(Describe(bound, true));
  }
  impl->options = std::move(options);
  impl->FitDescriptorLimit();
  impl->spare = SpareDescriptor();
  impl->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl->stop < 0) {
    return absl::ResourceExhaustedError(Cat("no descriptor left: ", std::strerror(errno)));
  }
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(impl)));
}

Acceptor::Acceptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Acceptor::~Acceptor() { Stop(); }

void Acceptor::Start(HandOver hand_over) {
  impl_->hand_over = std::move(hand_over);
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

void Acceptor::Stop() {
  const uint64_t one = 1;
  if (write(impl_->stop, &one, sizeof(one)) < 0) errno = 0;  // full: it is readable already
  if (impl_->thread.joinable()) impl_->thread.join();
}

const std::vector<std::string>& Acceptor::addresses() const { return impl_->addresses; }

bool Acceptor::Admit(std::string_view peer) {
  const std::lock_guard lock(impl_->mutex);
  const Impl::Iterator it = impl_->connections.find(PeerName(peer));
  if (it == impl_->connections.end()) return false;
  if (it->second.admitted) return true;
  const auto admitted = std::count_if(impl_->connections.begin(), impl_->connections.end(),
                                      [](const auto& item) { return item.second.admitted; });
  if (static_cast<size_t>(admitted) >= impl_->options.admitted_max) {
    ++impl_->counts.shed;
    impl_->End(it);
    return false;
  }
  it->second.admitted = true;
  // Bounded, though only holders of pinned keys can add to it.
  if (impl_->proven.size() < 4096) impl_->proven.insert(it->second.source);
  return true;
}

void Acceptor::Release(std::string_view peer) {
  const std::lock_guard lock(impl_->mutex);
  const Impl::Iterator it = impl_->connections.find(PeerName(peer));
  if (it == impl_->connections.end()) return;
  it->second.admitted = false;
  it->second.since = absl::Now();
}

void Acceptor::Cut(std::string_view peer) {
  const std::lock_guard lock(impl_->mutex);
  const Impl::Iterator it = impl_->connections.find(PeerName(peer));
  if (it != impl_->connections.end()) impl_->End(it);
}

Acceptor::Counts Acceptor::counts() const {
  const std::lock_guard lock(impl_->mutex);
  Counts out = impl_->counts;
  for (const auto& [peer, connection] : impl_->connections) {
    ++(connection.admitted ? out.admitted : out.strangers);
  }
  return out;
}

}  // namespace entente::transport

// Accepts connections for a gRPC server, because gRPC 1.51's own listener never recovers from
// running out of descriptors (CVE-2023-4785) and does not count what it accepts.
//
// A connection is a stranger until a call on it has passed the pin check (Admit). Strangers share
// few slots; when those are full the newest takes the place of the oldest one from the address that
// holds most of them, addresses that proved a pinned key before being spared, so that idle or slow
// strangers never keep a peer out. A stranger that is not admitted in time is cut. What was
// admitted counts against a limit of its own.
//
// The loop keeps a second descriptor of every connection: gRPC owns the first, this one can still
// cut it. All limits shrink to fit RLIMIT_NOFILE, so that the rest of the process keeps its share;
// should descriptors run out all the same, a spare one is given up to shed whoever waits.
//
// Thread-safe. Knows nothing of gRPC. Tests: tests/node/transport/acceptor_test.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace entente::transport {

class Acceptor {
 public:
  struct Options {
    // "host:port" or "[v6]:port"; an empty host is loopback, port 0 is any free one.
    std::vector<std::string> addresses;
    size_t strangers_max = 64;
    size_t strangers_per_source_max = 16;
    size_t admitted_max = 512;
    absl::Duration admit_within = absl::Seconds(10);
  };
  // Takes over a connected, non-blocking descriptor.
  using HandOver = std::function<void(int fd)>;

  // Binds and listens; connections are accepted only after Start. InvalidArgument: not an address;
  // FailedPrecondition: it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(Options options);
  ~Acceptor();  // stops
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void Start(HandOver hand_over);
  // Accepts nothing more; open connections stay.
  void Stop();

  // Where it listens, with the port that was really bound, in the order of the options.
  const std::vector<std::string>& addresses() const;

  // The connection from `peer` ("ipv4:127.0.0.1:4711", as gRPC's contexts say it) has shown a
  // pinned key. False when there is no room for it: it is cut. Cheap when it was admitted before.
  bool Admit(std::string_view peer);
  // It carries no session any more: it counts as a stranger again, and has as long as one.
  void Release(std::string_view peer);
  // Ends the connection from `peer` at once, whatever gRPC is doing with it.
  void Cut(std::string_view peer);

  struct Counts {
    size_t strangers = 0;
    size_t admitted = 0;
    uint64_t shed = 0;  // closed for want of room, since the start
    uint64_t late = 0;  // cut because they did not get through the handshake in time
  };
  Counts counts() const;

 private:
  struct Impl;
  explicit Acceptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::transport

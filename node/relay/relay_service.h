// The relay on the network: gRPC over pinned TLS for nodes and depositors, a Unix socket for its
// operator. Both only convert, call RelayCore under one lock, and convert back.
//
// A key that is neither an admitted node's nor a mailbox's deposit key does not get past TLS. A
// Fetch that finds nothing waits, holding no thread, until a deposit, its own deadline or Stop.
// Tests: tests/node/relay/relay_service_test.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "crypto/tls_identity.h"
#include "node/relay/relay_core.h"
#include "node/transport/acceptor.h"

namespace entente::relay {

class RelayService {
 public:
  struct Options {
    transport::Acceptor::Options acceptor;  // addresses: where to listen
    std::string address;   // what GetRelayStatus tells; empty: the first listened on
    std::string data_dir;  // api.sock and api.address are made here
    std::function<absl::Time()> clock = absl::Now;
    absl::Duration wait_max = absl::Seconds(60);
    absl::Duration expire_every = absl::Hours(1);
    size_t waiting_max = 4096;  // Fetch calls that wait at once
  };

  // `core` must outlive the service, which is from now on its only user.
  static absl::StatusOr<std::unique_ptr<RelayService>> Start(Options options,
                                                             const crypto::TlsIdentity& identity,
                                                             RelayCore& core);
  ~RelayService();  // stops
  RelayService(const RelayService&) = delete;
  RelayService& operator=(const RelayService&) = delete;

  // Answers those who wait, finishes calls under way within `grace`, closes. Once.
  void Stop(absl::Duration grace = absl::Seconds(2));

  // Where nodes reach it, with the real port, and the key they pin.
  std::string address() const;
  Hash spki() const;
  // "unix:PATH" of the administration socket.
  std::string admin_address() const;

 private:
  struct Impl;
  explicit RelayService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::relay

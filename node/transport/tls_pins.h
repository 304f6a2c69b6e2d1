// TLS 1.3 with pinned keys on both ends, and nothing else: no authority, no name, no date counts.
//
// gRPC calls the verifier after the handshake and before the first HTTP/2 byte is parsed (also when
// a session is resumed), so whoever holds no pinned key reaches TLS alone. Design §6.1.
// Tests: tests/node/transport/tls_pins_test.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/tls_identity.h"

namespace grpc {
class AuthContext;
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace entente::transport {

// Keys that may connect and whose they are. Thread-safe.
class PinSet {
 public:
  void Replace(std::map<Hash, PartyId> pins);
  std::optional<PartyId> Find(const Hash& spki) const;

 private:
  mutable std::mutex mutex_;
  std::map<Hash, PartyId> pins_;
};

// Says whether a key may connect now. Called on gRPC's threads during a handshake.
using PinCheck = std::function<bool(const Hash& spki)>;

// gRPC 1.51 has no setter for the lowest TLS version of these credentials. Its list of cipher
// suites governs TLS 1.2 alone, and one that needs a key nobody has leaves 1.2 without any. Call
// once in main, before anything touches gRPC: the variable is read only the first time.
void AllowOnlyTls13();

// gRPC's own log: drops the complaint about host names (we pin keys instead), and bounds the rest,
// because strangers can cause it. Once in main.
void QuietGrpcLog();

// A server that shows `identity` and talks only to keys that `allowed` lets through.
std::shared_ptr<grpc::ServerCredentials> PinnedServerCredentials(
    const crypto::TlsIdentity& identity, PinCheck allowed);

// A client that shows `identity` and talks only to the holder of `server_spki`.
std::shared_ptr<grpc::ChannelCredentials> PinnedClientCredentials(
    const crypto::TlsIdentity& identity, const Hash& server_spki);

// The key that the other end of a call proved to hold. Unauthenticated when there is none (a
// connection without TLS).
absl::StatusOr<Hash> PeerSpki(const grpc::AuthContext& auth);

}  // namespace entente::transport

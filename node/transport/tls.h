// Mutual TLS 1.3 between parties that know each other's keys. No authority, no names, no dates: the
// key is the credential, pinned to the node card. gRPC 1.51 calls our verifier after the handshake
// and before it parses a single HTTP/2 byte, so strangers never reach its parser.
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
#include "grpcpp/grpcpp.h"

namespace entente::transport {

// Before the first gRPC call of the process: leaves no TLS 1.2 cipher, so that only 1.3 is left
// (1.51 has no other setting for it), and silences a harmless message per handshake.
void ConfigureTls();

// Keys that may connect and whose they are. Thread-safe; changes count from the next handshake.
class PinSet {
 public:
  void Set(std::map<Hash, PartyId> pins);
  std::optional<PartyId> Find(const Hash& spki) const;

 private:
  mutable std::mutex mutex_;
  std::map<Hash, PartyId> pins_;
};

// Says whether a key may connect now. Called on gRPC's threads during a handshake.
using PinCheck = std::function<bool(const Hash& spki)>;

// A server that shows `identity` and talks only to keys that `allowed` lets through.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const crypto::TlsIdentity& identity,
                                                   PinCheck allowed);
// A client that shows `identity` and talks only to the holder of `expected_spki`.
std::shared_ptr<grpc::ChannelCredentials> ClientTls(const crypto::TlsIdentity& identity,
                                                    const Hash& expected_spki);

// The key that the other end of a call proved to hold. Unauthenticated: a connection without TLS.
absl::StatusOr<Hash> PeerSpki(const grpc::AuthContext& context);

// Channel arguments shared by all our clients: own subchannels, keepalive, message size.
grpc::ChannelArguments ChannelDefaults();
inline constexpr int kMessageBytesMax = 6 << 20;

}  // namespace entente::transport

// Mutual TLS 1.3 between parties that know each other's keys. No authority, no names, no dates: the
// key is the credential, pinned to the node card. gRPC 1.51 calls our verifier after the handshake
// and before it parses a single HTTP/2 byte, so strangers never reach its parser.
#pragma once

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

// Whose keys are accepted. Thread-safe; changes count from the next handshake, and every stream
// looks again.
class PinSet {
 public:
  void Set(std::map<Hash, PartyId> pins);
  void Add(const Hash& spki, const PartyId& party);
  std::optional<PartyId> Find(const Hash& spki) const;

 private:
  mutable std::mutex mutex_;
  std::map<Hash, PartyId> pins_;
};

std::shared_ptr<grpc::ServerCredentials> ServerTls(const crypto::TlsIdentity& identity,
                                                   std::shared_ptr<const PinSet> pins);
std::shared_ptr<grpc::ChannelCredentials> ClientTls(const crypto::TlsIdentity& identity,
                                                    const Hash& expected_spki);

// The pinned key behind a call that has arrived.
absl::StatusOr<Hash> PeerSpki(const grpc::AuthContext& context);

// Channel arguments shared by all our clients: own subchannels, keepalive, message size.
grpc::ChannelArguments ChannelDefaults();
inline constexpr int kMessageBytesMax = 6 << 20;

}  // namespace entente::transport

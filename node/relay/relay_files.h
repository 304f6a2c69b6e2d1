// What lies in a relay's folder. `entented --relay --init` makes the first four, the relay program
// needs the first three of them and makes the rest.
//
//   relay.conf       text, 0600: see RelayConfig
//   tls-cert.pem     certificate whose key the nodes' cards pin
//   tls-key.pem      its private key, 0600 or the relay refuses to start
//   relay.card       the relay's own SignedCard (kind RELAY), to hand out; not read by the relay
//   table            admitted nodes and opened mailboxes (relay_store.h)
//   parcels/         waiting parcels (relay_store.h)
//   lock             held while a process serves this folder
//   api.sock         administration, 0600
//   api.address      "unix:PATH" of that socket, for the command line
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/tls_identity.h"

namespace entente::relay {

inline constexpr std::string_view kConfigFile = "relay.conf";
inline constexpr std::string_view kTlsCertificateFile = "tls-cert.pem";
inline constexpr std::string_view kTlsKeyFile = "tls-key.pem";
inline constexpr std::string_view kCardFile = "relay.card";
inline constexpr std::string_view kTableFile = "table";
inline constexpr std::string_view kParcelsDir = "parcels";
inline constexpr std::string_view kLockFile = "lock";
inline constexpr std::string_view kSocketFile = "api.sock";
inline constexpr std::string_view kSocketAddressFile = "api.address";

// relay.conf:
//   entente-relay-1
//   listen: 127.0.0.1:7700
//   address: relay.example:7700
//   bytes-max: 68719476736
struct RelayConfig {
  std::string listen;   // where to accept nodes; an empty host is loopback
  std::string address;  // how nodes reach it, as their cards say; empty: what is listened on
  uint64_t bytes_max = uint64_t{64} << 30;  // of all waiting parcels
  bool operator==(const RelayConfig&) const = default;
};

std::string EncodeRelayConfig(const RelayConfig& config);
// InvalidArgument names the line.
absl::StatusOr<RelayConfig> ParseRelayConfig(std::string_view text);

absl::StatusOr<RelayConfig> ReadRelayConfig(const std::string& data_dir);
// FailedPrecondition when others may read the key.
absl::StatusOr<crypto::TlsIdentity> ReadRelayIdentity(const std::string& data_dir);

}  // namespace entente::relay

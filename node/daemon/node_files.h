// What lies in a node's data folder. `entented init` makes it whole or not at all.
//
//   node.conf     text, 0600: see NodeConfig
//   keystore      the node's keys, sealed under the passphrase (crypto/keystore.h)
//   keystore.new  while its keys are being renewed (node/daemon/key_files.h)
//   anchor        the signing anchor (node/store/anchor_file.h); never part of a backup
//   db/           replicated logs, cards, people (node/store/rocks_kv.h)
//   blobs/        evidence files, sealed chunk by chunk (node/store/blob_store.h)
//   api.sock      the local client API, 0600
//   api.address   "unix:PATH" of that socket, for the command line
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace entente::daemon {

inline constexpr std::string_view kNodeConfigFile = "node.conf";
inline constexpr std::string_view kKeystoreFile = "keystore";
inline constexpr std::string_view kFreshKeystoreFile = "keystore.new";
inline constexpr std::string_view kAnchorFile = "anchor";
inline constexpr std::string_view kDatabaseDir = "db";
inline constexpr std::string_view kBlobsDir = "blobs";

// node.conf:
//   entente-node-1
//   listen: 127.0.0.1:7443
//   relay-pace: 300
//   files-below: 1024
//   files-in: 20
//   files-out: 20
//   backups-kept: 30
// `listen` may repeat or be missing; `relay-pace` is seconds between looks at the relay, or
// "immediate". The others may be missing: files larger than so many MiB are fetched only when
// somebody asks for them, and files take at most so many MiB a second, both for all peers together;
// `backups-kept` is for how many days at most the operator keeps a copy of this folder.
struct NodeConfig {
  std::vector<std::string> listen;
  absl::Duration relay_pace = absl::Minutes(5);  // zero: immediate
  std::optional<uint64_t> files_below_mib;
  uint64_t files_in_mib = 0;  // a second; 0: no cap
  uint64_t files_out_mib = 0;
  std::optional<uint32_t> backup_days;
  bool operator==(const NodeConfig&) const = default;
};

std::string EncodeNodeConfig(const NodeConfig& config);
// InvalidArgument names the line.
absl::StatusOr<NodeConfig> ParseNodeConfig(std::string_view text);
// NotFound: the folder holds no node.
absl::StatusOr<NodeConfig> ReadNodeConfig(const std::string& data_dir);

// "immediate" or a number of seconds from 1 to 86400.
absl::StatusOr<absl::Duration> ParsePace(const std::string& text);

std::string PathIn(const std::string& dir, std::string_view name);

}  // namespace entente::daemon

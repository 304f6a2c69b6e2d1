// What founding a node and recovering one have in common: the ways to it, its first person, and a
// folder that holds everything it starts with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "entente/v1/card.pb.h"
#include "entente/v1/client.pb.h"
#include "node/daemon/flags.h"
#include "node/daemon/new_folder.h"
#include "node/daemon/node_files.h"
#include "node/service/card_file.h"
#include "sync/kv.h"

namespace entente::daemon {

absl::StatusOr<service::CardFile> ReadCardFile(const std::string& path, uint64_t bytes_max);

// "member-state-authority" among BODY_KIND_…: an enum's value by its words without the prefix.
absl::StatusOr<int> EnumValue(const google::protobuf::EnumDescriptor* type, const std::string& word,
                              const std::string& prefix, std::string_view flag);

// --listen, --address, --relay, --relay-only, --relay-pace.
const std::vector<FlagSpec>& WayFlags();
struct Ways {
  NodeConfig config;
  v1::NodeCard card;  // addresses, relays and relay_only alone
};
absl::StatusOr<Ways> PlanWays(const Flags& flags);
absl::StatusOr<absl::Duration> PlanPace(const Flags& flags);

// --user, --role, --user-key, --profile.
const std::vector<FlagSpec>& PersonFlags();
struct Person {
  crypto::UserKey key;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string key_path;
  std::string profile_path;  // empty: none
};
absl::StatusOr<Person> PlanPerson(const Flags& flags, const std::string& code, Entropy& entropy);

// Keystore, database with `rows` and the person, anchor, room for files, configuration.
absl::Status FillNode(const NewFolder& folder, const crypto::NodeKeys& keys, sync::WriteBatch rows,
                      const Person& person, const NodeConfig& config, std::string_view passphrase,
                      Entropy& entropy);
// The person's key file and profile, beside the node whose folder will be `data`.
absl::Status HandOutPerson(NewFolder* folder, const std::string& data, const Person& person);

// The body's root key from --root-key, sealed under --root-passphrase-file if that is given, else
// under the node's own passphrase.
absl::StatusOr<crypto::PartyRoot> OpenRoot(const Flags& flags, std::string_view passphrase);

}  // namespace entente::daemon

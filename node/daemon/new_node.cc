#include "node/daemon/new_node.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "entente/v1/storage.pb.h"
#include "node/daemon/passphrase.h"
#include "node/service/errors.h"
#include "node/store/anchor_file.h"
#include "node/store/file_io.h"
#include "node/store/keystore_file.h"
#include "node/store/rocks_kv.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::daemon {
namespace {

constexpr char kDefaultListen[] = "127.0.0.1:7443";
constexpr uint64_t kRelayCardBytesMax = 64 << 10;

bool IsWildcard(const std::string& address) {
  return address.rfind("0.0.0.0:", 0) == 0 || address.rfind("[::]:", 0) == 0;
}

absl::StatusOr<v1::RelayRoute> ReadRelayRoute(const std::string& path) {
  const absl::StatusOr<service::CardFile> parsed = ReadCardFile(path, kRelayCardBytesMax);
  if (!parsed.ok()) return parsed.status();
  const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(parsed->signed_card);
  if (!card.ok()) return card.status();
  if (card->card.kind() != v1::BODY_KIND_RELAY || card->card.addresses().empty()) {
    return service::Error(absl::StatusCode::kInvalidArgument,
                          {.what = Cat("\"", path, "\" is not the card of a relay"),
                           .code = "NOT_A_RELAY",
                           .next = "ask the relay's operator for its card"});
  }
  v1::RelayRoute route;
  route.set_address(card->card.addresses(0));
  route.set_tls_spki_sha256(card->tls_spki.str());
  return route;
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).lexically_normal().string();
}

absl::Status FillDatabase(const std::string& dir, const crypto::NodeKeys& keys,
                          sync::WriteBatch rows, const Person& person, Entropy& entropy) {
  absl::StatusOr<std::unique_ptr<store::RocksKv>> kv =
      store::RocksKv::Open(PathIn(dir, kDatabaseDir), keys.storage, entropy);
  if (!kv.ok()) return kv.status();
  v1::UserRow user;
  user.set_role(person.role);
  user.set_public_key(person.key.key.public_key().str());
  rows.Put(sync::schema::User(person.key.user), user.SerializeAsString());
  return (*kv)->Commit(rows);
}

}  // namespace

absl::StatusOr<service::CardFile> ReadCardFile(const std::string& path, uint64_t bytes_max) {
  const absl::StatusOr<std::string> file = store::ReadFile(path, bytes_max);
  if (!file.ok()) return file.status();
  return service::ParseCardFile(*file);
}

absl::StatusOr<int> EnumValue(const google::protobuf::EnumDescriptor* type, const std::string& word,
                              const std::string& prefix, std::string_view flag) {
  std::string known;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() == 0) continue;
    std::string name = absl::AsciiStrToLower(type->value(i)->name().substr(prefix.size()));
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == word) return type->value(i)->number();
    known += Cat(known.empty() ? "" : ", ", name);
  }
  return UsageError(Cat("--", flag, " \"", word, "\" is not known"), Cat("say one of: ", known));
}

const std::vector<FlagSpec>& WayFlags() {
  static const std::vector<FlagSpec> flags = {
      {"listen"}, {"address"}, {"relay", true, true}, {"relay-only", false}, {"relay-pace"}};
  return flags;
}

absl::StatusOr<absl::Duration> PlanPace(const Flags& flags) {
  return ParsePace(flags.Get("relay-pace", "300"));
}

absl::StatusOr<Ways> PlanWays(const Flags& flags) {
  Ways ways;
  const bool relay_only = flags.Has("relay-only");
  const std::string listen = flags.Get("listen", relay_only ? "none" : kDefaultListen);
  if (relay_only && listen != "none") {
    return UsageError("--relay-only and --listen exclude each other", "leave one of them out");
  }
  if (relay_only && !flags.Has("relay")) {
    return UsageError("--relay-only needs a relay", "add --relay CARDFILE");
  }
  if (listen != "none") {
    const std::string address = flags.Get("address", listen);
    if (IsWildcard(address)) {
      return UsageError(Cat("other nodes cannot dial \"", address, "\""),
                        "say how they reach this one: --address HOST:PORT");
    }
    if (address.find(':') == std::string::npos || listen.find(':') == std::string::npos) {
      return UsageError(Cat("\"", listen, "\" is no address to listen on"), "write HOST:PORT");
    }
    ways.config.listen.push_back(listen);
    ways.card.add_addresses(address);
  }
  for (const std::string& file : flags.All("relay")) {
    const absl::StatusOr<v1::RelayRoute> route = ReadRelayRoute(file);
    if (!route.ok()) return route.status();
    *ways.card.add_relays() = *route;
  }
  ways.card.set_relay_only(relay_only);
  const absl::StatusOr<absl::Duration> pace = PlanPace(flags);
  if (!pace.ok()) return pace.status();
  ways.config.relay_pace = *pace;
  return ways;
}

const std::vector<FlagSpec>& PersonFlags() {
  static const std::vector<FlagSpec> flags = {{"user"}, {"role"}, {"user-key"}, {"profile"}};
  return flags;
}

absl::StatusOr<Person> PlanPerson(const Flags& flags, const std::string& code, Entropy& entropy) {
  const std::string name = flags.Get("user");
  const absl::StatusOr<int> role =
      EnumValue(v1::Role_descriptor(), flags.Get("role", "jit-leader"), "ROLE_", "role");
  if (!role.ok()) return role.status();
  return Person{{name, code, crypto::SigningKey::Generate(entropy)},
                static_cast<v1::Role>(*role),
                flags.Get("user-key", name + ".key"),
                flags.Get("profile")};
}

absl::Status FillNode(const NewFolder& folder, const crypto::NodeKeys& keys, sync::WriteBatch rows,
                      const Person& person, const NodeConfig& config, std::string_view passphrase,
                      Entropy& entropy) {
  const std::string& dir = folder.path();
  const absl::StatusOr<std::string> keystore =
      crypto::SealKeystore(keys, passphrase, crypto::Argon2Cost::kModerate, entropy);
  if (!keystore.ok()) return keystore.status();
  if (absl::Status s =
          store::WriteSecretFile(PathIn(dir, kKeystoreFile), *keystore, store::Overwrite::kRefuse);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = FillDatabase(dir, keys, std::move(rows), person, entropy); !s.ok()) return s;
  if (absl::Status s = store::AnchorFile::Create(PathIn(dir, kAnchorFile), entropy); !s.ok()) {
    return s;
  }
  if (absl::Status s = store::MakeDirs(PathIn(dir, kBlobsDir)); !s.ok()) return s;
  return store::WriteFileAtomically(PathIn(dir, kNodeConfigFile), EncodeNodeConfig(config));
}

absl::Status HandOutPerson(NewFolder* folder, const std::string& data, const Person& person) {
  if (absl::Status s =
          folder->HandOut(person.key_path, crypto::EncodeUserKeyFile(person.key), true);
      !s.ok() || person.profile_path.empty()) {
    return s;
  }
  return folder->HandOut(person.profile_path,
                         Cat("data=", Absolute(data), "\nkey=", Absolute(person.key_path), "\n"),
                         true);
}

absl::StatusOr<crypto::PartyRoot> OpenRoot(const Flags& flags, std::string_view passphrase) {
  const absl::StatusOr<crypto::SecretBytes> file = store::ReadSecretFile(flags.Get("root-key"));
  if (!file.ok()) return file.status();
  const std::string other = flags.Get("root-passphrase-file");
  if (other.empty()) return crypto::OpenPartyRoot(file->view(), passphrase);
  const absl::StatusOr<crypto::SecretBytes> own = GetPassphrase(other, /*fresh=*/false);
  if (!own.ok()) return own.status();
  return crypto::OpenPartyRoot(file->view(), own->view());
}

}  // namespace entente::daemon

#include "node/daemon/init.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "crypto/words.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/storage.pb.h"
#include "node/daemon/card_draft.h"
#include "node/daemon/flags.h"
#include "node/daemon/new_folder.h"
#include "node/daemon/node_files.h"
#include "node/daemon/passphrase.h"
#include "node/service/card_file.h"
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
constexpr uint64_t kCardFileBytesMax = 64 << 10;

const std::vector<FlagSpec>& InitFlags() {
  static const std::vector<FlagSpec> flags = {
      {"data"},
      {"body"},
      {"name"},
      {"kind"},
      {"country"},
      {"listen"},
      {"address"},
      {"relay", true, true},
      {"relay-only", false},
      {"relay-pace"},
      {"user"},
      {"role"},
      {"user-key"},
      {"root-key"},
      {"passphrase-file"},
      {"profile"},
  };
  return flags;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

absl::Status Usage(std::string_view what, std::string_view next) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = what, .code = "USAGE", .next = next});
}

// "member-state-authority" among BODY_KIND_…: the words of an enum without its prefix.
template <class E>
absl::StatusOr<E> EnumOf(const std::string& word, const std::string& prefix,
                         std::string_view flag) {
  const auto* type = google::protobuf::GetEnumDescriptor<E>();
  std::string known;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() == 0) continue;
    std::string name = Lower(type->value(i)->name().substr(prefix.size()));
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == word) return static_cast<E>(type->value(i)->number());
    known += Cat(known.empty() ? "" : ", ", name);
  }
  return Usage(Cat("--", flag, " \"", word, "\" is not known"), Cat("say one of: ", known));
}

bool IsWildcard(const std::string& address) {
  return address.rfind("0.0.0.0:", 0) == 0 || address.rfind("[::]:", 0) == 0;
}

absl::StatusOr<v1::RelayRoute> ReadRelayRoute(const std::string& path) {
  const absl::StatusOr<std::string> file = store::ReadFile(path, kCardFileBytesMax);
  if (!file.ok()) return file.status();
  const absl::StatusOr<service::CardFile> parsed = service::ParseCardFile(*file);
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

struct Plan {
  Flags flags;
  std::string data;
  std::string code;
  std::string user;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::string user_key;
  std::string root_key;
  NodeConfig config;
  v1::NodeCard card;  // what does not depend on keys
};

absl::Status PlanWays(Plan* plan) {
  const Flags& flags = plan->flags;
  const bool relay_only = flags.Has("relay-only");
  const std::string listen = flags.Get("listen", relay_only ? "none" : kDefaultListen);
  if (relay_only && listen != "none") {
    return Usage("--relay-only and --listen exclude each other", "leave one of them out");
  }
  if (relay_only && !flags.Has("relay")) {
    return Usage("--relay-only needs a relay", "add --relay CARDFILE");
  }
  if (listen != "none") {
    const std::string address = flags.Get("address", listen);
    if (IsWildcard(address)) {
      return Usage(Cat("other nodes cannot dial \"", address, "\""),
                   "say how they reach this one: --address HOST:PORT");
    }
    if (address.find(':') == std::string::npos || listen.find(':') == std::string::npos) {
      return Usage(Cat("\"", listen, "\" is no address to listen on"), "write HOST:PORT");
    }
    plan->config.listen.push_back(listen);
    plan->card.add_addresses(address);
  }
  for (const std::string& file : flags.All("relay")) {
    const absl::StatusOr<v1::RelayRoute> route = ReadRelayRoute(file);
    if (!route.ok()) return route.status();
    *plan->card.add_relays() = *route;
  }
  plan->card.set_relay_only(relay_only);
  const absl::StatusOr<absl::Duration> pace = ParsePace(flags.Get("relay-pace", "300"));
  if (!pace.ok()) return pace.status();
  plan->config.relay_pace = *pace;
  return absl::OkStatus();
}

absl::StatusOr<Plan> MakePlan(const std::vector<std::string>& words) {
  absl::StatusOr<Flags> flags = Flags::Parse(words, InitFlags());
  if (!flags.ok()) return flags.status();
  for (const char* needed : {"data", "body", "name", "user"}) {
    if (flags->Get(needed).empty()) {
      return Usage(Cat("--", needed, " is missing"), "entente node init --help");
    }
  }
  Plan plan;
  plan.flags = *std::move(flags);
  plan.data = plan.flags.Get("data");
  plan.code = plan.flags.Get("body");
  plan.user = plan.flags.Get("user");
  plan.user_key = plan.flags.Get("user-key", plan.user + ".key");
  plan.root_key = plan.flags.Get("root-key", Lower(plan.code) + ".root");
  const absl::StatusOr<v1::BodyKind> kind =
      EnumOf<v1::BodyKind>(plan.flags.Get("kind", "member-state-authority"), "BODY_KIND_", "kind");
  if (!kind.ok()) return kind.status();
  const absl::StatusOr<v1::Role> role =
      EnumOf<v1::Role>(plan.flags.Get("role", "jit-leader"), "ROLE_", "role");
  if (!role.ok()) return role.status();
  plan.role = *role;
  plan.card.set_code(plan.code);
  plan.card.set_name(plan.flags.Get("name"));
  plan.card.set_kind(*kind);
  plan.card.set_country(plan.flags.Get("country"));
  if (absl::Status s = PlanWays(&plan); !s.ok()) return s;
  return plan;
}

// The rows a node starts with: its own card and its first person.
absl::Status FillDatabase(const std::string& dir, const crypto::NodeKeys& keys,
                          const std::string& signed_card, const Plan& plan,
                          const PublicKey& user_key, Entropy& entropy) {
  absl::StatusOr<std::unique_ptr<store::RocksKv>> kv =
      store::RocksKv::Open(PathIn(dir, kDatabaseDir), keys.storage, entropy);
  if (!kv.ok()) return kv.status();
  v1::UserRow user;
  user.set_role(plan.role);
  user.set_public_key(user_key.str());
  sync::WriteBatch rows;
  rows.Put(sync::schema::Card(keys.party), signed_card);
  rows.Put(sync::schema::User(plan.user), user.SerializeAsString());
  return (*kv)->Commit(rows);
}

absl::Status FillFolder(NewFolder& folder, const crypto::NodeKeys& keys,
                        const std::string& signed_card, const Plan& plan,
                        std::string_view passphrase, const PublicKey& user_key, Entropy& entropy) {
  const std::string& dir = folder.path();
  const absl::StatusOr<std::string> keystore =
      crypto::SealKeystore(keys, passphrase, crypto::Argon2Cost::kModerate, entropy);
  if (!keystore.ok()) return keystore.status();
  if (absl::Status s =
          store::WriteSecretFile(PathIn(dir, kKeystoreFile), *keystore, store::Overwrite::kRefuse);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = FillDatabase(dir, keys, signed_card, plan, user_key, entropy); !s.ok()) {
    return s;
  }
  if (absl::Status s = store::AnchorFile::Create(PathIn(dir, kAnchorFile), entropy); !s.ok()) {
    return s;
  }
  if (absl::Status s = store::MakeDirs(PathIn(dir, kBlobsDir)); !s.ok()) return s;
  return store::WriteFileAtomically(PathIn(dir, kNodeConfigFile), EncodeNodeConfig(plan.config));
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).lexically_normal().string();
}

}  // namespace

absl::Status InitNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                      std::ostream& out) {
  const absl::StatusOr<Plan> plan = MakePlan(words);
  if (!plan.ok()) return plan.status();
  absl::StatusOr<NewFolder> folder = NewFolder::Begin(plan->data);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<crypto::SecretBytes> passphrase =
      GetPassphrase(plan->flags.Get("passphrase-file"), /*fresh=*/true);
  if (!passphrase.ok()) return passphrase.status();

  const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy);
  const absl::StatusOr<crypto::NodeKeys> keys = crypto::GenerateNodeKeys(root, plan->code, entropy);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<v1::NodeCard> card = DraftCard(*keys, root, now);
  if (!card.ok()) return card.status();
  card->MergeFrom(plan->card);
  const std::string signed_card = sync::SignCard(*card, root.root);
  if (const auto checked = sync::VerifyCard(signed_card); !checked.ok()) return checked.status();

  const crypto::UserKey person{plan->user, plan->code, crypto::SigningKey::Generate(entropy)};
  if (absl::Status s = FillFolder(*folder, *keys, signed_card, *plan, passphrase->view(),
                                  person.key.public_key(), entropy);
      !s.ok()) {
    return s;
  }
  const absl::StatusOr<std::string> root_file =
      crypto::SealPartyRoot(root, passphrase->view(), crypto::Argon2Cost::kModerate, entropy);
  if (!root_file.ok()) return root_file.status();
  if (absl::Status s = folder->HandOut(plan->root_key, *root_file, true); !s.ok()) return s;
  if (absl::Status s = folder->HandOut(plan->user_key, crypto::EncodeUserKeyFile(person), true);
      !s.ok()) {
    return s;
  }
  if (const std::string profile = plan->flags.Get("profile"); !profile.empty()) {
    const std::string text =
        Cat("data=", Absolute(plan->data), "\nkey=", Absolute(plan->user_key), "\n");
    if (absl::Status s = folder->HandOut(profile, text, true); !s.ok()) return s;
  }
  if (absl::Status s = folder->Commit(); !s.ok()) return s;
  out << Cat("made a node of ", plan->code, " in ", plan->data, "\n  words of its card  ",
             crypto::WordString(keys->party), "\n  body's root key    ", plan->root_key,
             "  (take it away from this machine)\n  key of ", plan->user, "  ", plan->user_key,
             "  (hand it over in person)\nNext: entented --data ", plan->data,
             plan->flags.Has("passphrase-file")
                 ? Cat(" --passphrase-file ", plan->flags.Get("passphrase-file"))
                 : "",
             "\n");
  return absl::OkStatus();
}

}  // namespace entente::daemon

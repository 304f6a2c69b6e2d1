#include "crypto/words.h"
#include "node/daemon/card_draft.h"
#include "node/daemon/flags.h"
#include "node/daemon/init.h"
#include "node/daemon/new_folder.h"
#include "node/daemon/node_files.h"
#include "node/relay/relay_files.h"
#include "node/service/card_file.h"
#include "node/store/file_io.h"
#include "node/store/keystore_file.h"
#include "sync/card_book.h"

namespace entente::daemon {
namespace {

constexpr char kDefaultListen[] = "127.0.0.1:7444";

absl::Status Fill(const std::string& dir, const crypto::NodeKeys& keys,
                  const relay::RelayConfig& config, const std::string& card_file) {
  const auto path = [&dir](std::string_view name) { return PathIn(dir, name); };
  if (absl::Status s =
          store::WriteFileAtomically(path(relay::kTlsCertificateFile), keys.tls.certificate_pem);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = store::WriteSecretFile(
          path(relay::kTlsKeyFile), keys.tls.private_key_pem.view(), store::Overwrite::kRefuse);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = store::WriteFileAtomically(path(relay::kCardFile), card_file); !s.ok()) {
    return s;
  }
  return store::WriteFileAtomically(path(relay::kConfigFile), relay::EncodeRelayConfig(config));
}

}  // namespace

// A relay proves that it is the one its card names, and nothing else: of the keys that a card
// lists, only the TLS key is kept.
absl::Status InitRelay(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                       std::ostream& out) {
  const absl::StatusOr<Flags> flags =
      Flags::Parse(words, {{"data"}, {"name"}, {"listen"}, {"address"}, {"card"}});
  if (!flags.ok()) return flags.status();
  if (absl::Status s = NeedFlags(*flags, {"data"}, "entente relay init --help"); !s.ok()) return s;
  const std::string data = flags->Get("data");
  relay::RelayConfig config;
  config.listen = flags->Get("listen", kDefaultListen);
  config.address = flags->Get("address", config.listen);

  absl::StatusOr<NewFolder> folder = NewFolder::Begin(data);
  if (!folder.ok()) return folder.status();
  const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy);
  const absl::StatusOr<crypto::NodeKeys> keys = crypto::GenerateNodeKeys(root, "relay", entropy);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<v1::NodeCard> card = DraftCard(*keys, root, now);
  if (!card.ok()) return card.status();
  card->set_code("RELAY");
  card->set_name(flags->Get("name", "Relay"));
  card->set_kind(v1::BODY_KIND_RELAY);
  card->add_addresses(config.address);
  const std::string signed_card = sync::SignCard(*card, root.root);
  if (const auto checked = sync::VerifyCard(signed_card); !checked.ok()) return checked.status();
  const absl::StatusOr<std::string> card_file = service::EncodeCardFile(signed_card);
  if (!card_file.ok()) return card_file.status();

  if (absl::Status s = Fill(folder->path(), *keys, config, *card_file); !s.ok()) return s;
  if (const std::string copy = flags->Get("card"); !copy.empty()) {
    if (absl::Status s = folder->HandOut(copy, *card_file, false); !s.ok()) return s;
  }
  if (absl::Status s = folder->Commit(); !s.ok()) return s;
  out << Cat("made a relay in ", data, "\n  words of its card  ", crypto::WordString(keys->party),
             "\n  card to hand out   ", PathIn(data, relay::kCardFile),
             "\nNext: entented --relay --data ", data, "\n");
  return absl::OkStatus();
}

}  // namespace entente::daemon

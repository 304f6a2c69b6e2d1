// `entented recover …`, which `entente node recover` runs: a fresh node for a body whose old one is
// gone with its disk and its backups, from the root key and the body's cards as others hold them.
#include <utility>

#include "crypto/words.h"
#include "node/daemon/init.h"
#include "node/daemon/new_node.h"
#include "node/daemon/passphrase.h"
#include "node/service/card_file.h"
#include "sync/card_book.h"
#include "sync/renewal.h"

namespace entente::daemon {
namespace {

constexpr uint64_t kCardFileBytesMax = 256 << 10;
constexpr char kHelp[] = "entente node recover --help";

absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& words) {
  std::vector<FlagSpec> known = {{"data"},
                                 {"own-card", true, true},
                                 {"root-key"},
                                 {"root-passphrase-file"},
                                 {"passphrase-file"},
                                 {"card"}};
  known.insert(known.end(), WayFlags().begin(), WayFlags().end());
  known.insert(known.end(), PersonFlags().begin(), PersonFlags().end());
  absl::StatusOr<Flags> flags = Flags::Parse(words, known);
  if (!flags.ok()) return flags.status();
  if (absl::Status s = NeedFlags(*flags, {"data", "root-key", "own-card", "user"}, kHelp);
      !s.ok()) {
    return s;
  }
  return flags;
}

absl::StatusOr<std::vector<std::string>> ReadCards(const std::vector<std::string>& paths) {
  std::vector<std::string> cards;
  for (const std::string& path : paths) {
    absl::StatusOr<service::CardFile> card = ReadCardFile(path, kCardFileBytesMax);
    if (!card.ok()) return card.status();
    cards.push_back(std::move(card->signed_card));
  }
  return cards;
}

bool SaysNewWays(const Flags& flags) {
  return flags.Has("listen") || flags.Has("address") || flags.Has("relay") ||
         flags.Has("relay-only");
}

absl::StatusOr<Ways> NewWays(const Flags& flags) {
  if (SaysNewWays(flags)) return PlanWays(flags);
  Ways as_before;
  const absl::StatusOr<absl::Duration> pace = PlanPace(flags);
  if (!pace.ok()) return pace.status();
  as_before.config.relay_pace = *pace;
  return as_before;
}

}  // namespace

absl::Status RecoverNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                         std::ostream& out) {
  const absl::StatusOr<Flags> flags = ParseFlags(words);
  if (!flags.ok()) return flags.status();
  const std::string data = flags->Get("data");
  absl::StatusOr<Ways> ways = NewWays(*flags);
  if (!ways.ok()) return ways.status();
  const absl::StatusOr<std::vector<std::string>> own_cards = ReadCards(flags->All("own-card"));
  if (!own_cards.ok()) return own_cards.status();
  const absl::StatusOr<sync::TrustedCard> held = sync::VerifyCard(own_cards->front());
  if (!held.ok()) return held.status();
  const std::string code = held->card.code();
  const absl::StatusOr<Person> person = PlanPerson(*flags, code, entropy);
  if (!person.ok()) return person.status();
  absl::StatusOr<NewFolder> folder = NewFolder::Begin(data);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<crypto::SecretBytes> passphrase =
      GetPassphrase(flags->Get("passphrase-file"), /*fresh=*/true);
  if (!passphrase.ok()) return passphrase.status();
  const absl::StatusOr<crypto::PartyRoot> root = OpenRoot(*flags, passphrase->view());
  if (!root.ok()) return root.status();
  const absl::StatusOr<crypto::NodeKeys> keys = crypto::GenerateNodeKeys(*root, code, entropy);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<sync::Renewal> recovery =
      sync::PlanRecovery(*own_cards, *keys, root->root, ways->card, now);
  if (!recovery.ok()) return recovery.status();
  if (!SaysNewWays(*flags)) {
    const v1::NodeCard card = sync::VerifyCard(recovery->signed_card)->card;
    ways->config.listen.assign(card.addresses().begin(), card.addresses().end());
  }
  if (absl::Status s = FillNode(*folder, *keys, std::move(recovery->rows), *person, ways->config,
                                passphrase->view(), entropy);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = HandOutPerson(&*folder, data, *person); !s.ok()) return s;
  if (const std::string path = flags->Get("card"); !path.empty()) {
    const absl::StatusOr<std::string> file = service::EncodeCardFile(recovery->portable_card);
    if (!file.ok()) return file.status();
    if (absl::Status s = folder->HandOut(path, *file, false); !s.ok()) return s;
  }
  if (absl::Status s = folder->Commit(); !s.ok()) return s;
  out << Cat("made a fresh node of ", code, " in ", data, "\n  words of its card  ",
             crypto::WordString(keys->party), "  (the same as before)\n  key of ", person->key.user,
             "  ", person->key_path,
             "  (hand it over in person)\nNext: start it, give its card to every other body and to "
             "the relay's operator, take theirs, and wait until everything has come back; then "
             "stop it and renew its keys: entente node renew --data ",
             data, " --root-key ", flags->Get("root-key"), "\n");
  return absl::OkStatus();
}

}  // namespace entente::daemon

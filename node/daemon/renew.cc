// `entented renew …`, which `entente node renew` runs: new keys for a stopped node under the same
// party root.
#include <memory>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "crypto/words.h"
#include "node/daemon/init.h"
#include "node/daemon/key_files.h"
#include "node/daemon/new_node.h"
#include "node/daemon/passphrase.h"
#include "node/service/card_file.h"
#include "node/store/file_io.h"
#include "node/store/rocks_kv.h"
#include "sync/card_book.h"
#include "sync/renewal.h"
#include "sync/schema.h"

namespace entente::daemon {
namespace {

absl::StatusOr<std::optional<absl::Time>> ParseSince(const std::string& text, absl::Time now) {
  if (text.empty()) return std::nullopt;
  absl::Time since;
  std::string why;
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    if (!absl::ParseTime(format, text, &since, &why)) continue;
    if (since > now)
      return UsageError("--compromised-since lies ahead", "say when it was at the latest");
    return since;
  }
  return UsageError(Cat("\"", text, "\" is no time"),
                    "write 2026-03-01 or 2026-03-01T10:00, in UTC");
}

absl::StatusOr<std::string> OwnCode(const sync::KvReader& store, const PartyId& party) {
  const absl::StatusOr<std::optional<std::string>> row = store.Get(sync::schema::Card(party));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::DataLossError("the node's own card is not in its database");
  const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(**row);
  if (!card.ok()) return card.status();
  return card->card.code();
}

// For those to whom it has to be brought.
absl::Status WriteCard(const std::string& portable_card, const std::string& path) {
  const absl::StatusOr<std::string> file = service::EncodeCardFile(portable_card);
  if (!file.ok()) return file.status();
  const absl::Status written = store::WriteFileAtomically(path, *file, store::IfExists::kFail);
  return absl::IsAlreadyExists(written) ? NameTaken(path) : written;
}

}  // namespace

absl::Status RenewNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                       std::ostream& out) {
  const absl::StatusOr<Flags> flags = Flags::Parse(words, {{"data"},
                                                           {"root-key"},
                                                           {"passphrase-file"},
                                                           {"root-passphrase-file"},
                                                           {"compromised-since"},
                                                           {"keep-tls", false},
                                                           {"card"}});
  if (!flags.ok()) return flags.status();
  if (absl::Status s = NeedFlags(*flags, {"data", "root-key"}, "entente node renew --help");
      !s.ok()) {
    return s;
  }
  const std::string dir = flags->Get("data");
  // Before anything is changed: afterwards there is no way back.
  const std::string card_path = flags->Get("card");
  if (!card_path.empty() && store::Exists(card_path)) return NameTaken(card_path);
  const absl::StatusOr<std::optional<absl::Time>> since =
      ParseSince(flags->Get("compromised-since"), now);
  if (!since.ok()) return since.status();
  if (const auto config = ReadNodeConfig(dir); !config.ok()) return config.status();
  const absl::StatusOr<crypto::SecretBytes> passphrase =
      GetPassphrase(flags->Get("passphrase-file"), /*fresh=*/false);
  if (!passphrase.ok()) return passphrase.status();
  absl::StatusOr<crypto::NodeKeys> before = OpenKeys(dir, passphrase->view());
  if (!before.ok()) return before.status();
  // The database belongs to one process: a running node keeps this one out.
  absl::StatusOr<std::unique_ptr<store::RocksKv>> kv =
      store::RocksKv::Open(PathIn(dir, kDatabaseDir), before->storage, entropy,
                           {.reserve = {}, .create_if_missing = false});
  if (!kv.ok()) return kv.status();
  before = SettleKeys(dir, passphrase->view(), *std::move(before), **kv, entropy);
  if (!before.ok()) return before.status();
  const absl::StatusOr<crypto::PartyRoot> root = OpenRoot(*flags, passphrase->view());
  if (!root.ok()) return root.status();
  const absl::StatusOr<std::string> code = OwnCode(**kv, before->party);
  if (!code.ok()) return code.status();
  const absl::StatusOr<crypto::NodeKeys> fresh =
      crypto::RenewNodeKeys(*before, *code, flags->Has("keep-tls"), entropy);
  if (!fresh.ok()) return fresh.status();
  const absl::StatusOr<sync::Renewal> renewal =
      sync::PlanRenewal(**kv, *before, *fresh, root->root, now, *since);
  if (!renewal.ok()) return renewal.status();
  if (absl::Status s = PutBeside(dir, passphrase->view(), *fresh, entropy); !s.ok()) return s;
  if (absl::Status s = (*kv)->Commit(renewal->rows); !s.ok()) return s;
  if (absl::Status s = TakeFromBeside(dir); !s.ok()) return s;

  // Said first: the card may still fail to be written, and the node has its new keys all the same.
  out << Cat("the node of ", *code, " has new keys\n  words of its card  ",
             crypto::WordString(fresh->party), "  (the same as before)\n")
      << std::flush;
  if (!card_path.empty()) {
    if (absl::Status s = WriteCard(renewal->portable_card, card_path); !s.ok()) return s;
  }
  out << (flags->Has("keep-tls")
              ? "Next: start it; the other bodies take its new card by themselves\n"
              : "Next: start it, give its new card to every other body and to the relay's "
                "operator, and take the root key away again\n");
  return absl::OkStatus();
}

}  // namespace entente::daemon

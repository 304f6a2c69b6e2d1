#include "node/daemon/init.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "crypto/words.h"
#include "node/daemon/card_draft.h"
#include "node/daemon/new_node.h"
#include "node/daemon/passphrase.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::daemon {
namespace {

std::vector<FlagSpec> InitFlags() {
  std::vector<FlagSpec> flags = {{"data"},    {"body"},     {"name"},           {"kind"},
                                 {"country"}, {"root-key"}, {"passphrase-file"}};
  flags.insert(flags.end(), WayFlags().begin(), WayFlags().end());
  flags.insert(flags.end(), PersonFlags().begin(), PersonFlags().end());
  return flags;
}

struct Plan {
  Flags flags;
  std::string data;
  std::string code;
  std::string root_key;
  NodeConfig config;
  v1::NodeCard card;  // what does not depend on keys
};

absl::StatusOr<Plan> MakePlan(const std::vector<std::string>& words) {
  absl::StatusOr<Flags> flags = Flags::Parse(words, InitFlags());
  if (!flags.ok()) return flags.status();
  if (absl::Status s =
          NeedFlags(*flags, {"data", "body", "name", "user"}, "entente node init --help");
      !s.ok()) {
    return s;
  }
  absl::StatusOr<Ways> ways = PlanWays(*flags);
  if (!ways.ok()) return ways.status();
  const absl::StatusOr<int> kind =
      EnumValue(v1::BodyKind_descriptor(), flags->Get("kind", "member-state-authority"),
                "BODY_KIND_", "kind");
  if (!kind.ok()) return kind.status();
  Plan plan;
  plan.flags = *std::move(flags);
  plan.data = plan.flags.Get("data");
  plan.code = plan.flags.Get("body");
  plan.root_key = plan.flags.Get("root-key", absl::AsciiStrToLower(plan.code) + ".root");
  plan.config = std::move(ways->config);
  plan.card = std::move(ways->card);
  plan.card.set_code(plan.code);
  plan.card.set_name(plan.flags.Get("name"));
  plan.card.set_kind(static_cast<v1::BodyKind>(*kind));
  plan.card.set_country(plan.flags.Get("country"));
  return plan;
}

}  // namespace

absl::Status InitNode(const std::vector<std::string>& words, Entropy& entropy, absl::Time now,
                      std::ostream& out) {
  const absl::StatusOr<Plan> plan = MakePlan(words);
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<Person> person = PlanPerson(plan->flags, plan->code, entropy);
  if (!person.ok()) return person.status();
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

  sync::WriteBatch rows;
  rows.Put(sync::schema::Card(keys->party), signed_card);
  if (absl::Status s = FillNode(*folder, *keys, std::move(rows), *person, plan->config,
                                passphrase->view(), entropy);
      !s.ok()) {
    return s;
  }
  const absl::StatusOr<std::string> root_file =
      crypto::SealPartyRoot(root, passphrase->view(), crypto::Argon2Cost::kModerate, entropy);
  if (!root_file.ok()) return root_file.status();
  if (absl::Status s = folder->HandOut(plan->root_key, *root_file, true); !s.ok()) return s;
  if (absl::Status s = HandOutPerson(&*folder, plan->data, *person); !s.ok()) return s;
  if (absl::Status s = folder->Commit(); !s.ok()) return s;
  out << Cat("made a node of ", plan->code, " in ", plan->data, "\n  words of its card  ",
             crypto::WordString(keys->party), "\n  body's root key    ", plan->root_key,
             "  (take it away from this machine)\n  key of ", person->key.user, "  ",
             person->key_path, "  (hand it over in person)\nNext: entented --data ", plan->data,
             plan->flags.Has("passphrase-file")
                 ? Cat(" --passphrase-file ", plan->flags.Get("passphrase-file"))
                 : "",
             "\n");
  return absl::OkStatus();
}

}  // namespace entente::daemon

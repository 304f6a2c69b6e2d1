#include "sync/renewal.h"

#include <map>
#include <utility>

#include "entente/v1/storage.pb.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// The reading key that rests in the keystore moves into the store, for what is still on its way.
absl::Status KeepReadingKey(const KvReader& store, const crypto::NodeKeys& before,
                            const TrustedCard& card, WriteBatch* rows) {
  const std::string name = schema::OwnBoxKey(before.box.id());
  const auto stored = store.Get(name);
  if (!stored.ok()) return stored.status();
  v1::OwnBoxKeyRow row;
  if (stored->has_value() && !row.ParseFromString(**stored)) {
    return absl::DataLossError("a stored reading key does not parse");
  }
  if (!stored->has_value() && card.card.box_key().id() != before.box.id().view()) {
    return absl::OkStatus();  // destroyed long ago
  }
  if (row.destroyed()) return absl::OkStatus();
  if (!stored->has_value()) {
    row.set_card(card.hash.str());
    row.set_created(card.card.issued());
    row.set_public_key(before.box.public_key().str());
  }
  row.set_secret(before.box.secret().view().data(), crypto::Secret32::kSize);
  rows->Put(name, row.SerializeAsString());
  return absl::OkStatus();
}

absl::Status WrongRoot() {
  return absl::FailedPreconditionError(
      "this root key is another body's [WRONG_ROOT]\n  Next: fetch the root key that was made "
      "with this node");
}

// The card after `held`, for `fresh` keys; it revokes nothing yet.
absl::StatusOr<v1::NodeCard> NextCard(const TrustedCard& held, const crypto::NodeKeys& fresh,
                                      absl::Time now) {
  const absl::StatusOr<Hash> spki = crypto::SpkiSha256(fresh.tls.certificate_pem);
  if (!spki.ok()) return spki.status();
  v1::NodeCard card = held.card;
  card.set_seq(held.card.seq() + 1);
  card.set_prev_hash(held.hash.str());
  card.set_issued(absl::ToUnixSeconds(now));
  card.set_log_key(fresh.log.public_key().str());
  card.set_cosign_key(fresh.cosign.public_key().str());
  card.set_statement_key(fresh.statement.public_key().str());
  card.set_tls_spki_sha256(spki->str());
  card.mutable_box_key()->Clear();
  card.mutable_box_key()->set_id(fresh.box.id().str());
  card.mutable_box_key()->set_public_key(fresh.box.public_key().str());
  card.clear_revokes();
  card.clear_compromised_since();
  return card;
}

absl::Status Issue(const v1::NodeCard& card, const crypto::SigningKey& root, CardBook* cards,
                   Renewal* out) {
  out->signed_card = SignCard(card, root);
  const absl::StatusOr<bool> trusted = cards->Trust(out->signed_card, &out->rows);
  if (!trusted.ok()) return trusted.status();
  out->portable_card = cards->Portable(*PartyId::From(card.party())).SerializeAsString();
  return absl::OkStatus();
}

void ReplaceWays(const v1::NodeCard& ways, v1::NodeCard* card) {
  if (ways.addresses().empty() && ways.relays().empty()) return;
  *card->mutable_addresses() = ways.addresses();
  *card->mutable_relays() = ways.relays();
  card->set_relay_only(ways.relay_only());
}

}  // namespace

absl::StatusOr<Renewal> PlanRenewal(const KvReader& store, const crypto::NodeKeys& before,
                                    const crypto::NodeKeys& fresh, const crypto::SigningKey& root,
                                    absl::Time now, std::optional<absl::Time> compromised_since) {
  if (root.public_key().view() != before.party.view()) return WrongRoot();
  CardBook cards;
  if (absl::Status s = cards.Load(store); !s.ok()) return s;
  const TrustedCard* held = cards.Find(before.party);
  if (held == nullptr) return absl::DataLossError("the node's own card is missing");
  absl::StatusOr<v1::NodeCard> next = NextCard(*held, fresh, now);
  if (!next.ok()) return next.status();
  v1::NodeCard card = *std::move(next);
  for (const TrustedCard* earlier : cards.ChainOf(before.party)) {
    card.add_revokes(earlier->hash.str());
  }
  if (compromised_since.has_value()) {
    card.set_compromised_since(absl::ToUnixSeconds(*compromised_since));
  }
  Renewal out;
  if (absl::Status s = KeepReadingKey(store, before, *held, &out.rows); !s.ok()) return s;
  if (absl::Status s = Issue(card, root, &cards, &out); !s.ok()) return s;
  return out;
}

absl::StatusOr<Renewal> PlanRecovery(const std::vector<std::string>& own_cards,
                                     const crypto::NodeKeys& fresh, const crypto::SigningKey& root,
                                     const v1::NodeCard& ways, absl::Time now) {
  if (root.public_key().view() != fresh.party.view()) return WrongRoot();
  // Oldest first: one that brings all before it may come after one that does not.
  std::multimap<uint32_t, const std::string*> in_order;
  for (const std::string& signed_card : own_cards) {
    const absl::StatusOr<TrustedCard> card = VerifyCard(signed_card);
    if (!card.ok()) return card.status();
    if (card->party != fresh.party) {
      return absl::InvalidArgumentError(
          Cat("the card of ", card->card.code(),
              " is not of the body that this root key belongs to [WRONG_BODY]\n  Next: ask the "
              "other bodies for the card of the body whose root key this is"));
    }
    in_order.emplace(card->card.seq(), &signed_card);
  }
  CardBook cards;
  Renewal out;
  for (const auto& [seq, signed_card] : in_order) {
    if (const auto taken = cards.Trust(*signed_card, &out.rows); !taken.ok()) return taken.status();
  }
  const TrustedCard* newest = cards.Find(fresh.party);
  if (newest == nullptr) return absl::InvalidArgumentError("no card of the body was given");
  absl::StatusOr<v1::NodeCard> card = NextCard(*newest, fresh, now);
  if (!card.ok()) return card.status();
  ReplaceWays(ways, &*card);
  if (absl::Status s = Issue(*card, root, &cards, &out); !s.ok()) return s;
  return out;
}

}  // namespace entente::sync

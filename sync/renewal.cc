#include "sync/renewal.h"

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

}  // namespace

absl::StatusOr<Renewal> PlanRenewal(const KvReader& store, const crypto::NodeKeys& before,
                                    const crypto::NodeKeys& fresh, const crypto::SigningKey& root,
                                    absl::Time now, std::optional<absl::Time> compromised_since) {
  if (root.public_key().view() != before.party.view()) {
    return absl::FailedPreconditionError(
        "this root key is another body's [WRONG_ROOT]\n  Next: fetch the root key that was made "
        "with this node");
  }
  CardBook cards;
  if (absl::Status s = cards.Load(store); !s.ok()) return s;
  const TrustedCard* held = cards.Find(before.party);
  if (held == nullptr) return absl::DataLossError("the node's own card is missing");
  const absl::StatusOr<Hash> spki = crypto::SpkiSha256(fresh.tls.certificate_pem);
  if (!spki.ok()) return spki.status();
  v1::NodeCard card = held->card;
  card.set_seq(held->card.seq() + 1);
  card.set_prev_hash(held->hash.str());
  card.set_issued(absl::ToUnixSeconds(now));
  card.set_log_key(fresh.log.public_key().str());
  card.set_cosign_key(fresh.cosign.public_key().str());
  card.set_statement_key(fresh.statement.public_key().str());
  card.set_tls_spki_sha256(spki->str());
  card.mutable_box_key()->Clear();
  card.mutable_box_key()->set_id(fresh.box.id().str());
  card.mutable_box_key()->set_public_key(fresh.box.public_key().str());
  card.clear_revokes();
  for (const TrustedCard* earlier : cards.ChainOf(before.party)) {
    card.add_revokes(earlier->hash.str());
  }
  card.clear_compromised_since();
  if (compromised_since.has_value()) {
    card.set_compromised_since(absl::ToUnixSeconds(*compromised_since));
  }
  Renewal out;
  out.signed_card = SignCard(card, root);
  if (absl::Status s = KeepReadingKey(store, before, *held, &out.rows); !s.ok()) return s;
  if (const auto trusted = cards.Trust(out.signed_card, &out.rows); !trusted.ok()) {
    return trusted.status();
  }
  return out;
}

}  // namespace entente::sync

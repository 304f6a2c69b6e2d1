#include "node/daemon/card_draft.h"

namespace entente::daemon {
namespace {

constexpr uint32_t kMaxSchema = 1;

}  // namespace

absl::StatusOr<v1::NodeCard> DraftCard(const crypto::NodeKeys& keys, const crypto::PartyRoot& root,
                                       absl::Time now) {
  const absl::StatusOr<Hash> spki = crypto::SpkiSha256(keys.tls.certificate_pem);
  if (!spki.ok()) return spki.status();
  v1::NodeCard card;
  card.set_party(keys.party.str());
  card.set_seq(1);
  card.set_issued(absl::ToUnixSeconds(now));
  card.set_log_key(keys.log.public_key().str());
  card.set_cosign_key(keys.cosign.public_key().str());
  card.set_statement_key(keys.statement.public_key().str());
  card.set_tls_spki_sha256(spki->str());
  card.mutable_box_key()->set_id(keys.box.id().str());
  card.mutable_box_key()->set_public_key(keys.box.public_key().str());
  card.mutable_recovery_box_key()->set_id(root.recovery.id().str());
  card.mutable_recovery_box_key()->set_public_key(root.recovery.public_key().str());
  card.set_max_schema(kMaxSchema);
  return card;
}

}  // namespace entente::daemon

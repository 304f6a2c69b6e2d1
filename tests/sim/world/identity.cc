#include "tests/sim/world/identity.h"

#include <utility>

#include "crypto/tls_identity.h"
#include "sync/card_book.h"
#include "tests/sim/world/fail.h"

namespace entente::sim {
namespace {

v1::BodyKind KindOf(const std::string& code) {
  if (code == "EJ") return v1::BODY_KIND_EUROJUST;
  if (code == "EU") return v1::BODY_KIND_EUROPOL;
  if (code == "TC") return v1::BODY_KIND_THIRD_COUNTRY_AUTHORITY;
  return v1::BODY_KIND_MEMBER_STATE_AUTHORITY;
}

}  // namespace

Identity MakeIdentity(const BodyPlan& plan, int64_t issued, Entropy& entropy) {
  Identity out{plan, crypto::GeneratePartyRoot(entropy), nullptr, {}, {}, {}, {}};
  absl::StatusOr<crypto::NodeKeys> keys = crypto::GenerateNodeKeys(out.root, plan.code, entropy);
  if (!keys.ok()) Fail("keys cannot be made");
  out.party = keys->party;
  out.spki = *crypto::SpkiSha256(keys->tls.certificate_pem);
  out.keys = std::make_shared<crypto::NodeKeys>(*std::move(keys));
  v1::NodeCard& card = out.card;
  card.set_party(out.party.str());
  card.set_code(plan.code);
  card.set_name(Cat("Authority of ", plan.code));
  card.set_kind(KindOf(plan.code));
  const bool union_body = plan.code[0] == 'E';
  if (!union_body) card.set_country(plan.code);
  card.set_seq(1);
  card.set_issued(issued);
  card.set_log_key(out.keys->log.public_key().str());
  card.set_cosign_key(out.keys->cosign.public_key().str());
  card.set_statement_key(out.keys->statement.public_key().str());
  card.set_tls_spki_sha256(out.spki.str());
  card.mutable_box_key()->set_id(out.keys->box.id().str());
  card.mutable_box_key()->set_public_key(out.keys->box.public_key().str());
  card.mutable_recovery_box_key()->set_id(out.root.recovery.id().str());
  card.mutable_recovery_box_key()->set_public_key(out.root.recovery.public_key().str());
  if (!plan.relay_only && plan.listens) card.add_addresses(Cat("127.0.0.1:", plan.code));
  card.set_relay_only(plan.relay_only);
  for (int i = 0; i < plan.relays; ++i) {
    v1::RelayRoute* relay = card.add_relays();
    relay->set_address(Cat("relay-", std::to_string(i), ":1"));
    relay->set_tls_spki_sha256(std::string(32, static_cast<char>('r' + i)));
  }
  card.set_max_schema(1);
  if (!out.signed_card.ParseFromString(sync::SignCard(card, out.root.root))) {
    Fail("a card cannot be signed");
  }
  return out;
}

}  // namespace entente::sim

#include "sync/mailbox.h"

#include "crypto/box.h"
#include "crypto/hash.h"

namespace entente::sync {
namespace {

absl::StatusOr<Mailbox> Derive(const crypto::Secret32& shared, const PartyId& recipient,
                               const PartyId& sender) {
  const crypto::Secret32 id = crypto::K(shared, "mailbox", {"id", recipient.view(), sender.view()});
  const crypto::Secret32 deposit =
      crypto::K(shared, "mailbox", {"deposit", recipient.view(), sender.view()});
  absl::StatusOr<MailboxId> mailbox = MailboxId::From(id.view());
  if (!mailbox.ok()) return mailbox.status();
  return Mailbox{*mailbox, std::string(deposit.view())};
}

}  // namespace

absl::StatusOr<MailboxPair> DeriveMailboxes(const crypto::NodeKeys& keys, const PartyId& self,
                                            const TrustedCard& peer) {
  const absl::StatusOr<BoxPublicKey> public_key =
      BoxPublicKey::From(peer.card.box_key().public_key());
  if (!public_key.ok()) return public_key.status();
  const absl::StatusOr<crypto::Secret32> shared = keys.box.SharedSecret(*public_key);
  if (!shared.ok()) return shared.status();
  absl::StatusOr<Mailbox> outgoing = Derive(*shared, peer.party, self);
  absl::StatusOr<Mailbox> incoming = Derive(*shared, self, peer.party);
  if (!outgoing.ok()) return outgoing.status();
  if (!incoming.ok()) return incoming.status();
  return MailboxPair{*std::move(outgoing), *std::move(incoming)};
}

}  // namespace entente::sync

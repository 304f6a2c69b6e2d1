#include "sync/mailbox.h"

#include <optional>
#include <set>
#include <utility>

#include "crypto/box.h"
#include "crypto/hash.h"

namespace entente::sync {
namespace {

// Keys of either end that mailboxes are kept for: bounds what one peer costs at a relay.
constexpr size_t kMailboxKeysMax = 4;

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

absl::StatusOr<MailboxPair> DeriveMailboxes(const crypto::BoxKeyPair& own, const PartyId& self,
                                            const BoxPublicKey& theirs, const PartyId& peer) {
  const absl::StatusOr<crypto::Secret32> shared = own.SharedSecret(theirs);
  if (!shared.ok()) return shared.status();
  absl::StatusOr<Mailbox> outgoing = Derive(*shared, peer, self);
  absl::StatusOr<Mailbox> incoming = Derive(*shared, self, peer);
  if (!outgoing.ok()) return outgoing.status();
  if (!incoming.ok()) return incoming.status();
  return MailboxPair{*std::move(outgoing), *std::move(incoming)};
}

absl::StatusOr<Mailbox> OutgoingMailbox(const BoxKeys& keys, const PartyId& self,
                                        const PartyId& peer) {
  const std::optional<ReadingKey> theirs = keys.NewestOf(peer);
  if (!theirs.has_value()) return absl::NotFoundError("no card of this body is trusted here");
  absl::StatusOr<MailboxPair> pair = DeriveMailboxes(keys.KnownTo(peer), self, theirs->key, peer);
  if (!pair.ok()) return pair.status();
  return std::move(pair->outgoing);
}

std::vector<IncomingMailbox> IncomingMailboxes(const BoxKeys& keys, const PartyId& self,
                                               const PartyId& peer) {
  std::vector<IncomingMailbox> out;
  const std::vector<const crypto::BoxKeyPair*> held = keys.held();
  const std::vector<ReadingKey> recent = keys.RecentOf(peer);
  for (size_t i = 0; i < held.size() && i < kMailboxKeysMax; ++i) {
    std::set<KeyId> done;
    for (size_t j = 0; j < recent.size() && done.size() < kMailboxKeysMax; ++j) {
      if (!done.insert(recent[j].id).second) continue;
      absl::StatusOr<MailboxPair> pair = DeriveMailboxes(*held[i], self, recent[j].key, peer);
      if (pair.ok()) out.push_back({std::move(pair->incoming), held[i]});
    }
  }
  return out;
}

}  // namespace entente::sync

// Mailboxes at relays, derived from the reading keys of both ends so that nothing has to be told
// first. Protocol §9, docs/decisions/0002 and 0010.
//
// Both ends compute the X25519 secret of two reading keys and expand it. Per direction it gives the
// mailbox id and the seed of the TLS key that may deposit into it. Nobody else can compute either,
// and neither names anybody.
//
// Keys rotate, and the two ends learn of it at different times. The sender uses the newest key of
// the recipient that it knows, and of its own the newest that the recipient is known to know. The
// recipient keeps open the mailboxes of every key of its own that it still holds, with each recent
// key of the sender.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/box.h"
#include "crypto/bytes.h"
#include "sync/box_keys.h"

namespace entente::sync {

struct Mailbox {
  MailboxId id;
  std::string deposit_seed;  // 32 bytes, secret to the two ends
};

struct MailboxPair {
  Mailbox outgoing;  // recipient: the peer
  Mailbox incoming;  // recipient: this node
};

// The two mailboxes of one pair of keys. InvalidArgument for a key of low order.
absl::StatusOr<MailboxPair> DeriveMailboxes(const crypto::BoxKeyPair& own, const PartyId& self,
                                            const BoxPublicKey& theirs, const PartyId& peer);

// Where to leave parcels for `peer` now.
absl::StatusOr<Mailbox> OutgoingMailbox(const BoxKeys& keys, const PartyId& self,
                                        const PartyId& peer);

struct IncomingMailbox {
  Mailbox mailbox;
  const crypto::BoxKeyPair* key;  // what parcels in it are sealed to
};
// Where parcels from `peer` may lie.
std::vector<IncomingMailbox> IncomingMailboxes(const BoxKeys& keys, const PartyId& self,
                                               const PartyId& peer);

}  // namespace entente::sync

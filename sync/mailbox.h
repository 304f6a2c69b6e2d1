// Mailboxes at relays, derived from two cards so that nothing has to be told first. Protocol §10,
// docs/decisions/0002.
//
// Both ends compute the X25519 secret of their reading keys and expand it. Per direction it gives
// the mailbox id and the seed of the TLS key that may deposit into it. Nobody else can compute
// either, and neither names anybody.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/keystore.h"
#include "sync/card_book.h"

namespace entente::sync {

struct Mailbox {
  MailboxId id;
  std::string deposit_seed;  // 32 bytes, secret to the two ends
};

struct MailboxPair {
  Mailbox outgoing;  // recipient: the peer
  Mailbox incoming;  // recipient: this node
};

absl::StatusOr<MailboxPair> DeriveMailboxes(const crypto::NodeKeys& keys, const PartyId& self,
                                            const TrustedCard& peer);

}  // namespace entente::sync

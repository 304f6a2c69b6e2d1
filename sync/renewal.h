// New keys for a body under the same party root: what has to be written while its node is stopped
// (renewal), or is gone for good (recovery). Protocol §2, §7.
//
// Renewal. The party, its storage and its history stay; log, receipt, statement, reading and
// (unless kept) TLS keys are new, and so is the card, which follows the one before and revokes all
// earlier ones. The rest happens when the node starts: old own logs are frozen and closed
// (sync/revocation.h), others take the new card and seal to the new key.
//
// Recovery. Nothing of the node is left but the root key, which is kept elsewhere, and the body's
// cards, which others hold. The new card follows the newest of them and revokes nothing: what the
// old keys signed is wanted back, and comes from those who hold it. Once it is back, a renewal
// gives the old keys up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/keystore.h"
#include "entente/v1/card.pb.h"
#include "sync/kv.h"

namespace entente::sync {

struct Renewal {
  std::string signed_card;
  std::string portable_card;  // the same with those before it, to hand to others
  WriteBatch rows;            // to be committed together with the fresh keystore
};

// `fresh` comes from crypto::RenewNodeKeys(before, …). With `compromised_since`, what the old keys
// wrote from then on is not vouched for. FailedPrecondition: the root is another party's, or the
// body's cards contradict each other; DataLoss: the store is damaged.
absl::StatusOr<Renewal> PlanRenewal(const KvReader& store, const crypto::NodeKeys& before,
                                    const crypto::NodeKeys& fresh, const crypto::SigningKey& root,
                                    absl::Time now, std::optional<absl::Time> compromised_since);

// `own_cards` are the body's SignedCards as others hold them, in any order; the newest of all must
// be among them, or those who hold a newer one take the new card for a contradiction. `fresh` comes
// from crypto::GenerateNodeKeys. What `ways` says of addresses and relays replaces what the newest
// card says, if it says anything. InvalidArgument: not a card, or not this body's;
// FailedPrecondition: the root is another party's, or the cards contradict each other.
absl::StatusOr<Renewal> PlanRecovery(const std::vector<std::string>& own_cards,
                                     const crypto::NodeKeys& fresh, const crypto::SigningKey& root,
                                     const v1::NodeCard& ways, absl::Time now);

}  // namespace entente::sync

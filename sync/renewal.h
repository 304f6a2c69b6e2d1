// New keys for a node under the same party root: what has to be written while the node is stopped.
// Protocol §2, §7.
//
// The party, its storage and its history stay; log, receipt, statement, reading and (unless kept)
// TLS keys are new, and so is the card, which follows the one before and revokes all earlier ones.
// The rest happens when the node starts: old own logs are frozen and closed (sync/revocation.h),
// others take the new card and seal to the new key.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/keystore.h"
#include "sync/kv.h"

namespace entente::sync {

struct Renewal {
  std::string signed_card;
  WriteBatch rows;  // to be committed together with the fresh keystore
};

// `fresh` comes from crypto::RenewNodeKeys(before, …). With `compromised_since`, what the old keys
// wrote from then on is not vouched for. FailedPrecondition: the root is another party's, or the
// body's cards contradict each other; DataLoss: the store is damaged.
absl::StatusOr<Renewal> PlanRenewal(const KvReader& store, const crypto::NodeKeys& before,
                                    const crypto::NodeKeys& fresh, const crypto::SigningKey& root,
                                    absl::Time now, std::optional<absl::Time> compromised_since);

}  // namespace entente::sync

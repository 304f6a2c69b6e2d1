// The card of keys that have just been made; how it is called and reached is left to fill in.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/keystore.h"
#include "entente/v1/card.pb.h"

namespace entente::daemon {

absl::StatusOr<v1::NodeCard> DraftCard(const crypto::NodeKeys& keys, const crypto::PartyRoot& root,
                                       absl::Time now);

}  // namespace entente::daemon

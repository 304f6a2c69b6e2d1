// Evidence that its owner has destroyed, here and wherever else it is held.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

// Without `confirm` it only says what would go and what would stay.
absl::StatusOr<v1::EraseEvidenceResponse> EraseEvidence(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::EraseEvidenceRequest& request);

}  // namespace entente::core

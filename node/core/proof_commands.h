// Proofs of date: that an entry of this body existed on the day of one of its anchors. Protocol §6.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::ProveExistenceResponse> ProveExistence(State& state, absl::Time now,
                                                          const Caller& caller,
                                                          const v1::ProveExistenceRequest& request);
absl::StatusOr<v1::CheckExistenceResponse> CheckExistence(State& state, absl::Time now,
                                                          const Caller& caller,
                                                          const v1::CheckExistenceRequest& request);

}  // namespace entente::core

// What people do with the shared strategy: propose, sign, reject, show. Drafts are records of their
// own body (node/core/record_commands.h).
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::ProposeStrategyResponse> ProposeStrategy(
    State& state, absl::Time now, const Caller& caller, const v1::ProposeStrategyRequest& request);
absl::StatusOr<v1::SignStrategyResponse> SignStrategy(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::SignStrategyRequest& request);
absl::StatusOr<v1::RejectStrategyResponse> RejectStrategy(State& state, absl::Time now,
                                                          const Caller& caller,
                                                          const v1::RejectStrategyRequest& request);
absl::StatusOr<v1::ShowStrategyResponse> ShowStrategy(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ShowStrategyRequest& request);

}  // namespace entente::core

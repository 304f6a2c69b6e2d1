// Leaving a body out of a JIT: exclusion by all others, suspension by one. Protocol §7.2.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::ExcludeBodyResponse> ExcludeBody(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::ExcludeBodyRequest& request);
absl::StatusOr<v1::SuspendBodyResponse> SuspendBody(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::SuspendBodyRequest& request);

// Who has been left out by whom, for people to see.
void FillStandings(const State& state, const JitId& jit, v1::AgreementView* view);

}  // namespace entente::core

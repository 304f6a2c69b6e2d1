// What people do with the shared strategy and its lines of enquiry. Each handler converts, plans,
// appends and shows; the thinking is in node/model.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::DraftStrategyResponse> DraftStrategy(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::DraftStrategyRequest& request);
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
absl::StatusOr<v1::AddLineResponse> AddLine(State& state, absl::Time now, const Caller& caller,
                                            const v1::AddLineRequest& request);
absl::StatusOr<v1::ListLinesResponse> ListLines(State& state, absl::Time now, const Caller& caller,
                                                const v1::ListLinesRequest& request);

}  // namespace entente::core

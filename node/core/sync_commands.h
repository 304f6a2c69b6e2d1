// What people ask about replication, and the check of everything that is stored.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::GetSyncStatusResponse> GetSyncStatus(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::GetSyncStatusRequest& request);
absl::StatusOr<v1::VerifyLogResponse> VerifyLog(State& state, absl::Time now, const Caller& caller,
                                                const v1::VerifyLogRequest& request);
absl::StatusOr<v1::ExportParcelResponse> ExportParcel(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ExportParcelRequest& request);
absl::StatusOr<v1::ImportParcelResponse> ImportParcel(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ImportParcelRequest& request);

}  // namespace entente::core

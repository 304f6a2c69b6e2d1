// What serves every kind of record: notes, progress, explanations, history, changes.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::AddNotesResponse> AddNotes(State& state, absl::Time now, const Caller& caller,
                                              const v1::AddNotesRequest& request);
absl::StatusOr<v1::ListNotesResponse> ListNotes(State& state, absl::Time now, const Caller& caller,
                                                const v1::ListNotesRequest& request);
absl::StatusOr<v1::GetProgressResponse> GetProgress(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::GetProgressRequest& request);
absl::StatusOr<v1::ExplainRecordResponse> ExplainRecord(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::ExplainRecordRequest& request);
absl::StatusOr<v1::ShowHistoryResponse> ShowHistory(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::ShowHistoryRequest& request);
absl::StatusOr<v1::ListChangesResponse> ListChanges(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::ListChangesRequest& request);

}  // namespace entente::core

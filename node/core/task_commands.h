// What people do with tasks. Each handler converts, plans, appends and shows; the thinking is in
// node/model.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::AssignTaskResponse> AssignTask(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::AssignTaskRequest& request);
absl::StatusOr<v1::AcceptTaskResponse> AcceptTask(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::AcceptTaskRequest& request);
absl::StatusOr<v1::DeclineTaskResponse> DeclineTask(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::DeclineTaskRequest& request);
absl::StatusOr<v1::UpdateTaskResponse> UpdateTask(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::UpdateTaskRequest& request);
absl::StatusOr<v1::CompleteTaskResponse> CompleteTask(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::CompleteTaskRequest& request);
absl::StatusOr<v1::WithdrawTaskResponse> WithdrawTask(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::WithdrawTaskRequest& request);
absl::StatusOr<v1::ListTasksResponse> ListTasks(State& state, absl::Time now, const Caller& caller,
                                                const v1::ListTasksRequest& request);
absl::StatusOr<v1::ShowTaskResponse> ShowTask(State& state, absl::Time now, const Caller& caller,
                                              const v1::ShowTaskRequest& request);

}  // namespace entente::core

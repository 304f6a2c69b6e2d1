// How a request about records becomes a plan and how a plan is carried out: what the handlers of
// evidence, tasks, lines and notes share.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"
#include "node/model/plans.h"

namespace entente::core {

// What a plan needs to know, for the JIT that a person named (or the only one).
absl::StatusOr<model::PlanContext> ContextFor(State& state, absl::Time now, const Caller& caller,
                                              const std::string& jit_text,
                                              const std::string& idempotency_key);

// Appends a plan and returns the view of its main record; a repeated command finds its first
// result.
template <class MakePlan>
absl::StatusOr<v1::RecordView> Carry(State& state, absl::Time now, const std::string& key,
                                     const MakePlan& make_plan) {
  RecordId id;
  if (const std::optional<RecordId> done = state.model.ByIdempotencyKey(key)) {
    id = *done;
  } else {
    absl::StatusOr<model::Plan> plan = make_plan();
    if (!plan.ok()) return plan.status();
    id = plan->primary;
    if (absl::Status s = state.Append(now, std::move(plan->drafts)); !s.ok()) return s;
  }
  const model::Record* record = state.model.Find(id);
  if (record == nullptr) return absl::InternalError("a record that was just written is not here");
  return state.model.View(*record, now);
}

// Null where no JIT was named: all of them. `jit` holds the answer.
absl::StatusOr<const JitId*> OptionalJit(const State& state, const std::string& text, JitId* jit);

inline std::vector<std::string> ToVector(
    const google::protobuf::RepeatedPtrField<std::string>& list) {
  return {list.begin(), list.end()};
}

// Shows every record of a kind that has arrived whole, or that waits with a refusal to look at.
template <class Add>
absl::Status ListKind(State& state, absl::Time now, const std::string& jit_text, uint32_t kind,
                      const Add& add) {
  JitId storage;
  const absl::StatusOr<const JitId*> jit = OptionalJit(state, jit_text, &storage);
  if (!jit.ok()) return jit.status();
  for (const model::Record* record : state.model.List(*jit, kind)) {
    v1::RecordView view = state.model.View(*record, now);
    if (view.state() != "WAITING" || view.refused() > 0) add(std::move(view));
  }
  return absl::OkStatus();
}

}  // namespace entente::core

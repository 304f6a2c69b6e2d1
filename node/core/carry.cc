#include "node/core/carry.h"

namespace entente::core {

absl::StatusOr<model::PlanContext> ContextFor(State& state, absl::Time now, const Caller& caller,
                                              const std::string& jit_text,
                                              const std::string& idempotency_key) {
  const absl::StatusOr<JitId> jit = state.JitByText(jit_text);
  if (!jit.ok()) return jit.status();
  return model::PlanContext{state.model, now,           caller.user,    caller.role,
                            *jit,        state.entropy, idempotency_key};
}

absl::StatusOr<const JitId*> OptionalJit(const State& state, const std::string& text, JitId* jit) {
  if (text.empty()) return nullptr;
  const absl::StatusOr<JitId> named = state.JitByText(text);
  if (!named.ok()) return named.status();
  *jit = *named;
  return jit;
}

}  // namespace entente::core

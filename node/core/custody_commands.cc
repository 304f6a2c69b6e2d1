#include "node/core/custody_commands.h"

#include <utility>

#include "node/core/carry.h"
#include "node/model/plans.h"

namespace entente::core {
namespace {

model::PlanContext ContextOf(State& state, absl::Time now, const Caller& caller,
                             const model::Record& record, const std::string& key) {
  return {state.model, now, caller.user, caller.role, record.jit(), state.entropy, key};
}

// Carries out a plan for one item and answers with how it looks then.
template <class Response, class MakePlan>
absl::StatusOr<Response> CarryOut(State& state, absl::Time now, const std::string& key,
                                  const MakePlan& make_plan) {
  auto view = Carry(state, now, key, make_plan);
  if (!view.ok()) return view.status();
  Response response;
  *response.mutable_record() = *std::move(view);
  return response;
}

}  // namespace

absl::StatusOr<v1::RecordCustodyResponse> RecordCustody(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::RecordCustodyRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  v1::CustodyEvent event;
  event.set_kind(request.kind());
  event.set_time(request.time());
  event.set_actor(request.actor());
  event.set_purpose(request.purpose());
  event.set_place(request.place());
  event.set_instrument(request.instrument());
  event.set_file_name(request.file_name());
  if (!request.corrects().empty()) {
    const absl::StatusOr<Hash> leaf = Hash::FromHex(request.corrects());
    if (!leaf.ok()) {
      return absl::InvalidArgumentError(
          Cat("\"", model::CleanForDisplay(request.corrects()),
              "\" names no entry [BAD_VALUE]\n  Next: entente evidence show ", request.record(),
              " --json"));
    }
    event.set_corrects(leaf->str());
  }
  const model::PlanContext context =
      ContextOf(state, now, caller, **record, request.idempotency_key());
  return CarryOut<v1::RecordCustodyResponse>(state, now, request.idempotency_key(), [&] {
    return model::PlanCustody(context, **record, event);
  });
}

absl::StatusOr<v1::CorrectEvidenceResponse> CorrectEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::CorrectEvidenceRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  const model::PlanContext context =
      ContextOf(state, now, caller, **record, request.idempotency_key());
  return CarryOut<v1::CorrectEvidenceResponse>(state, now, request.idempotency_key(), [&] {
    return model::PlanCorrection(context, **record, request.item(), ToVector(request.clear()),
                                 request.reason());
  });
}

absl::StatusOr<v1::NoteCorrectionsResponse> NoteCorrections(
    State& state, absl::Time now, const Caller& caller, const v1::NoteCorrectionsRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  absl::StatusOr<model::Plan> plan =
      model::PlanNoteCorrections(ContextOf(state, now, caller, **record, ""), **record);
  if (!plan.ok()) return plan.status();
  v1::NoteCorrectionsResponse response;
  response.set_noted(static_cast<uint32_t>(plan->drafts.size()));
  if (absl::Status s = state.Append(now, std::move(plan->drafts)); !s.ok()) return s;
  return response;
}

absl::StatusOr<v1::RestrictEvidenceResponse> RestrictEvidence(
    State& state, absl::Time now, const Caller& caller,
    const v1::RestrictEvidenceRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  const model::PlanContext context =
      ContextOf(state, now, caller, **record, request.idempotency_key());
  return CarryOut<v1::RestrictEvidenceResponse>(state, now, request.idempotency_key(), [&] {
    return model::PlanRestriction(context, **record, request.lift(), request.reason());
  });
}

}  // namespace entente::core

#include "node/core/record_commands.h"

#include <algorithm>
#include <utility>

#include "node/core/carry.h"
#include "node/model/decide.h"
#include "node/model/record_plans.h"

namespace entente::core {
namespace {

constexpr uint32_t kPageMax = 1000;

}  // namespace

absl::StatusOr<v1::AddNotesResponse> AddNotes(State& state, absl::Time now, const Caller& caller,
                                              const v1::AddNotesRequest& request) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  const auto audience = state.BodiesByCode(ToVector(request.audience()));
  if (!audience.ok()) return audience.status();
  v1::AddNotesResponse response;
  for (int i = 0; i < request.texts_size(); ++i) {
    const auto done = state.model.ByIdempotencyKey(
        model::NoteKey(request.idempotency_key(), static_cast<size_t>(i)));
    if (done.has_value()) response.add_refs(state.model.RefOf(*state.model.Find(*done)));
  }
  if (!response.refs().empty()) return response;
  absl::StatusOr<model::Plan> plan =
      model::PlanAddNotes(*context, ToVector(request.texts()), *audience);
  if (!plan.ok()) return plan.status();
  std::vector<RecordId> ids;
  for (const sync::Draft& draft : plan->drafts) {
    ids.push_back(*RecordId::From(draft.body.record_id()));
  }
  if (absl::Status s = state.Append(now, std::move(plan->drafts)); !s.ok()) return s;
  for (const RecordId& id : ids) response.add_refs(state.model.RefOf(*state.model.Find(id)));
  return response;
}

absl::StatusOr<v1::ListNotesResponse> ListNotes(State& state, absl::Time now, const Caller&,
                                                const v1::ListNotesRequest& request) {
  JitId storage;
  const absl::StatusOr<const JitId*> jit = OptionalJit(state, request.jit(), &storage);
  if (!jit.ok()) return jit.status();
  RecordId after;
  if (!request.after().empty()) {
    const auto record = state.model.ResolveKind(request.after(), model::kNoteKind);
    if (!record.ok()) return record.status();
    after = (*record)->id();
  }
  const size_t limit = request.limit() == 0 ? kPageMax : std::min(request.limit(), kPageMax);
  v1::ListNotesResponse response;
  response.set_total(state.model.Count(model::kNoteKind));
  for (const model::Record* record : state.model.List(*jit, model::kNoteKind, limit,
                                                      request.after().empty() ? nullptr : &after)) {
    *response.add_records() = state.model.View(*record, now);
  }
  return response;
}

absl::StatusOr<v1::GetProgressResponse> GetProgress(State& state, absl::Time now, const Caller&,
                                                    const v1::GetProgressRequest& request) {
  JitId storage;
  const absl::StatusOr<const JitId*> jit = OptionalJit(state, request.jit(), &storage);
  if (!jit.ok()) return jit.status();
  return model::Progress(state.model, *jit, now);
}

absl::StatusOr<v1::ExplainRecordResponse> ExplainRecord(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::ExplainRecordRequest& request) {
  const absl::StatusOr<const model::Record*> record = state.model.Resolve(request.record());
  if (!record.ok()) return record.status();
  const absl::StatusOr<PartyId> body = request.for_body().empty()
                                           ? absl::StatusOr<PartyId>(state.self)
                                           : state.BodyByCode(request.for_body());
  if (!body.ok()) return body.status();
  const model::Folded folded = state.model.Fold(**record);
  const model::PlanContext context{state.model,      now,           caller.user, caller.role,
                                   (*record)->jit(), state.entropy, ""};
  model::Question question =
      model::QuestionAbout(context, **record, folded,
                           request.action() == "release" ? model::Action::kRelease
                           : request.action() == "erase" ? model::Action::kErase
                                                         : model::Action::kRead);
  question.body = *body;
  if (*body != state.self) question.role = v1::ROLE_UNSPECIFIED;
  if (const auto* item = dynamic_cast<const v1::EvidenceItem*>(folded.record.get())) {
    question.handling = item->handling();
    question.classification = item->classification();
  }
  const model::Decision decision = model::Decide(question, state.directory);
  v1::ExplainRecordResponse response;
  response.set_allowed(decision.allowed);
  response.set_code(decision.allowed ? "ALLOWED" : decision.code);
  response.set_because(decision.allowed ? Cat("The owner, ", state.CodeOf(folded.owner),
                                              ", addressed it to ", state.CodeOf(*body), ".")
                                        : decision.because);
  response.set_article(decision.article);
  response.set_next(decision.next);
  for (const model::Step& step : decision.steps) {
    v1::ExplainStep* out = response.add_steps();
    out->set_rule(step.rule);
    out->set_passed(step.passed);
    out->set_detail(step.detail);
  }
  return response;
}

absl::StatusOr<v1::ShowHistoryResponse> ShowHistory(State& state, absl::Time, const Caller&,
                                                    const v1::ShowHistoryRequest& request) {
  const absl::StatusOr<const model::Record*> record = state.model.Resolve(request.record());
  if (!record.ok()) return record.status();
  v1::ShowHistoryResponse response;
  for (v1::HistoryItem& item : state.model.History(**record)) {
    *response.add_items() = std::move(item);
  }
  return response;
}

absl::StatusOr<v1::ListChangesResponse> ListChanges(State& state, absl::Time, const Caller&,
                                                    const v1::ListChangesRequest& request) {
  const size_t limit =
      request.limit() == 0 ? 10 * kPageMax : std::min(request.limit(), 10 * kPageMax);
  v1::ListChangesResponse response;
  response.set_next(request.after());
  for (const model::Model::Change& change : state.model.ChangesAfter(request.after(), limit)) {
    const model::Record& record = *state.model.Find(change.id);
    v1::Change* out = response.add_changes();
    out->set_token(change.token);
    out->set_ref(state.model.RefOf(record));
    out->set_kind(state.kinds.Find(record.kind())->name());
    out->set_owner(state.CodeOf(record.entries().front().author));
    out->set_id(record.id().hex());
    response.set_next(change.token);
  }
  return response;
}

}  // namespace entente::core

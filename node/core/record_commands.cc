#include "node/core/record_commands.h"

#include <algorithm>
#include <utility>

#include "node/model/decide.h"
#include "node/model/plans.h"

namespace entente::core {
namespace {

constexpr uint32_t kPageMax = 1000;

absl::StatusOr<model::PlanContext> ContextFor(State& state, absl::Time now, const Caller& caller,
                                              const std::string& jit_text,
                                              const std::string& idempotency_key) {
  const absl::StatusOr<JitId> jit = state.JitByText(jit_text);
  if (!jit.ok()) return jit.status();
  return model::PlanContext{state.model, now,           caller.user,    caller.role,
                            *jit,        state.entropy, idempotency_key};
}

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

std::vector<std::string> ToVector(const google::protobuf::RepeatedPtrField<std::string>& list) {
  return {list.begin(), list.end()};
}

absl::StatusOr<const JitId*> OptionalJit(const State& state, const std::string& text, JitId* jit) {
  if (text.empty()) return nullptr;
  const absl::StatusOr<JitId> named = state.JitByText(text);
  if (!named.ok()) return named.status();
  *jit = *named;
  return jit;
}

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

absl::StatusOr<v1::RecordView> MoveTask(State& state, absl::Time now, const Caller& caller,
                                        const std::string& ref, const std::string& key,
                                        const model::TaskMove& move) {
  const absl::StatusOr<const model::Record*> task = state.model.ResolveKind(ref, model::kTaskKind);
  if (!task.ok()) return task.status();
  return Carry(state, now, key, [&] {
    const model::PlanContext context{state.model,    now,           caller.user, caller.role,
                                     (*task)->jit(), state.entropy, key};
    return model::PlanTaskMove(context, **task, move);
  });
}

}  // namespace

absl::StatusOr<v1::DraftStrategyResponse> DraftStrategy(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::DraftStrategyRequest& request) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  const auto view = Carry(state, now, request.idempotency_key(),
                          [&] { return model::PlanDraftStrategy(*context, request.strategy()); });
  if (!view.ok()) return view.status();
  v1::DraftStrategyResponse response;
  response.set_ref(view->ref());
  return response;
}

absl::StatusOr<v1::AddLineResponse> AddLine(State& state, absl::Time now, const Caller& caller,
                                            const v1::AddLineRequest& request) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  v1::LineOfEnquiry line = request.line();
  if (!request.lead().empty()) {
    const absl::StatusOr<PartyId> lead = state.BodyByCode(request.lead());
    if (!lead.ok()) return lead.status();
    line.set_lead_party(lead->str());
  }
  const auto support = state.BodiesByCode(ToVector(request.support()));
  if (!support.ok()) return support.status();
  for (const PartyId& party : *support) line.add_support_parties(party.str());
  const auto audience = state.BodiesByCode(ToVector(request.audience()));
  if (!audience.ok()) return audience.status();
  auto view = Carry(state, now, request.idempotency_key(),
                    [&] { return model::PlanAddLine(*context, line, *audience); });
  if (!view.ok()) return view.status();
  v1::AddLineResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::ListLinesResponse> ListLines(State& state, absl::Time now, const Caller&,
                                                const v1::ListLinesRequest& request) {
  v1::ListLinesResponse response;
  const absl::Status s =
      ListKind(state, now, request.jit(), model::kLineKind,
               [&](v1::RecordView view) { *response.add_records() = std::move(view); });
  if (!s.ok()) return s;
  return response;
}

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

absl::StatusOr<v1::AddEvidenceResponse> AddEvidence(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::AddEvidenceRequest& request,
                                                    const std::vector<UploadedFile>& uploads) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  v1::EvidenceItem item = request.item();
  for (const std::string& parent : request.parents()) {
    const auto record = state.model.ResolveKind(parent, model::kEvidenceKind);
    if (!record.ok()) return record.status();
    item.add_parents((*record)->id().str());
  }
  const auto audience = state.BodiesByCode(ToVector(request.audience()));
  if (!audience.ok()) return audience.status();
  std::vector<v1::FileRef> files;
  files.reserve(uploads.size());
  for (const UploadedFile& upload : uploads) files.push_back(upload.file);
  const bool repeated = state.model.ByIdempotencyKey(request.idempotency_key()).has_value();
  auto view = Carry(state, now, request.idempotency_key(),
                    [&] { return model::PlanAddEvidence(*context, item, files, *audience); });
  if (!view.ok()) return view.status();
  if (!repeated) {
    for (const v1::FileRef& file : files) state.replica.AddLocalFile(file);
  }
  v1::AddEvidenceResponse response;
  *response.mutable_record() = state.model.View(**state.model.Resolve(view->id()), now);
  return response;
}

absl::StatusOr<v1::ListEvidenceResponse> ListEvidence(State& state, absl::Time now, const Caller&,
                                                      const v1::ListEvidenceRequest& request) {
  v1::ListEvidenceResponse response;
  const absl::Status s =
      ListKind(state, now, request.jit(), model::kEvidenceKind, [&](v1::RecordView view) {
        if (request.line_code().empty() || view.evidence().line_code() == request.line_code()) {
          *response.add_records() = std::move(view);
        }
      });
  if (!s.ok()) return s;
  return response;
}

absl::StatusOr<v1::ShowEvidenceResponse> ShowEvidence(State& state, absl::Time now, const Caller&,
                                                      const v1::ShowEvidenceRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  v1::ShowEvidenceResponse response;
  *response.mutable_record() = state.model.View(**record, now);
  return response;
}

absl::StatusOr<v1::ReleaseEvidenceResponse> ReleaseEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::ReleaseEvidenceRequest& request) {
  const auto added = state.BodiesByCode(ToVector(request.to()));
  if (!added.ok()) return added.status();
  if (added->empty() || request.records().empty()) {
    return absl::InvalidArgumentError(
        "a release needs records and at least one body [SCHEMA]\n  Next: entente evidence release "
        "E-… --to XC");
  }
  v1::ReleaseEvidenceResponse response;
  if (state.model.ByIdempotencyKey(request.idempotency_key()).has_value()) {
    response.set_done(true);
    return response;
  }
  std::vector<sync::Draft> drafts;
  bool key_used = false;
  for (const std::string& ref : request.records()) {
    const auto record = state.model.ResolveKind(ref, model::kEvidenceKind);
    if (!record.ok()) return record.status();
    const model::PlanContext context{state.model,
                                     now,
                                     caller.user,
                                     caller.role,
                                     (*record)->jit(),
                                     state.entropy,
                                     key_used ? "" : request.idempotency_key()};
    key_used = true;
    const model::Decision decision = model::DecideRelease(context, **record, *added);
    const v1::RecordView view = state.model.View(**record, now);
    v1::ReleasePreview* preview = response.add_preview();
    preview->set_ref(view.ref());
    preview->set_title(view.title());
    preview->set_allowed(decision.allowed);
    preview->set_because(decision.because);
    for (const PartyId& party : *added) {
      const std::string code = state.CodeOf(party);
      if (std::find(view.audience().begin(), view.audience().end(), code) ==
          view.audience().end()) {
        preview->add_becomes_readable_for(code);
      }
    }
    for (const v1::FileView& file : view.files()) preview->add_files(file.name());
    if (request.dry_run()) continue;
    absl::StatusOr<model::Plan> plan =
        model::PlanRelease(context, **record, *added, request.legal_basis(), request.purpose());
    if (!plan.ok()) return plan.status();  // one refusal and nothing is released
    for (sync::Draft& draft : plan->drafts) drafts.push_back(std::move(draft));
  }
  if (request.dry_run()) return response;
  if (absl::Status s = state.Append(now, std::move(drafts)); !s.ok()) return s;
  response.set_done(true);
  return response;
}

absl::StatusOr<v1::AssignTaskResponse> AssignTask(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::AssignTaskRequest& request) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  const absl::StatusOr<PartyId> to = state.BodyByCode(request.to());
  if (!to.ok()) return to.status();
  v1::Task task = request.task();
  task.set_to_party(to->str());
  if (task.urgency() == v1::URGENCY_UNSPECIFIED) task.set_urgency(v1::URGENCY_ROUTINE);
  const auto audience = state.BodiesByCode(ToVector(request.audience()));
  auto coordinators = state.BodiesByCode(ToVector(request.coordinators()));
  if (!audience.ok()) return audience.status();
  if (!coordinators.ok()) return coordinators.status();
  // By default Eurojust follows by a card, where the agreement names it.
  const auto current = state.model.CurrentAgreement(context->jit);
  if (coordinators->empty() && !request.no_card() && current.has_value()) {
    for (const v1::AgreementBody& body : current->agreement->bodies()) {
      const auto party = PartyId::From(body.party());
      if (body.kind() == v1::BODY_KIND_EUROJUST && party.ok()) coordinators->insert(*party);
    }
  }
  auto view = Carry(state, now, request.idempotency_key(), [&] {
    return model::PlanAssignTask(*context, task, *audience, *coordinators, !request.no_card());
  });
  if (!view.ok()) return view.status();
  v1::AssignTaskResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::AcceptTaskResponse> AcceptTask(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::AcceptTaskRequest& request) {
  model::TaskMove move{"ACCEPTED", "", {}, {}};
  if (!request.assignee().empty()) {
    move.fields.set_assignee(request.assignee());
    move.field_numbers = {v1::Task::kAssigneeFieldNumber};
  }
  auto view = MoveTask(state, now, caller, request.task(), request.idempotency_key(), move);
  if (!view.ok()) return view.status();
  v1::AcceptTaskResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::DeclineTaskResponse> DeclineTask(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::DeclineTaskRequest& request) {
  model::TaskMove move{"DECLINED", request.reason(), {}, {}};
  move.fields.set_decline_reason(request.reason());
  move.field_numbers = {v1::Task::kDeclineReasonFieldNumber};
  auto view = MoveTask(state, now, caller, request.task(), request.idempotency_key(), move);
  if (!view.ok()) return view.status();
  v1::DeclineTaskResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::UpdateTaskResponse> UpdateTask(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::UpdateTaskRequest& request) {
  model::TaskMove move{
      request.state().empty() ? "IN_PROGRESS" : request.state(), request.reason(), {}, {}};
  if (!request.note().empty()) {
    move.fields.set_result_note(request.note());
    move.field_numbers = {v1::Task::kResultNoteFieldNumber};
  }
  auto view = MoveTask(state, now, caller, request.task(), request.idempotency_key(), move);
  if (!view.ok()) return view.status();
  v1::UpdateTaskResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::CompleteTaskResponse> CompleteTask(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::CompleteTaskRequest& request) {
  model::TaskMove move{
      request.outcome().empty() ? "EXECUTED" : request.outcome(), request.reason(), {}, {}};
  move.fields.set_result_note(request.note());
  move.field_numbers = {v1::Task::kResultNoteFieldNumber};
  for (const std::string& ref : request.results()) {
    const auto item = state.model.ResolveKind(ref, model::kEvidenceKind);
    if (!item.ok()) return item.status();
    move.fields.add_result_items((*item)->id().str());
  }
  if (request.results_size() > 0) {
    move.field_numbers.push_back(v1::Task::kResultItemsFieldNumber);
  }
  auto view = MoveTask(state, now, caller, request.task(), request.idempotency_key(), move);
  if (!view.ok()) return view.status();
  v1::CompleteTaskResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::WithdrawTaskResponse> WithdrawTask(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::WithdrawTaskRequest& request) {
  auto view = MoveTask(state, now, caller, request.task(), request.idempotency_key(),
                       {"WITHDRAWN", request.reason(), {}, {}});
  if (!view.ok()) return view.status();
  v1::WithdrawTaskResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::ListTasksResponse> ListTasks(State& state, absl::Time now, const Caller&,
                                                const v1::ListTasksRequest& request) {
  v1::ListTasksResponse response;
  const absl::Status s =
      ListKind(state, now, request.jit(), model::kTaskKind,
               [&](v1::RecordView view) { *response.add_records() = std::move(view); });
  if (!s.ok()) return s;
  return response;
}

absl::StatusOr<v1::ShowTaskResponse> ShowTask(State& state, absl::Time now, const Caller&,
                                              const v1::ShowTaskRequest& request) {
  const auto record = state.model.ResolveKind(request.task(), model::kTaskKind);
  if (!record.ok()) return record.status();
  v1::ShowTaskResponse response;
  *response.mutable_record() = state.model.View(**record, now);
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
  model::Question question;
  question.action = request.action() == "release" ? model::Action::kRelease : model::Action::kRead;
  question.body = *body;
  if (*body == state.self) question.role = caller.role;
  question.now = now;
  question.exists = folded.exists;
  question.owner = folded.owner;
  question.audience = folded.audience;
  question.record = state.model.RefOf(**record);
  if (const auto* item = dynamic_cast<const v1::EvidenceItem*>(folded.record.get())) {
    question.handling = item->handling();
    question.classification = item->classification();
  }
  const auto current = state.model.CurrentAgreement((*record)->jit());
  question.agreement = current.has_value() ? current->agreement : nullptr;
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

#include "node/core/task_commands.h"

#include <utility>

#include "node/core/carry.h"

namespace entente::core {
namespace {

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

}  // namespace entente::core

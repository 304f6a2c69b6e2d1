// Tasks across a border, their cards, and the progress that coordinators see.
#include <algorithm>
#include <utility>

#include "node/model/plans.h"
#include "node/model/record_plans.h"
#include "node/model/record_ref.h"
#include "sync/record_id.h"

namespace entente::model {
namespace {

// The step of a task or of its card, as one entry of this body.
sync::Draft StepDraft(const PlanContext& context, const Record& record, const Folded& folded,
                      uint32_t from, uint32_t to) {
  sync::Draft draft;
  draft.jit = record.jit();
  draft.audience = folded.audience;
  draft.body.set_record_id(record.id().str());
  draft.body.set_kind(record.kind());
  draft.body.set_user(context.user);
  draft.body.set_agreement(context.model.CurrentAgreement(record.jit())->version.str());
  draft.body.mutable_transition()->set_from(from);
  draft.body.mutable_transition()->set_to(to);
  record.FillRefs(context.model.self(), folded.audience, &draft.body);
  return draft;
}

// Whoever is not to see people's names sees none on a card either.
void HidePeople(sync::Draft* draft) { draft->body.clear_user(); }

}  // namespace

absl::StatusOr<Plan> PlanAssignTask(const PlanContext& context, const v1::Task& task,
                                    const sync::Members& audience,
                                    const sync::Members& coordinators, bool with_card) {
  const absl::StatusOr<PartyId> executor = PartyId::From(task.to_party());
  if (!executor.ok()) {
    return absl::InvalidArgumentError("a task needs a body to carry it out: --to XB [SCHEMA]");
  }
  sync::Members readers = audience;
  readers.insert(context.model.self());
  readers.insert(*executor);
  sync::Members card_readers = coordinators;
  card_readers.insert(context.model.self());
  card_readers.insert(*executor);
  sync::Members all = readers;
  all.insert(card_readers.begin(), card_readers.end());
  Question question;
  question.action = Action::kAssignTask;
  question.body = context.model.self();
  question.role = context.role;
  question.now = context.now;
  question.audience = all;
  const auto current = context.model.CurrentAgreement(context.jit);
  question.agreement = current.has_value() ? current->agreement : nullptr;
  if (absl::Status s = ToStatus(Decide(question, context.model.directory())); !s.ok()) return s;
  const BodyInfo* to = context.model.directory().Find(*executor);
  if (to != nullptr && IsUnionBody(to->kind)) {
    return absl::PermissionDeniedError(
        Cat("refused: ", to->code,
            " is a participant and carries out no measures [NOT_AN_EXECUTOR]\n"
            "  Reg. (EU) 2023/969 Art. 3(5)\n  Next: assign it to a party"));
  }
  const Kind& kind = *context.model.kinds().Find(kTaskKind);
  if (absl::Status s = kind.Validate(task); !s.ok()) return s;

  Plan plan;
  const std::string blind_key = context.entropy.Bytes(32);
  plan.primary = sync::RecordIdOf(context.jit, kTaskKind, context.model.self(), blind_key);
  const std::string group = context.entropy.Bytes(16);
  const auto create = [&](uint32_t number, const RecordId& id, const sync::Members& who,
                          const google::protobuf::Message& record, const std::string& key) {
    sync::Draft draft;
    draft.jit = context.jit;
    draft.audience = who;
    draft.body.set_record_id(id.str());
    draft.body.set_kind(number);
    draft.body.set_user(context.user);
    draft.body.set_agreement(current->version.str());
    draft.body.set_group(group);
    draft.body.mutable_create()->set_record(record.SerializeAsString());
    draft.body.mutable_create()->set_blind_key(key);
    draft.body.mutable_create()->set_state(v1::TASK_STATE_SENT);
    return draft;
  };
  plan.drafts.push_back(create(kTaskKind, plan.primary, readers, task, blind_key));
  plan.drafts.front().body.set_idempotency_key(context.idempotency_key);
  if (!with_card || coordinators.empty()) return plan;
  v1::Card card;
  card.set_kind(kTaskKind);
  card.set_blinded_record(BlindedRecord(blind_key, plan.primary));
  card.set_responsible_party(task.to_party());
  card.set_state(v1::TASK_STATE_SENT);
  card.set_due(task.due());
  card.set_urgency(task.urgency());
  card.set_task_kind(task.kind());
  const std::string card_key = context.entropy.Bytes(32);
  const RecordId card_id = sync::RecordIdOf(context.jit, kCardKind, context.model.self(), card_key);
  card.set_reference(RecordRef(*context.model.kinds().Find(kCardKind), card_id));
  plan.drafts.push_back(create(kCardKind, card_id, card_readers, card, card_key));
  HidePeople(&plan.drafts.back());
  return plan;
}

absl::StatusOr<Plan> PlanTaskMove(const PlanContext& context, const Record& task,
                                  const TaskMove& move) {
  const Folded folded = context.model.Fold(task);
  const Kind& kind = *context.model.kinds().Find(kTaskKind);
  const PartyId& self = context.model.self();
  const Question question = QuestionAbout(context, task, folded, Action::kMoveTask);
  if (absl::Status s = ToStatus(Decide(question, context.model.directory())); !s.ok()) return s;
  const absl::StatusOr<uint32_t> to = kind.StateNumber(move.to);
  if (!to.ok()) return to.status();

  const bool executes = folded.executor.has_value() && *folded.executor == self;
  const bool owns = folded.owner == self;
  const v1::TransitionRule* rule = nullptr;
  if (executes) rule = kind.Rule(folded.state, *to, Side::kExecutor);
  if (rule == nullptr && owns) rule = kind.Rule(folded.state, *to, Side::kOwner);
  if (rule == nullptr) {
    const std::string now_state = kind.StateName(folded.state);
    const std::string who = folded.executor.has_value() ? context.model.CodeOf(*folded.executor)
                                                        : "the body it is addressed to";
    const bool executor_step = kind.Rule(folded.state, *to, Side::kExecutor) != nullptr;
    if (executor_step && !executes) {
      return absl::PermissionDeniedError(
          Cat("refused: only ", who, " can move ", question.record, " to ", move.to,
              " [NOT_EXECUTOR]\n  FD 2002/465/JHA Art. 1(7)\n  Next: ask ", who));
    }
    return absl::FailedPreconditionError(
        Cat(question.record, " is ", now_state, " and cannot go to ", move.to,
            " from there [BAD_STATE]\n  Next: entente task show ", question.record));
  }
  if (rule->justify() && move.reason.empty()) {
    return absl::InvalidArgumentError(Cat("moving ", question.record, " to ", move.to,
                                          " needs a reason: --reason TEXT "
                                          "[REASON_NEEDED]"));
  }
  Plan plan;
  plan.primary = task.id();
  sync::Draft draft = StepDraft(context, task, folded, folded.state, *to);
  draft.body.set_justification(move.reason);
  draft.body.set_idempotency_key(context.idempotency_key);
  if (!move.field_numbers.empty()) {
    draft.body.mutable_transition()->set_record(move.fields.SerializeAsString());
    for (const uint32_t number : move.field_numbers) {
      draft.body.mutable_transition()->add_fields(number);
    }
  }
  const std::string group = context.entropy.Bytes(16);
  draft.body.set_group(group);
  plan.drafts.push_back(std::move(draft));
  if (const Record* card = context.model.CardOf(task)) {
    const Folded shown = context.model.Fold(*card);
    if (shown.exists && shown.audience.contains(self)) {
      sync::Draft step = StepDraft(context, *card, shown, shown.state, *to);
      step.body.set_group(group);
      HidePeople(&step);
      plan.drafts.push_back(std::move(step));
    }
  }
  return plan;
}

v1::GetProgressResponse Progress(const Model& model, const JitId* jit, absl::Time now) {
  v1::GetProgressResponse out;
  std::map<std::pair<std::string, std::string>, v1::ProgressRow> rows;
  for (const Record* record : model.List(jit, kCardKind)) {
    v1::RecordView view = model.View(*record, now);
    if (!view.has_card()) continue;
    const Kind* kind = model.kinds().Find(view.card().kind());
    v1::ProgressRow& row = rows[{view.executor(), kind == nullptr ? "" : kind->name()}];
    row.set_body(view.executor());
    row.set_kind(kind == nullptr ? "" : kind->name());
    ++(*row.mutable_by_state())[view.state()];
    const std::string& state = view.state();
    if (state == "DECLINED" || state == "WITHDRAWN") {
      row.set_declined(row.declined() + 1);
    } else if (state == "EXECUTED" || state == "PARTLY_EXECUTED" || state == "IMPOSSIBLE" ||
               state == "REVIEWED" || state == "CLOSED") {
      row.set_done(row.done() + 1);
    } else {
      row.set_open(row.open() + 1);
      const int64_t due = view.card().due();
      if (due != 0 && (row.next_due() == 0 || due < row.next_due())) row.set_next_due(due);
    }
    if (view.overdue()) row.set_overdue(row.overdue() + 1);
    *out.add_cards() = std::move(view);
  }
  for (auto& [key, row] : rows) *out.add_rows() = std::move(row);
  return out;
}

}  // namespace entente::model

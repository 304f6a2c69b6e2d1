#include "node/model/record_plans.h"

namespace entente::model {

Question QuestionAbout(const PlanContext& context, const Record& record, const Folded& folded,
                       Action action) {
  Question question;
  question.action = action;
  question.body = context.model.self();
  question.role = context.role;
  question.now = context.now;
  question.exists = folded.exists;
  question.owner = folded.owner;
  question.audience = folded.audience;
  question.restricted =
      record.kind() == kEvidenceKind && folded.state == v1::EVIDENCE_STATE_RESTRICTED;
  question.erased = folded.erasure.has_value();
  question.record = context.model.RefOf(record);
  const auto current = context.model.CurrentAgreement(record.jit());
  question.agreement = current.has_value() ? current->agreement : nullptr;
  return question;
}

sync::Draft DraftAbout(const PlanContext& context, const Record& record, const Folded& folded) {
  sync::Draft draft;
  draft.jit = record.jit();
  draft.audience = folded.audience;
  draft.body.set_record_id(record.id().str());
  draft.body.set_kind(record.kind());
  draft.body.set_user(context.user);
  draft.body.set_agreement(context.model.CurrentAgreement(record.jit())->version.str());
  draft.body.set_idempotency_key(context.idempotency_key);
  record.FillRefs(context.model.self(), folded.audience, &draft.body);
  return draft;
}

sync::Draft EventDraft(const PlanContext& context, const Record& record, const Folded& folded,
                       const v1::CustodyEvent& event) {
  sync::Draft draft = DraftAbout(context, record, folded);
  draft.body.mutable_event()->set_event_kind(event.kind());
  draft.body.mutable_event()->set_event(event.SerializeAsString());
  return draft;
}

absl::Status CheckReason(const std::string& reason) {
  if (reason.empty()) {
    return absl::InvalidArgumentError(
        "say why; all readers of the item will see it [SCHEMA]\n  Next: --reason TEXT");
  }
  return CheckText(reason, 4096, true);
}

}  // namespace entente::model

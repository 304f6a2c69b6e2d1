// Items that were wrong, or that are contested: corrections with everybody's note of them, and
// restriction instead of erasure (Dir. (EU) 2016/680 Art. 7(3), 16).
#include <algorithm>
#include <utility>

#include "node/model/record_plans.h"

namespace entente::model {
namespace {

Decision DecideChange(const PlanContext& context, const Record& record, const Folded& folded,
                      Action action) {
  return Decide(QuestionAbout(context, record, folded, action), context.model.directory());
}

std::string FieldName(std::string_view typed) {
  std::string out(typed);
  for (char& c : out) c = c == ' ' || c == '-' ? '_' : c;
  return out;
}

}  // namespace

absl::StatusOr<Plan> PlanCorrection(const PlanContext& context, const Record& record,
                                    const v1::EvidenceItem& item,
                                    const std::vector<std::string>& clear,
                                    const std::string& reason) {
  const Folded folded = context.model.Fold(record);
  if (absl::Status s = ToStatus(DecideChange(context, record, folded, Action::kChange)); !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckReason(reason); !s.ok()) return s;
  std::vector<const google::protobuf::FieldDescriptor*> set;
  v1::EvidenceItem::GetReflection()->ListFields(item, &set);
  std::set<uint32_t> fields;
  for (const auto* field : set) fields.insert(static_cast<uint32_t>(field->number()));
  for (const std::string& name : clear) {
    const auto* field = v1::EvidenceItem::descriptor()->FindFieldByName(FieldName(name));
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          Cat("an item has no field \"", CleanForDisplay(name), "\" [BAD_VALUE]"));
    }
    fields.insert(static_cast<uint32_t>(field->number()));
  }
  if (fields.empty()) {
    return absl::InvalidArgumentError(
        "say what is right instead [SCHEMA]\n  Next: name a fact, for example --exhibit LS/5");
  }
  v1::EvidenceItem next;
  next.CopyFrom(*folded.record);
  for (const uint32_t number : fields) {
    const auto* field = v1::EvidenceItem::descriptor()->FindFieldByNumber(static_cast<int>(number));
    v1::EvidenceItem::GetReflection()->ClearField(&next, field);
  }
  next.MergeFrom(item);
  const Kind& kind = *context.model.kinds().Find(record.kind());
  if (absl::Status s = kind.Validate(next); !s.ok()) return s;
  sync::Draft draft = DraftAbout(context, record, folded);
  draft.body.set_justification(reason);
  draft.body.mutable_amend()->set_record(item.SerializeAsString());
  for (const uint32_t number : fields) draft.body.mutable_amend()->add_fields(number);
  Plan plan;
  plan.primary = record.id();
  plan.drafts.push_back(std::move(draft));
  return plan;
}

absl::StatusOr<Plan> PlanNoteCorrections(const PlanContext& context, const Record& record) {
  const Folded folded = context.model.Fold(record);
  if (absl::Status s = ToStatus(DecideChange(context, record, folded, Action::kRecordCustody));
      !s.ok()) {
    return s;
  }
  const PartyId& self = context.model.self();
  Plan plan;
  plan.primary = record.id();
  if (folded.owner == self) return plan;
  for (const Correction& correction : folded.corrections) {
    if (HasNoted(folded, correction.leaf, self)) continue;
    v1::CustodyEvent event;
    event.set_kind(v1::CUSTODY_EVENT_KIND_CORRECTION_NOTED);
    event.set_time(absl::ToUnixSeconds(context.now));
    event.set_actor(context.user);
    event.set_answers(correction.leaf.str());
    plan.drafts.push_back(EventDraft(context, record, folded, event));
  }
  return plan;
}

absl::StatusOr<Plan> PlanRestriction(const PlanContext& context, const Record& record, bool lift,
                                     const std::string& reason) {
  const Folded folded = context.model.Fold(record);
  if (absl::Status s = ToStatus(DecideChange(context, record, folded, Action::kChange)); !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckReason(reason); !s.ok()) return s;
  const bool restricted = folded.state == v1::EVIDENCE_STATE_RESTRICTED;
  if (restricted != lift) {
    return absl::FailedPreconditionError(Cat(context.model.RefOf(record),
                                             lift ? " is not restricted" : " is restricted already",
                                             " [BAD_STATE]"));
  }
  const bool released =
      std::any_of(folded.custody.begin(), folded.custody.end(), [](const CustodyItem& item) {
        return item.event.kind() == v1::CUSTODY_EVENT_KIND_RELEASED_TO;
      });
  sync::Draft draft = DraftAbout(context, record, folded);
  draft.body.set_justification(reason);
  draft.body.mutable_transition()->set_from(folded.state);
  draft.body.mutable_transition()->set_to(!lift      ? v1::EVIDENCE_STATE_RESTRICTED
                                          : released ? v1::EVIDENCE_STATE_RELEASED
                                                     : v1::EVIDENCE_STATE_REGISTERED);
  Plan plan;
  plan.primary = record.id();
  plan.drafts.push_back(std::move(draft));
  return plan;
}

}  // namespace entente::model

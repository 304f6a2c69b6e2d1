#include "node/model/plans.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "node/model/agreement_rules.h"
#include "node/model/record_plans.h"
#include "node/model/record_ref.h"
#include "sync/record_id.h"

namespace entente::model {
namespace {

constexpr int kCustodySoFarMax = 500;  // an entry holds 256 KiB

absl::Status MayCreate(const PlanContext& context, Action action, const sync::Members& audience,
                       const std::string& classification = "") {
  Question question;
  question.action = action;
  question.body = context.model.self();
  question.role = context.role;
  question.now = context.now;
  question.audience = audience;
  question.classification = classification;
  const auto current = context.model.CurrentAgreement(context.jit);
  question.agreement = current.has_value() ? current->agreement : nullptr;
  if (absl::Status s = ToStatus(Decide(question, context.model.directory())); !s.ok()) return s;
  return MayContribute(*current->agreement, context.model.self());
}

sync::Draft NewDraft(const PlanContext& context, uint32_t kind, const RecordId& id,
                     const sync::Members& audience) {
  sync::Draft draft;
  draft.jit = context.jit;
  draft.audience = audience;
  draft.body.set_record_id(id.str());
  draft.body.set_kind(kind);
  draft.body.set_user(context.user);
  draft.body.set_agreement(context.model.CurrentAgreement(context.jit)->version.str());
  return draft;
}

absl::StatusOr<sync::Draft> CreateDraft(const PlanContext& context, uint32_t kind,
                                        const google::protobuf::Message& record,
                                        const sync::Members& audience) {
  const Kind& rules = *context.model.kinds().Find(kind);
  if (absl::Status s = rules.Validate(record); !s.ok()) return s;
  const std::string blind_key = context.entropy.Bytes(32);
  const RecordId id = sync::RecordIdOf(context.jit, kind, context.model.self(), blind_key);
  sync::Draft draft = NewDraft(context, kind, id, audience);
  v1::Create* create = draft.body.mutable_create();
  create->set_record(record.SerializeAsString());
  create->set_blind_key(blind_key);
  create->set_state(rules.InitialState());
  return draft;
}

sync::Members WithSelf(const PlanContext& context, sync::Members audience) {
  audience.insert(context.model.self());
  return audience;
}

absl::StatusOr<Plan> PlanOne(const PlanContext& context, uint32_t kind,
                             const google::protobuf::Message& record,
                             const sync::Members& audience) {
  const sync::Members readers = WithSelf(context, audience);
  if (absl::Status s = MayCreate(context, Action::kCreate, readers); !s.ok()) return s;
  Plan plan;
  absl::StatusOr<sync::Draft> draft = CreateDraft(context, kind, record, readers);
  if (!draft.ok()) return draft.status();
  plan.primary = *RecordId::From(draft->body.record_id());
  draft->body.set_idempotency_key(context.idempotency_key);
  plan.drafts.push_back(*std::move(draft));
  return plan;
}

// What derives from something is handled at least as carefully.
v1::HandlingCode StrictestOfParents(const Model& model, const v1::EvidenceItem& item) {
  v1::HandlingCode out = item.handling();
  for (const std::string& raw : item.parents()) {
    const auto id = RecordId::From(raw);
    const Record* parent = id.ok() ? model.Find(*id) : nullptr;
    if (parent == nullptr) continue;
    const Folded folded = model.Fold(*parent);
    const auto* of = dynamic_cast<const v1::EvidenceItem*>(folded.record.get());
    if (of != nullptr) out = std::max(out, of->handling());
  }
  return out;
}

// What this body recorded of the item before: a new reader gets the chain from its beginning, as
// the owner's word. Hand-overs and who looked at it stay between those who were there.
void AddCustodySoFar(const PlanContext& context, const Folded& folded, v1::Snapshot* snapshot) {
  for (const CustodyItem& item : folded.custody) {
    switch (item.event.kind()) {
      case v1::CUSTODY_EVENT_KIND_RELEASED_TO:
      case v1::CUSTODY_EVENT_KIND_RECEIVED_BY:
      case v1::CUSTODY_EVENT_KIND_ACCESSED:
      case v1::CUSTODY_EVENT_KIND_EXPORTED:
      case v1::CUSTODY_EVENT_KIND_CORRECTION_NOTED:
        continue;
      default:
        break;
    }
    if (item.author != context.model.self() || snapshot->events_size() >= kCustodySoFarMax)
      continue;
    v1::CustodyEvent event = item.event;
    if (event.actor().empty()) event.set_actor(item.user);
    v1::Event* out = snapshot->add_events();
    out->set_event_kind(event.kind());
    out->set_event(event.SerializeAsString());
  }
}

}  // namespace

absl::StatusOr<Plan> PlanDraftStrategy(const PlanContext& context, const v1::Strategy& strategy) {
  return PlanOne(context, kStrategyKind, strategy, {});
}

absl::StatusOr<Plan> PlanAddLine(const PlanContext& context, const v1::LineOfEnquiry& line,
                                 const sync::Members& audience) {
  return PlanOne(context, kLineKind, line, audience);
}

std::string NoteKey(const std::string& idempotency_key, size_t position) {
  if (idempotency_key.empty()) return "";
  return Cat(idempotency_key, "#", std::to_string(position));
}

absl::StatusOr<Plan> PlanAddNotes(const PlanContext& context, const std::vector<std::string>& texts,
                                  const sync::Members& audience) {
  if (texts.empty()) return absl::InvalidArgumentError("no text to note [SCHEMA]");
  if (texts.size() > 4096) {
    return absl::InvalidArgumentError("at most 4096 notes at once [TOO_LONG]");
  }
  const sync::Members readers = WithSelf(context, audience);
  if (absl::Status s = MayCreate(context, Action::kCreate, readers); !s.ok()) return s;
  Plan plan;
  for (const std::string& text : texts) {
    v1::Note note;
    note.set_text(text);
    absl::StatusOr<sync::Draft> draft = CreateDraft(context, kNoteKind, note, readers);
    if (!draft.ok()) return draft.status();
    plan.primary = *RecordId::From(draft->body.record_id());
    draft->body.set_idempotency_key(NoteKey(context.idempotency_key, plan.drafts.size()));
    plan.drafts.push_back(*std::move(draft));
  }
  return plan;
}

absl::StatusOr<Plan> PlanAddEvidence(const PlanContext& context, const v1::EvidenceItem& item,
                                     const std::vector<v1::FileRef>& files,
                                     const sync::Members& audience) {
  const sync::Members readers = WithSelf(context, audience);
  if (absl::Status s = MayCreate(context, Action::kCreate, readers, item.classification());
      !s.ok()) {
    return s;
  }
  for (const v1::FileRef& file : files) {
    if (absl::Status s = CheckText(file.name(), 1024, false); !s.ok()) {
      return absl::InvalidArgumentError(Cat("the file name ", ToStd(s.message())));
    }
  }
  Plan plan;
  v1::EvidenceItem checked = item;
  if (checked.origin_party().empty()) checked.set_origin_party(context.model.self().str());
  checked.set_handling(StrictestOfParents(context.model, checked));
  absl::StatusOr<sync::Draft> draft = CreateDraft(context, kEvidenceKind, checked, readers);
  if (!draft.ok()) return draft.status();
  plan.primary = *RecordId::From(draft->body.record_id());
  for (const v1::FileRef& file : files) *draft->body.add_files() = file;
  draft->body.set_idempotency_key(context.idempotency_key);
  plan.drafts.push_back(*std::move(draft));
  return plan;
}

Decision DecideRelease(const PlanContext& context, const Record& record,
                       const sync::Members& added) {
  const Folded folded = context.model.Fold(record);
  Question question = QuestionAbout(context, record, folded, Action::kRelease);
  question.added = added;
  if (const auto* item = dynamic_cast<const v1::EvidenceItem*>(folded.record.get())) {
    question.handling = item->handling();
    question.classification = item->classification();
  }
  return Decide(question, context.model.directory());
}

absl::StatusOr<Plan> PlanRelease(const PlanContext& context, const Record& record,
                                 const sync::Members& added, const std::string& legal_basis,
                                 const std::string& purpose) {
  if (absl::Status s = ToStatus(DecideRelease(context, record, added)); !s.ok()) return s;
  const Folded folded = context.model.Fold(record);
  sync::Members audience = folded.audience;
  audience.insert(added.begin(), added.end());
  Plan plan;
  plan.primary = record.id();
  if (audience == folded.audience) return plan;  // all of them read it already
  sync::Draft draft = NewDraft(context, record.kind(), record.id(), audience);
  v1::Release* release = draft.body.mutable_release();
  release->set_record_id(record.id().str());
  v1::Snapshot* snapshot = release->mutable_snapshot();
  snapshot->set_record(folded.record->SerializeAsString());
  snapshot->set_state(folded.state);
  snapshot->set_blind_key(folded.blind_key);
  const auto blind_key = crypto::Secret32::From(folded.blind_key);
  if (blind_key.ok()) {
    release->set_supersedes_blinded(
        std::string(crypto::K(*blind_key, "blind", {folded.created_leaf.view()}).view()));
  }
  AddCustodySoFar(context, folded, snapshot);
  release->set_legal_basis(legal_basis.empty() ? purpose : legal_basis);
  for (const PartyId& party : added) {
    if (!folded.audience.contains(party)) release->add_added(party.str());
  }
  for (const v1::FileRef& file : folded.files) *draft.body.add_files() = file;
  draft.body.set_justification(purpose);
  draft.body.set_idempotency_key(context.idempotency_key);
  record.FillRefs(context.model.self(), audience, &draft.body);
  plan.drafts.push_back(std::move(draft));
  return plan;
}

absl::StatusOr<Plan> PlanGrants(const PlanContext& context, const Record& record, const PartyId& to,
                                std::vector<v1::Grant> grants) {
  if (absl::Status s = ToStatus(DecideRelease(context, record, {to})); !s.ok()) return s;
  const sync::Members pair = {context.model.self(), to};
  Plan plan;
  plan.primary = record.id();
  for (v1::Grant& grant : grants) {
    sync::Draft draft = NewDraft(context, record.kind(), record.id(), pair);
    *draft.body.mutable_grant() = std::move(grant);
    draft.body.set_idempotency_key(plan.drafts.empty() ? context.idempotency_key : "");
    record.FillRefs(context.model.self(), pair, &draft.body);
    plan.drafts.push_back(std::move(draft));
  }
  return plan;
}

}  // namespace entente::model

// The chain of custody: what people record, what the node answers by itself.
#include <algorithm>
#include <utility>

#include "node/model/record_plans.h"
#include "sync/hlc.h"

namespace entente::model {
namespace {

constexpr absl::Duration kClocksApart = absl::Minutes(10);
constexpr absl::Duration kOneAccess = absl::Hours(1);

// Events that stand for acts of their own are not written by hand.
bool ByPeople(v1::CustodyEventKind kind) {
  switch (kind) {
    case v1::CUSTODY_EVENT_KIND_UNSPECIFIED:
    case v1::CUSTODY_EVENT_KIND_REGISTERED:
    case v1::CUSTODY_EVENT_KIND_RELEASED_TO:
    case v1::CUSTODY_EVENT_KIND_CORRECTION_NOTED:
      return false;
    default:
      return v1::CustodyEventKind_IsValid(kind);
  }
}

Decision DecideCustody(const PlanContext& context, const Record& record, const Folded& folded) {
  return Decide(QuestionAbout(context, record, folded, Action::kRecordCustody),
                context.model.directory());
}

// The hand-over that this body has to answer: the newest release that names it, else the creation.
Hash HandOverTo(const PartyId& self, const Folded& folded) {
  Hash answers = folded.created_leaf;
  for (const CustodyItem& item : folded.custody) {
    const auto& to = item.event.to_parties();
    if (item.event.kind() == v1::CUSTODY_EVENT_KIND_RELEASED_TO &&
        std::find(to.begin(), to.end(), self.view()) != to.end()) {
      answers = item.leaf;
    }
  }
  return answers;
}

// The half of a hand-over that this body tells.
void AnswerHandOver(const PartyId& self, const Folded& folded, v1::CustodyEvent* event) {
  event->set_from_party(folded.owner.str());
  event->add_to_parties(self.str());
  event->set_answers(HandOverTo(self, folded).str());
}

const v1::FileRef* FileNamed(const Folded& folded, std::string_view name) {
  for (const v1::FileRef& file : folded.files) {
    if (file.name() == name) return &file;
  }
  return nullptr;
}

absl::Status CheckEvent(const PlanContext& context, const Folded& folded, const std::string& ref,
                        const v1::CustodyEvent& event) {
  if (!ByPeople(event.kind())) {
    return absl::InvalidArgumentError(
        "say what was done: collected, sealed, acquired, hashed, received-by, verified, "
        "hash-mismatch, accessed, exported, examined, derived, translated, moved, tendered, "
        "disclosed, returned or note [BAD_VALUE]\n  A hand-over to another body is a release: "
        "entente evidence release");
  }
  if (event.time() > absl::ToUnixSeconds(context.now + kClocksApart)) {
    return absl::InvalidArgumentError(
        "its time is still to come [BAD_VALUE]\n  Next: give the time at which it was done, or "
        "none for now");
  }
  for (const std::string* text :
       {&event.actor(), &event.purpose(), &event.place(), &event.instrument()}) {
    if (absl::Status s = CheckText(*text, 4096, true); !s.ok()) return s;
  }
  if (!event.file_name().empty() && FileNamed(folded, event.file_name()) == nullptr) {
    return absl::NotFoundError(Cat(ref, " has no file \"", CleanForDisplay(event.file_name()),
                                   "\" [NO_FILE]\n  Next: entente evidence show ", ref));
  }
  if (event.corrects().empty()) return absl::OkStatus();
  for (const CustodyItem& item : folded.custody) {
    if (item.leaf.view() != event.corrects()) continue;
    if (item.author == context.model.self()) return absl::OkStatus();
    return absl::PermissionDeniedError(
        Cat("refused: ", context.model.CodeOf(item.author),
            " recorded that; only it can put it right [NOT_AUTHOR]\n  Next: record a note"));
  }
  return absl::NotFoundError(Cat("no event of that entry belongs to ", ref,
                                 " [NOT_HERE]\n  Next: entente evidence show ", ref));
}

}  // namespace

absl::StatusOr<Plan> PlanCustody(const PlanContext& context, const Record& record,
                                 v1::CustodyEvent event) {
  const Folded folded = context.model.Fold(record);
  if (absl::Status s = ToStatus(DecideCustody(context, record, folded)); !s.ok()) return s;
  const std::string ref = context.model.RefOf(record);
  if (absl::Status s = CheckEvent(context, folded, ref, event); !s.ok()) return s;
  if (event.time() == 0) event.set_time(absl::ToUnixSeconds(context.now));
  if (const v1::FileRef* file = FileNamed(folded, event.file_name())) {
    event.set_sha256(file->plain_sha256());
  }
  if (event.kind() == v1::CUSTODY_EVENT_KIND_RECEIVED_BY) {
    const PartyId& self = context.model.self();
    if (folded.owner == self) {
      return absl::FailedPreconditionError(
          Cat(ref, " is this body's own; nobody handed it over [NOT_HANDED_OVER]"));
    }
    AnswerHandOver(self, folded, &event);
  }
  Plan plan;
  plan.primary = record.id();
  plan.drafts.push_back(EventDraft(context, record, folded, event));
  return plan;
}

absl::StatusOr<Plan> PlanReceipt(const PlanContext& context, const Record& record,
                                 const v1::FileRef& file) {
  const Folded folded = context.model.Fold(record);
  const PartyId& self = context.model.self();
  Plan plan;
  plan.primary = record.id();
  if (!folded.exists || folded.owner == self) return plan;
  if (!context.model.CurrentAgreement(record.jit()).has_value()) return plan;
  for (const CustodyItem& item : folded.custody) {
    if (item.event.kind() == v1::CUSTODY_EVENT_KIND_RECEIVED_BY && item.author == self &&
        item.event.sha256() == file.plain_sha256()) {
      return plan;  // said before
    }
  }
  v1::CustodyEvent event;
  event.set_kind(v1::CUSTODY_EVENT_KIND_RECEIVED_BY);
  event.set_time(absl::ToUnixSeconds(context.now));
  AnswerHandOver(self, folded, &event);
  event.set_purpose("received in full, SHA-256 compared");
  event.set_sha256(file.plain_sha256());
  event.set_file_name(file.name());
  plan.drafts.push_back(EventDraft(context, record, folded, event));
  return plan;
}

Plan PlanAccess(const PlanContext& context, const Record& record, const v1::FileRef& file) {
  const Folded folded = context.model.Fold(record);
  Plan plan;
  plan.primary = record.id();
  if (!folded.exists || folded.owner == context.model.self()) return plan;
  // The rules of the body, not of the person: whoever may read is recorded, whatever else they may.
  PlanContext as_body = context;
  as_body.role = v1::ROLE_UNSPECIFIED;
  if (!DecideCustody(as_body, record, folded).allowed) return plan;
  for (const CustodyItem& item : folded.custody) {
    const bool this_file = item.event.kind() == v1::CUSTODY_EVENT_KIND_ACCESSED &&
                           item.event.sha256() == file.plain_sha256();
    // Whoever exports an item opens all of its files.
    const bool all_files = item.event.kind() == v1::CUSTODY_EVENT_KIND_EXPORTED;
    if ((this_file || all_files) && item.author == context.model.self() &&
        item.user == context.user && sync::TimeFromHlc(item.hlc) > context.now - kOneAccess) {
      return plan;
    }
  }
  v1::CustodyEvent event;
  event.set_kind(v1::CUSTODY_EVENT_KIND_ACCESSED);
  event.set_time(absl::ToUnixSeconds(context.now));
  event.set_actor(context.user);
  event.set_file_name(file.name());
  event.set_sha256(file.plain_sha256());
  plan.drafts.push_back(EventDraft(as_body, record, folded, event));
  return plan;
}

}  // namespace entente::model

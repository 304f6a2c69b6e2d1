// Records as people see them.
#include <algorithm>

#include "node/model/model.h"
#include "sync/hlc.h"

namespace entente::model {
namespace {

int64_t Seconds(uint64_t hlc) { return absl::ToUnixSeconds(sync::TimeFromHlc(hlc)); }

bool Finished(uint32_t state) {
  switch (state) {
    case v1::TASK_STATE_EXECUTED:
    case v1::TASK_STATE_PARTLY_EXECUTED:
    case v1::TASK_STATE_IMPOSSIBLE:
    case v1::TASK_STATE_REVIEWED:
    case v1::TASK_STATE_CLOSED:
    case v1::TASK_STATE_WITHDRAWN:
    case v1::TASK_STATE_DECLINED:
      return true;
    default:
      return false;
  }
}

void SetRecord(const google::protobuf::Message& record, v1::RecordView* view) {
  if (const auto* line = dynamic_cast<const v1::LineOfEnquiry*>(&record)) {
    *view->mutable_line() = *line;
  } else if (const auto* task = dynamic_cast<const v1::Task*>(&record)) {
    *view->mutable_task() = *task;
  } else if (const auto* item = dynamic_cast<const v1::EvidenceItem*>(&record)) {
    *view->mutable_evidence() = *item;
  } else if (const auto* note = dynamic_cast<const v1::Note*>(&record)) {
    *view->mutable_note() = *note;
  } else if (const auto* card = dynamic_cast<const v1::Card*>(&record)) {
    *view->mutable_card() = *card;
  } else if (const auto* strategy = dynamic_cast<const v1::Strategy*>(&record)) {
    *view->mutable_strategy() = *strategy;
  }
}

// Whether every body a hand-over names has answered it.
bool Answered(const CustodyItem& handed, const std::vector<CustodyItem>& all) {
  for (const std::string& party : handed.event.to_parties()) {
    const bool found = std::any_of(all.begin(), all.end(), [&](const CustodyItem& other) {
      return other.event.kind() == v1::CUSTODY_EVENT_KIND_RECEIVED_BY &&
             other.author.view() == party && other.event.answers() == handed.leaf.view();
    });
    if (!found) return false;
  }
  return handed.event.to_parties_size() > 0;
}

v1::CustodyView ViewCustody(const CustodyItem& item, const std::vector<CustodyItem>& all,
                            const Directory& directory) {
  v1::CustodyView view;
  std::string name = v1::CustodyEventKind_Name(item.event.kind());
  view.set_kind(name.substr(std::string("CUSTODY_EVENT_KIND_").size()));
  view.set_time(item.event.time() != 0 ? item.event.time() : Seconds(item.hlc));
  view.set_body(directory.CodeOf(item.author));
  view.set_actor(item.event.actor().empty() ? item.user : item.event.actor());
  view.set_purpose(item.event.purpose());
  for (const std::string& raw : item.event.to_parties()) {
    if (const auto party = PartyId::From(raw); party.ok()) view.add_to(directory.CodeOf(*party));
  }
  view.set_file_name(item.event.file_name());
  view.set_sha256(Hex(item.event.sha256()));
  view.set_answered(Answered(item, all));
  view.set_entry(item.leaf.hex());
  view.set_answers(Hex(item.event.answers()));
  return view;
}

}  // namespace

v1::RecordView Model::View(const Record& record, absl::Time now) const {
  Folded folded = Fold(record);
  const Kind& kind = *kinds_.Find(record.kind());
  v1::RecordView view;
  view.set_ref(RefOf(record));
  view.set_id(record.id().hex());
  view.set_kind(kind.name());
  view.set_jit(record.jit().hex());
  view.set_refused(static_cast<uint32_t>(folded.refused.size()));
  if (!folded.exists) {
    view.set_state("WAITING");
    return view;
  }
  view.set_owner(CodeOf(folded.owner));
  for (std::string& code : CodesOf(folded.audience)) view.add_audience(std::move(code));
  view.set_title(kind.Title(*folded.record));
  view.set_created(Seconds(folded.created_hlc));
  view.set_changed(Seconds(folded.changed_hlc));
  SetRecord(*folded.record, &view);
  uint32_t state = folded.state;
  const Kind* state_kind = &kind;
  int64_t due = 0;
  if (view.has_task()) due = view.task().due();
  if (view.has_card()) {
    due = view.card().due();
    state_kind = kinds_.Find(view.card().kind());
  }
  view.set_state(state_kind == nullptr ? "" : state_kind->StateName(state));
  if (folded.executor.has_value()) view.set_executor(CodeOf(*folded.executor));
  view.set_overdue(due != 0 && due < absl::ToUnixSeconds(now) && !Finished(state));
  for (const v1::FileRef& file : folded.files) {
    v1::FileView* out = view.add_files();
    out->set_name(file.name());
    out->set_size(file.plain_size());
    out->set_sha256(Hex(file.plain_sha256()));
    out->set_media_type(file.media_type());
    out->set_blob(Hex(file.blob_id()));
    const FileStatus status = surroundings_.file_status(file);
    out->set_state(status.state);
    out->set_bytes_here(status.bytes_here);
  }
  for (const auto& [field, values] : folded.conflicts) {
    v1::Conflict* conflict = view.add_conflicts();
    conflict->set_field(field);
    for (const std::string& value : values) conflict->add_values(value);
  }
  for (const CustodyItem& item : folded.custody) {
    *view.add_custody() = ViewCustody(item, folded.custody, directory_);
  }
  return view;
}

std::vector<v1::HistoryItem> Model::History(const Record& record) const {
  std::vector<v1::HistoryItem> out;
  for (const HistoryStep& step : Fold(record).history) {
    v1::HistoryItem item;
    item.set_time(Seconds(step.hlc));
    item.set_body(CodeOf(step.author));
    item.set_user(step.user);
    item.set_what(step.what);
    item.set_refused(step.refused);
    item.set_entry(step.leaf.hex());
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace entente::model

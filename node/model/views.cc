// Records as people see them.
#include <algorithm>

#include "node/model/erasure_views.h"
#include "node/model/model.h"
#include "node/model/words.h"
#include "sync/hlc.h"

namespace entente::model {
namespace {

int64_t Seconds(uint64_t hlc) { return absl::ToUnixSeconds(sync::TimeFromHlc(hlc)); }

std::string Day(uint64_t hlc) {
  return absl::FormatTime("%Y-%m-%d", sync::TimeFromHlc(hlc), absl::UTCTimeZone());
}

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
  if (const auto from = PartyId::From(item.event.from_party()); from.ok()) {
    view.set_from(directory.CodeOf(*from));
  }
  view.set_place(item.event.place());
  view.set_instrument(item.event.instrument());
  view.set_corrects(Hex(item.event.corrects()));
  view.set_corrected(std::any_of(all.begin(), all.end(), [&](const CustodyItem& other) {
    return other.author == item.author && other.event.corrects() == item.leaf.view();
  }));
  return view;
}

v1::CorrectionView ViewCorrection(const Correction& correction, const Folded& folded,
                                  const Directory& directory) {
  v1::CorrectionView view;
  view.set_time(Seconds(correction.hlc));
  view.set_user(correction.user);
  view.set_reason(correction.reason);
  view.set_entry(correction.leaf.hex());
  for (std::string field : correction.fields) {
    std::replace(field.begin(), field.end(), '_', ' ');
    view.add_fields(std::move(field));
  }
  for (const PartyId& party : folded.audience) {
    if (party == folded.owner) continue;
    const bool noted = HasNoted(folded, correction.leaf, party);
    (noted ? view.add_noted_by() : view.add_waiting_for())->assign(directory.CodeOf(party));
  }
  return view;
}

}  // namespace

bool HasNoted(const Folded& folded, const Hash& correction, const PartyId& party) {
  return std::any_of(folded.custody.begin(), folded.custody.end(), [&](const CustodyItem& item) {
    return item.event.kind() == v1::CUSTODY_EVENT_KIND_CORRECTION_NOTED && item.author == party &&
           item.event.answers() == correction.view();
  });
}

int64_t Model::KeepUntil(const JitId& jit, const v1::EvidenceItem& item) const {
  if (item.keep_until() != 0) return item.keep_until();
  const std::optional<Current> current = CurrentAgreement(jit);
  if (!current.has_value() || current->agreement->keep_months() == 0) return 0;
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilSecond end =
      absl::ToCivilSecond(absl::FromUnixSeconds(current->agreement->period_to()), utc);
  const absl::CivilMonth month = absl::CivilMonth(end) + current->agreement->keep_months();
  // The day of the month as far as that month has it.
  const int day = std::min<int>(end.day(), (absl::CivilDay(month + 1) - 1).day());
  return absl::ToUnixSeconds(absl::FromCivil(
      absl::CivilSecond(month.year(), month.month(), day, end.hour(), end.minute(), end.second()),
      utc));
}

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
  if (view.has_evidence()) view.set_keep_until(KeepUntil(record.jit(), view.evidence()));
  if (folded.erasure.has_value()) {
    view.set_state("ERASED");
    view.clear_created();  // when is gone with the rest
    *view.mutable_erasure() = ViewErasure(folded, directory_, surroundings_.reached);
  }
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
  for (const Correction& correction : folded.corrections) {
    *view.add_corrections() = ViewCorrection(correction, folded, directory_);
  }
  for (const CustodyItem& item : folded.custody) {
    *view.add_custody() = ViewCustody(item, folded.custody, directory_);
  }
  return view;
}

namespace {

// One field of a record in words; bytes that name records or bodies come out as their references.
class FieldWriter {
 public:
  FieldWriter(const Model& model, v1::OriginalView* out) : model_(model), out_(out) {}

  void Write(const google::protobuf::Message& message) {
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const auto* field : fields) {
      const int count =
          field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
      std::string value;
      for (int i = 0; i < count; ++i) {
        const std::string one = Value(message, *field, field->is_repeated() ? i : -1);
        if (!one.empty()) value += (value.empty() ? "" : ", ") + one;
      }
      if (value.empty()) continue;
      v1::OriginalField* item = out_->add_fields();
      std::string name = field->name();
      std::replace(name.begin(), name.end(), '_', ' ');
      item->set_name(std::move(name));
      item->set_value(std::move(value));
    }
  }

 private:
  using Field = google::protobuf::FieldDescriptor;

  std::string Value(const google::protobuf::Message& message, const Field& field, int at) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case Field::CPPTYPE_STRING: {
        std::string scratch;
        const std::string& text =
            at < 0 ? reflection.GetStringReference(message, &field, &scratch)
                   : reflection.GetRepeatedStringReference(message, &field, at, &scratch);
        return field.type() == Field::TYPE_BYTES ? Named(text) : text;
      }
      case Field::CPPTYPE_ENUM: {
        const auto* value = at < 0 ? reflection.GetEnum(message, &field)
                                   : reflection.GetRepeatedEnum(message, &field, at);
        return EnumWord(*value);
      }
      case Field::CPPTYPE_INT64: {
        const int64_t seconds = at < 0 ? reflection.GetInt64(message, &field)
                                       : reflection.GetRepeatedInt64(message, &field, at);
        return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(seconds),
                                absl::UTCTimeZone());
      }
      case Field::CPPTYPE_UINT32:
        return std::to_string(at < 0 ? reflection.GetUInt32(message, &field)
                                     : reflection.GetRepeatedUInt32(message, &field, at));
      case Field::CPPTYPE_UINT64:
        return std::to_string(at < 0 ? reflection.GetUInt64(message, &field)
                                     : reflection.GetRepeatedUInt64(message, &field, at));
      case Field::CPPTYPE_BOOL:
        return (at < 0 ? reflection.GetBool(message, &field)
                       : reflection.GetRepeatedBool(message, &field, at))
                   ? "yes"
                   : "no";
      case Field::CPPTYPE_MESSAGE:
        return (at < 0 ? reflection.GetMessage(message, &field)
                       : reflection.GetRepeatedMessage(message, &field, at))
            .ShortDebugString();
      default:
        return "";
    }
  }

  std::string Named(const std::string& bytes) {
    if (const auto party = PartyId::From(bytes); party.ok()) {
      return model_.directory().Find(*party) == nullptr ? "" : model_.CodeOf(*party);
    }
    const auto id = RecordId::From(bytes);
    if (!id.ok()) return "";
    const Record* record = model_.Find(*id);
    out_->add_names(record == nullptr ? "a record that is not here" : model_.RefOf(*record));
    return "";
  }

  const Model& model_;
  v1::OriginalView* out_;
};

}  // namespace

v1::OriginalView Model::ViewFields(const google::protobuf::Message& record) const {
  v1::OriginalView view;
  FieldWriter(*this, &view).Write(record);
  return view;
}

v1::OriginalView Model::ViewOriginal(const Record& record, const v1::EntryBody& body,
                                     const sync::EntryRef& ref, const PartyId& author) const {
  const Kind& kind = *kinds_.Find(record.kind());
  v1::OriginalView view;
  view.set_time(Seconds(body.hlc()));
  view.set_body(CodeOf(author));
  view.set_user(body.user());
  view.set_what(WhatItDoes(body, kind));
  view.set_justification(body.justification());
  view.set_entry(ref.leaf.hex());
  for (const v1::FileRef& file : body.files()) view.add_files(file.name());
  FieldWriter writer(*this, &view);
  const auto write = [&](const std::string& bytes) {
    if (const auto decoded = kind.Decode(bytes); decoded.ok()) writer.Write(**decoded);
  };
  const auto write_event = [&](const v1::Event& event) {
    v1::CustodyEvent custody;
    if (custody.ParseFromString(event.event())) writer.Write(custody);
  };
  if (body.has_create()) write(body.create().record());
  if (body.has_amend()) write(body.amend().record());
  if (body.has_transition()) write(body.transition().record());
  if (body.has_event()) write_event(body.event());
  if (body.has_release()) {
    write(body.release().snapshot().record());
    for (const v1::Event& event : body.release().snapshot().events()) write_event(event);
    for (const std::string& added : body.release().added()) {
      const auto party = PartyId::From(added);
      if (party.ok()) view.add_names(CodeOf(*party));
    }
  }
  return view;
}

std::vector<v1::HistoryItem> Model::History(const Record& record) const {
  std::vector<v1::HistoryItem> out;
  const Folded folded = Fold(record);
  for (const HandedOn& handed : folded.originals) {
    if (handed.author == self_) continue;  // its own entries stand here themselves
    const v1::EntryBody& body = handed.original.body;
    v1::HistoryItem item;
    item.set_time(Seconds(body.hlc()));
    item.set_body(CodeOf(handed.author));
    item.set_user(body.user());
    item.set_what(Cat(WhatItDoes(body, *kinds_.Find(record.kind())), ", as signed by ",
                      CodeOf(handed.author), " on ", Day(body.hlc())));
    item.set_entry(handed.original.ref.leaf.hex());
    item.set_original(true);
    out.push_back(std::move(item));
  }
  for (const HistoryStep& step : folded.history) {
    v1::HistoryItem item;
    item.set_time(Seconds(step.hlc));
    item.set_body(CodeOf(step.author));
    item.set_user(step.user);
    item.set_what(step.to.has_value() ? Cat(step.what, ", to ", CodeOf(*step.to)) : step.what);
    item.set_refused(step.refused);
    item.set_entry(step.leaf.hex());
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace entente::model

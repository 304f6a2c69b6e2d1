// entente evidence record: what people add to the chain of custody.
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/item_flags.h"
#include "node/cli/show.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

absl::Status Record(Context& context) {
  v1::RecordCustodyRequest request;
  request.set_record(context.args.First());
  const auto kind = ParseEnumWord<v1::CustodyEventKind>(context.args.Get("event"));
  if (!kind.ok()) return kind.status();
  request.set_kind(*kind);
  if (context.args.Has("at")) {
    const absl::StatusOr<int64_t> at = ParseWhen(context.args.Get("at"), DayMeans::kStart);
    if (!at.ok()) return at.status();
    request.set_time(*at);
  }
  request.set_actor(context.args.Get("by"));
  request.set_purpose(context.args.Get("purpose"));
  request.set_place(context.args.Get("place"));
  request.set_instrument(context.args.Get("instrument"));
  request.set_file_name(context.args.Get("file"));
  request.set_corrects(context.args.Get("corrects"));
  request.set_idempotency_key(context.Key());
  v1::RecordCustodyResponse response;
  if (absl::Status s = context.Call("EvidenceService/RecordCustody", request, &response); !s.ok()) {
    return s;
  }
  const v1::RecordView& record = response.record();
  return context.Done(response, record.ref(),
                      Cat("recorded for ", Clean(record.ref()), ": ", EnumWord(*kind), "; seen by ",
                          Clean(JoinCodes(record.audience()))));
}

absl::Status Correct(Context& context) {
  v1::CorrectEvidenceRequest request;
  request.set_record(context.args.First());
  if (absl::Status s = FillItem(context, request.mutable_item()); !s.ok()) return s;
  for (const std::string& field : context.args.List("clear")) request.add_clear(field);
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  v1::CorrectEvidenceResponse response;
  absl::Status s = context.Call("EvidenceService/CorrectEvidence", request, &response);
  if (!s.ok()) return s;
  const v1::RecordView& record = response.record();
  const v1::CorrectionView& made = record.corrections(record.corrections_size() - 1);
  return context.Done(response, record.ref(),
                      Cat("corrected ", Clean(record.ref()),
                          made.waiting_for().empty()
                              ? std::string("; no other body has it")
                              : Cat("; to be noted by ", Clean(JoinCodes(made.waiting_for())))));
}

absl::Status NoteCorrections(Context& context) {
  v1::NoteCorrectionsRequest request;
  request.set_record(context.args.First());
  v1::NoteCorrectionsResponse response;
  absl::Status s = context.Call("EvidenceService/NoteCorrections", request, &response);
  if (!s.ok()) return s;
  return context.Done(response, request.record(),
                      response.noted() == 0
                          ? std::string("there is no correction that is not noted yet")
                          : Cat("noted: ", std::to_string(response.noted()),
                                response.noted() == 1 ? " correction" : " corrections"));
}

absl::Status Restrict(Context& context) {
  v1::RestrictEvidenceRequest request;
  request.set_record(context.args.First());
  request.set_lift(context.args.Has("lift"));
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  v1::RestrictEvidenceResponse response;
  absl::Status s = context.Call("EvidenceService/RestrictEvidence", request, &response);
  if (!s.ok()) return s;
  const v1::RecordView& record = response.record();
  return context.Done(response, record.ref(),
                      Cat(Clean(record.ref()),
                          request.lift() ? " is no longer restricted"
                                         : " is restricted: it is kept and can be read, and goes "
                                           "to nobody else"));
}

std::vector<Flag> CorrectFlags() {
  std::vector<Flag> flags = ItemFlags();
  flags.push_back({"clear", "FIELD", "a fact that was wrong and has no value now", true});
  flags.push_back({"reason", "TEXT", "why; all readers see it"});
  return flags;
}

Verb CorrectVerb() {
  return {.noun = "evidence",
          .verb = "correct",
          .args = "REF",
          .summary = "put facts of an item of your own body right",
          .detail =
              "The old facts stay in the history. Every other body that has the item is shown "
              "the correction, and that it has not taken note yet, until it does.",
          .example = "entente evidence correct E-7K3M9Q --exhibit LS/5 --reason \"Wrong label\"",
          .flags = CorrectFlags(),
          .args_min = 1,
          .args_max = 1,
          .run = Correct};
}

Verb NoteVerb() {
  return {.noun = "evidence",
          .verb = "note-corrections",
          .args = "REF",
          .summary = "take note of corrections of an item, for its owner to see",
          .example = "entente evidence note-corrections E-7K3M9Q",
          .args_min = 1,
          .args_max = 1,
          .run = NoteCorrections};
}

Verb RestrictVerb() {
  return {
      .noun = "evidence",
      .verb = "restrict",
      .args = "REF",
      .summary = "keep a contested item as it is: readable, and for nobody else",
      .detail =
          "For evidence whose accuracy is contested, or that must not be erased "
          "(Dir. (EU) 2016/680 Art. 16(3)). Until it is lifted nobody can release it.",
      .example = "entente evidence restrict E-7K3M9Q --reason \"Accuracy contested\"",
      .flags = {{"reason", "TEXT", "why; all readers see it"}, {"lift", "", "end the restriction"}},
      .args_min = 1,
      .args_max = 1,
      .run = Restrict};
}

}  // namespace

std::vector<Verb> CustodyVerbs() {
  return {
      {.noun = "evidence",
       .verb = "record",
       .args = "REF",
       .summary = "add to the chain of custody what somebody did with an item",
       .detail = "All readers of the item see it, and nobody can take it back: what was wrong is "
                 "put right by another event, with --corrects. Handing an item to another body is "
                 "`evidence release`; that an item without a file has arrived is recorded with "
                 "--event received-by.",
       .example = "entente evidence record E-7K3M9Q --event sealed --place \"Evidence room 4\"",
       .flags = {{"event", "EVENT", EnumWords(*v1::CustodyEventKind_descriptor())},
                 {"at", "TIME", "when it was done (default: now)"},
                 {"by", "TEXT", "who did it (default: you)"},
                 {"purpose", "TEXT", "what for"},
                 {"place", "TEXT", "where"},
                 {"instrument", "TEXT", "with which tool, or under which seal"},
                 {"file", "FILE", "which file of the item, when it is about one"},
                 {"corrects", "ENTRY", "the entry of the event that it puts right"}},
       .args_min = 1,
       .args_max = 1,
       .run = Record},
      CorrectVerb(),
      NoteVerb(),
      RestrictVerb(),
  };
}

}  // namespace entente::cli

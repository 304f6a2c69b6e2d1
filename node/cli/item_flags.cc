#include "node/cli/item_flags.h"

#include "crypto/bytes.h"
#include "node/cli/times.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

absl::Status SetTimes(const Args& args, v1::EvidenceItem* item) {
  if (args.Has("obtained-from")) {
    const absl::StatusOr<int64_t> from = ParseWhen(args.Get("obtained-from"), DayMeans::kStart);
    if (!from.ok()) return from.status();
    item->set_obtained_from(*from);
  }
  if (args.Has("obtained-to")) {
    const absl::StatusOr<int64_t> to = ParseWhen(args.Get("obtained-to"), DayMeans::kEnd);
    if (!to.ok()) return to.status();
    item->set_obtained_to(*to);
  }
  if (args.Has("keep-until")) {
    const absl::StatusOr<int64_t> until = ParseWhen(args.Get("keep-until"), DayMeans::kEnd);
    if (!until.ok()) return until.status();
    item->set_keep_until(*until);
  }
  return absl::OkStatus();
}

absl::Status SetWords(const Args& args, v1::EvidenceItem* item) {
  if (args.Has("kind")) {
    const auto kind = ParseEnumWord<v1::EvidenceKind>(args.Get("kind"));
    if (!kind.ok()) return kind.status();
    item->set_kind(*kind);
  }
  if (args.Has("provenance")) {
    const auto provenance = ParseEnumWord<v1::ProvenanceClass>(args.Get("provenance"));
    if (!provenance.ok()) return provenance.status();
    item->set_provenance_class(*provenance);
  }
  if (args.Has("handling")) {
    const auto handling = ParseEnumWord<v1::HandlingCode>(args.Get("handling"));
    if (!handling.ok()) return handling.status();
    item->set_handling(*handling);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FillItem(Context& context, v1::EvidenceItem* item) {
  const Args& args = context.args;
  const auto set = [&args](const char* flag, std::string* text) {
    if (args.Has(flag)) *text = args.Get(flag);
  };
  set("title", item->mutable_title());
  set("exhibit", item->mutable_exhibit_no());
  set("national-ref", item->mutable_national_ref());
  set("measure", item->mutable_measure());
  set("order", item->mutable_order_ref());
  set("authority", item->mutable_authority());
  set("place", item->mutable_place());
  set("law", item->mutable_law());
  set("handling-text", item->mutable_handling_text());
  set("line", item->mutable_line_code());
  set("language", item->mutable_language());
  set("note", item->mutable_note());
  if (absl::Status s = SetTimes(args, item); !s.ok()) return s;
  if (absl::Status s = SetWords(args, item); !s.ok()) return s;
  if (args.Has("origin")) {
    const absl::StatusOr<std::string> origin = context.Party(args.Get("origin"));
    if (!origin.ok()) return origin.status();
    item->set_origin_party(*origin);
  }
  return absl::OkStatus();
}

std::vector<Flag> ItemFlags() {
  return {{"title", "TEXT", "one line (default: the name of the first file)"},
          {"kind", "KIND", EnumWords(*v1::EvidenceKind_descriptor())},
          {"measure", "TEXT", "how it was obtained, for example \"house search\""},
          {"exhibit", "NUMBER", "exhibit number"},
          {"national-ref", "TEXT", "reference in the national file"},
          {"order", "TEXT", "the order it rests on"},
          {"authority", "TEXT", "who ordered it"},
          {"place", "TEXT", "where it was obtained"},
          {"law", "TEXT", "under which law"},
          {"origin", "XA", "the State where it became available"},
          {"obtained-from", "DATE", "when obtaining it began"},
          {"obtained-to", "DATE", "when it ended"},
          {"provenance", "CLASS", EnumWords(*v1::ProvenanceClass_descriptor())},
          {"handling", "CODE", EnumWords(*v1::HandlingCode_descriptor())},
          {"handling-text", "TEXT", "handling conditions in words"},
          {"line", "CODE", "line of enquiry"},
          {"language", "TEXT", "language of the content"},
          {"keep-until", "DATE", "reviewed, and as a rule erased, by the end of that day"},
          {"note", "TEXT", "anything else"}};
}

}  // namespace entente::cli

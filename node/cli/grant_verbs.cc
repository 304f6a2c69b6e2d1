// entente record grant, record originals; entente proof …: what was signed, and by when.
#include <utility>

#include "absl/strings/numbers.h"
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/files.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

constexpr size_t kProofBytesMax = 1u << 20;

absl::Status Grant(Context& context) {
  v1::GrantRecordRequest request;
  request.set_record(context.args.First());
  for (const std::string& code : context.args.List("to")) request.add_to(code);
  if (request.to().empty()) {
    return UsageError("`record grant` needs to know for whom", "--to XC");
  }
  for (const std::string& text : context.args.List("entry")) {
    uint64_t number = 0;
    if (!absl::SimpleAtoi(text, &number)) {
      return UsageError("--entry is a number as --dry-run shows it", "--entry 1,3");
    }
    request.add_numbers(number);
  }
  request.set_basis(context.args.Get("basis"));
  request.set_idempotency_key(context.Key());
  v1::GrantRecordResponse response;
  const bool asks = context.terminal().in_is_terminal && !context.dry_run();
  request.set_dry_run(asks || context.dry_run());
  if (absl::Status s = context.Call("RecordService/GrantRecord", request, &response); !s.ok()) {
    return s;
  }
  if (asks && !response.done()) {
    const absl::Status sure = context.Confirm(
        Cat(ReleaseSheet(response.preview()), "What has been handed on cannot be taken back."));
    if (!sure.ok()) return sure;
    request.set_dry_run(false);
    if (absl::Status s = context.Call("RecordService/GrantRecord", request, &response); !s.ok()) {
      return s;
    }
  }
  return context.Show(response, [&] {
    // The same request once more: the node did it before and weighs nothing again.
    if (!response.has_preview()) return std::string("handed on already\n");
    return Cat(ReleaseSheet(response.preview()),
               response.done() ? "handed on\n" : "nothing was done\n");
  });
}

absl::Status Originals(Context& context) {
  v1::ShowOriginalsRequest request;
  request.set_record(context.args.First());
  v1::ShowOriginalsResponse response;
  if (absl::Status s = context.Call("RecordService/ShowOriginals", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    std::string text;
    for (const v1::OriginalView& original : response.originals()) text += OriginalSheet(original);
    return text.empty() ? "nothing of this record has been handed on as it was signed\n" : text;
  });
}

absl::Status MakeProof(Context& context) {
  v1::ProveExistenceRequest request;
  request.set_record(context.args.First());
  if (context.args.Has("by")) {
    const absl::StatusOr<int64_t> by = ParseWhen(context.args.Get("by"), DayMeans::kEnd);
    if (!by.ok()) return by.status();
    request.set_by(*by);
  }
  v1::ProveExistenceResponse response;
  if (absl::Status s = context.Call("RecordService/ProveExistence", request, &response); !s.ok()) {
    return s;
  }
  const std::string path = context.args.Has("out") ? context.args.Get("out")
                                                   : SafeFileName(response.record() + ".proof");
  if (absl::Status s = WriteNew(path, response.proof(), 0644); !s.ok()) return s;
  response.clear_proof();
  return context.Done(
      response, path,
      Cat("written to ", Clean(path), ": ", Clean(response.record()), " existed by ",
          FormatTime(response.time()), "; it shows that day and nothing of what the record says"));
}

absl::Status CheckProof(Context& context) {
  const absl::StatusOr<std::string> proof = ReadWhole(context.args.First(), kProofBytesMax);
  if (!proof.ok()) return proof.status();
  v1::CheckExistenceRequest request;
  request.set_proof(*proof);
  v1::CheckExistenceResponse response;
  if (absl::Status s = context.Call("RecordService/CheckExistence", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Facts facts;
    facts.Add("By", response.author());
    facts.Add("Existed by", FormatTime(response.time()));
    facts.Add("In this body's hands since", response.received() == 0
                                                ? "this body does not hold that day's deposit"
                                                : FormatTime(response.received()));
    facts.Add("Record",
              response.record().empty() ? "not one that this body reads" : response.record());
    facts.Add("What", response.what());
    facts.Add("Entry", response.entry());
    return Cat(facts.Render(), "the proof holds\n");
  });
}

std::vector<Verb> ProofVerbs() {
  return {
      {.noun = "proof",
       .verb = "make",
       .args = "REF",
       .summary = "write a file that proves since when a record of this body has existed",
       .detail = "Each body deposits a sealed summary of everything it holds with the others once "
                 "a day. The file opens one line of one such day. It can be checked by every body "
                 "of the JIT and shows nothing of what the record says.",
       .example = "entente proof make E-7K3M9Q --by 2026-05-03 --out ledger.proof",
       .flags = {{"by", "DATE", "fail unless it is proven for that day or an earlier one"},
                 {"out", "FILE", "where to write it (default: REF.proof)"}},
       .args_min = 1,
       .args_max = 1,
       .run = MakeProof},
      {.noun = "proof",
       .verb = "check",
       .args = "FILE",
       .summary = "check a proof of date that another body has made",
       .detail = "Exit code 7 when it does not hold.",
       .example = "entente proof check ledger.proof",
       .args_min = 1,
       .args_max = 1,
       .run = CheckProof},
  };
}

}  // namespace

std::vector<Verb> GrantVerbs() {
  std::vector<Verb> verbs = {
      {.noun = "record",
       .verb = "grant",
       .args = "REF",
       .summary = "hand a record on as it was signed, for a body that joined later",
       .detail = "The body gets this body's own entries on the record, each as it was signed on "
                 "its day, and can verify them. If it could not read the record before, the record "
                 "is released to it as well. Entries are shown in full, with the names and records "
                 "in them: see them first with --dry-run. It cannot be taken back.",
       .example = "entente record grant E-7K3M9Q --to XC --basis \"Art. 5 of the agreement\"",
       .flags = {{"to", "XC", "the bodies", true},
                 {"basis", "TEXT", "on which ground; it stays with what is handed on"},
                 {"entry", "NUMBERS", "only these, numbered as --dry-run shows them", true},
                 {"dry-run", "", "only show what would be handed on"}},
       .args_min = 1,
       .args_max = 1,
       .run = Grant},
      {.noun = "record",
       .verb = "originals",
       .args = "REF",
       .summary = "show what has been handed on to this body as it was signed",
       .example = "entente record originals E-7K3M9Q",
       .args_min = 1,
       .args_max = 1,
       .run = Originals},
  };
  for (Verb& verb : ProofVerbs()) verbs.push_back(std::move(verb));
  return verbs;
}

}  // namespace entente::cli

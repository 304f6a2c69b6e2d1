// entente evidence erase, certificate: evidence that is destroyed wherever it is held, and the
// paper that says by whom and when.
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/erasure_text.h"
#include "node/cli/files.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

absl::Status Erase(Context& context) {
  if (!context.dry_run() && context.args.Get("reason").empty()) {
    return UsageError("say on which decision it rests", "--reason TEXT");
  }
  v1::EraseEvidenceRequest request;
  request.set_record(context.args.First());
  request.set_reason(context.args.Get("reason"));
  request.set_idempotency_key(context.Key());
  v1::EraseEvidenceResponse response;
  absl::Status s = context.Call("EvidenceService/EraseEvidence", request, &response);
  if (!s.ok()) return s;
  if (context.dry_run()) {
    return context.Show(response, [&] {
      return Cat(ErasurePreviewText(response.preview()), "nothing was done\n");
    });
  }
  if (!response.has_record()) {
    s = context.Confirm(
        Cat(ErasurePreviewText(response.preview()), "What has been erased does not come back."));
    if (!s.ok()) return s;
    request.set_confirm(true);
    s = context.Call("EvidenceService/EraseEvidence", request, &response);
    if (!s.ok()) return s;
  }
  const v1::RecordView& record = response.record();
  return context.Done(
      response, record.ref(),
      Cat("erased ", Clean(record.ref()), " here; ordered erased at ", Clean(OtherHolders(record)),
          "\n  Next: entente evidence certificate ", Clean(record.ref())));
}

absl::Status Certificate(Context& context) {
  v1::ShowEvidenceRequest request;
  request.set_record(context.args.First());
  v1::ShowEvidenceResponse response;
  absl::Status s = context.Call("EvidenceService/ShowEvidence", request, &response);
  if (!s.ok()) return s;
  const v1::RecordView& record = response.record();
  if (!record.has_erasure()) {
    return service::Error(absl::StatusCode::kFailedPrecondition,
                          {.what = Cat(Clean(record.ref()), " has not been erased"),
                           .code = "NOT_ERASED",
                           .next = Cat("see it: entente evidence show ", record.ref())});
  }
  const std::string text = CertificateText(record, absl::Now());
  if (!context.args.Has("out")) return context.Show(response, [&] { return text; });
  const std::string path = context.args.Get("out");
  s = WriteOut(path, text, context.args.Has("force"));
  if (!s.ok()) return s;
  return context.Done(response, record.ref(), Cat("written to ", path));
}

}  // namespace

std::vector<Verb> ErasureVerbs() {
  return {
      {.noun = "evidence",
       .verb = "erase",
       .args = "REF",
       .summary = "destroy an item of your own body, here and wherever else it is held",
       .detail =
           "Text, files and keys are destroyed here at once, and at every other body that has the "
           "item as soon as the order reaches it; each confirms it with its signature. That "
           "something stood there, and who had it erased, when and why, stays. Contested evidence "
           "is restricted, not erased: entente evidence restrict. Shows first what goes, and "
           "asks.",
       .example = "entente evidence erase E-7K3M9Q --reason \"Order 12/2026, Corvia\"",
       .flags = {{"reason", "TEXT", "the decision it rests on; all its readers see it"},
                 {"dry-run", "", "only show what would go, and what would stay"}},
       .args_min = 1,
       .args_max = 1,
       .run = Erase},
      {.noun = "evidence",
       .verb = "certificate",
       .args = "REF",
       .summary = "who has destroyed an erased item, and who has not confirmed yet",
       .example = "entente evidence certificate E-7K3M9Q --out erased.txt",
       .flags = {{"out", "FILE", "write it to a file"},
                 {"force", "", "replace a file that is there"}},
       .args_min = 1,
       .args_max = 1,
       .run = Certificate},
  };
}

}  // namespace entente::cli

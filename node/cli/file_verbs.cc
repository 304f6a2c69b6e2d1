// entente evidence files, fetch, pause, verify: the files of items as this node has them.
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/file_text.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(300);  // between looks at a check that runs

absl::Status ListThem(Context& context, bool missing_only, v1::ListFilesResponse* response) {
  v1::ListFilesRequest request;
  request.set_jit(context.args.Get("jit"));
  for (const std::string& ref : context.args.rest()) request.add_records(ref);
  request.set_missing_only(missing_only);
  return context.Call("EvidenceService/ListFiles", request, response);
}

absl::Status ShowFiles(Context& context) {
  v1::ListFilesResponse response;
  if (absl::Status s = ListThem(context, context.args.Has("missing"), &response); !s.ok()) return s;
  return context.Show(response, [&] { return FilesTable(response.files()); });
}

absl::Status Steer(Context& context, v1::FileAction action) {
  v1::FetchFilesRequest request;
  for (const std::string& ref : context.args.rest()) request.add_records(ref);
  request.set_name(context.args.Get("name"));
  request.set_action(action);
  request.set_urgent(context.args.Has("urgent"));
  v1::FetchFilesResponse response;
  if (absl::Status s = context.Call("EvidenceService/FetchFiles", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] { return FilesTable(response.files()); });
}

absl::Status Fetch(Context& context) { return Steer(context, v1::FILE_ACTION_FETCH); }
absl::Status Pause(Context& context) { return Steer(context, v1::FILE_ACTION_PAUSE); }

// Begins a check and waits for it; what is damaged counts as found, mended or not.
absl::Status Check(Context& context) {
  const absl::StatusOr<uint32_t> percent =
      ParseSample(context.args.Has("sample") ? context.args.Get("sample") : "100");
  if (!percent.ok()) return percent.status();
  v1::CheckFilesRequest request;
  request.set_jit(context.args.Get("jit"));
  for (const std::string& ref : context.args.rest()) request.add_records(ref);
  request.set_percent(*percent);
  v1::CheckFilesResponse begun;
  if (absl::Status s = context.Call("EvidenceService/CheckFiles", request, &begun); !s.ok()) {
    return s;
  }
  if (begun.not_here() > 0) {
    context.Hint(
        absl::StrFormat("%d files are not here in full and were not read", begun.not_here()));
  }
  const bool waits = !context.args.Has("no-wait");
  const Client::Progress progress = context.ProgressOf("reading");
  v1::ListFilesResponse files;
  for (;;) {
    files.Clear();
    if (absl::Status s = ListThem(context, false, &files); !s.ok()) return s;
    uint64_t done = 0, total = 0;
    for (const v1::FileProgress& item : files.files()) {
      done += item.check_done();
      total += item.check_total();
    }
    if (total == 0 || !waits) break;
    if (progress) progress(done << 20, total << 20);
    absl::SleepFor(kLook);
  }
  const CheckEnd end = EndOf(files.files(), begun.begun(), !waits);
  context.set_exit_code(end.exit_code);
  return context.Show(files, [&] { return Cat(FilesTable(files.files()), end.sentence); });
}

}  // namespace

std::vector<Verb> FileVerbs() {
  const Flag name = {"name", "FILE", "only this file, when an item has several"};
  return {
      {.noun = "evidence",
       .verb = "files",
       .args = "[REF…]",
       .summary = "how far the files of items are here, and from whom they come",
       .example = "entente evidence files --missing",
       .flags = {{"missing", "", "only files that are not here in full"}, JitFlag()},
       .args_min = 0,
       .args_max = 1000,
       .run = ShowFiles},
      {.noun = "evidence",
       .verb = "fetch",
       .args = "REF…",
       .summary = "get the files of items now, also large ones and those that were paused",
       .example = "entente evidence fetch E-7K3M9Q --urgent",
       .flags = {name, {"urgent", "", "before everything that is not urgent"}},
       .args_min = 1,
       .args_max = 1000,
       .run = Fetch},
      {.noun = "evidence",
       .verb = "pause",
       .args = "REF…",
       .summary = "fetch no more of the files of items until told so; what is here stays",
       .example = "entente evidence pause E-7K3M9Q",
       .flags = {name},
       .args_min = 1,
       .args_max = 1000,
       .run = Pause},
      {.noun = "evidence",
       .verb = "verify",
       .args = "[REF…]",
       .summary = "read files again and compare them with what their owners signed",
       .detail = "All of each, or a sample drawn by chance. What is damaged is fetched again from "
                 "another body that has it; the command then ends with code 7.",
       .example = "entente evidence verify --sample 10",
       .flags = {{"sample", "PERCENT", "read only so much of each file"},
                 {"no-wait", "", "do not wait until it has been read"},
                 JitFlag()},
       .args_min = 0,
       .args_max = 1000,
       .run = Check},
  };
}

}  // namespace entente::cli

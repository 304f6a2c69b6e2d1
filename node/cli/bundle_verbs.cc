// entente bundle …: evidence for a court, with what proves it.
#include <map>
#include <utility>

#include "crypto/bytes.h"
#include "node/cli/bundle_folder.h"
#include "node/cli/context.h"
#include "node/cli/files.h"
#include "node/cli/show.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"

namespace entente::cli {
namespace {

absl::Status FetchInto(Context& context, const v1::BundleFile& file, BundleFolder& folder) {
  const absl::StatusOr<std::string> place = folder.PlaceFor(file.path());
  if (!place.ok()) return place.status();
  const absl::StatusOr<Client*> client = context.Connect();
  if (!client.ok()) return client.status();
  v1::DownloadFileRequest request;
  request.set_record(file.record());
  request.set_name(file.name());
  const auto open = [&](const v1::DownloadFileResponse&) { return FileSink::Open(*place, false); };
  return (*client)->Download(request, open, context.ProgressOf(file.name())).status();
}

absl::Status Export(Context& context) {
  v1::MakeBundleRequest request;
  for (const std::string& ref : context.args.List("item")) request.add_records(ref);
  for (const std::string& ref : context.args.rest()) request.add_records(ref);
  if (request.records().empty()) {
    return UsageError("`bundle export` needs to know which items", "E-7K3M9Q");
  }
  request.set_purpose(context.args.Get("purpose"));
  request.set_without_files(context.args.Has("without-files"));
  request.set_idempotency_key(context.Key());
  const std::string out = context.args.Has("out")
                              ? context.args.Get("out")
                              : SafeFileName(Cat("bundle-", request.records(0)));
  // The place first: nothing is recorded of a bundle that nobody could write.
  absl::StatusOr<std::unique_ptr<BundleFolder>> folder = BundleFolder::Make(out);
  if (!folder.ok()) return folder.status();
  v1::MakeBundleResponse response;
  if (absl::Status s = context.Call("BundleService/MakeBundle", request, &response); !s.ok()) {
    return s;
  }
  for (const v1::BundleText& text : response.texts()) {
    if (absl::Status s = (*folder)->Write(text.path(), text.content()); !s.ok()) return s;
  }
  std::map<std::string, std::string> sha256;
  uint64_t bytes = 0;
  for (const v1::BundleFile& file : response.files()) {
    if (absl::Status s = FetchInto(context, file, **folder); !s.ok()) return s;
    sha256[file.path()] = file.sha256();
    bytes += file.size();
  }
  if (absl::Status s = (*folder)->Finish(sha256); !s.ok()) return s;
  response.clear_texts();
  context.Hint(Cat("whoever gets this bundle learns that these bodies take part: ",
                   Clean(JoinCodes(response.bodies()))));
  return context.Done(
      response, out,
      Cat("wrote ", Clean(out), ": ", std::to_string(response.files_size()),
          response.files_size() == 1 ? " file, " : " files, ", HumanBytes(bytes),
          "\n  Anyone can check it, without a network: entente-verify ", Clean(out)));
}

}  // namespace

std::vector<Verb> BundleVerbs() {
  return {
      {.noun = "bundle",
       .verb = "export",
       .args = "REF…",
       .summary = "write a folder with evidence and what proves it, for a court",
       .detail = "The files, a report to read and print, the same for other systems (CASE/UCO), "
                 "and the signed entries themselves. It is a BagIt bag. The program "
                 "entente-verify checks it on any computer, without a network, years later. "
                 "That it was made, by whom and what for, is written into the custody of every "
                 "item, where all its readers see it.",
       .example = "entente bundle export E-7K3M9Q --purpose \"Trial in Corvia, file 12/2026\" "
                  "--out ledger-for-court",
       .flags = {{"item", "REF", "the same as REF", true},
                 {"purpose", "TEXT", "what for, and for whom"},
                 {"out", "FOLDER", "a folder that is not there yet (default: bundle-REF)"},
                 {"without-files", "", "names and hashes of files only, not the files"}},
       .args_max = 1000,
       .run = Export},
      StampVerb(),
  };
}

}  // namespace entente::cli

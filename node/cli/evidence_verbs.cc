// entente evidence …: items and their files.
#include <filesystem>
#include <system_error>

#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/files.h"
#include "node/cli/item_flags.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

absl::Status Add(Context& context) {
  v1::AddEvidenceRequest request;
  if (absl::Status s = FillItem(context, request.mutable_item()); !s.ok()) return s;
  v1::EvidenceItem& item = *request.mutable_item();
  if (item.kind() == v1::EVIDENCE_KIND_UNSPECIFIED) item.set_kind(v1::EVIDENCE_KIND_DOCUMENT);
  if (item.title().empty() && !context.args.rest().empty()) {
    item.set_title(std::filesystem::path(context.args.First()).filename().string());
  }
  // All files are looked at before the first is sent.
  std::vector<std::unique_ptr<FileSource>> files;
  for (const std::string& path : context.args.rest()) {
    absl::StatusOr<std::unique_ptr<FileSource>> file = FileSource::Open(path);
    if (!file.ok()) return file.status();
    files.push_back(*std::move(file));
  }
  const absl::StatusOr<Client*> client = context.Connect();
  if (!client.ok()) return client.status();
  for (const std::unique_ptr<FileSource>& file : files) {
    const absl::StatusOr<v1::UploadFileResponse> uploaded =
        (*client)->Upload(*file, file->name(), context.ProgressOf(file->name()));
    if (!uploaded.ok()) return uploaded.status();
    request.add_upload_ids(uploaded->upload_id());
  }
  request.set_jit(context.args.Get("jit"));
  for (const std::string& code : context.args.List("audience")) request.add_audience(code);
  for (const std::string& parent : context.args.List("parent")) request.add_parents(parent);
  request.set_idempotency_key(context.Key());
  v1::AddEvidenceResponse response;
  if (absl::Status s = context.Call("EvidenceService/AddEvidence", request, &response); !s.ok()) {
    return s;
  }
  const v1::RecordView& record = response.record();
  std::string hashes;
  for (const v1::FileView& file : record.files()) {
    hashes += Cat("\n  SHA-256 ", file.sha256(), "  ", Clean(file.name()));
  }
  return context.Done(response, record.ref(),
                      Cat("added ", Clean(record.ref()), "; readable for ",
                          Clean(JoinCodes(record.audience())), hashes));
}

absl::Status List(Context& context) {
  v1::ListEvidenceRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_line_code(context.args.Get("line"));
  if (context.args.Has("due")) {
    const std::string& by = context.args.Get("due");
    const absl::StatusOr<int64_t> day = ParseWhen(by, DayMeans::kEnd);
    if (!day.ok()) return day.status();
    request.set_keep_until_before(*day);
  }
  v1::ListEvidenceResponse response;
  if (absl::Status s = context.Call("EvidenceService/ListEvidence", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"REF", "TITLE", "KIND", "OWNER", "STATE", "FILES", "WHO CAN SEE THIS"});
    for (const v1::RecordView& record : response.records()) {
      uint64_t bytes = 0;
      for (const v1::FileView& file : record.files()) bytes += file.size();
      table.Add({record.ref(), record.title(), EnumWord(record.evidence().kind()), record.owner(),
                 StateWord(record.state()),
                 Cat(std::to_string(record.files_size()), ", ", HumanBytes(bytes)),
                 JoinCodes(record.audience())});
    }
    return table.Render();
  });
}

absl::Status Show(Context& context) {
  v1::ShowEvidenceRequest request;
  request.set_record(context.args.First());
  v1::ShowEvidenceResponse response;
  if (absl::Status s = context.Call("EvidenceService/ShowEvidence", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] { return RecordSheet(response.record()); });
}

// A folder takes the file under a safe form of its own name.
std::string PlaceOf(const Args& args, const std::string& name) {
  const std::string out = args.Get("out");
  std::error_code error;
  if (out.empty()) return SafeFileName(name);
  if (std::filesystem::is_directory(out, error)) return Cat(out, "/", SafeFileName(name));
  return out;
}

absl::Status Get(Context& context) {
  v1::DownloadFileRequest request;
  request.set_record(context.args.First());
  request.set_name(context.args.Get("name"));
  const absl::StatusOr<Client*> client = context.Connect();
  if (!client.ok()) return client.status();
  std::string place;
  const auto open = [&](const v1::DownloadFileResponse& head) {
    place = PlaceOf(context.args, head.name());
    return FileSink::Open(place, context.args.Has("force"),
                          "choose another name with --out, or say --force");
  };
  const absl::StatusOr<v1::DownloadFileResponse> head =
      (*client)->Download(request, open, context.ProgressOf(request.record()));
  if (!head.ok()) return head.status();
  return context.Done(*head, place,
                      Cat("wrote ", Clean(place), ", ", HumanBytes(head->size()), ", SHA-256 ",
                          head->sha256(), ": as registered"));
}

std::string PreviewText(const v1::ReleaseEvidenceResponse& response) {
  Table table({"REF", "TITLE", "BECOMES READABLE FOR", "FILES", "ALLOWED"});
  for (const v1::ReleasePreview& item : response.preview()) {
    std::string files;
    for (const std::string& file : item.files()) files += Cat(files.empty() ? "" : ", ", file);
    table.Add({item.ref(), item.title(), JoinCodes(item.becomes_readable_for()), files,
               item.allowed() ? "yes" : Cat("no: ", item.because())});
  }
  std::string text = table.Render();
  for (const v1::ReleasePreview& item : response.preview()) {
    if (!item.originals().empty()) text += Cat("\n", ReleaseSheet(item));
  }
  return text;
}

absl::Status Release(Context& context) {
  v1::ReleaseEvidenceRequest request;
  for (const std::string& ref : context.args.rest()) request.add_records(ref);
  for (const std::string& code : context.args.List("to")) request.add_to(code);
  if (request.to().empty()) {
    return UsageError("`evidence release` needs to know for whom", "--to XC");
  }
  request.set_purpose(context.args.Get("purpose"));
  request.set_legal_basis(context.args.Get("legal-basis"));
  request.set_with_originals(context.args.Has("with-originals"));
  request.set_idempotency_key(context.Key());
  v1::ReleaseEvidenceResponse response;
  const bool asks = context.terminal().in_is_terminal && !context.dry_run();
  request.set_dry_run(asks || context.dry_run());
  if (absl::Status s = context.Call("EvidenceService/ReleaseEvidence", request, &response);
      !s.ok()) {
    return s;
  }
  if (asks && !response.done()) {
    const std::string question =
        Cat(PreviewText(response), "What has been released cannot be taken back.");
    if (absl::Status s = context.Confirm(question); !s.ok()) return s;
    request.set_dry_run(false);
    if (absl::Status s = context.Call("EvidenceService/ReleaseEvidence", request, &response);
        !s.ok()) {
      return s;
    }
  }
  return context.Show(response, [&] {
    // The same request once more: the node did it before and weighs nothing again.
    if (response.preview().empty()) return std::string("released already\n");
    return Cat(PreviewText(response), response.done() ? "released\n" : "nothing was done\n");
  });
}

std::vector<Flag> AddFlags() {
  std::vector<Flag> flags = ItemFlags();
  flags.push_back(AudienceFlag());
  flags.push_back({"parent", "REF", "the item it derives from", true});
  flags.push_back(JitFlag());
  return flags;
}

}  // namespace

std::vector<Verb> EvidenceVerbs() {
  return {
      {.noun = "evidence",
       .verb = "add",
       .args = "FILE…",
       .summary = "register an evidence item with its files",
       .detail = "Files of any size and content. Each is hashed, sealed and stored before the item "
                 "is registered; without --audience only your own body can see it.",
       .example = "entente evidence add ledger.csv --measure \"house search\" --audience XA,XB",
       .flags = AddFlags(),
       .args_min = 1,
       .args_max = 1000,
       .run = Add},
      {.noun = "evidence",
       .verb = "list",
       .summary = "list the items your body can see",
       .example = "entente evidence list",
       .flags = {{"line", "CODE", "of one line of enquiry"},
                 {"due", "DATE", "items of your own body that are to be reviewed by that day"},
                 JitFlag()},
       .run = List},
      {.noun = "evidence",
       .verb = "show",
       .args = "REF",
       .summary = "show an item: facts, files, custody",
       .example = "entente evidence show E-7K3M9Q",
       .args_min = 1,
       .args_max = 1,
       .run = Show},
      {.noun = "evidence",
       .verb = "get",
       .args = "REF",
       .summary = "write a file of an item to disk, checked against its registered hash",
       .example = "entente evidence get E-7K3M9Q --out .",
       .flags = {{"name", "FILE", "which file, when there are several"},
                 {"out", "PATH", "file or folder to write to (default: here)"},
                 {"force", "", "replace a file that is there"}},
       .args_min = 1,
       .args_max = 1,
       .run = Get},
      {.noun = "evidence",
       .verb = "release",
       .args = "REF…",
       .summary = "make items readable for further bodies",
       .detail = "Shows first what becomes readable for whom, and asks. It cannot be taken back.",
       .example = "entente evidence release E-7K3M9Q --to XC --purpose \"Trial in Corvia\"",
       .flags = {{"to", "XC", "the bodies", true},
                 {"purpose", "TEXT", "what for"},
                 {"legal-basis", "TEXT", "on which ground"},
                 {"with-originals", "", "also hand on the entries themselves, as they were signed"},
                 {"dry-run", "", "only show what would become readable for whom"}},
       .args_min = 1,
       .args_max = 1000,
       .run = Release},
  };
}

}  // namespace entente::cli

// entente note …: short texts beside everything else.
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
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

constexpr size_t kFileBytesMax = 64u << 20;
constexpr int kNotesPerCall = 500;

absl::StatusOr<std::vector<std::string>> Texts(const Args& args) {
  std::vector<std::string> texts = args.rest();
  if (args.Has("from")) {
    const absl::StatusOr<std::string> file = ReadWhole(args.Get("from"), kFileBytesMax);
    if (!file.ok()) return file.status();
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(*file, '\n', absl::SkipWhitespace()))) {
      texts.push_back(line);
    }
  }
  if (texts.empty()) return UsageError("`note add` needs a text", "entente note add --help");
  return texts;
}

absl::Status Add(Context& context) {
  const absl::StatusOr<std::vector<std::string>> texts = Texts(context.args);
  if (!texts.ok()) return texts.status();
  v1::AddNotesResponse all;
  const std::string key = context.Key();
  for (size_t at = 0; at < texts->size(); at += kNotesPerCall) {
    v1::AddNotesRequest request;
    request.set_jit(context.args.Get("jit"));
    for (const std::string& code : context.args.List("audience")) request.add_audience(code);
    for (size_t i = at; i < texts->size() && i < at + kNotesPerCall; ++i) {
      request.add_texts((*texts)[i]);
    }
    request.set_idempotency_key(at == 0 ? key : Cat(key, ":", std::to_string(at)));
    v1::AddNotesResponse response;
    if (absl::Status s = context.Call("RecordService/AddNotes", request, &response); !s.ok()) {
      return s;
    }
    all.mutable_refs()->MergeFrom(response.refs());
  }
  const std::string first = all.refs().empty() ? "" : all.refs(0);
  return context.Done(all, first,
                      all.refs_size() == 1
                          ? Cat("added ", Clean(first))
                          : Cat("added ", std::to_string(all.refs_size()), " notes"));
}

absl::Status List(Context& context) {
  v1::ListNotesRequest request;
  request.set_jit(context.args.Get("jit"));
  request.set_after(context.args.Get("after"));
  uint32_t limit = 0;
  if (context.args.Has("limit") && !absl::SimpleAtoi(context.args.Get("limit"), &limit)) {
    return UsageError("--limit is a number", "--limit 100");
  }
  request.set_limit(limit);
  v1::ListNotesResponse response;
  if (absl::Status s = context.Call("RecordService/ListNotes", request, &response); !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"REF", "WHEN", "OWNER", "TEXT", "WHO CAN SEE THIS"});
    for (const v1::RecordView& record : response.records()) {
      table.Add({record.ref(), FormatTime(record.created()), record.owner(), record.note().text(),
                 JoinCodes(record.audience())});
    }
    return Cat(table.Render(), std::to_string(response.total()), " in all\n");
  });
}

}  // namespace

std::vector<Verb> NoteVerbs() {
  return {
      {.noun = "note",
       .verb = "add",
       .args = "[TEXT]",
       .summary = "write a note",
       .example = "entente note add \"The courier changed cars in Borland.\" --audience XA,XB",
       .flags = {AudienceFlag(),
                 {"from", "FILE", "one note per line of a file (- for standard input)"},
                 JitFlag()},
       .args_max = 1,
       .run = Add},
      {.noun = "note",
       .verb = "list",
       .summary = "list notes",
       .example = "entente note list --limit 20",
       .flags = {{"limit", "NUMBER", "at most so many"},
                 {"after", "REF", "those that follow this one"},
                 JitFlag()},
       .run = List},
  };
}

}  // namespace entente::cli

// entente evidence import: what is registered elsewhere already.
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "node/bundle/bag.h"
#include "node/cli/bundle_folder.h"
#include "node/cli/context.h"
#include "node/cli/csv.h"
#include "node/cli/evidence_register.h"
#include "node/cli/files.h"
#include "node/cli/json.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSourceBytesMax = 256u << 20;
constexpr size_t kProblemsShown = 30;
constexpr size_t kKeyBytes = 16;

struct Source {
  std::string text;
  std::string folder;  // where its files are looked for
  std::vector<RegisterRow> rows;
};

// A row, ready to be sent.
struct Item {
  size_t line = 0;
  v1::AddEvidenceRequest request;
  std::vector<std::string> files;
};

absl::Status NoBag(const std::string& path, std::string_view why) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = Cat(Clean(path), " is no BagIt bag: ", why),
                         .code = "BAD_BAG",
                         .next = "name the folder that holds bagit.txt"});
}

absl::StatusOr<Source> ReadBag(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path + "/bagit.txt", error)) return NoBag(path, "it has no bagit.txt");
  Source out;
  out.folder = path;
  for (const char* name : {"/manifest-sha256.txt", "/manifest-sha512.txt"}) {
    if (!fs::exists(path + name, error)) continue;
    absl::StatusOr<std::string> text = ReadWhole(path + name, kSourceBytesMax);
    if (!text.ok()) return text.status();
    out.text = *std::move(text);
    auto rows = RowsFromHashes(out.text);
    if (!rows.ok()) return rows.status();
    out.rows = *std::move(rows);
    return out;
  }
  return NoBag(path, "it has no manifest of SHA-256 or SHA-512");
}

absl::StatusOr<Source> ReadSource(const std::string& path, const std::string& as) {
  std::error_code error;
  if (fs::is_directory(path, error)) return ReadBag(path);
  absl::StatusOr<std::string> text = ReadWhole(path, kSourceBytesMax);
  if (!text.ok()) return text.status();
  Source out;
  out.text = *std::move(text);
  out.folder = fs::path(path).parent_path().string();
  const std::string ending = fs::path(path).extension().string();
  absl::StatusOr<std::vector<RegisterRow>> rows;
  if (as == "csv" || (as.empty() && ending == ".csv")) {
    rows = RowsFromCsv(out.text);
  } else if (as == "case" || (as.empty() && (ending == ".json" || ending == ".jsonld"))) {
    rows = RowsFromCaseGraph(out.text);
  } else if (as == "hashes" || as.empty()) {
    rows = RowsFromHashes(out.text);
  } else {
    return UsageError("--as is csv, hashes or case", "--as csv");
  }
  if (!rows.ok()) return rows.status();
  out.rows = *std::move(rows);
  return out;
}

std::string PlaceOf(const Source& source, const std::string& file) {
  if (fs::path(file).is_absolute() || source.folder.empty()) return file;
  return Cat(source.folder, "/", file);
}

// Whether the file is the one that the register means.
std::string CheckFile(const std::string& place, const std::string& sha256,
                      const std::string& sha512) {
  if (sha256.empty() && sha512.empty()) {
    const absl::Status there = FileSource::Open(place).status();
    return there.ok() ? "" : TakeApart(there).what;
  }
  const absl::StatusOr<bundle::Digests> digests = DigestFile(place);
  if (!digests.ok()) return TakeApart(digests.status()).what;
  const bool same = (sha256.empty() || sha256 == digests->sha256.hex()) &&
                    (sha512.empty() || sha512 == digests->sha512.hex());
  return same ? "" : "the file has another hash";
}

std::vector<Item> Check(const Source& source, const std::map<std::string, std::string>& defaults,
                        const Parties& parties, std::vector<RowProblem>* problems) {
  std::vector<Item> out;
  for (const RegisterRow& row : source.rows) {
    Item item;
    item.line = row.line;
    item.request = ItemOf(row, defaults, parties, problems);
    const auto parts = [&row](const char* column) {
      const auto cell = row.cells.find(column);
      return cell == row.cells.end() ? std::vector<std::string>() : PartsOf(cell->second);
    };
    const std::vector<std::string> sha256 = parts("sha256");
    const std::vector<std::string> sha512 = parts("sha512");
    for (const std::string& file : parts("file")) {
      const size_t i = item.files.size();
      item.files.push_back(PlaceOf(source, file));
      const std::string wrong = CheckFile(item.files.back(), i < sha256.size() ? sha256[i] : "",
                                          i < sha512.size() ? sha512[i] : "");
      if (!wrong.empty()) problems->push_back({row.line, "file", file, wrong});
    }
    out.push_back(std::move(item));
  }
  return out;
}

absl::Status WriteReport(const std::string& path, const std::vector<RowProblem>& problems) {
  std::string text = CsvLine({"line", "column", "value", "problem"});
  for (const RowProblem& problem : problems) {
    text += CsvLine({std::to_string(problem.line), problem.column, problem.value, problem.what});
  }
  return WriteNew(path, text, 0644);
}

absl::Status ShowProblems(Context& context, size_t rows, const std::vector<RowProblem>& problems) {
  if (context.args.Has("report")) {
    if (absl::Status s = WriteReport(context.args.Get("report"), problems); !s.ok()) return s;
  }
  if (context.json()) {
    std::vector<JsonObject> list;
    list.reserve(problems.size());
    for (const RowProblem& problem : problems) {
      list.push_back(JsonObject()
                         .Add("line", uint64_t{problem.line})
                         .Add("column", problem.column)
                         .Add("value", problem.value)
                         .Add("problem", problem.what));
    }
    context.Print(JsonObject()
                      .Add("rows", uint64_t{rows})
                      .Add("imported", uint64_t{0})
                      .Add("problems", list)
                      .str() +
                  "\n");
  } else {
    Table table({"LINE", "COLUMN", "VALUE", "PROBLEM"});
    for (size_t i = 0; i < std::min(problems.size(), kProblemsShown); ++i) {
      const RowProblem& problem = problems[i];
      table.Add({std::to_string(problem.line), problem.column, problem.value, problem.what});
    }
    context.Print(table.Render());
  }
  return service::Error(
      absl::StatusCode::kInvalidArgument,
      {.what = Cat("nothing was registered: ", std::to_string(problems.size()), " problems in ",
                   std::to_string(rows), " rows"),
       .code = "BAD_REGISTER",
       .next = context.args.Has("report")
                   ? Cat("put right what stands in ", Clean(context.args.Get("report")))
                   : "put them right; --report FILE writes all of them"});
}

// One item after the other. The same register again goes on where it stopped.
absl::Status Send(Context& context, const std::string& base, std::vector<Item>& items) {
  const absl::StatusOr<Client*> client = context.Connect();
  if (!client.ok()) return client.status();
  const Client::Progress progress = context.ProgressOf("items");
  size_t done = 0;
  const auto stopped = [&](const absl::Status& status) {
    context.Hint(Cat(std::to_string(done), " of ", std::to_string(items.size()),
                     " items are registered; line ", std::to_string(items[done].line),
                     " was refused. The same command once more goes on from there."));
    return status;
  };
  for (Item& item : items) {
    for (const std::string& path : item.files) {
      absl::StatusOr<std::unique_ptr<FileSource>> file = FileSource::Open(path);
      if (!file.ok()) return stopped(file.status());
      const auto uploaded = (*client)->Upload(**file, (*file)->name(), nullptr);
      if (!uploaded.ok()) return stopped(uploaded.status());
      item.request.add_upload_ids(uploaded->upload_id());
    }
    item.request.set_jit(context.args.Get("jit"));
    item.request.set_idempotency_key(
        crypto::Sha256({"evidence import", base, std::to_string(item.line)})
            .str()
            .substr(0, kKeyBytes));
    v1::AddEvidenceResponse response;
    const absl::Status added = context.Call("EvidenceService/AddEvidence", item.request, &response);
    if (!added.ok()) return stopped(added);
    ++done;
    if (progress) progress(done, items.size());
  }
  return absl::OkStatus();
}

absl::Status Import(Context& context) {
  absl::StatusOr<Source> source = ReadSource(context.args.First(), context.args.Get("as"));
  if (!source.ok()) return source.status();
  if (context.args.Has("files")) source->folder = context.args.Get("files");
  if (source->rows.empty()) {
    return service::Error(absl::StatusCode::kInvalidArgument,
                          {.what = "there is nothing to register in it", .code = "BAD_REGISTER"});
  }
  std::map<std::string, std::string> defaults;
  std::string base = crypto::Sha256(source->text).str();
  for (const std::string& column : RegisterColumns()) {
    if (!context.args.Has(column)) continue;
    for (const std::string& value : context.args.All(column)) {
      std::string& cell = defaults[column];
      cell += Cat(cell.empty() ? "" : ";", value);
    }
    base += Cat(column, "=", defaults[column], "\n");
  }
  const absl::StatusOr<const Parties*> parties = context.KnownParties();
  if (!parties.ok()) return parties.status();
  std::vector<RowProblem> problems;
  std::vector<Item> items = Check(*source, defaults, **parties, &problems);
  if (!problems.empty()) return ShowProblems(context, items.size(), problems);
  if (!context.dry_run()) {
    if (absl::Status s = Send(context, base, items); !s.ok()) return s;
  }
  const uint64_t imported = context.dry_run() ? 0 : items.size();
  if (context.json()) {
    context.Print(JsonObject()
                      .Add("rows", uint64_t{items.size()})
                      .Add("imported", imported)
                      .Add("problems", std::vector<JsonObject>())
                      .str() +
                  "\n");
    return absl::OkStatus();
  }
  context.Print(context.dry_run() ? Cat("all ", std::to_string(items.size()),
                                        " rows can be registered; nothing was done\n")
                                  : Cat("registered ", std::to_string(items.size()), " items\n"));
  return absl::OkStatus();
}

std::vector<Flag> Flags() {
  return {{"files", "FOLDER", "where the files are (default: beside the register)"},
          {"as", "FORM", "csv, hashes or case (default: by the file's ending)"},
          {"report", "FILE", "write what is wrong to a new CSV file"},
          {"dry-run", "", "only check everything"},
          {"measure", "TEXT", "for rows that say none: how it was obtained"},
          {"kind", "KIND", "for rows that say none"},
          AudienceFlag(),
          {"origin", "XA", "for rows that say none: the State where it became available"},
          {"authority", "TEXT", "for rows that say none: who ordered it"},
          {"order", "TEXT", "for rows that say none: the order it rests on"},
          {"place", "TEXT", "for rows that say none: where it was obtained"},
          {"provenance", "CLASS", "for rows that say none"},
          {"handling", "CODE", "for rows that say none: how it may be used"},
          {"line", "CODE", "for rows that say none: line of enquiry"},
          JitFlag()};
}

}  // namespace

std::vector<Verb> ImportVerbs() {
  return {
      {.noun = "evidence",
       .verb = "import",
       .args = "REGISTER",
       .summary =
           "register items from a CSV register, a list of hashes, a BagIt bag or a CASE graph",
       .detail = "A CSV register begins with a line of column names, which are those of the flags "
                 "of `evidence add`, and file, sha256, sha512. A list of hashes is what sha256sum, "
                 "sha512sum or hashdeep writes; a bag is its folder. Every row and every file is "
                 "checked before the first item is registered; if anything is wrong, nothing is. "
                 "The same register again registers nothing twice.",
       .example = "entente evidence import case-12.csv --audience XA,XB --dry-run",
       .flags = Flags(),
       .args_min = 1,
       .args_max = 1,
       .run = Import},
  };
}

}  // namespace entente::cli

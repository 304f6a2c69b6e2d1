#include "node/cli/evidence_register.h"

#include <algorithm>
#include <utility>

#include "crypto/bytes.h"
#include "node/cli/csv.h"
#include "node/cli/exit_code.h"
#include "node/cli/text.h"
#include "node/cli/times.h"
#include "node/cli/words.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr size_t kSha256Digits = 64;
constexpr size_t kSha512Digits = 128;

absl::Status Bad(std::string_view code, std::string_view what, std::string_view next) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = what, .code = code, .next = next});
}

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool IsHex(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// "obtained_from", "Obtained from" and "obtained-from" are one column.
std::string ColumnName(std::string_view header) {
  std::string out = Lower(Trimmed(header));
  std::replace(out.begin(), out.end(), ' ', '-');
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string JoinedColumns() {
  std::string out;
  for (const std::string& column : RegisterColumns()) out += Cat(out.empty() ? "" : ", ", column);
  return out;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    out.push_back(line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

// One line of a list: digest and name, or nothing.
class HashList {
 public:
  bool Take(std::string_view line, std::string* digest, std::string* name) {
    if (line.starts_with("%%%% HASHDEEP")) {
      deep_ = true;
      return false;
    }
    if (line.starts_with("%%%% ")) {
      columns_.clear();
      line.remove_prefix(5);
      while (!line.empty()) {
        const size_t end = line.find(',');
        columns_.emplace_back(line.substr(0, end));
        line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
      }
      return false;
    }
    if (deep_) return TakeDeep(line, digest, name);
    return TakeBsd(line, digest, name) || TakePlain(line, digest, name);
  }

 private:
  bool TakeDeep(std::string_view line, std::string* digest, std::string* name) const {
    for (size_t i = 0; i + 1 < columns_.size(); ++i) {
      const size_t end = line.find(',');
      if (end == std::string_view::npos) return false;
      if (columns_[i] == "sha256") *digest = line.substr(0, end);
      line.remove_prefix(end + 1);
    }
    *name = line;  // the last column: commas belong to it
    return !digest->empty();
  }
  static bool TakeBsd(std::string_view line, std::string* digest, std::string* name) {
    const size_t open = line.find(" (");
    const size_t close = line.rfind(") = ");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
      return false;
    }
    if (line.substr(0, open) != "SHA256" && line.substr(0, open) != "SHA512") return false;
    *name = line.substr(open + 2, close - open - 2);
    *digest = line.substr(close + 4);
    return true;
  }
  static bool TakePlain(std::string_view line, std::string* digest, std::string* name) {
    const size_t blank = line.find(' ');
    if (blank == std::string_view::npos || blank + 2 > line.size()) return false;
    *digest = line.substr(0, blank);
    *name = line.substr(blank + 2);  // a second blank, or the star of binary mode
    return line[blank + 1] == ' ' || line[blank + 1] == '*';
  }

  bool deep_ = false;
  std::vector<std::string> columns_;
};

// Fills one item, and notes what it cannot.
class ItemWriter {
 public:
  ItemWriter(const RegisterRow& row, const std::map<std::string, std::string>& defaults,
             const Parties& parties, std::vector<RowProblem>* problems)
      : row_(row), defaults_(defaults), parties_(parties), problems_(problems) {}

  v1::AddEvidenceRequest Write() {
    Texts();
    Words();
    Times();
    Bodies();
    if (item().title().empty())
      Problem("title", "an item needs a title, or a file to take it from");
    if (item().measure().empty()) Problem("measure", "say how it was obtained");
    const size_t files = PartsOf(Cell("file")).size();
    for (const char* column : {"sha256", "sha512"}) {
      const std::vector<std::string> digests = PartsOf(Cell(column));
      if (!digests.empty() && digests.size() != files) {
        Problem(column, "there is not one for each file");
      }
      const size_t digits = std::string_view(column) == "sha256" ? kSha256Digits : kSha512Digits;
      for (const std::string& digest : digests) {
        if (digest.size() != digits || !IsHex(digest)) {
          Problem(column, Cat("a hash has ", std::to_string(digits), " hexadecimal digits"));
        }
      }
    }
    return std::move(out_);
  }

 private:
  v1::EvidenceItem& item() { return *out_.mutable_item(); }
  std::string Cell(const std::string& column) const {
    const auto own = row_.cells.find(column);
    if (own != row_.cells.end() && !own->second.empty()) return own->second;
    const auto common = defaults_.find(column);
    return common == defaults_.end() ? "" : common->second;
  }
  void Problem(const std::string& column, std::string what) {
    problems_->push_back({row_.line, column, Cell(column), std::move(what)});
  }

  void Texts() {
    item().set_title(Cell("title"));
    if (item().title().empty()) {
      const std::vector<std::string> files = PartsOf(Cell("file"));
      if (!files.empty()) item().set_title(files[0].substr(files[0].find_last_of("/\\") + 1));
    }
    item().set_exhibit_no(Cell("exhibit"));
    item().set_national_ref(Cell("national-ref"));
    item().set_measure(Cell("measure"));
    item().set_order_ref(Cell("order"));
    item().set_authority(Cell("authority"));
    item().set_place(Cell("place"));
    item().set_law(Cell("law"));
    item().set_handling_text(Cell("handling-text"));
    item().set_line_code(Cell("line"));
    item().set_language(Cell("language"));
    item().set_note(Cell("note"));
  }

  template <class E>
  E Word(const std::string& column, E otherwise) {
    const std::string cell = Cell(column);
    if (cell.empty()) return otherwise;
    const absl::StatusOr<E> value = ParseEnumWord<E>(cell);
    if (value.ok()) return *value;
    Problem(column, Cat("known are ", EnumWords(*google::protobuf::GetEnumDescriptor<E>())));
    return otherwise;
  }
  void Words() {
    item().set_kind(Word("kind", v1::EVIDENCE_KIND_DOCUMENT));
    item().set_provenance_class(Word("provenance", v1::PROVENANCE_CLASS_UNSPECIFIED));
    item().set_handling(Word("handling", v1::HANDLING_CODE_UNSPECIFIED));
  }

  int64_t When(const std::string& column, DayMeans day) {
    const std::string cell = Cell(column);
    if (cell.empty()) return 0;
    const absl::StatusOr<int64_t> when = ParseWhen(cell, day);
    if (when.ok()) return *when;
    Problem(column, "a date is written 2026-03-01, a time 2026-03-01T10:00");
    return 0;
  }
  void Times() {
    item().set_obtained_from(When("obtained-from", DayMeans::kStart));
    item().set_obtained_to(When("obtained-to", DayMeans::kEnd));
    if (item().obtained_to() != 0 && item().obtained_to() < item().obtained_from()) {
      Problem("obtained-to", "it ends before it begins");
    }
  }

  void Bodies() {
    if (const std::string origin = Cell("origin"); !origin.empty()) {
      const auto party = parties_.find(origin);
      if (party == parties_.end()) {
        Problem("origin", "no trusted body has this code");
      } else {
        item().set_origin_party(party->second);
      }
    }
    std::string codes = Cell("audience");
    std::replace(codes.begin(), codes.end(), ',', ';');
    for (const std::string& code : PartsOf(codes)) {
      if (!parties_.contains(code)) {
        Problem("audience", Cat("no trusted body has the code ", Clean(code)));
      }
      out_.add_audience(code);
    }
    for (const std::string& parent : PartsOf(Cell("parent"))) out_.add_parents(parent);
  }

  const RegisterRow& row_;
  const std::map<std::string, std::string>& defaults_;
  const Parties& parties_;
  std::vector<RowProblem>* const problems_;
  v1::AddEvidenceRequest out_;
};

}  // namespace

const std::vector<std::string>& RegisterColumns() {
  static const std::vector<std::string> columns = {
      "title",      "kind",     "measure",       "exhibit", "national-ref",  "order",
      "authority",  "place",    "law",           "origin",  "obtained-from", "obtained-to",
      "provenance", "handling", "handling-text", "line",    "language",      "note",
      "audience",   "parent",   "file",          "sha256",  "sha512"};
  return columns;
}

std::vector<std::string> PartsOf(std::string_view cell) {
  std::vector<std::string> out;
  while (!cell.empty()) {
    const size_t end = cell.find(';');
    std::string part = Trimmed(cell.substr(0, end));
    if (!part.empty()) out.push_back(std::move(part));
    cell = end == std::string_view::npos ? std::string_view() : cell.substr(end + 1);
  }
  return out;
}

absl::StatusOr<std::vector<RegisterRow>> RowsFromCsv(std::string_view text) {
  const absl::StatusOr<std::vector<CsvRow>> lines = ParseCsv(text);
  if (!lines.ok()) return lines.status();
  if (lines->empty()) {
    return Bad("BAD_REGISTER", "the register is empty",
               Cat("begin it with a line of column names out of: ", JoinedColumns()));
  }
  std::vector<std::string> columns;
  for (const std::string& header : lines->front().fields) {
    std::string column = ColumnName(header);
    const auto& known = RegisterColumns();
    if (std::find(known.begin(), known.end(), column) == known.end()) {
      return Bad("BAD_REGISTER", Cat("there is no column \"", Clean(header), "\""),
                 Cat("name the columns out of: ", JoinedColumns()));
    }
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      return Bad("BAD_REGISTER", Cat("the column \"", column, "\" stands there twice"),
                 "keep one of them");
    }
    columns.push_back(std::move(column));
  }
  std::vector<RegisterRow> out;
  for (size_t i = 1; i < lines->size(); ++i) {
    const CsvRow& line = (*lines)[i];
    if (line.fields.size() > columns.size()) {
      return Bad(
          "BAD_REGISTER",
          Cat("line ", std::to_string(line.line), " has ", std::to_string(line.fields.size()),
              " fields, the first one ", std::to_string(columns.size())),
          "quote fields that hold commas");
    }
    RegisterRow row;
    row.line = line.line;
    for (size_t c = 0; c < line.fields.size(); ++c) row.cells[columns[c]] = Trimmed(line.fields[c]);
    out.push_back(std::move(row));
  }
  return out;
}

absl::StatusOr<std::vector<RegisterRow>> RowsFromHashes(std::string_view text) {
  std::vector<RegisterRow> out;
  HashList list;
  size_t number = 0;
  for (const std::string_view line : LinesOf(text)) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::string digest;
    std::string name;
    if (!list.Take(line, &digest, &name)) {
      if (line.starts_with("%%%%")) continue;
      return Bad("BAD_LIST", Cat("line ", std::to_string(number), " is no hash and file name"),
                 "make the list with sha256sum, sha512sum or hashdeep -c sha256");
    }
    if (name.find(';') != std::string::npos) {
      return Bad("BAD_LIST", Cat("line ", std::to_string(number), ": a name with a semicolon"),
                 "add that file by itself: entente evidence add");
    }
    RegisterRow row;
    row.line = number;
    row.cells["file"] = name;
    row.cells[digest.size() == kSha512Digits ? "sha512" : "sha256"] = Lower(digest);
    out.push_back(std::move(row));
  }
  return out;
}

v1::AddEvidenceRequest ItemOf(const RegisterRow& row,
                              const std::map<std::string, std::string>& defaults,
                              const Parties& parties, std::vector<RowProblem>* problems) {
  return ItemWriter(row, defaults, parties, problems).Write();
}

}  // namespace entente::cli

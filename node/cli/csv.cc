#include "node/cli/csv.h"

#include <utility>

#include "crypto/bytes.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

absl::Status BadCsv(size_t line, std::string_view what) {
  return service::Error(
      absl::StatusCode::kInvalidArgument,
      {.what = Cat("line ", std::to_string(line), " is not as CSV has it: ", what),
       .code = "BAD_CSV",
       .next = "save the register as CSV (UTF-8) once more"});
}

char SeparatorOf(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('\n'));
  return first.find(',') == std::string_view::npos && first.find(';') != std::string_view::npos
             ? ';'
             : ',';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), separator_(SeparatorOf(text)) {}

  absl::StatusOr<std::vector<CsvRow>> Read() {
    while (at_ < text_.size()) {
      if (absl::Status s = Row(); !s.ok()) return s;
    }
    return std::move(rows_);
  }

 private:
  absl::Status Row() {
    CsvRow row;
    row.line = line_;
    bool quoted = false;
    for (;;) {
      std::string field;
      if (absl::Status s = Field(&field, &quoted); !s.ok()) return s;
      row.fields.push_back(std::move(field));
      if (at_ >= text_.size() || text_[at_] != separator_) break;
      ++at_;
    }
    if (at_ < text_.size()) {  // the end of the line
      ++at_;
      ++line_;
    }
    const bool empty = row.fields.size() == 1 && row.fields[0].empty() && !quoted;
    if (!empty) rows_.push_back(std::move(row));
    return absl::OkStatus();
  }

  absl::Status Field(std::string* out, bool* quoted) {
    if (at_ < text_.size() && text_[at_] == '"') {
      *quoted = true;
      if (absl::Status s = Quoted(out); !s.ok()) return s;
      if (at_ < text_.size() && text_[at_] == '\r') ++at_;
      if (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') {
        return BadCsv(line_, "something follows a closing quote");
      }
      return absl::OkStatus();
    }
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') {
      if (text_[at_] == '"') return BadCsv(line_, "a quote stands inside a field");
      ++at_;
    }
    *out = text_.substr(begin, at_ - begin);
    if (!out->empty() && out->back() == '\r' && (at_ == text_.size() || text_[at_] == '\n')) {
      out->pop_back();
    }
    return absl::OkStatus();
  }

  absl::Status Quoted(std::string* out) {
    const size_t opened = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        *out += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        *out += '"';
        ++at_;
      } else {
        ++at_;
        return absl::OkStatus();
      }
    }
    return BadCsv(opened, "a quote is opened and never closed");
  }

  const std::string_view text_;
  const char separator_;
  size_t at_ = 0;
  size_t line_ = 1;
  std::vector<CsvRow> rows_;
};

}  // namespace

absl::StatusOr<std::vector<CsvRow>> ParseCsv(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return Reader(text).Read();
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::string out;
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string field = fields[i];
    if (!field.empty() && std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos) {
      field.insert(0, "'");
    }
    if (i > 0) out += ',';
    const bool alone = fields.size() == 1 && field.empty();  // else it would be no row at all
    if (!alone && field.find_first_of(",;\"\r\n") == std::string::npos) {
      out += field;
      continue;
    }
    out += '"';
    for (const char c : field) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out + "\r\n";
}

}  // namespace entente::cli

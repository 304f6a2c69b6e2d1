// Comma-separated values after RFC 4180, as spreadsheets write them: fields in quotes may hold
// commas, line breaks and doubled quotes; lines end with LF or CRLF; a byte order mark is passed
// over. A semicolon separates as well when the first line has one and no comma.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace entente::cli {

struct CsvRow {
  size_t line = 0;  // of the file, from 1, where the row begins
  std::vector<std::string> fields;
};

// Empty lines are left out. InvalidArgument [BAD_CSV] names the line: a quote that is not closed,
// or that stands inside a field.
absl::StatusOr<std::vector<CsvRow>> ParseCsv(std::string_view text);

// One line, quoted where it has to be, with its end. A field that a spreadsheet would take for a
// formula gets an apostrophe in front.
std::string CsvLine(const std::vector<std::string>& fields);

}  // namespace entente::cli

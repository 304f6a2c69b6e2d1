// Evidence that is registered elsewhere already, on its way in: a CSV register of an existing case,
// a list of hashes, a BagIt bag, a CASE graph. All become rows of one kind; every row is checked
// before the first is sent, and what is wrong is named by row and column.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "entente/v1/client.pb.h"

namespace entente::cli {

// The columns of a register; the names are those of the flags of `evidence add`.
const std::vector<std::string>& RegisterColumns();

struct RegisterRow {
  size_t line = 0;                           // of the source, from 1
  std::map<std::string, std::string> cells;  // by column; an absent one is empty
};

struct RowProblem {
  size_t line = 0;
  std::string column;
  std::string value;
  std::string what;
};

// ---- where rows come from. InvalidArgument [BAD_CSV], [BAD_REGISTER], [BAD_LIST], [BAD_GRAPH].

absl::StatusOr<std::vector<RegisterRow>> RowsFromCsv(std::string_view text);
// `sha256sum` (with or without the star of binary mode), BSD (`SHA256 (name) = …`) or hashdeep.
absl::StatusOr<std::vector<RegisterRow>> RowsFromHashes(std::string_view text);
// CASE/UCO as JSON-LD: provenance records with their files, or files alone.
absl::StatusOr<std::vector<RegisterRow>> RowsFromCaseGraph(std::string_view text);

// ---- what they become

// What is known of the bodies: code → party.
using Parties = std::map<std::string, std::string>;

// One item. `defaults` fill empty cells. Problems of this row are added to `problems`; the result
// counts only if there are none. Files are looked for by the caller.
v1::AddEvidenceRequest ItemOf(const RegisterRow& row,
                              const std::map<std::string, std::string>& defaults,
                              const Parties& parties, std::vector<RowProblem>* problems);

// A cell that names several: parts between ";", without blanks around them.
std::vector<std::string> PartsOf(std::string_view cell);

}  // namespace entente::cli

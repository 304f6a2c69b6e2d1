// What the entries of a bundle say, in words for a judge: a document of headings, paragraphs and
// tables, rendered by report_html.h and read aloud by entente-verify. A pure function of the proof:
// the same bundle gives the same report to the byte, or its format has another number.
#pragma once

#include <string>
#include <vector>

#include "node/bundle/opened_bundle.h"

namespace entente::bundle {

struct ReportTable {
  std::vector<std::string> columns;  // empty: rows of a name and a value
  std::vector<std::vector<std::string>> rows;
};

struct ReportSection {
  std::string heading;
  int level = 2;                        // 2: a chapter, 3: part of one
  std::vector<std::string> paragraphs;  // before the table
  ReportTable table;
};

struct Report {
  std::string title;
  std::vector<std::string> introduction;
  std::vector<ReportSection> sections;
};

// A file of an item that belongs into the bundle, under `path`.
struct EnclosedFile {
  std::string path;
  const model::Record* record = nullptr;
  v1::FileRef file;
};
std::vector<EnclosedFile> EnclosedFiles(const OpenedBundle& bundle);

Report MakeReport(const OpenedBundle& bundle);

// "2026-11-27 10:03 UTC"
std::string ReportTime(int64_t unix_seconds);

}  // namespace entente::bundle

#include "node/bundle/report_html.h"

#include "node/model/kinds.h"

namespace entente::bundle {
namespace {

constexpr std::string_view kHead = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
)html";

constexpr std::string_view kStyle = R"html(<style>
:root { --ink: #1b2430; --quiet: #4d5a68; --line: #c5ccd4; --head: #eef1f4; }
body { font: 16px/1.5 "Liberation Serif", Georgia, serif; color: var(--ink); background: #fff;
       max-width: 64rem; margin: 2rem auto; padding: 0 1.5rem; }
h1, h2, h3, th { font-family: "Liberation Sans", Arial, sans-serif; line-height: 1.25; }
h1 { font-size: 1.75rem; border-bottom: 3px solid var(--ink); padding-bottom: .5rem; }
h2 { font-size: 1.3rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin-top: 1.5rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; margin: .75rem 0 1.25rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
         border-bottom: 1px solid var(--line); overflow-wrap: anywhere; min-width: 4rem;
         white-space: pre-line; }
thead th { background: var(--head); padding-left: .4rem; }
tbody td, tbody th { padding-left: .4rem; }
tbody th { font-weight: normal; color: var(--quiet); width: 12rem; }
bdi { unicode-bidi: isolate; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } thead { display: table-header-group; }
               tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; } }
</style>
)html";

// Text as text, with what would hide or reorder it made visible.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : model::CleanForDisplay(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Cell(std::string_view tag, std::string_view text) {
  return Cat("<", tag, "><bdi>", Escaped(text), "</bdi></", tag.substr(0, tag.find(' ')), ">");
}

std::string Table(const ReportTable& table) {
  if (table.rows.empty()) return "";
  std::string out = "<table>\n";
  if (!table.columns.empty()) {
    out += "<thead><tr>";
    for (const std::string& column : table.columns) out += Cell("th scope=\"col\"", column);
    out += "</tr></thead>\n";
  }
  out += "<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    out += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      out += Cell(table.columns.empty() && i == 0 ? "th scope=\"row\"" : "td", row[i]);
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

std::string Paragraph(std::string_view text) { return Cat("<p>", Escaped(text), "</p>\n"); }

}  // namespace

std::string RenderHtml(const Report& report) {
  std::string out = Cat(kHead, "<title>", Escaped(report.title), "</title>\n", kStyle,
                        "</head>\n<body>\n<h1>", Escaped(report.title), "</h1>\n");
  for (const std::string& text : report.introduction) out += Paragraph(text);
  for (const ReportSection& section : report.sections) {
    const std::string level = std::to_string(section.level);
    out += Cat("<h", level, "><bdi>", Escaped(section.heading), "</bdi></h", level, ">\n");
    for (const std::string& text : section.paragraphs) out += Paragraph(text);
    out += Table(section.table);
  }
  return out + "</body>\n</html>\n";
}

}  // namespace entente::bundle

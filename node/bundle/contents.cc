#include "node/bundle/contents.h"

#include <utility>

#include "crypto/note.h"
#include "node/bundle/bag.h"
#include "node/bundle/case_graph.h"
#include "node/bundle/report_html.h"

namespace entente::bundle {
namespace {

constexpr std::string_view kReadme =
    "This folder holds evidence and what proves where it comes from.\n"
    "\n"
    "  data/report.html        what happened to it, to read or print\n"
    "  data/files/             the evidence itself\n"
    "  data/provenance.jsonld  the same as the report, for other systems (CASE/UCO)\n"
    "  data/proof/             what was signed\n"
    "\n"
    "To check all of it, on any computer and without a network:\n"
    "\n"
    "  entente-verify FOLDER\n"
    "\n"
    "To check only that nothing has been damaged on the way, with common tools:\n"
    "\n"
    "  cd FOLDER && sha256sum -c manifest-sha256.txt\n"
    "\n"
    "Add nothing to this folder and change nothing in it: it would be refused.\n";

// RFC 8493 §2.2.2. A value is one line: texts of people come in cleaned.
std::string BagInfo(const OpenedBundle& bundle, const std::map<std::string, std::string>& texts,
                    const std::vector<EnclosedFile>& enclosed) {
  uint64_t bytes = 0;
  uint64_t count = enclosed.size();
  for (const EnclosedFile& file : enclosed) bytes += file.file.plain_size();
  for (const auto& [path, text] : texts) {
    if (!path.starts_with("data/")) continue;
    bytes += text.size();
    ++count;
  }
  const auto line = [](std::string text) {
    for (char& c : text) c = c == '\n' || c == '\t' ? ' ' : c;
    return model::CleanForDisplay(text);
  };
  const model::BodyInfo* exporter = bundle.directory().Find(bundle.exporter());
  std::string refs;
  for (const model::Record* record : bundle.records()) {
    refs += Cat(refs.empty() ? "" : ", ", bundle.model().RefOf(*record));
  }
  return Cat("Source-Organization: ", line(exporter == nullptr ? "" : exporter->name), "\n",
             "Bagging-Date: ", absl::FormatTime("%Y-%m-%d", bundle.exported(), absl::UTCTimeZone()),
             "\n", "External-Identifier: ", refs, "\n",
             "External-Description: ", line(bundle.proof().purpose()), "\n",
             "Payload-Oxum: ", std::to_string(bytes), ".", std::to_string(count), "\n",
             "Entente-Bundle-Format: ", std::to_string(kFormat), "\n");
}

std::string HeadOf(const sync::ProvenLog& log) {
  std::string note = log.head_note;
  for (const std::string& line : log.cosignatures) note = crypto::AppendSignatureLine(note, line);
  return note;
}

}  // namespace

std::string HeadPath(const LogId& log) { return Cat("data/proof/heads/", log.hex(), ".txt"); }

std::map<std::string, std::string> Contents(const OpenedBundle& bundle, std::string_view proof,
                                            std::string_view signature,
                                            std::string_view timestamp) {
  std::map<std::string, std::string> out;
  out.emplace(kProofPath, proof);
  out.emplace(kSignaturePath, signature);
  if (!timestamp.empty()) out.emplace(kTimestampPath, timestamp);
  out.emplace(kReportPath, RenderHtml(MakeReport(bundle)));
  out.emplace(kGraphPath, CaseGraph(bundle));
  for (const auto& [id, log] : bundle.logs()) out.emplace(HeadPath(id), HeadOf(log));
  out.emplace("bagit.txt", kBagDeclaration);
  out.emplace("README.txt", kReadme);
  const std::string info = BagInfo(bundle, out, EnclosedFiles(bundle));
  out.emplace(kBagInfoPath, info);
  return out;
}

}  // namespace entente::bundle

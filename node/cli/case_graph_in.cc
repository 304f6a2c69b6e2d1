// CASE graphs as rows of a register. What a graph says beyond names, hashes and exhibit numbers is
// for its own system: here it stays one file beside the items, if people add it.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "crypto/bytes.h"
#include "node/cli/evidence_register.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

using Json = nlohmann::json;

absl::Status BadGraph(std::string_view what) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = what,
                         .code = "BAD_GRAPH",
                         .next = "export the graph again as JSON-LD with a \"@graph\""});
}

// Prefixes differ between systems; the last part of a name is what the ontology calls it.
bool IsCalled(const std::string& name, std::string_view what) {
  return name.size() >= what.size() &&
         name.compare(name.size() - what.size(), what.size(), what) == 0 &&
         (name.size() == what.size() ||
          std::string_view(":/#").find(name[name.size() - what.size() - 1]) !=
              std::string_view::npos);
}

const Json* Property(const Json& node, std::string_view what) {
  if (!node.is_object()) return nullptr;
  for (const auto& [name, value] : node.items()) {
    if (IsCalled(name, what)) return &value;
  }
  return nullptr;
}

std::vector<const Json*> Each(const Json* value) {
  std::vector<const Json*> out;
  if (value == nullptr) return out;
  if (!value->is_array()) return {value};
  for (const Json& item : *value) out.push_back(&item);
  return out;
}

std::string TextOf(const Json* value) {
  if (value == nullptr) return "";
  if (value->is_string()) return value->get<std::string>();
  if (value->is_object() && value->contains("@value")) return TextOf(&(*value)["@value"]);
  return "";
}

bool Is(const Json& node, std::string_view type) {
  if (!node.is_object() || !node.contains("@type")) return false;
  for (const Json* item : Each(&node["@type"])) {
    if (item->is_string() && IsCalled(item->get<std::string>(), type)) return true;
  }
  return false;
}

struct GraphFile {
  std::string path;
  std::string sha256;
};

GraphFile FileOf(const Json& node) {
  GraphFile out;
  for (const Json* facet : Each(Property(node, "hasFacet"))) {
    if (out.path.empty()) out.path = TextOf(Property(*facet, "filePath"));
    if (out.path.empty()) out.path = TextOf(Property(*facet, "fileName"));
    for (const Json* hash : Each(Property(*facet, "hash"))) {
      const std::string method = TextOf(Property(*hash, "hashMethod"));
      if (method != "SHA256" && method != "SHA-256") continue;
      out.sha256 = TextOf(Property(*hash, "hashValue"));
      for (char& c : out.sha256) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

void AddFile(const GraphFile& file, RegisterRow* row) {
  const auto add = [row](const char* column, const std::string& text) {
    std::string& cell = row->cells[column];
    if (!text.empty()) cell += Cat(cell.empty() ? "" : ";", text);
  };
  add("file", file.path);
  add("sha256", file.sha256);
}

}  // namespace

absl::StatusOr<std::vector<RegisterRow>> RowsFromCaseGraph(std::string_view text) {
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return BadGraph("the graph is no JSON");
  const Json* graph =
      document.is_object() && document.contains("@graph") ? &document["@graph"] : nullptr;
  if (graph == nullptr || !graph->is_array()) return BadGraph("the JSON holds no \"@graph\"");
  std::map<std::string, GraphFile> files;
  for (const Json& node : *graph) {
    if (!Is(node, "File") && !Is(node, "ObservableObject")) continue;
    const GraphFile file = FileOf(node);
    if (file.path.find(';') != std::string::npos) return BadGraph("a file's name has a semicolon");
    if (node.contains("@id") && !file.path.empty()) files[TextOf(&node["@id"])] = file;
  }
  std::vector<RegisterRow> out;
  std::set<std::string> used;
  size_t position = 0;
  for (const Json& node : *graph) {
    ++position;
    if (!Is(node, "ProvenanceRecord")) continue;
    RegisterRow row;
    row.line = position;
    row.cells["title"] = TextOf(Property(node, "description"));
    if (row.cells["title"].empty()) row.cells["title"] = TextOf(Property(node, "name"));
    row.cells["exhibit"] = TextOf(Property(node, "exhibitNumber"));
    for (const Json* object : Each(Property(node, "object"))) {
      const auto file = object->is_object() && object->contains("@id")
                            ? files.find(TextOf(&(*object)["@id"]))
                            : files.end();
      if (file == files.end()) continue;
      used.insert(file->first);
      AddFile(file->second, &row);
    }
    out.push_back(std::move(row));
  }
  for (const auto& [id, file] : files) {
    if (used.contains(id)) continue;
    RegisterRow row;
    row.line = ++position;
    AddFile(file, &row);
    out.push_back(std::move(row));
  }
  if (out.empty()) return BadGraph("the graph names no files and no provenance records");
  return out;
}

}  // namespace entente::cli

#include "node/bundle/case_graph.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "crypto/hash.h"
#include "node/bundle/report.h"
#include "node/model/kinds.h"

namespace entente::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDigits = "0123456789abcdef";

// Names in a graph are UUIDs (RFC 9562, version 8: made from a hash). The same thing has the same
// name in every bundle.
std::string NameOf(std::string_view type, std::string_view what) {
  const Hash hash = crypto::Sha256({"entente case graph", type, what});
  std::string raw = hash.str().substr(0, 16);
  raw[6] = static_cast<char>((raw[6] & 0x0F) | 0x80);
  raw[8] = static_cast<char>((raw[8] & 0x3F) | 0x80);
  std::string out = Cat("kb:", type, "-");
  for (size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    const auto byte = static_cast<uint8_t>(raw[i]);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0x0F];
  }
  return out;
}

std::string Clean(std::string_view text) { return model::CleanForDisplay(text); }
Json Reference(const std::string& name) { return Json{{"@id", name}}; }
Json Typed(std::string_view type, const std::string& value) {
  return Json{{"@type", Cat("xsd:", type)}, {"@value", value}};
}
Json Moment(int64_t unix_seconds) {
  return Typed("dateTime",
               absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(unix_seconds),
                                absl::UTCTimeZone()));
}

class Graph {
 public:
  explicit Graph(const OpenedBundle& bundle) : bundle_(bundle) {}

  std::string Write() {
    for (const auto& [party, body] : bundle_.directory().all()) Organization(party, body);
    for (const EnclosedFile& enclosed : EnclosedFiles(bundle_)) {
      places_[Hex(enclosed.file.blob_id())] = enclosed.path;
    }
    for (const model::Record* record : bundle_.records()) Item(*record);
    Investigation();
    const Json out = {
        {"@context",
         {{"kb", "urn:entente:"},
          {"case-investigation", "https://ontology.caseontology.org/case/investigation/"},
          {"uco-action", "https://ontology.unifiedcyberontology.org/uco/action/"},
          {"uco-core", "https://ontology.unifiedcyberontology.org/uco/core/"},
          {"uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/"},
          {"uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/"},
          {"uco-types", "https://ontology.unifiedcyberontology.org/uco/types/"},
          {"uco-vocabulary", "https://ontology.unifiedcyberontology.org/uco/vocabulary/"},
          {"xsd", "http://www.w3.org/2001/XMLSchema#"}}},
        {"@graph", nodes_}};
    return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  }

 private:
  void Add(Json node) { nodes_.push_back(std::move(node)); }
  std::string OrganizationOf(std::string_view code) const {
    const model::BodyInfo* body = bundle_.directory().FindByCode(code);
    return body == nullptr ? "" : NameOf("organization", body->party.view());
  }

  void Organization(const PartyId& party, const model::BodyInfo& body) {
    Add({{"@id", NameOf("organization", party.view())},
         {"@type", "uco-identity:Organization"},
         {"uco-core:name", Clean(body.name.empty() ? body.code : body.name)},
         {"uco-core:description", Cat("body ", Clean(body.code))}});
  }

  std::string File(const v1::FileView& file) {
    const std::string name = NameOf("file", file.blob());
    if (!known_.insert(name).second) return name;
    Json facet = {{"@id", NameOf("file-facet", file.blob())},
                  {"@type", "uco-observable:FileFacet"},
                  {"uco-observable:fileName", Clean(file.name())},
                  {"uco-observable:sizeInBytes", Typed("integer", std::to_string(file.size()))}};
    const auto place = places_.find(file.blob());
    if (place != places_.end()) facet["uco-observable:filePath"] = place->second;
    const Json content = {
        {"@id", NameOf("content-data-facet", file.blob())},
        {"@type", "uco-observable:ContentDataFacet"},
        {"uco-observable:mimeType", Clean(file.media_type())},
        {"uco-observable:hash",
         Json::array({Json{{"@id", NameOf("hash", file.blob())},
                           {"@type", "uco-types:Hash"},
                           {"uco-types:hashMethod",
                            Json{{"@type", "uco-vocabulary:HashNameVocab"}, {"@value", "SHA256"}}},
                           {"uco-types:hashValue", Typed("hexBinary", file.sha256())}}})}};
    Add({{"@id", name},
         {"@type", "uco-observable:File"},
         {"uco-core:hasFacet", Json::array({std::move(facet), content})}});
    return name;
  }

  void Item(const model::Record& record) {
    const v1::RecordView view = bundle_.View(record);
    const std::string name = NameOf("provenance-record", record.id().view());
    Json files = Json::array();
    for (const v1::FileView& file : view.files()) files.push_back(Reference(File(file)));
    Json node = {{"@id", name},
                 {"@type", "case-investigation:ProvenanceRecord"},
                 {"uco-core:name", Clean(view.ref())},
                 {"uco-core:description", Clean(view.title())},
                 {"uco-core:objectCreatedTime", Moment(view.created())}};
    if (!view.evidence().exhibit_no().empty()) {
      node["case-investigation:exhibitNumber"] = Clean(view.evidence().exhibit_no());
    }
    if (!files.empty()) node["uco-core:object"] = files;
    Add(std::move(node));
    objects_.push_back(Reference(name));
    for (const v1::CustodyView& event : view.custody()) CustodyAction(name, event);
    for (const v1::HistoryItem& item : bundle_.model().History(record)) Act(name, item);
  }

  // `entry` is the signed entry that it follows from, `which` tells those of one entry apart.
  void Action(const std::string& item, std::string_view kind, const std::string& entry,
              const std::string& which, const std::string& what, const std::string& who,
              int64_t time, const std::string& body, const Json& more) {
    const std::string name = NameOf(kind, Cat(item, entry, which));
    if (!known_.insert(name).second) return;
    Json node = {{"@id", name},
                 {"@type", "case-investigation:InvestigativeAction"},
                 {"uco-core:name", Clean(what)},
                 {"uco-core:description",
                  Cat(who.empty() ? "" : Cat("by ", Clean(who), "; "), "signed entry ", entry)},
                 {"uco-action:startTime", Moment(time)},
                 {"uco-action:object", Json::array({Reference(item)})}};
    if (const std::string performer = OrganizationOf(body); !performer.empty()) {
      node["uco-action:performer"] = Reference(performer);
    }
    node.update(more);
    Add(std::move(node));
    objects_.push_back(Reference(name));
  }

  void CustodyAction(const std::string& item, const v1::CustodyView& event) {
    Json more = Json::object();
    Json to = Json::array();
    for (const std::string& code : event.to()) {
      if (const std::string body = OrganizationOf(code); !body.empty())
        to.push_back(Reference(body));
    }
    if (!to.empty()) more["uco-action:participant"] = std::move(to);
    std::string what = event.kind();
    for (char& c : what) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
    if (!event.purpose().empty()) what += Cat(": ", event.purpose());
    // An owner's release carries what it had recorded before.
    const std::string which = Cat(event.kind(), std::to_string(event.time()), event.actor(),
                                  event.purpose(), event.file_name());
    Action(item, "custody-action", event.entry(), which, what, event.actor(), event.time(),
           event.body(), more);
  }

  void Act(const std::string& item, const v1::HistoryItem& act) {
    if (!act.refused().empty()) return;
    Action(item, "investigative-action", act.entry(), act.what(), act.what(), act.user(),
           act.time(), act.body(), Json::object());
  }

  void Investigation() {
    Add({{"@id", NameOf("investigation", bundle_.jit().view())},
         {"@type", "case-investigation:Investigation"},
         {"uco-core:name", Clean(bundle_.CodeName())},
         {"uco-core:object", objects_}});
  }

  const OpenedBundle& bundle_;
  Json nodes_ = Json::array();
  Json objects_ = Json::array();
  std::set<std::string> known_;
  std::map<std::string, std::string> places_;  // blob → path
};

}  // namespace

std::string CaseGraph(const OpenedBundle& bundle) { return Graph(bundle).Write(); }

}  // namespace entente::bundle

#include <map>

#include "entente/v1/client.pb.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/troubles.h"

namespace entente::sim {
namespace {

using Views = std::map<std::string, std::map<std::string, v1::RecordView>>;  // id, node

// What is a node's own by nature is left out: the state of files, and what a new reader cannot
// know of the time before it was one.
void Collect(const Node& node, const google::protobuf::RepeatedPtrField<v1::RecordView>& records,
             Views* views) {
  for (v1::RecordView view : records) {
    for (v1::FileView& file : *view.mutable_files()) {
      if (file.state() != "here") file.set_state("not here");  // where others have it
      file.clear_bytes_here();
    }
    view.clear_created();
    view.clear_refused();
    view.clear_custody();
    view.clear_changed();
    view.clear_overdue();
    (*views)[view.id()][node.code()] = std::move(view);
  }
}

template <class Request, class Response>
void List(Inspection& in, Node& node, const std::string& method, Views* views) {
  const auto response = in.world.Ask<Response>(node, method, std::make_shared<Request>());
  if (response != nullptr) Collect(node, response->records(), views);
}

// Notes come in pages.
void ListNotes(Inspection& in, Node& node, Views* views) {
  auto request = std::make_shared<v1::ListNotesRequest>();
  while (true) {
    const auto page =
        in.world.Ask<v1::ListNotesResponse>(node, "/entente.v1.RecordService/ListNotes", request);
    if (page == nullptr || page->records().empty()) return;
    Collect(node, page->records(), views);
    request = std::make_shared<v1::ListNotesRequest>();
    request->set_after(page->records().rbegin()->ref());
  }
}

std::string LogsOf(Inspection& in, const std::string& author, const std::string& reader) {
  std::string out;
  for (const auto& [id, log] : in.all.logs()) {
    const Codes members = in.all.CodesOf(log.members);
    if (in.all.CodeOf(log.author) == author && members.contains(reader)) out += WhoHolds(in, log);
  }
  return out;
}

}  // namespace

std::string ViewsConverge(Inspection& in) {
  Views views;
  Codes honest;
  for (auto& node : in.world.nodes()) {
    if (node->hostile) continue;
    honest.insert(node->code());
    ListNotes(in, *node, &views);
    List<v1::ListEvidenceRequest, v1::ListEvidenceResponse>(
        in, *node, "/entente.v1.EvidenceService/ListEvidence", &views);
    List<v1::ListTasksRequest, v1::ListTasksResponse>(in, *node,
                                                      "/entente.v1.TaskService/ListTasks", &views);
    List<v1::ListLinesRequest, v1::ListLinesResponse>(
        in, *node, "/entente.v1.StrategyService/ListLines", &views);
  }
  for (const auto& [id, by_node] : views) {
    const auto& [first_code, first] = *by_node.begin();
    const std::string bytes = first.SerializeAsString();
    for (const std::string& code : first.audience()) {
      if (!honest.contains(code)) continue;
      const auto it = by_node.find(code);
      if (it == by_node.end()) {
        // Who is left out holds what it had, and what it writes later is refused.
        if (in.ledger.LeftOut(code) || in.ledger.LeftOut(first.owner())) continue;
        return Cat(code, " lacks ", first.ref(), " of ", first.owner(), ", which ", first_code,
                   " has", LogsOf(in, first.owner(), code), TroublesOfAll(in));
      }
      // A suspension lets two bodies see different later changes.
      const bool disturbed = in.ledger.LeftOut(code) || in.ledger.LeftOut(first_code);
      if (!disturbed && it->second.SerializeAsString() != bytes) {
        return Cat(first.ref(), " differs between ", first_code, " and ", code, ":\n",
                   first.ShortDebugString(), "\n", it->second.ShortDebugString());
      }
    }
  }
  return "";
}

}  // namespace entente::sim

#include "tests/sim/pictures.h"

#include <memory>
#include <utility>

namespace entente::sim {
namespace {

using Records = std::map<std::string, v1::RecordView>;

void Collect(const google::protobuf::RepeatedPtrField<v1::RecordView>& records, Records* out) {
  for (v1::RecordView view : records) {
    if (view.owner().empty()) continue;  // of no effect, or nothing of it has come but a change
    for (v1::FileView& file : *view.mutable_files()) {
      if (file.state() != "here") file.set_state("not here");  // where others have it
      file.clear_bytes_here();
    }
    // Who is known to have heard is known to each from its own partners, and what the owner had
    // written for fewer readers is erased and confirmed among these.
    view.mutable_erasure()->clear_orders();
    view.mutable_erasure()->clear_complete();
    for (v1::ErasureAnswer& answer : *view.mutable_erasure()->mutable_bodies()) {
      const std::string code = answer.body();
      answer.Clear();
      answer.set_body(code);
    }
    if (view.erasure().bodies().empty()) view.clear_erasure();
    view.clear_created();
    view.clear_refused();
    view.clear_custody();
    view.clear_changed();
    view.clear_overdue();
    (*out)[view.id()] = std::move(view);
  }
}

template <class Request, class Response>
void List(World& world, Node& node, const std::string& method, Records* out) {
  const auto response = world.Ask<Response>(node, method, std::make_shared<Request>());
  if (response != nullptr) Collect(response->records(), out);
}

// Notes come in pages.
void ListNotes(World& world, Node& node, Records* out) {
  auto request = std::make_shared<v1::ListNotesRequest>();
  while (true) {
    const auto page =
        world.Ask<v1::ListNotesResponse>(node, "/entente.v1.RecordService/ListNotes", request);
    if (page == nullptr || page->records().empty()) return;
    Collect(page->records(), out);
    request = std::make_shared<v1::ListNotesRequest>();
    request->set_after(page->records().rbegin()->ref());
  }
}

}  // namespace

Records RecordsShown(World& world, Node& node) {
  Records out;
  ListNotes(world, node, &out);
  List<v1::ListEvidenceRequest, v1::ListEvidenceResponse>(
      world, node, "/entente.v1.EvidenceService/ListEvidence", &out);
  List<v1::ListTasksRequest, v1::ListTasksResponse>(world, node,
                                                    "/entente.v1.TaskService/ListTasks", &out);
  List<v1::ListLinesRequest, v1::ListLinesResponse>(world, node,
                                                    "/entente.v1.StrategyService/ListLines", &out);
  return out;
}

std::map<std::string, std::string> AgreementsShown(World& world, Node& node) {
  std::map<std::string, std::string> out;
  const auto list =
      world.Ask<v1::ListAgreementsResponse>(node, "/entente.v1.AgreementService/ListAgreements",
                                            std::make_shared<v1::ListAgreementsRequest>());
  if (list == nullptr) return out;
  for (const v1::AgreementView& view : list->agreements()) {
    std::string& shown = out[view.proposal()];
    shown = view.state();
    for (const v1::BodyStanding& standing : view.standings()) {
      if (standing.excluded()) shown += Cat(", without ", standing.code());
    }
  }
  return out;
}

}  // namespace entente::sim

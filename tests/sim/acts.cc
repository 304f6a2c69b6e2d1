#include "tests/sim/acts.h"

#include <algorithm>
#include <utility>

#include "crypto/file_chunks.h"
#include "entente/v1/records.pb.h"

namespace entente::sim {
namespace {

template <class T>
const T* As(const core::Answer& answer) {
  return dynamic_cast<const T*>(answer.response.get());
}

void Told(const v1::AddNotesResponse& response, Promise* promise) {
  promise->ref = response.refs(0);
}
template <class Response>
void Told(const Response& response, Promise* promise) {
  promise->ref = response.record().ref();
  promise->id = response.record().id();
}

// What a command that is sent twice must answer twice.
std::string Made(const v1::AddNotesResponse& response) {
  std::string out;
  for (const std::string& ref : response.refs()) out += Cat(ref, " ");
  return out;
}
template <class Response>
std::string Made(const Response& response) {
  return response.record().ref();
}

v1::Agreement MakeAgreement(absl::Time now, const Codes& parties, const Codes& participants) {
  v1::Agreement agreement;
  agreement.set_code_name("LANTERN");
  agreement.set_purpose("Trafficking in human beings, fictional");
  agreement.add_legal_bases(v1::LEGAL_BASIS_FD2002_465);
  for (const std::string& code : parties) {
    agreement.add_bodies()->set_code(code);
    v1::AgreementPerson* leader = agreement.add_leaders();
    leader->set_party(code);
    leader->set_user("Leader of " + code);
    leader->set_function("prosecutor");
  }
  for (const std::string& code : participants) {
    v1::AgreementBody* body = agreement.add_bodies();
    body->set_code(code);
    body->set_participant(true);
  }
  v1::AgreementPerson* admin = agreement.add_space_administrators();
  admin->set_party(HostOf(parties));
  admin->set_user("Leader of " + HostOf(parties));
  // Clocks are wrong by up to a year and the run may last as long: the period is no fault here.
  agreement.set_period_from(absl::ToUnixSeconds(now - absl::Hours(24 * 800)));
  agreement.set_period_to(absl::ToUnixSeconds(now + absl::Hours(24 * 1600)));
  return agreement;
}

}  // namespace

const std::string& HostOf(const Codes& parties) {
  const auto it = std::find_if(parties.begin(), parties.end(),
                               [](const std::string& code) { return code[0] == 'X'; });
  return it == parties.end() ? *parties.begin() : *it;
}

void Acts::Count(const core::Answer& answer, const std::string& counter) {
  world_.counters().Hit(answer.status.ok() ? counter : Cat(counter, " refused"));
  if (!answer.status.ok() && first_refusal_.empty())
    first_refusal_ = std::string(ToStd(answer.status.message()));
}

// ---- decisions

void Acts::Propose(Node& node, const Codes& parties, const Codes& participants) {
  parties_ = parties;
  participants_ = participants;
  auto request = std::make_shared<v1::ProposeAgreementRequest>();
  *request->mutable_agreement() = MakeAgreement(world_.now(), parties, participants);
  request->set_idempotency_key(Key());
  world_.Call(node, "/entente.v1.AgreementService/ProposeAgreement", request,
              [this](const core::Answer& answer, const Rows&) { Count(answer, "proposed"); });
}

void Acts::Sign(Node& node) {
  world_.Call(node, "/entente.v1.AgreementService/SignAgreement",
              std::make_shared<v1::SignAgreementRequest>(),
              [this](const core::Answer& answer, const Rows&) { Count(answer, "signed"); });
}

void Acts::Reject(Node& node) {
  auto request = std::make_shared<v1::RejectAgreementRequest>();
  request->set_reason("drawn by the seed");
  world_.Call(node, "/entente.v1.AgreementService/RejectAgreement", request,
              [this](const core::Answer& answer, const Rows&) { Count(answer, "rejected"); });
}

bool Acts::InForceAt(Node& node) {
  const auto list =
      world_.Ask<v1::ListAgreementsResponse>(node, "/entente.v1.AgreementService/ListAgreements",
                                             std::make_shared<v1::ListAgreementsRequest>());
  return list != nullptr &&
         std::any_of(list->agreements().begin(), list->agreements().end(),
                     [](const v1::AgreementView& view) { return view.state() == "IN_FORCE"; });
}

void Acts::Amend(Node& node, const std::string& admit, const std::string& controller) {
  const auto list =
      world_.Ask<v1::ListAgreementsResponse>(node, "/entente.v1.AgreementService/ListAgreements",
                                             std::make_shared<v1::ListAgreementsRequest>());
  if (list == nullptr) return;
  for (const v1::AgreementView& view : list->agreements()) {
    if (view.state() != "IN_FORCE") continue;
    auto request = std::make_shared<v1::ProposeAgreementRequest>();
    v1::Agreement& next = *request->mutable_agreement();
    next = view.agreement();
    next.set_purpose(
        Cat("Amended by ", node.code(), " as number ", std::to_string(++ledger_.proposals)));
    if (!admit.empty()) {
      next.add_bodies()->set_code(admit);
      v1::AgreementPerson* leader = next.add_leaders();
      leader->set_party(world_.node(admit).who.party.str());
      leader->set_user("Leader of " + admit);
      leader->set_function("prosecutor");
      parties_.insert(admit);
    }
    if (!controller.empty()) {
      next.set_third_country_controller(world_.node(controller).who.party.str());
    }
    request->set_jit(view.jit());
    request->set_idempotency_key(Key());
    world_.Call(node, "/entente.v1.AgreementService/ProposeAgreement", request,
                [this](const core::Answer& answer, const Rows&) { Count(answer, "amendment"); });
    return;
  }
}

void Acts::Exclude(Node& node, const std::string& gone) {
  auto request = std::make_shared<v1::ExcludeBodyRequest>();
  request->set_body(gone);
  request->set_reason("its node answers for somebody else");
  request->set_idempotency_key(Key());
  world_.Call(node, "/entente.v1.AgreementService/ExcludeBody", request,
              [this, &node, gone](const core::Answer& answer, const Rows& rows) {
                Count(answer, "exclusion signed");
                if (answer.status.ok()) ledger_.Stopped(node, gone, rows);
              });
}

void Acts::Suspend(Node& node, const std::string& whom, bool lift) {
  auto request = std::make_shared<v1::SuspendBodyRequest>();
  request->set_body(whom);
  request->set_reason("drawn by the seed");
  request->set_lift(lift);
  request->set_idempotency_key(Key());
  if (lift) ledger_.Lifted(node.code(), whom);
  // The answer may come after the suspension was lifted again.
  const uint64_t call = ++suspensions_[{node.code(), whom}];
  world_.Call(node, "/entente.v1.AgreementService/SuspendBody", request,
              [this, &node, whom, lift, call](const core::Answer& answer, const Rows& rows) {
                Count(answer, lift ? "suspension lifted" : "suspended");
                const bool newest = suspensions_[{node.code(), whom}] == call;
                if (answer.status.ok() && !lift && newest) ledger_.Stopped(node, whom, rows);
              });
}

// ---- keys

void Acts::RotateKeys(Node& node, bool emergency) {
  auto request = std::make_shared<v1::RotateKeysRequest>();
  request->set_emergency(emergency);
  world_.Call(node, "/entente.v1.NodeService/RotateKeys", request,
              [this, emergency](const core::Answer& answer, const Rows&) {
                Count(answer, emergency ? "emergency key rotation" : "key rotation");
                if (emergency) world_.KeysGivenUpInHaste();
              });
}

// ---- records

template <class Response>
void Acts::Write(Node& node, const std::string& method,
                 std::shared_ptr<google::protobuf::Message> request, Promise promise,
                 std::string counter, std::vector<core::UploadedFile> uploads) {
  if (!node.up()) return;
  const bool twice = world_.Chance(world_.faults().double_click);
  auto first = std::make_shared<std::string>();
  const auto done = [this, promise, counter, first](const core::Answer& answer, const Rows& rows) {
    Count(answer, counter);
    const auto* response = As<Response>(answer);
    if (response == nullptr) return;
    Promise told = promise;
    told.rows = rows;
    Told(*response, &told);
    if (!first->empty()) {
      if (*first != Made(*response)) {
        world_.Broken(Cat("one command, sent twice, made two records at ", told.owner));
      }
      return;
    }
    *first = Made(*response);
    ledger_.Acknowledged(std::move(told));
  };
  world_.Call(node, method, request, done, uploads);
  if (!twice) return;
  world_.counters().Hit("double click");
  world_.After(absl::Milliseconds(static_cast<int64_t>(1 + world_.Pick(5000))),
               [this, &node, method, request, done, uploads = std::move(uploads)] {
                 world_.Call(node, method, request, done, uploads);
               });
}

void Acts::Note(Node& node, const Codes& readers, int how_many) {
  auto request = std::make_shared<v1::AddNotesRequest>();
  Promise promise{node.code(), "", "", readers, {}};
  promise.audience.insert(node.code());
  for (int i = 0; i < how_many; ++i) {
    const size_t secret = ledger_.Keep(node.code(), readers);
    request->add_texts(ledger_.secrets()[secret].canary);
  }
  for (const std::string& code : readers) request->add_audience(code);
  request->set_idempotency_key(Key());
  Write<v1::AddNotesResponse>(node, "/entente.v1.RecordService/AddNotes", request,
                              std::move(promise), "note");
}

void Acts::Evidence(Node& node, const Codes& readers, size_t bytes) {
  if (!node.up()) return;
  auto request = std::make_shared<v1::AddEvidenceRequest>();
  const size_t secret = ledger_.Keep(node.code(), readers);
  const std::string canary = ledger_.secrets()[secret].canary;
  request->mutable_item()->set_title(canary);
  request->mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
  request->mutable_item()->set_measure("seized at a search");
  for (const std::string& code : readers) request->add_audience(code);
  request->set_idempotency_key(Key());
  std::string content = canary + "-file";
  content.resize(std::max(bytes, content.size()), 'x');
  Promise promise{node.code(), "", "", readers, {}};
  promise.audience.insert(node.code());
  Write<v1::AddEvidenceResponse>(node, "/entente.v1.EvidenceService/AddEvidence", request,
                                 std::move(promise), "evidence",
                                 {world_.Upload(node, canary + ".pdf", content)});
}

void Acts::Task(Node& node, const std::string& to) {
  if (to == node.code()) return;
  auto request = std::make_shared<v1::AssignTaskRequest>();
  const size_t secret = ledger_.Keep(node.code(), {to});
  request->mutable_task()->set_title(ledger_.secrets()[secret].canary);
  request->mutable_task()->set_kind(v1::TASK_KIND_BANK_DATA);
  request->mutable_task()->set_due(absl::ToUnixSeconds(world_.now() + absl::Hours(48)));
  request->set_to(to);
  request->set_idempotency_key(Key());
  Write<v1::AssignTaskResponse>(node, "/entente.v1.TaskService/AssignTask", request,
                                {node.code(), "", "", {node.code(), to}, {}}, "task");
}

void Acts::MoveTask(Node& node) {
  world_.Call(node, "/entente.v1.TaskService/ListTasks", std::make_shared<v1::ListTasksRequest>(),
              [this, &node](const core::Answer& answer, const Rows&) {
                const auto* list = As<v1::ListTasksResponse>(answer);
                if (list == nullptr || list->records_size() == 0) return;
                const auto pick =
                    static_cast<int>(world_.Pick(static_cast<uint64_t>(list->records_size())));
                auto request = std::make_shared<v1::UpdateTaskRequest>();
                request->set_task(list->records(pick).ref());
                static const std::vector<std::string> kStates = {
                    "ACCEPTED", "IN_PROGRESS", "EXECUTED", "DECLINED", "REVIEWED", "WITHDRAWN"};
                request->set_state(kStates[world_.Pick(kStates.size())]);
                request->set_reason("drawn by the seed");
                world_.After(absl::Milliseconds(1), [this, &node, request] {
                  world_.Call(node, "/entente.v1.TaskService/UpdateTask", request,
                              [this](const core::Answer& moved, const Rows&) {
                                Count(moved, "task move");
                              });
                });
              });
}

void Acts::Line(Node& node, const Codes& readers) {
  auto request = std::make_shared<v1::AddLineRequest>();
  const size_t secret = ledger_.Keep(node.code(), readers);
  request->mutable_line()->set_code(Cat("L", std::to_string(secret)));
  request->mutable_line()->set_title(ledger_.secrets()[secret].canary);
  request->mutable_line()->set_kind(v1::LINE_KIND_FINANCIAL);
  request->set_lead(node.code());
  for (const std::string& code : readers) request->add_audience(code);
  request->set_idempotency_key(Key());
  Promise promise{node.code(), "", "", readers, {}};
  promise.audience.insert(node.code());
  Write<v1::AddLineResponse>(node, "/entente.v1.StrategyService/AddLine", request,
                             std::move(promise), "line");
}

const Promise* Acts::OwnEvidence(const Node& node) {
  std::vector<const Promise*> own;
  for (const Promise& promise : ledger_.promises()) {
    if (promise.owner == node.code() && promise.ref.rfind("E-", 0) == 0 && !promise.erasing) {
      own.push_back(&promise);
    }
  }
  return own.empty() ? nullptr : own[world_.Pick(own.size())];
}

std::shared_ptr<v1::ShowEvidenceResponse> Acts::Shown(Node& node, const Promise& promise) {
  auto show = std::make_shared<v1::ShowEvidenceRequest>();
  show->set_record(promise.id);
  return world_.Ask<v1::ShowEvidenceResponse>(node, "/entente.v1.EvidenceService/ShowEvidence",
                                              show);
}

void Acts::Release(Node& node, const std::string& to) {
  const Promise* promise = OwnEvidence(node);
  if (promise == nullptr || to == node.code()) return;
  auto request = std::make_shared<v1::ReleaseEvidenceRequest>();
  request->add_records(promise->id);
  request->add_to(to);
  request->set_purpose("asked for");
  request->set_idempotency_key(Key());
  // From the moment it is asked for the new reader may know, whether or not the answer arrives.
  // What a release carries with it (parents, files) belongs to the same text.
  const auto shown = Shown(node, *promise);
  if (shown == nullptr) return;
  for (size_t i = 0; i < ledger_.secrets().size(); ++i) {
    if (ledger_.secrets()[i].canary == shown->record().title()) ledger_.MayKnow(i, to);
  }
  world_.Call(node, "/entente.v1.EvidenceService/ReleaseEvidence", request,
              [this](const core::Answer& answer, const Rows&) { Count(answer, "release"); });
}

void Acts::Erase(Node& node) {
  const Promise* own = OwnEvidence(node);
  const auto shown = own == nullptr ? nullptr : Shown(node, *own);
  if (shown == nullptr) return;
  Promise order{node.code(), own->id, own->ref, own->audience, {}};
  std::set<BlobId> files;
  for (const v1::FileView& file : shown->record().files()) {
    files.insert(*BlobId::FromHex(file.blob()));
  }
  auto request = std::make_shared<v1::EraseEvidenceRequest>();
  request->set_record(order.id);
  request->set_reason("drawn by the seed");
  request->set_confirm(true);
  request->set_idempotency_key(Key());
  // Whether or not the answer arrives, it may be gone from now on.
  ledger_.Erasing(order.id);
  world_.Call(node, "/entente.v1.EvidenceService/EraseEvidence", request,
              [this, order, files](const core::Answer& answer, const Rows& rows) {
                Count(answer, "erasure");
                if (!answer.status.ok()) return;
                Promise told = order;
                told.rows = rows;
                ledger_.Erased(std::move(told), files);
              });
}

// ---- chance

Codes Acts::SomeReaders(const Node& node) {
  Codes out;
  for (const Codes* bodies : {&parties_, &participants_}) {
    for (const std::string& code : *bodies) {
      if (code != node.code() && world_.Pick(3) == 0) out.insert(code);
    }
  }
  return out;
}

std::string Acts::OtherParty(const Node& node) {
  std::vector<std::string> others(parties_.begin(), parties_.end());
  std::erase(others, node.code());
  return others.empty() ? node.code() : others[world_.Pick(others.size())];
}

void Acts::Any() {
  Node& node = *world_.nodes()[world_.Pick(world_.nodes().size())];
  const bool party = parties_.contains(node.code());
  if (!node.up() || node.hostile || (!party && !participants_.contains(node.code()))) return;
  const uint64_t pick = world_.Pick(party ? 22 : 4);
  if (pick < 6) return Note(node, SomeReaders(node), 1 + static_cast<int>(world_.Pick(4)));
  if (pick < 10) {
    const size_t bytes = world_.Pick(6) == 0 ? 3 * crypto::kChunkBytes / 2 : 3000;
    return Evidence(node, SomeReaders(node), bytes);
  }
  if (pick < 12) return Task(node, OtherParty(node));
  if (pick < 15) return MoveTask(node);
  if (pick < 16) return Line(node, SomeReaders(node));
  if (pick < 18) return Release(node, OtherParty(node));
  if (pick < 19) return Amend(node);
  if (pick < 20) return world_.Pick(5) == 0 ? Reject(node) : Sign(node);
  RotateKeys(node, /*emergency=*/pick == 21);
}

}  // namespace entente::sim

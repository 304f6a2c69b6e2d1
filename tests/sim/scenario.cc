#include "tests/sim/scenario.h"

#include <algorithm>
#include <utility>

#include "crypto/file_chunks.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/records.pb.h"

namespace entente::sim {
namespace {

const std::vector<std::string> kParties = {"XA", "XB", "XC"};

template <class T>
const T* As(const std::shared_ptr<google::protobuf::Message>& message) {
  return dynamic_cast<const T*>(message.get());
}

v1::Agreement MakeAgreement(absl::Time now) {
  v1::Agreement agreement;
  agreement.set_code_name("LANTERN");
  agreement.set_purpose("Trafficking in human beings, fictional");
  agreement.add_legal_bases(v1::LEGAL_BASIS_FD2002_465);
  for (const std::string& code : kParties) {
    agreement.add_bodies()->set_code(code);
    v1::AgreementPerson* leader = agreement.add_leaders();
    leader->set_party(code);
    leader->set_user("Leader of " + code);
    leader->set_function("prosecutor");
  }
  v1::AgreementBody* eurojust = agreement.add_bodies();
  eurojust->set_code("EJ");
  eurojust->set_participant(true);
  v1::AgreementPerson* admin = agreement.add_space_administrators();
  admin->set_party("XA");
  admin->set_user("Leader of XA");
  agreement.set_period_from(absl::ToUnixSeconds(now - absl::Hours(48)));
  agreement.set_period_to(absl::ToUnixSeconds(now + absl::Hours(24 * 365)));
  return agreement;
}

}  // namespace

FaultOptions DrawFaults(uint64_t seed) {
  std::mt19937_64 dice(seed * 0x9E3779B97F4A7C15u + 1);
  const auto on = [&dice] { return (dice() >> 20 & 1) == 1; };
  FaultOptions out;
  if (on()) out.crash_per_step = 0.002;
  if (on()) out.cut_per_frame = 0.01;
  if (on()) out.partition_rate = 0.05;
  if (on()) out.delay_max = absl::Milliseconds(400);
  if (on()) out.parcel_loss = 0.1;
  if (on()) out.parcel_duplicate = 0.2;
  if (on()) out.parcel_reorder = 0.2;
  if (on()) out.clock_skew_max = absl::Minutes(5);
  if (on()) out.chunk_damage = 0.05;
  return out;
}

void Scenario::OpenJit() {
  const FaultOptions wanted = world_.faults();
  world_.StopFaults();
  // Longer than any power cut: a node may have lost power while the world was being made.
  world_.RunFor(absl::Seconds(30));
  auto propose = std::make_shared<v1::ProposeAgreementRequest>();
  *propose->mutable_agreement() = MakeAgreement(world_.now());
  world_.MustCall(world_.node("XA"), "/entente.v1.AgreementService/ProposeAgreement", propose);
  world_.RunFor(absl::Minutes(2));
  for (const std::string& code : kParties) {
    world_.MustCall(world_.node(code), "/entente.v1.AgreementService/SignAgreement",
                    std::make_shared<v1::SignAgreementRequest>());
  }
  world_.RunFor(absl::Minutes(5));
  world_.faults() = wanted;
}

std::string Scenario::Canary() {
  return "canary-" + std::to_string(++canaries_) + "-" + Hex(world_.entropy().Bytes(12));
}

std::vector<std::string> Scenario::SomeAudience(const SimNode& node) {
  std::vector<std::string> out;
  for (auto& other : world_.nodes()) {
    if (other->code_ != node.code_ && world_.Pick(3) == 0) out.push_back(other->code_);
  }
  return out;
}

void Scenario::Work(int acts, absl::Duration span) {
  const absl::Time start = world_.now();
  for (int i = 0; i < acts; ++i) {
    const double share = static_cast<double>(world_.Pick(10000)) / 10000.0;
    world_.At(start + span * share, [this] { OneAct(); });
  }
  world_.RunUntil(start + span);
}

void Scenario::OneAct() {
  SimNode& node = *world_.nodes()[world_.Pick(world_.nodes().size())];
  switch (world_.Pick(6)) {
    case 0:
    case 1:
      return AddNote(node);
    case 2:
      return AddEvidence(node);
    case 3:
      return AssignTask(node);
    case 4:
      return MoveTask(node);
    default:
      return Release(node);
  }
}

void Scenario::AddNote(SimNode& node) {
  auto request = std::make_shared<v1::AddNotesRequest>();
  const std::string canary = Canary();
  request->add_texts(canary);
  Acknowledged expected{node.code_, "", "", canary, {node.code_}};
  for (const std::string& code : SomeAudience(node)) {
    request->add_audience(code);
    expected.audience.insert(code);
  }
  world_.Call(node, "/entente.v1.RecordService/AddNotes", request,
              [this, expected](const core::Answer& answer) mutable {
                const auto* response = As<v1::AddNotesResponse>(answer.response);
                if (response == nullptr) return;
                expected.ref = response->refs(0);
                acknowledged_.push_back(expected);
                world_.counters().Hit("note");
              });
}

void Scenario::AddEvidence(SimNode& node) {
  if (node.code_ == "EJ" || !node.up()) return;
  auto request = std::make_shared<v1::AddEvidenceRequest>();
  const std::string canary = Canary();
  request->mutable_item()->set_title(canary);
  request->mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
  request->mutable_item()->set_measure("seized at a search");
  Acknowledged expected{node.code_, "", "", canary, {node.code_}};
  for (const std::string& code : SomeAudience(node)) {
    request->add_audience(code);
    expected.audience.insert(code);
  }
  std::string content = canary + "-file";
  content.resize(world_.Pick(4) == 0 ? 3 * crypto::kChunkBytes / 2 : 3000, 'x');
  std::vector<core::UploadedFile> uploads = {world_.Upload(node, canary + ".pdf", content)};
  world_.Call(
      node, "/entente.v1.EvidenceService/AddEvidence", request,
      [this, expected](const core::Answer& answer) mutable {
        const auto* response = As<v1::AddEvidenceResponse>(answer.response);
        if (response == nullptr) return;
        expected.ref = response->record().ref();
        expected.id = response->record().id();
        acknowledged_.push_back(expected);
        world_.counters().Hit("evidence");
      },
      std::move(uploads));
}

void Scenario::AssignTask(SimNode& node) {
  if (node.code_ == "EJ") return;
  std::string to = kParties[world_.Pick(kParties.size())];
  if (to == node.code_) to = kParties[(world_.Pick(2) + 1) % 3];
  if (to == node.code_) return;
  auto request = std::make_shared<v1::AssignTaskRequest>();
  const std::string canary = Canary();
  request->mutable_task()->set_title(canary);
  request->mutable_task()->set_kind(v1::TASK_KIND_BANK_DATA);
  request->mutable_task()->set_due(absl::ToUnixSeconds(world_.now() + absl::Hours(48)));
  request->set_to(to);
  Acknowledged expected{node.code_, "", "", canary, {node.code_, to}};
  world_.Call(node, "/entente.v1.TaskService/AssignTask", request,
              [this, expected](const core::Answer& answer) mutable {
                const auto* response = As<v1::AssignTaskResponse>(answer.response);
                if (response == nullptr) return;
                expected.ref = response->record().ref();
                expected.id = response->record().id();
                acknowledged_.push_back(expected);
                world_.counters().Hit("task");
              });
}

void Scenario::MoveTask(SimNode& node) {
  world_.Call(node, "/entente.v1.TaskService/ListTasks", std::make_shared<v1::ListTasksRequest>(),
              [this, &node](const core::Answer& answer) {
                const auto* list = As<v1::ListTasksResponse>(answer.response);
                if (list == nullptr || list->records_size() == 0) return;
                const int pick =
                    static_cast<int>(world_.Pick(static_cast<uint64_t>(list->records_size())));
                auto request = std::make_shared<v1::UpdateTaskRequest>();
                request->set_task(list->records(pick).ref());
                static const std::vector<std::string> kStates = {
                    "ACCEPTED", "IN_PROGRESS", "EXECUTED", "DECLINED", "REVIEWED", "WITHDRAWN"};
                request->set_state(kStates[world_.Pick(kStates.size())]);
                request->set_reason("drawn by the seed");
                world_.After(absl::Milliseconds(1), [this, &node, request] {
                  world_.Call(node, "/entente.v1.TaskService/UpdateTask", request,
                              [this](const core::Answer& moved) {
                                world_.counters().Hit(moved.status.ok() ? "task moved"
                                                                        : "task move refused");
                              });
                });
              });
}

void Scenario::Release(SimNode& node) {
  if (node.code_ == "EJ" || acknowledged_.empty()) return;
  const size_t pick = world_.Pick(acknowledged_.size());
  const Acknowledged record = acknowledged_[pick];
  if (record.owner != node.code_ || record.ref.rfind("E-", 0) != 0) return;
  auto request = std::make_shared<v1::ReleaseEvidenceRequest>();
  const std::string to = kParties[world_.Pick(kParties.size())];
  request->add_records(record.id);
  request->add_to(to);
  request->set_purpose("asked for");
  // From the moment it is asked for the new reader may know, whether or not the answer arrives.
  acknowledged_[pick].audience.insert(to);
  world_.Call(node, "/entente.v1.EvidenceService/ReleaseEvidence", request,
              [this](const core::Answer& answer) {
                if (answer.status.ok()) world_.counters().Hit("release");
              });
}

void Scenario::Settle() {
  world_.StopFaults();
  for (int round = 0; round < 6; ++round) {
    world_.RunFor(absl::Minutes(12));
    for (auto& node : world_.nodes()) {
      if (!node->up()) node->Boot();
    }
  }
}

std::string Scenario::CheckLogs() {
  for (auto& node : world_.nodes()) {
    const auto response = world_.MustCall(*node, "/entente.v1.SyncService/VerifyLog",
                                          std::make_shared<v1::VerifyLogRequest>());
    const auto* result = As<v1::VerifyLogResponse>(response);
    if (!result->ok()) return Cat(node->code_, ": ", result->problems(0));
  }
  return "";
}

std::string Scenario::CheckConvergence() {
  // Every body in a record's audience shows the same record, but for what is local by nature.
  std::map<std::string, std::map<std::string, std::string>> views;
  const auto collect = [&](SimNode& node, const auto& records) {
    for (v1::RecordView view : records) {
      for (v1::FileView& file : *view.mutable_files()) {
        if (file.state() != "here") file.set_state(node.code_ + " lacks the file");
        file.clear_bytes_here();
      }
      // What a new reader gets is the snapshot: earlier changes by name are the owner's to tell.
      view.clear_created();
      view.clear_refused();
      view.clear_custody();
      view.clear_changed();
      views[view.id()][node.code_] = view.SerializeAsString();
    }
  };
  for (auto& node : world_.nodes()) {
    const auto notes = world_.MustCall(*node, "/entente.v1.RecordService/ListNotes",
                                       std::make_shared<v1::ListNotesRequest>());
    collect(*node, As<v1::ListNotesResponse>(notes)->records());
    const auto evidence = world_.MustCall(*node, "/entente.v1.EvidenceService/ListEvidence",
                                          std::make_shared<v1::ListEvidenceRequest>());
    collect(*node, As<v1::ListEvidenceResponse>(evidence)->records());
    const auto tasks = world_.MustCall(*node, "/entente.v1.TaskService/ListTasks",
                                       std::make_shared<v1::ListTasksRequest>());
    collect(*node, As<v1::ListTasksResponse>(tasks)->records());
  }
  for (const auto& [id, by_node] : views) {
    v1::RecordView first;
    first.ParseFromString(by_node.begin()->second);
    for (const std::string& code : first.audience()) {
      const auto it = by_node.find(code);
      if (it == by_node.end()) {
        return Cat(code, " lacks ", first.ref(), " of ", first.owner(), ", which ",
                   by_node.begin()->first, " has");
      }
      if (it->second != by_node.begin()->second) {
        v1::RecordView other;
        other.ParseFromString(it->second);
        return Cat(first.ref(), " differs between ", by_node.begin()->first, " and ", code, ":\n",
                   first.ShortDebugString(), "\n", other.ShortDebugString());
      }
    }
  }
  return "";
}

std::string Scenario::CheckDurability() {
  for (const Acknowledged& record : acknowledged_) {
    SimNode& owner = world_.node(record.owner);
    auto request = std::make_shared<v1::ExplainRecordRequest>();
    request->set_record(record.id.empty() ? record.ref : record.id);
    std::string problem;
    world_.Call(owner, "/entente.v1.RecordService/ExplainRecord", request,
                [&](const core::Answer& answer) {
                  if (!answer.status.ok()) problem = std::string(ToStd(answer.status.message()));
                });
    if (!problem.empty()) {
      return Cat(record.owner, " lost ", record.ref, " that it had acknowledged: ", problem);
    }
  }
  return "";
}

bool Scenario::Mentions(const std::string& haystack, const Acknowledged& record,
                        bool with_ids) const {
  if (haystack.find(record.canary) != std::string::npos) return true;
  if (!with_ids || record.id.empty()) return false;
  return haystack.find(*Unhex(record.id)) != std::string::npos;
}

std::string Scenario::CheckConfidentiality() {
  for (auto& node : world_.nodes()) {
    // Rows as the store sees them before it seals them, and every byte that ever came in.
    std::string known = node->received_;
    for (const auto& [key, value] : node->disk_.kv.rows()) known += key + value;
    for (const Acknowledged& record : acknowledged_) {
      if (record.audience.contains(node->code_)) continue;
      if (Mentions(known, record, true)) {
        return Cat(node->code_, " holds something of ", record.ref, " of ", record.owner);
      }
    }
    // No log, and so no key, whose audience this body is not in: by id, in store and traffic.
    for (auto& other : world_.nodes()) {
      for (const auto& [key, value] : other->disk_.kv.rows()) {
        if (key[0] != 'l') continue;
        const std::string id = key.substr(1);
        const bool mine = node->disk_.kv.rows().contains(key);
        if (!mine && known.find(id) != std::string::npos) {
          return Cat(node->code_, " has heard of a log of ", other->code_, " it is not in");
        }
      }
    }
  }
  for (const Acknowledged& record : acknowledged_) {
    if (Mentions(world_.relay_bytes(), record, true)) {
      return Cat("the relay holds something of ", record.ref);
    }
  }
  return "";
}

Outcome RunSeed(uint64_t seed) {
  World::Setup setup;
  setup.seed = seed;
  setup.faults = DrawFaults(seed);
  World world(setup);
  Scenario scenario(world);
  scenario.OpenJit();
  scenario.Work(40, absl::Hours(2));
  scenario.Settle();
  Outcome out;
  for (const auto& check : {&Scenario::CheckLogs, &Scenario::CheckConvergence,
                            &Scenario::CheckDurability, &Scenario::CheckConfidentiality}) {
    if (out.problem.empty()) out.problem = (scenario.*check)();
  }
  out.trace = world.TraceHash();
  out.deliveries = world.deliveries();
  out.acknowledged = scenario.acknowledged();
  out.counters = world.counters();
  return out;
}

}  // namespace entente::sim

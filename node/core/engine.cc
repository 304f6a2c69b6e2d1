#include "node/core/engine.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "node/core/agreement_commands.h"
#include "node/core/bundle_commands.h"
#include "node/core/custody_commands.h"
#include "node/core/doctor.h"
#include "node/core/erasure_commands.h"
#include "node/core/evidence_commands.h"
#include "node/core/file_commands.h"
#include "node/core/grant_commands.h"
#include "node/core/key_commands.h"
#include "node/core/membership_commands.h"
#include "node/core/node_commands.h"
#include "node/core/proof_commands.h"
#include "node/core/record_commands.h"
#include "node/core/secret_commands.h"
#include "node/core/state.h"
#include "node/core/strategy_commands.h"
#include "node/core/sync_commands.h"
#include "node/core/task_commands.h"
#include "node/model/authorize.h"
#include "sync/mailbox.h"
#include "sync/schema.h"

namespace entente::core {
namespace {

using google::protobuf::Message;
using Result = absl::StatusOr<std::shared_ptr<Message>>;
using Handler = std::function<Result(State&, absl::Time, const Command&)>;

template <class Request, class Response>
Handler Handle(absl::StatusOr<Response> (*function)(State&, absl::Time, const Caller&,
                                                    const Request&)) {
  return [function](State& state, absl::Time now, const Command& command) -> Result {
    const auto* request = dynamic_cast<const Request*>(command.request.get());
    if (request == nullptr) return absl::InvalidArgumentError("a request of another method");
    absl::StatusOr<Response> response = function(state, now, command.caller, *request);
    if (!response.ok()) return response.status();
    return std::make_shared<Response>(*std::move(response));
  };
}

Result HandleAddEvidence(State& state, absl::Time now, const Command& command) {
  const auto* request = dynamic_cast<const v1::AddEvidenceRequest*>(command.request.get());
  if (request == nullptr) return absl::InvalidArgumentError("a request of another method");
  absl::StatusOr<v1::AddEvidenceResponse> response =
      AddEvidence(state, now, command.caller, *request, command.uploads);
  if (!response.ok()) return response.status();
  return std::make_shared<v1::AddEvidenceResponse>(*std::move(response));
}

const std::map<std::string, Handler, std::less<>>& Handlers() {
  static const std::map<std::string, Handler, std::less<>> handlers = {
      {"/entente.v1.NodeService/GetStatus", Handle(GetStatus)},
      {"/entente.v1.NodeService/Diagnose", Handle(Diagnose)},
      {"/entente.v1.NodeService/ShowCard", Handle(ShowCard)},
      {"/entente.v1.NodeService/TrustCard", Handle(TrustCard)},
      {"/entente.v1.NodeService/ListCards", Handle(ListCards)},
      {"/entente.v1.NodeService/AddUser", Handle(AddUser)},
      {"/entente.v1.NodeService/ListUsers", Handle(ListUsers)},
      {"/entente.v1.NodeService/RotateKeys", Handle(RotateKeys)},
      {"/entente.v1.NodeService/ShowExposure", Handle(ShowExposure)},
      {"/entente.v1.NodeService/MakeSharedSecret", Handle(MakeSharedSecret)},
      {"/entente.v1.NodeService/TakeSharedSecret", Handle(TakeSharedSecret)},
      {"/entente.v1.NodeService/DropSharedSecret", Handle(DropSharedSecret)},
      {"/entente.v1.AgreementService/ProposeAgreement", Handle(ProposeAgreement)},
      {"/entente.v1.AgreementService/SignAgreement", Handle(SignAgreement)},
      {"/entente.v1.AgreementService/RejectAgreement", Handle(RejectAgreement)},
      {"/entente.v1.AgreementService/ExcludeBody", Handle(ExcludeBody)},
      {"/entente.v1.AgreementService/SuspendBody", Handle(SuspendBody)},
      {"/entente.v1.AgreementService/ShowAgreement", Handle(ShowAgreement)},
      {"/entente.v1.AgreementService/ListAgreements", Handle(ListAgreements)},
      {"/entente.v1.StrategyService/DraftStrategy", Handle(DraftStrategy)},
      {"/entente.v1.StrategyService/ProposeStrategy", Handle(ProposeStrategy)},
      {"/entente.v1.StrategyService/SignStrategy", Handle(SignStrategy)},
      {"/entente.v1.StrategyService/RejectStrategy", Handle(RejectStrategy)},
      {"/entente.v1.StrategyService/ShowStrategy", Handle(ShowStrategy)},
      {"/entente.v1.StrategyService/AddLine", Handle(AddLine)},
      {"/entente.v1.StrategyService/ListLines", Handle(ListLines)},
      {"/entente.v1.RecordService/ExplainRecord", Handle(ExplainRecord)},
      {"/entente.v1.RecordService/ShowHistory", Handle(ShowHistory)},
      {"/entente.v1.RecordService/ListChanges", Handle(ListChanges)},
      {"/entente.v1.RecordService/AddNotes", Handle(AddNotes)},
      {"/entente.v1.RecordService/ListNotes", Handle(ListNotes)},
      {"/entente.v1.RecordService/GrantRecord", Handle(GrantRecord)},
      {"/entente.v1.RecordService/ShowOriginals", Handle(ShowOriginals)},
      {"/entente.v1.RecordService/ProveExistence", Handle(ProveExistence)},
      {"/entente.v1.RecordService/CheckExistence", Handle(CheckExistence)},
      {"/entente.v1.EvidenceService/AddEvidence", HandleAddEvidence},
      {"/entente.v1.EvidenceService/ListEvidence", Handle(ListEvidence)},
      {"/entente.v1.EvidenceService/ShowEvidence", Handle(ShowEvidence)},
      {"/entente.v1.EvidenceService/ReleaseEvidence", Handle(ReleaseEvidence)},
      {"/entente.v1.EvidenceService/ListFiles", Handle(ListFiles)},
      {"/entente.v1.EvidenceService/FetchFiles", Handle(FetchFiles)},
      {"/entente.v1.EvidenceService/CheckFiles", Handle(CheckFiles)},
      {"/entente.v1.EvidenceService/RecordCustody", Handle(RecordCustody)},
      {"/entente.v1.EvidenceService/CorrectEvidence", Handle(CorrectEvidence)},
      {"/entente.v1.EvidenceService/NoteCorrections", Handle(NoteCorrections)},
      {"/entente.v1.EvidenceService/RestrictEvidence", Handle(RestrictEvidence)},
      {"/entente.v1.EvidenceService/EraseEvidence", Handle(EraseEvidence)},
      {"/entente.v1.BundleService/MakeBundle", Handle(MakeBundle)},
      {"/entente.v1.FileService/DownloadFile", Handle(OpenFile)},
      {"/entente.v1.TaskService/AssignTask", Handle(AssignTask)},
      {"/entente.v1.TaskService/AcceptTask", Handle(AcceptTask)},
      {"/entente.v1.TaskService/DeclineTask", Handle(DeclineTask)},
      {"/entente.v1.TaskService/UpdateTask", Handle(UpdateTask)},
      {"/entente.v1.TaskService/CompleteTask", Handle(CompleteTask)},
      {"/entente.v1.TaskService/WithdrawTask", Handle(WithdrawTask)},
      {"/entente.v1.TaskService/ListTasks", Handle(ListTasks)},
      {"/entente.v1.TaskService/ShowTask", Handle(ShowTask)},
      {"/entente.v1.ProgressService/GetProgress", Handle(GetProgress)},
      {"/entente.v1.SyncService/GetSyncStatus", Handle(GetSyncStatus)},
      {"/entente.v1.SyncService/VerifyLog", Handle(VerifyLog)},
      {"/entente.v1.SyncService/ExportParcel", Handle(ExportParcel)},
      {"/entente.v1.SyncService/ImportParcel", Handle(ImportParcel)},
  };
  return handlers;
}

absl::Status LoadUsers(State& state) {
  return state.overlay.Scan("u", "v", [&](std::string_view key, std::string_view value) {
    v1::UserRow row;
    if (row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      const absl::StatusOr<PublicKey> public_key = PublicKey::From(row.public_key());
      const std::string name(key.substr(1));
      if (public_key.ok()) state.users[name] = {name, row.role(), *public_key};
    }
    return true;
  });
}

}  // namespace

struct Engine::Impl {
  Impl(Config config, std::shared_ptr<const crypto::NodeKeys> keys, const sync::KvReader& store,
       Entropy& entropy)
      : state(std::move(config), std::move(keys), store, entropy) {}

  State state;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(Config config,
                                                     std::shared_ptr<const crypto::NodeKeys> keys,
                                                     const sync::KvReader& store,
                                                     const std::vector<sync::AnchorRecord>& anchors,
                                                     bool anchor_missing, Entropy& entropy,
                                                     absl::Time now) {
  auto impl = std::make_unique<Impl>(std::move(config), std::move(keys), store, entropy);
  State& state = impl->state;
  std::vector<sync::AnchorRecord> heads;
  for (const sync::AnchorRecord& anchor : anchors) {
    if (anchor.incarnation == kConfirmLock) {
      state.confirm_locks[*Hash::From(anchor.log.view())] = anchor.root;
    } else if (anchor.incarnation == kExclusionLock) {
      state.replica.AddStopLock(*Hash::From(anchor.log.view()));
    } else {
      heads.push_back(anchor);
    }
  }
  if (absl::Status s = state.replica.Load(heads, anchor_missing); !s.ok()) return s;
  state.RefreshDirectory();
  if (absl::Status s = LoadUsers(state); !s.ok()) return s;
  if (state.replica.incarnation() > 1) {
    state.warnings.emplace_back(
        "This node's database was behind what it had already sent (restored, cloned or damaged). "
        "Its old logs are closed; it writes new ones and fetches the tail from its partners.");
  }
  if (absl::Status s = state.replica.ReplayAll(now); !s.ok()) return s;
  if (absl::Status s = state.Absorb(now); !s.ok()) return s;
  if (absl::Status s = state.replica.Start(now); !s.ok()) return s;
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

absl::StatusOr<Effects> Engine::Step(absl::Time now, const Input& input) {
  State& state = impl_->state;
  Effects out;
  if (const auto* from_world = std::get_if<sync::Input>(&input)) {
    if (absl::Status s = state.replica.Handle(now, *from_world); !s.ok()) return s;
    if (absl::Status s = state.Absorb(now); !s.ok()) return s;
  } else {
    const Command& command = std::get<Command>(input);
    Answer answer{command.call, absl::OkStatus(), nullptr};
    const auto handler = Handlers().find(command.method);
    answer.status = handler == Handlers().end()
                        ? absl::UnimplementedError(
                              Cat("no such operation: ", command.method, " [UNKNOWN_METHOD]"))
                        : model::Authorize(command.caller.role, command.method);
    if (answer.status.ok()) {
      Result result = handler->second(state, now, command);
      answer.status = result.status();
      if (result.ok()) answer.response = *std::move(result);
    }
    out.answers.push_back(std::move(answer));
    if (absl::Status s = state.Absorb(now); !s.ok()) return s;
  }
  absl::StatusOr<sync::Effects> effects = state.replica.Finish(now);
  if (!effects.ok()) return effects.status();
  static_cast<sync::Effects&>(out) = *std::move(effects);
  for (const sync::AnchorRecord& lock : std::exchange(state.fresh_locks, {})) {
    out.anchors.push_back(lock);
  }
  out.peers_changed = state.replica.TakePeersChanged();
  return out;
}

void Engine::Committed() { impl_->state.overlay.Forget(); }

std::vector<Engine::Peer> Engine::Peers() const {
  const State& state = impl_->state;
  const sync::TrustedCard& own = state.OwnCard();
  std::vector<Peer> out;
  for (const auto& [party, card] : state.replica.cards().all()) {
    if (party == state.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    Peer peer;
    peer.party = party;
    peer.code = card.card.code();
    peer.tls_spki = card.tls_spki;
    const sync::Route route = state.replica.RouteTo(party);
    if (route == sync::Route::kDirect) {
      peer.addresses.assign(card.card.addresses().begin(), card.card.addresses().end());
    }
    peer.dial = sync::Dials(own, card);
    peer.through_relay = route == sync::Route::kRelay;
    peer.relays.assign(card.card.relays().begin(), card.card.relays().end());
    const sync::BoxKeys& keys = state.replica.box_keys();
    if (const auto outgoing = sync::OutgoingMailbox(keys, state.self, party); outgoing.ok()) {
      peer.deposit_mailbox = outgoing->id;
      peer.deposit_seed = outgoing->deposit_seed;
    }
    for (const sync::IncomingMailbox& box : sync::IncomingMailboxes(keys, state.self, party)) {
      peer.own_mailboxes.push_back({box.mailbox.id, box.mailbox.deposit_seed});
    }
    out.push_back(std::move(peer));
  }
  return out;
}

std::vector<Engine::User> Engine::Users() const {
  std::vector<User> out;
  for (const auto& [name, user] : impl_->state.users) out.push_back(user);
  return out;
}

uint64_t Engine::LastChange() const { return impl_->state.model.last_change(); }

}  // namespace entente::core

#include "node/model/authorize.h"

#include <iterator>
#include <map>
#include <utility>

#include "crypto/bytes.h"

namespace entente::model {
namespace {

using Roles = uint32_t;
constexpr Roles Bit(v1::Role role) { return 1u << role; }

constexpr Roles kLeader = Bit(v1::ROLE_JIT_LEADER);
constexpr Roles kActing = kLeader | Bit(v1::ROLE_MEMBER) | Bit(v1::ROLE_LIAISON_PROSECUTOR);
// What is handed over, asked for across a border, or kept back.
constexpr Roles kReleasing = kLeader | Bit(v1::ROLE_LIAISON_PROSECUTOR);
constexpr Roles kReading = kActing | Bit(v1::ROLE_COORDINATOR);
constexpr Roles kOperator = Bit(v1::ROLE_NODE_OPERATOR);
constexpr Roles kAuditor = Bit(v1::ROLE_AUDITOR);
constexpr Roles kEverybody = kReading | kOperator | kAuditor;
// Trusting a card decides who can be written to: the leader and the operator do it together, so
// either may carry it out.
constexpr Roles kManaging = kLeader | Bit(v1::ROLE_COORDINATOR) | kOperator;

constexpr std::pair<std::string_view, Roles> kTable[] = {
    {"/entente.v1.SessionService/BeginSignIn", kEverybody},
    {"/entente.v1.SessionService/SignIn", kEverybody},
    {"/entente.v1.SessionService/WhoAmI", kEverybody},
    {"/entente.v1.NodeService/GetStatus", kEverybody},
    {"/entente.v1.NodeService/Diagnose", kEverybody},
    {"/entente.v1.NodeService/ShowCard", kEverybody},
    {"/entente.v1.NodeService/TrustCard", kManaging},
    {"/entente.v1.NodeService/ListCards", kEverybody},
    {"/entente.v1.NodeService/AddUser", kManaging},
    {"/entente.v1.NodeService/ListUsers", kManaging | kAuditor},
    {"/entente.v1.NodeService/RotateKeys", kManaging},
    {"/entente.v1.NodeService/ShowExposure", kLeader | Bit(v1::ROLE_COORDINATOR) | kAuditor},
    {"/entente.v1.NodeService/MakeSharedSecret", kManaging},
    {"/entente.v1.NodeService/TakeSharedSecret", kManaging},
    {"/entente.v1.NodeService/DropSharedSecret", kManaging},
    {"/entente.v1.AgreementService/ProposeAgreement", kLeader},
    {"/entente.v1.AgreementService/SignAgreement", kLeader},
    {"/entente.v1.AgreementService/RejectAgreement", kLeader},
    {"/entente.v1.AgreementService/ExcludeBody", kLeader},
    {"/entente.v1.AgreementService/SuspendBody", kLeader},
    {"/entente.v1.AgreementService/ShowAgreement", kReading},
    {"/entente.v1.AgreementService/ListAgreements", kReading},
    {"/entente.v1.StrategyService/DraftStrategy", kActing},
    {"/entente.v1.StrategyService/ProposeStrategy", kLeader},
    {"/entente.v1.StrategyService/SignStrategy", kLeader},
    {"/entente.v1.StrategyService/RejectStrategy", kLeader},
    {"/entente.v1.StrategyService/ShowStrategy", kReading},
    {"/entente.v1.StrategyService/AddLine", kActing},
    {"/entente.v1.StrategyService/ListLines", kReading},
    {"/entente.v1.RecordService/ExplainRecord", kReading},
    {"/entente.v1.RecordService/ShowHistory", kReading},
    {"/entente.v1.RecordService/ListChanges", kReading},
    {"/entente.v1.RecordService/AddNotes", kReading},
    {"/entente.v1.RecordService/ListNotes", kReading},
    {"/entente.v1.RecordService/GrantRecord", kReleasing},
    {"/entente.v1.RecordService/ShowOriginals", kReading},
    {"/entente.v1.RecordService/ProveExistence", kActing},
    {"/entente.v1.RecordService/CheckExistence", kReading | kAuditor},
    {"/entente.v1.EvidenceService/AddEvidence", kActing},
    {"/entente.v1.EvidenceService/ListEvidence", kReading},
    {"/entente.v1.EvidenceService/ShowEvidence", kReading},
    {"/entente.v1.EvidenceService/ReleaseEvidence", kReleasing},
    {"/entente.v1.EvidenceService/ListFiles", kReading},
    {"/entente.v1.EvidenceService/FetchFiles", kReading},
    {"/entente.v1.EvidenceService/CheckFiles", kReading},
    {"/entente.v1.EvidenceService/RecordCustody", kActing},
    {"/entente.v1.EvidenceService/CorrectEvidence", kActing},
    {"/entente.v1.EvidenceService/NoteCorrections", kActing},
    {"/entente.v1.EvidenceService/RestrictEvidence", kReleasing},
    {"/entente.v1.EvidenceService/EraseEvidence", kReleasing},
    {"/entente.v1.BundleService/MakeBundle", kActing},
    {"/entente.v1.FileService/UploadFile", kActing},
    {"/entente.v1.FileService/DownloadFile", kReading},
    {"/entente.v1.TaskService/AssignTask", kReleasing},
    {"/entente.v1.TaskService/AcceptTask", kActing},
    {"/entente.v1.TaskService/DeclineTask", kActing},
    {"/entente.v1.TaskService/UpdateTask", kActing},
    {"/entente.v1.TaskService/CompleteTask", kActing},
    {"/entente.v1.TaskService/WithdrawTask", kReleasing},
    {"/entente.v1.TaskService/ListTasks", kReading},
    {"/entente.v1.TaskService/ShowTask", kReading},
    {"/entente.v1.ProgressService/GetProgress", kReading},
    {"/entente.v1.SyncService/GetSyncStatus", kEverybody},
    {"/entente.v1.SyncService/VerifyLog", kEverybody},
    {"/entente.v1.SyncService/ExportParcel", kManaging | kActing},
    {"/entente.v1.SyncService/ImportParcel", kManaging | kActing},
    {"/entente.v1.RelayAdminService/AdmitNode", kOperator},
    {"/entente.v1.RelayAdminService/GetRelayStatus", kOperator},
};

const std::map<std::string_view, Roles>& Table() {
  static const std::map<std::string_view, Roles> table(std::begin(kTable), std::end(kTable));
  return table;
}

}  // namespace

absl::Status Authorize(v1::Role role, std::string_view method) {
  const auto it = Table().find(method);
  if (it == Table().end()) {
    return absl::PermissionDeniedError("refused: no such operation [UNKNOWN_METHOD]");
  }
  if (role == v1::ROLE_UNSPECIFIED || (it->second & Bit(role)) == 0) {
    return absl::PermissionDeniedError(
        Cat("refused: this is not for the role ", v1::Role_Name(role).substr(5),
            " [ROLE]\n  Next: sign in as a person whose role allows it, see: entente user list"));
  }
  return absl::OkStatus();
}

std::vector<std::string_view> AuthorizedMethods() {
  std::vector<std::string_view> out;
  for (const auto& [method, roles] : Table()) out.push_back(method);
  return out;
}

}  // namespace entente::model

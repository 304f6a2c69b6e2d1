// Every operation has its roles, and no operation is forgotten.
#include "node/model/authorize.h"

#include <algorithm>
#include <set>
#include <string>

#include "entente/v1/client.pb.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::model {
namespace {

std::set<std::string> MethodsOfTheApi() {
  std::set<std::string> out;
  const auto* file = v1::BeginSignInRequest::descriptor()->file();
  for (int s = 0; s < file->service_count(); ++s) {
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      out.insert("/" + file->service(s)->full_name() + "/" + file->service(s)->method(m)->name());
    }
  }
  return out;
}

TEST(AuthorizeTest, TheTableHoldsExactlyTheMethodsOfTheApi) {
  std::set<std::string> table;
  for (const std::string_view method : AuthorizedMethods()) table.insert(std::string(method));
  EXPECT_EQ(table, MethodsOfTheApi());
}

TEST(AuthorizeTest, WithoutARoleNothingIsAllowed) {
  for (const std::string& method : MethodsOfTheApi()) {
    EXPECT_REFUSED(Authorize(v1::ROLE_UNSPECIFIED, method), kPermissionDenied, "[ROLE]") << method;
  }
  EXPECT_REFUSED(Authorize(v1::ROLE_JIT_LEADER, "/entente.v1.NodeService/Shutdown"),
                 kPermissionDenied, "UNKNOWN_METHOD");
}

TEST(AuthorizeTest, AnOperatorRunsTheNodeAndReadsNoCase) {
  for (const char* method :
       {"EvidenceService/ListEvidence", "EvidenceService/ShowEvidence", "FileService/DownloadFile",
        "TaskService/ListTasks", "RecordService/ListNotes", "RecordService/ExplainRecord",
        "StrategyService/ShowStrategy", "AgreementService/ShowAgreement"}) {
    EXPECT_FALSE(Authorize(v1::ROLE_NODE_OPERATOR, Cat("/entente.v1.", method)).ok()) << method;
    EXPECT_FALSE(Authorize(v1::ROLE_AUDITOR, Cat("/entente.v1.", method)).ok()) << method;
  }
  EXPECT_OK(Authorize(v1::ROLE_NODE_OPERATOR, "/entente.v1.NodeService/GetStatus"));
}

TEST(AuthorizeTest, OnlyALeaderSignsForABody) {
  for (const char* method : {"AgreementService/ProposeAgreement", "AgreementService/SignAgreement",
                             "AgreementService/RejectAgreement", "StrategyService/SignStrategy"}) {
    for (int role = 0; role <= v1::Role_MAX; ++role) {
      EXPECT_EQ(Authorize(static_cast<v1::Role>(role), Cat("/entente.v1.", method)).ok(),
                role == v1::ROLE_JIT_LEADER)
          << method << " as " << role;
    }
  }
}

TEST(AuthorizeTest, ACoordinatorReadsAndDoesNotActInTheInvestigation) {
  EXPECT_OK(Authorize(v1::ROLE_COORDINATOR, "/entente.v1.ProgressService/GetProgress"));
  for (const char* method : {"TaskService/AssignTask", "TaskService/AcceptTask",
                             "EvidenceService/AddEvidence", "EvidenceService/ReleaseEvidence"}) {
    EXPECT_FALSE(Authorize(v1::ROLE_COORDINATOR, Cat("/entente.v1.", method)).ok()) << method;
  }
}

}  // namespace
}  // namespace entente::model

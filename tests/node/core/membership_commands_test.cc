// Leaving a body out, as people do it: what stops, what goes on, what is shown, what is refused.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class MembershipCommandsTest : public CoreTest {
 protected:
  absl::StatusOr<v1::ExcludeBodyResponse> Exclude(const std::string& who,
                                                  const std::string& body = "XC") {
    v1::ExcludeBodyRequest request;
    request.set_body(body);
    request.set_reason("its node was seized");
    return Call<v1::ExcludeBodyResponse>(who, "AgreementService/ExcludeBody", request);
  }
  absl::Status Suspend(const std::string& who, bool lift) {
    v1::SuspendBodyRequest request;
    request.set_body("XC");
    request.set_reason("to be cleared up");
    request.set_lift(lift);
    return Call<v1::SuspendBodyResponse>(who, "AgreementService/SuspendBody", request).status();
  }
  int Notes(const std::string& at) {
    return Call<v1::ListNotesResponse>(at, "RecordService/ListNotes", v1::ListNotesRequest())
        ->records_size();
  }
  v1::AgreementView Shown(const std::string& at) {
    return Call<v1::ListAgreementsResponse>(at, "AgreementService/ListAgreements",
                                            v1::ListAgreementsRequest())
        ->agreements(0);
  }
};

TEST_F(MembershipCommandsTest, OneSignatureStopsTheSignerTwoMakeItComplete) {
  const auto first = Exclude("XA");
  ASSERT_OK(first);
  ASSERT_EQ(first->agreement().standings_size(), 1);
  EXPECT_FALSE(first->agreement().standings(0).excluded());
  EXPECT_EQ(first->agreement().standings(0).waiting_for(0), "XB");
  EXPECT_REFUSED(Note("XA", "to all", {"XB", "XC"}).status(), kFailedPrecondition, "EXCLUDED");
  EXPECT_OK(Note("XB", "XB has not signed", {"XC"}).status());
  Settle();
  ASSERT_OK(Exclude("XB"));
  Settle();
  for (const char* code : {"XA", "XB", "EJ"}) {
    ASSERT_EQ(Shown(code).standings_size(), 1) << code;
    EXPECT_TRUE(Shown(code).standings(0).excluded()) << code;
    EXPECT_EQ(Shown(code).standings(0).reason(), "its node was seized") << code;
  }
  EXPECT_EQ(Shown("XC").standings_size(), 0);
}

TEST_F(MembershipCommandsTest, WorkGoesOnWithoutIt) {
  v1::AssignTaskRequest assign;
  assign.mutable_task()->set_title("find the lorry");
  assign.mutable_task()->set_kind(v1::TASK_KIND_BANK_DATA);
  assign.mutable_task()->set_due(absl::ToUnixSeconds(world_.now() + absl::Hours(48)));
  assign.set_to("XB");
  assign.add_audience("XC");
  const auto task = Call<v1::AssignTaskResponse>("XA", "TaskService/AssignTask", assign);
  ASSERT_OK(task);
  Settle();
  for (const char* code : {"XA", "XB"}) ASSERT_OK(Exclude(code));
  Settle();
  v1::AcceptTaskRequest accept;
  accept.set_task(task->record().ref());
  ASSERT_OK(Call<v1::AcceptTaskResponse>("XB", "TaskService/AcceptTask", accept));
  Settle();
  const auto state = [&](const std::string& at) {
    return Call<v1::ListTasksResponse>(at, "TaskService/ListTasks", v1::ListTasksRequest())
        ->records(0)
        .state();
  };
  EXPECT_EQ(state("XA"), "ACCEPTED");
  EXPECT_NE(state("XC"), "ACCEPTED");
}

TEST_F(MembershipCommandsTest, AnAmendmentWithoutItNeedsOnlyTheOthers) {
  for (const char* code : {"XA", "XB"}) ASSERT_OK(Exclude(code));
  Settle();
  v1::ProposeAgreementRequest amend;
  *amend.mutable_agreement() = Shown("XA").agreement();
  amend.set_jit(Shown("XA").jit());
  EXPECT_REFUSED(
      Call<v1::ProposeAgreementResponse>("XA", "AgreementService/ProposeAgreement", amend).status(),
      kFailedPrecondition, "EXCLUDED");
  v1::Agreement& text = *amend.mutable_agreement();
  const std::string gone = node("XC").who.party.str();
  const auto drop = [&gone](auto* list) {
    for (int i = list->size(); i-- > 0;) {
      if (list->Get(i).party() == gone) list->DeleteSubrange(i, 1);
    }
  };
  drop(text.mutable_bodies());
  drop(text.mutable_leaders());
  ASSERT_OK(Call<v1::ProposeAgreementResponse>("XA", "AgreementService/ProposeAgreement", amend));
  Settle();
  for (const char* code : {"XA", "XB"}) {
    ASSERT_OK(Call<v1::SignAgreementResponse>(code, "AgreementService/SignAgreement",
                                              v1::SignAgreementRequest()));
  }
  Settle();
  const auto list = Call<v1::ListAgreementsResponse>("XB", "AgreementService/ListAgreements",
                                                     v1::ListAgreementsRequest());
  ASSERT_EQ(list->agreements_size(), 2);
  EXPECT_EQ(list->agreements(1).state(), "IN_FORCE");
  EXPECT_EQ(list->agreements(0).state(), "SUPERSEDED");
  EXPECT_OK(Note("XA", "under the new version", {"XB"}).status());
  Settle();
  EXPECT_EQ(Notes("XB"), 1);
}

TEST_F(MembershipCommandsTest, WhatTheExcludedBodyWritesLaterIsSeenByNobody) {
  ASSERT_OK(Note("XC", "in time", {"XA", "XB"}).status());
  Settle();
  for (const char* code : {"XA", "XB"}) ASSERT_OK(Exclude(code));
  Settle();
  ASSERT_OK(Note("XC", "too late", {"XA", "XB"}).status());
  world_.RunFor(absl::Hours(2));
  EXPECT_EQ(Notes("XA"), 1);
  EXPECT_EQ(Notes("XB"), 1);
}

TEST_F(MembershipCommandsTest, ASuspensionIsSeenByTheOthersAndCanBeLifted) {
  ASSERT_OK(Suspend("XA", false));
  EXPECT_REFUSED(Note("XA", "no", {"XC"}).status(), kFailedPrecondition, "EXCLUDED");
  Settle();
  ASSERT_EQ(Shown("XB").standings_size(), 1);
  EXPECT_EQ(Shown("XB").standings(0).suspended_by(0), "XA");
  ASSERT_OK(Suspend("XA", true));
  EXPECT_OK(Note("XA", "again", {"XC"}).status());
  Settle();
  EXPECT_EQ(Shown("XB").standings_size(), 0);
  EXPECT_EQ(Notes("XC"), 1);
}

TEST_F(MembershipCommandsTest, SignedExclusionOutlivesADatabaseSetBackToBeforeIt) {
  const auto before = node("XA").disk.kv.rows();
  ASSERT_OK(Exclude("XA"));
  node("XA").PowerOff();
  node("XA").disk.kv.rows() = before;
  node("XA").Boot();
  EXPECT_REFUSED(Note("XA", "no", {"XC"}).status(), kFailedPrecondition, "EXCLUDED");
}

TEST_F(MembershipCommandsTest, MistakesAreNamed) {
  v1::ExcludeBodyRequest request;
  request.set_body("XC");
  EXPECT_REFUSED(
      Call<v1::ExcludeBodyResponse>("XA", "AgreementService/ExcludeBody", request).status(),
      kInvalidArgument, "NO_REASON");
  EXPECT_REFUSED(Exclude("XA", "ZZ").status(), kNotFound, "UNKNOWN_PARTY");
  EXPECT_REFUSED(Exclude("XA", "XA").status(), kInvalidArgument, "NOT_A_PARTY");
  EXPECT_REFUSED(Exclude("XA", "EJ").status(), kInvalidArgument, "NOT_A_PARTY");
  EXPECT_REFUSED(Exclude("EJ").status(), kPermissionDenied, "");
  EXPECT_REFUSED(Suspend("XA", true), kFailedPrecondition, "NOT_SUSPENDED");
}

}  // namespace
}  // namespace entente::core

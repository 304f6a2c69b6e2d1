// Only the executing body moves a task forward, and a coordinator sees a card without content.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class TaskCommandsTest : public CoreTest {
 protected:
  TaskCommandsTest() {
    v1::AssignTaskRequest request;
    request.mutable_task()->set_title("Accounts of Lime Ltd");
    request.mutable_task()->set_kind(v1::TASK_KIND_BANK_DATA);
    request.mutable_task()->set_due(absl::ToUnixSeconds(world_.now() + absl::Hours(2)));
    request.set_to("XB");
    request.add_coordinators("EJ");
    const auto assigned = Call<v1::AssignTaskResponse>("XA", "TaskService/AssignTask", request);
    EXPECT_OK(assigned);
    ref_ = assigned->record().ref();
    Settle();
  }
  absl::Status Move(const std::string& code, const std::string& state,
                    const std::string& reason = "") {
    v1::UpdateTaskRequest request;
    request.set_task(ref_);
    request.set_state(state);
    request.set_reason(reason);
    const absl::Status status =
        Call<v1::UpdateTaskResponse>(code, "TaskService/UpdateTask", request).status();
    Settle();
    return status;
  }
  std::string State(const std::string& code) {
    v1::ShowTaskRequest request;
    request.set_task(ref_);
    const auto shown = Call<v1::ShowTaskResponse>(code, "TaskService/ShowTask", request);
    return shown.ok() ? shown->record().state() : "";
  }
  std::string ref_;
};

TEST_F(TaskCommandsTest, TheExecutingBodyMovesItAndBothSee) {
  v1::AcceptTaskRequest accept;
  accept.set_task(ref_);
  accept.set_assignee("Inspector Brandt");
  EXPECT_FALSE(Call<v1::AcceptTaskResponse>("XA", "TaskService/AcceptTask", accept).ok());
  ASSERT_OK(Call<v1::AcceptTaskResponse>("XB", "TaskService/AcceptTask", accept));
  Settle();
  EXPECT_EQ(State("XA"), "ACCEPTED");
  ASSERT_OK(Move("XB", "IN_PROGRESS"));
  EXPECT_FALSE(Move("XA", "EXECUTED").ok());
  v1::CompleteTaskRequest done;
  done.set_task(ref_);
  done.set_outcome("EXECUTED");
  done.set_note("statements attached");
  ASSERT_OK(Call<v1::CompleteTaskResponse>("XB", "TaskService/CompleteTask", done));
  Settle();
  EXPECT_EQ(State("XA"), "EXECUTED");
  ASSERT_OK(Move("XA", "REVIEWED"));
  EXPECT_EQ(State("XB"), "REVIEWED");
}

TEST_F(TaskCommandsTest, DecliningNeedsAReason) {
  v1::DeclineTaskRequest decline;
  decline.set_task(ref_);
  EXPECT_FALSE(Call<v1::DeclineTaskResponse>("XB", "TaskService/DeclineTask", decline).ok());
  EXPECT_EQ(State("XB"), "SENT");
  decline.set_reason("no such bank in Borland");
  ASSERT_OK(Call<v1::DeclineTaskResponse>("XB", "TaskService/DeclineTask", decline));
  Settle();
  EXPECT_EQ(State("XA"), "DECLINED");
}

TEST_F(TaskCommandsTest, OthersDoNotHaveIt) {
  EXPECT_EQ(State("XC"), "");
  EXPECT_FALSE(Move("XC", "ACCEPTED").ok());
}

TEST_F(TaskCommandsTest, AStateThatDoesNotFollowIsRefusedByName) {
  EXPECT_FALSE(Move("XB", "EXECUTED").ok());
  EXPECT_FALSE(Move("XB", "FINISHED").ok());
  EXPECT_EQ(State("XB"), "SENT");
}

TEST_F(TaskCommandsTest, TheCoordinatorCountsWithoutReading) {
  const auto progress = [&] {
    return *Call<v1::GetProgressResponse>("EJ", "ProgressService/GetProgress",
                                          v1::GetProgressRequest());
  };
  v1::GetProgressResponse seen = progress();
  ASSERT_EQ(seen.rows_size(), 1);
  EXPECT_EQ(seen.rows(0).body(), "XB");
  EXPECT_EQ(seen.rows(0).open(), 1u);
  EXPECT_EQ(seen.rows(0).overdue(), 0u);
  EXPECT_EQ(seen.DebugString().find("Lime"), std::string::npos);
  EXPECT_EQ(seen.DebugString().find(ref_), std::string::npos);
  world_.RunFor(absl::Hours(3));
  EXPECT_EQ(progress().rows(0).overdue(), 1u);
  v1::AcceptTaskRequest accept;
  accept.set_task(ref_);
  ASSERT_OK(Call<v1::AcceptTaskResponse>("XB", "TaskService/AcceptTask", accept));
  Settle();
  EXPECT_EQ(progress().rows(0).by_state().at("ACCEPTED"), 1u);
}

TEST_F(TaskCommandsTest, WorkDoneWhileTheWithdrawalWasOnItsWayStaysDone) {
  ASSERT_OK(Move("XB", "ACCEPTED"));
  // Cut off from each other, both act.
  world_.Isolate(node("XA"), true);
  world_.RunFor(absl::Minutes(1));
  v1::WithdrawTaskRequest withdraw;
  withdraw.set_task(ref_);
  withdraw.set_reason("not needed any more");
  ASSERT_OK(Call<v1::WithdrawTaskResponse>("XA", "TaskService/WithdrawTask", withdraw));
  v1::CompleteTaskRequest done;
  done.set_task(ref_);
  done.set_outcome("EXECUTED");
  ASSERT_OK(Call<v1::CompleteTaskResponse>("XB", "TaskService/CompleteTask", done));
  world_.StopFaults();
  world_.RunFor(absl::Minutes(30));
  EXPECT_EQ(State("XA"), "EXECUTED");
  EXPECT_EQ(State("XB"), "EXECUTED");
}

}  // namespace
}  // namespace entente::core

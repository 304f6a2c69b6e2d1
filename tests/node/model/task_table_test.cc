// What both sides see of a task follows from what each has done, for every pair, whoever was first.
#include "gtest/gtest.h"
#include "node/model/record.h"

namespace entente::model {
namespace {

TEST(TaskTableTest, WithoutTheRequestersWordTheExecutorsStateShows) {
  EXPECT_EQ(TaskTable(0, 0).state, v1::TASK_STATE_SENT);
  for (uint32_t executor = v1::TASK_STATE_ACCEPTED; executor <= v1::TASK_STATE_IMPOSSIBLE;
       ++executor) {
    EXPECT_EQ(TaskTable(0, executor).state, executor);
    EXPECT_FALSE(TaskTable(0, executor).crossed);
  }
}

TEST(TaskTableTest, AWithdrawalEndsWorkThatIsNotDone) {
  for (const uint32_t executor : {0, 2, 3, 4, 5}) {
    EXPECT_EQ(TaskTable(v1::TASK_STATE_WITHDRAWN, executor).state, v1::TASK_STATE_WITHDRAWN);
  }
}

// A search that was carried out cannot be undone by a letter that was still on its way.
TEST(TaskTableTest, WorkThatWasDoneStaysDoneWhenAWithdrawalCrossesIt) {
  for (const uint32_t executor :
       {v1::TASK_STATE_EXECUTED, v1::TASK_STATE_PARTLY_EXECUTED, v1::TASK_STATE_IMPOSSIBLE}) {
    EXPECT_EQ(TaskTable(v1::TASK_STATE_WITHDRAWN, executor).state, executor);
    EXPECT_TRUE(TaskTable(v1::TASK_STATE_WITHDRAWN, executor).crossed);
  }
}

TEST(TaskTableTest, AReviewOrClosureIsTheRequestersLastWord) {
  for (const uint32_t requester : {v1::TASK_STATE_REVIEWED, v1::TASK_STATE_CLOSED}) {
    for (uint32_t executor = 0; executor <= v1::TASK_STATE_IMPOSSIBLE; ++executor) {
      EXPECT_EQ(TaskTable(requester, executor).state, requester);
    }
  }
}

}  // namespace
}  // namespace entente::model

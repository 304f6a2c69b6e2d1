// A question about changes is held back until there is an answer, and never forgotten.
#include "node/service/long_polls.h"

#include <atomic>
#include <memory>

#include "gtest/gtest.h"
#include "tests/node/service/fake_backend.h"
#include "tests/support/event_queue.h"

namespace entente::service {
namespace {

// Answers with what the test has published so far.
class ChangingBackend : public FakeBackend {
 public:
  void Submit(core::Command command, std::function<void(core::Answer)> done) override {
    core::Answer answer;
    answer.call = command.call;
    auto response = std::make_shared<v1::ListChangesResponse>();
    for (int i = 0; i < published; ++i) response->add_changes();
    answer.response = response;
    done(std::move(answer));
  }
  std::atomic<int> published = 0;
};

class LongPollsTest : public testing::Test {
 protected:
  void Ask(uint32_t wait_seconds) {
    auto request = std::make_shared<v1::ListChangesRequest>();
    request->set_wait_seconds(wait_seconds);
    core::Command command;
    command.request = request;
    polls_.Submit(command, [this](const core::Answer& answer) {
      answers_.Push(dynamic_cast<const v1::ListChangesResponse&>(*answer.response).changes_size());
    });
  }
  ChangingBackend backend_;
  std::atomic<int64_t> now_ = 1'800'000'000;
  testing_support::EventQueue<int> answers_;
  LongPolls polls_{[this] { return absl::FromUnixSeconds(now_); }, backend_};
};

TEST_F(LongPollsTest, WhatIsThereIsAnsweredAtOnce) {
  backend_.published = 2;
  Ask(60);
  EXPECT_EQ(answers_.Pop(), 2);
}

TEST_F(LongPollsTest, WithoutAWaitAnEmptyAnswerComesAtOnce) {
  Ask(0);
  EXPECT_EQ(answers_.Pop(), 0);
}

TEST_F(LongPollsTest, AChangeWakesEverybodyWhoWaits) {
  for (int i = 0; i < 10; ++i) Ask(60);
  EXPECT_TRUE(answers_.Empty());
  backend_.published = 1;
  polls_.Changed();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(answers_.Pop(), 1);
}

TEST_F(LongPollsTest, AChangeThatIsNoneForTheAskerLeavesItWaiting) {
  Ask(60);
  polls_.Changed();
  backend_.published = 1;
  polls_.Changed();
  EXPECT_EQ(answers_.Pop(), 1);
}

TEST_F(LongPollsTest, TheWaitEndsWithItsTime) {
  Ask(5);
  now_ += 6;
  EXPECT_EQ(answers_.Pop(), 0);
}

TEST_F(LongPollsTest, StoppingAnswersWhoeverWaits) {
  Ask(60);
  polls_.Stop();
  EXPECT_EQ(answers_.Pop(), 0);
}

}  // namespace
}  // namespace entente::service

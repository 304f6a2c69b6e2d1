// Work is done once, whoever brings it and whenever the pool ends.
#include "node/service/worker_pool.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/event_queue.h"

namespace entente::service {
namespace {

TEST(WorkerPoolTest, RunsInOrderOfArrivalWithOneThread) {
  testing_support::EventQueue<int> done;
  WorkerPool pool(1);
  for (int i = 0; i < 100; ++i) pool.Run([&done, i] { done.Push(i); });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done.Pop(), i);
}

TEST(WorkerPoolTest, WhatStillWaitsAtTheEndIsRun) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(2);
    for (int i = 0; i < 500; ++i) pool.Run([&done] { ++done; });
  }
  EXPECT_EQ(done, 500);
}

TEST(WorkerPoolTest, TakesWorkFromManyThreadsAtOnce) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(3);
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int j = 0; j < 200; ++j) pool.Run([&done] { ++done; });
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  EXPECT_EQ(done, 800);
}

TEST(WorkerPoolTest, WorkMayBringMoreWork) {
  testing_support::EventQueue<int> done;
  WorkerPool pool(1);
  pool.Run([&] { pool.Run([&] { done.Push(1); }); });
  EXPECT_EQ(done.Pop(), 1);
}

}  // namespace
}  // namespace entente::service

// Every acknowledged batch survives, whole, whenever the process dies (design §10.2, reliability
// G5).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "node/store/rocks_kv.h"
#include "tests/node/store/crash_child.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {

std::string CrashKey(int batch, int row) {
  char key[32];
  std::snprintf(key, sizeof key, "k%08d-%d", batch, row);
  return key;
}

std::string CrashValue(int batch, int row) {
  const size_t size = batch % 5 == 0 ? 700'000 : 2'000;
  return std::string(size, static_cast<char>('a' + (batch + row) % 26));
}

int RunCrashChild(const std::string& dir, const std::string& ending) {
  SystemEntropy entropy;
  const auto kv = RocksKv::Open(dir, KeyOf('k'), entropy);
  if (!kv.ok()) return 3;
  int batch = 0;
  while ((*kv)->Get(CrashKey(batch, 0))->has_value()) ++batch;
  const int last = ending == "run" ? 1 << 20 : batch + std::stoi(ending.substr(5));
  for (; batch < last; ++batch) {
    sync::WriteBatch writes;
    for (int row = 0; row < kCrashRows; ++row) {
      writes.Put(CrashKey(batch, row), CrashValue(batch, row));
    }
    if (!(*kv)->Commit(writes).ok()) return 4;
    if (write(STDOUT_FILENO, &batch, sizeof batch) != sizeof batch) return 5;
  }
  _exit(0);
}

namespace {

class RocksCrashTest : public testing::Test {
 protected:
  struct Child {
    pid_t pid = -1;
    int acks = -1;
  };

  Child Start(const std::string& ending) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl("/proc/self/exe", "store_tests", "crash-child", path_.c_str(), ending.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    return {pid, ends[0]};
  }
  // Reads up to `count` acknowledgements; false at the end of the stream.
  bool ReadAcks(const Child& child, int count) {
    for (int i = 0; i < count; ++i) {
      int batch = 0;
      if (read(child.acks, &batch, sizeof batch) != sizeof batch) return false;
      acknowledged_ = batch + 1;
    }
    return true;
  }
  static int Wait(const Child& child) {
    int status = 0;
    waitpid(child.pid, &status, 0);
    close(child.acks);
    return status;
  }
  // Every acknowledged batch is there; whatever else is there is a whole batch, the next one.
  void ExpectAllThere() {
    SystemEntropy entropy;
    const auto kv = RocksKv::Open(path_, KeyOf('k'), entropy);
    ASSERT_OK(kv);
    int batch = 0;
    for (; batch < acknowledged_; ++batch) {
      for (int row = 0; row < kCrashRows; ++row) {
        const auto value = (*kv)->Get(CrashKey(batch, row));
        ASSERT_OK(value);
        ASSERT_TRUE(*value == CrashValue(batch, row)) << batch << " of " << acknowledged_;
      }
    }
    int extra_rows = 0;
    for (int row = 0; row < kCrashRows; ++row) {
      extra_rows += (*(*kv)->Get(CrashKey(batch, row))).has_value() ? 1 : 0;
    }
    EXPECT_TRUE(extra_rows == 0 || extra_rows == kCrashRows) << "half a batch";
    EXPECT_FALSE((*(*kv)->Get(CrashKey(batch + 1, 0))).has_value());
  }

  TempDir dir_;
  const std::string path_ = dir_ / "db";
  int acknowledged_ = 0;
};

TEST_F(RocksCrashTest, LeavingWithoutClosingKeepsEveryBatch) {
  for (int round = 0; round < 3; ++round) {
    const Child child = Start("exit-12");
    while (ReadAcks(child, 1)) {
    }
    EXPECT_EQ(Wait(child), 0);
    EXPECT_EQ(acknowledged_, 12 * (round + 1));
    ExpectAllThere();
  }
}

TEST_F(RocksCrashTest, KillAtAnyMomentKeepsEveryAcknowledgedBatch) {
  SeededEntropy dice(11);
  for (int round = 0; round < 8; ++round) {
    const Child child = Start("run");
    ASSERT_TRUE(ReadAcks(child, 2 + static_cast<uint8_t>(dice.Bytes(1)[0]) % 8));
    usleep(static_cast<uint8_t>(dice.Bytes(1)[0]) * 20);
    kill(child.pid, SIGKILL);
    while (ReadAcks(child, 1)) {
    }
    Wait(child);
    ExpectAllThere();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace entente::store

// Runs the tests, or, started by one of them as a child process, the part that gets killed.
#include <cstring>
#include <iostream>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/node/store/crash_child.h"

int main(int argc, char** argv) {
  const absl::Status ready = entente::crypto::Init();
  if (!ready.ok()) {
    std::cerr << ready.ToString() << "\n";
    return 1;
  }
  if (argc == 4 && std::strcmp(argv[1], "crash-child") == 0) {
    return entente::store::RunCrashChild(argv[2], argv[3]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// Runs the tests in which system calls fail.
#include <iostream>

#include "crypto/entropy.h"
#include "gtest/gtest.h"

int main(int argc, char** argv) {
  const absl::Status ready = entente::crypto::Init();
  if (!ready.ok()) {
    std::cerr << ready.ToString() << "\n";
    return 1;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// Secrets leave nothing behind when they move or end.
#include "crypto/secret.h"

#include <new>
#include <string>
#include <type_traits>

#include "crypto/entropy.h"
#include "crypto/self_test.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

TEST(SecretTest, AMovedSecretIsWipedAtItsSource) {
  Secret32 from = *Secret32::From(std::string(32, 's'));
  const Secret32 to = std::move(from);
  EXPECT_EQ(to.view(), std::string(32, 's'));
  // NOLINTNEXTLINE(bugprone-use-after-move): the state after the move is what is asked about.
  EXPECT_EQ(from.view(), std::string(32, '\0'));
}

TEST(SecretTest, MemoryIsZeroOnceASecretHasEnded) {
  alignas(Secret32) unsigned char memory[sizeof(Secret32)];
  auto* secret = new (memory) Secret32(*Secret32::From(std::string(32, 's')));
  secret->~Secret32();
  for (const unsigned char byte : memory) EXPECT_EQ(byte, 0);
}

TEST(SecretTest, CopiesAreMadeAloudOnly) {
  static_assert(!std::is_copy_constructible_v<Secret32>);
  static_assert(!std::is_copy_assignable_v<SecretBytes>);
  const SecretBytes bytes(std::string("pem"));
  EXPECT_EQ(bytes.Clone().view(), "pem");
}

TEST(SecretTest, ComparesByContent) {
  EXPECT_TRUE(EqualInConstantTime("same", "same"));
  EXPECT_FALSE(EqualInConstantTime("same", "sama"));
  EXPECT_FALSE(EqualInConstantTime("same", "longer"));
}

TEST(SelfTestTest, ThisMachinesLibrariesAnswerAsTheyShould) {
  EXPECT_OK(Init());
  EXPECT_OK(SelfTest());
}

TEST(EntropyTest, ASeedGivesOneStreamAndAnotherSeedAnother) {
  SeededEntropy a(1), again(1), b(2);
  const std::string first = a.Bytes(100);
  EXPECT_EQ(again.Bytes(100), first);
  EXPECT_NE(b.Bytes(100), first);
  EXPECT_NE(a.Bytes(100), first);
}

}  // namespace
}  // namespace entente::crypto

// What crypto shares between threads: the self-test, the system's generator, one set of digests.
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "crypto/body_seal.h"
#include "crypto/entropy.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/self_test.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

template <class Work>
void OnFourThreads(const Work& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST(ThreadsTest, TheLibraryMayBeInitialisedByWhoeverComesFirst) {
  OnFourThreads([](int) {
    for (int i = 0; i < 10; ++i) EXPECT_OK(Init());
  });
}

TEST(ThreadsTest, OneGeneratorServesAllAndRepeatsNothing) {
  SystemEntropy entropy;
  std::vector<std::set<std::string>> drawn(4);
  OnFourThreads([&](int thread) {
    for (int i = 0; i < 250; ++i) drawn[thread].insert(entropy.Bytes(16));
  });
  std::set<std::string> all;
  for (const auto& part : drawn) all.insert(part.begin(), part.end());
  EXPECT_EQ(all.size(), 1000u);
}

TEST(ThreadsTest, DigestsAndSealsAreTheSameOnEveryThread) {
  const Hash digest = Sha256("text");
  const Secret32 key = *Secret32::From(std::string(32, 'k'));
  const FileSealer sealer(key, 3000, 1000);
  const std::string chunk = *sealer.SealChunk(0, std::string(1000, 'p'));
  OnFourThreads([&](int) {
    SystemEntropy entropy;
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(Sha256("text"), digest);
      EXPECT_EQ(*sealer.SealChunk(0, std::string(1000, 'p')), chunk);
      EntryHeader header;
      header.log_id = *LogId::From(std::string(32, 'L'));
      const auto body = SealBody(key, header, "a text", entropy);
      EXPECT_EQ(*OpenBody(key, header, *body), "a text");
    }
  });
}

}  // namespace
}  // namespace entente::crypto

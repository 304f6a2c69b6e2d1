// Chunks of one file from several holders: every one is asked for, each of one at a time, whoever
// fails.
#include "sync/file_fetch.h"

#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

const PartyId kA = *PartyId::From(std::string(32, 'a'));
const PartyId kB = *PartyId::From(std::string(32, 'b'));

void Deliver(FileFetch& fetch, const PartyId& source, uint64_t index) {
  ASSERT_TRUE(fetch.Came(source, index)) << index;
  fetch.Kept(source, index);
}

TEST(FileFetchTest, AsksForHalfAWindowAtATime) {
  FileFetch fetch(0, 100);
  EXPECT_EQ(fetch.Ask(kA, 8).count, 8u);
  EXPECT_EQ(fetch.Ask(kA, 8).count, 0u);
  for (uint64_t i = 0; i < 3; ++i) Deliver(fetch, kA, i);
  EXPECT_EQ(fetch.Ask(kA, 8).count, 0u);
  Deliver(fetch, kA, 3);
  const FileFetch::Range next = fetch.Ask(kA, 8);
  EXPECT_EQ(next.from, 8u);
  EXPECT_EQ(next.count, 4u);
}

TEST(FileFetchTest, AChunkCountsOnceAndFromWhomItWasAsked) {
  FileFetch fetch(0, 10);
  fetch.Ask(kA, 4);
  EXPECT_FALSE(fetch.Came(kB, 0));
  EXPECT_FALSE(fetch.Came(kA, 4));
  EXPECT_TRUE(fetch.Came(kA, 0));
  EXPECT_FALSE(fetch.Came(kA, 0));
}

TEST(FileFetchTest, WhatIsNotKeptIsAskedForAgain) {
  FileFetch fetch(0, 2);
  fetch.Ask(kA, 4);
  ASSERT_TRUE(fetch.Came(kA, 0));
  fetch.NotKept(kA, 0);
  EXPECT_FALSE(fetch.done());
  EXPECT_EQ(fetch.Ask(kB, 4).from, 0u);
}

TEST(FileFetchTest, NobodyRunsFarAheadOfTheFirstThatIsMissing) {
  FileFetch fetch(0, 1000);
  fetch.Ask(kA, 4);  // and delivers late
  uint64_t furthest = 4;
  while (furthest < kFetchSpread) {
    const FileFetch::Range range = fetch.Ask(kB, 8);
    ASSERT_EQ(range.from, furthest);
    for (uint64_t i = 0; i < range.count; ++i) Deliver(fetch, kB, range.from + i);
    furthest += range.count;
  }
  EXPECT_EQ(furthest, kFetchSpread);
  EXPECT_EQ(fetch.first_missing(), 0u);
}

TEST(FileFetchTest, ASlowHolderDoesNotHoldUpAFastOne) {
  FileFetch fetch(0, 1000);
  fetch.Ask(kA, 4);  // and delivers late
  for (uint64_t at = 4; at < kFetchSpread;) {
    const FileFetch::Range range = fetch.Ask(kB, 8);
    for (uint64_t i = 0; i < range.count; ++i) Deliver(fetch, kB, at++);
  }
  Deliver(fetch, kA, 0);
  ASSERT_TRUE(fetch.Came(kA, 1));
  // One more is in reach; what is missing in front comes next, also what A is writing just now.
  EXPECT_EQ(fetch.Ask(kB, 8).from, kFetchSpread);
  Deliver(fetch, kB, kFetchSpread);
  const FileFetch::Range twice = fetch.Ask(kB, 8);
  EXPECT_EQ(twice.from, 1u);
  EXPECT_EQ(twice.count, 3u);
  for (uint64_t i = 1; i < 4; ++i) Deliver(fetch, kB, i);
  EXPECT_EQ(fetch.first_missing(), kFetchSpread + 1);
  EXPECT_TRUE(fetch.Busy(kA));
  fetch.Kept(kA, 1);
  EXPECT_FALSE(fetch.Came(kA, 2));  // nobody needs it any more
  EXPECT_FALSE(fetch.Came(kA, 3));
  EXPECT_FALSE(fetch.Busy(kA));
  EXPECT_EQ(fetch.Ask(kB, 8).from, kFetchSpread + 1);
}

TEST(FileFetchTest, WhatTwoWereAskedForIsNotLostWhenBothFail) {
  FileFetch fetch(0, kFetchSpread + 1);
  fetch.Ask(kA, 1);
  for (uint64_t at = 1; at < kFetchSpread;) {
    const FileFetch::Range range = fetch.Ask(kB, 8);
    for (uint64_t i = 0; i < range.count; ++i) Deliver(fetch, kB, at++);
  }
  EXPECT_EQ(fetch.Ask(kB, 8).from, 0u);
  fetch.GiveUp(kA);
  fetch.GiveUp(kB);
  EXPECT_FALSE(fetch.done());
  EXPECT_EQ(fetch.Ask(kA, 8).from, 0u);
  Deliver(fetch, kA, 0);
  EXPECT_EQ(fetch.Ask(kA, 8).from, kFetchSpread);
  Deliver(fetch, kA, kFetchSpread);
  EXPECT_TRUE(fetch.done());
}

TEST(FileFetchTest, OnlyTheDamagedPlacesAreAskedFor) {
  FileFetch fetch(std::vector<uint64_t>{3, 4, 9});
  const FileFetch::Range first = fetch.Ask(kA, 8);
  EXPECT_EQ(first.from, 3u);
  EXPECT_EQ(first.count, 2u);
  EXPECT_EQ(fetch.Ask(kA, 8).from, 9u);
  for (const uint64_t i : {3, 4, 9}) Deliver(fetch, kA, i);
  EXPECT_TRUE(fetch.done());
}

// Holders that stall, lose chunks and leave, in any order: every chunk is kept in the end, and
// `first_missing` never says too much.
TEST(FileFetchTest, EveryChunkComesWhateverHoldersDo) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 dice(seed);
    const uint64_t count = 1 + dice() % 300;
    FileFetch fetch(0, count);
    const std::vector<PartyId> holders = {kA, kB, *PartyId::From(std::string(32, 'c'))};
    std::map<PartyId, std::set<uint64_t>> asked;
    std::set<uint64_t> kept;
    for (int step = 0; step < 100'000 && !fetch.done(); ++step) {
      const PartyId& holder = holders[dice() % holders.size()];
      const FileFetch::Range range = fetch.Ask(holder, 8);
      for (uint64_t i = 0; i < range.count; ++i) asked[holder].insert(range.from + i);
      const unsigned what = dice() % 20;
      if (what == 0) {
        fetch.GiveUp(holder);
        asked[holder].clear();
      } else if (what < 15 && !asked[holder].empty()) {
        const uint64_t index = *std::next(asked[holder].begin(), dice() % asked[holder].size());
        asked[holder].erase(index);
        if (!fetch.Came(holder, index)) {
          ASSERT_TRUE(kept.contains(index)) << seed;  // another was faster
        } else if (dice() % 10 == 0) {
          fetch.NotKept(holder, index);
        } else {
          fetch.Kept(holder, index);
          kept.insert(index);
        }
      }
      for (uint64_t i = 0; i < fetch.first_missing(); ++i) ASSERT_TRUE(kept.contains(i)) << seed;
    }
    ASSERT_TRUE(fetch.done()) << seed;
    ASSERT_EQ(kept.size(), count) << seed;
    ASSERT_EQ(fetch.first_missing(), count) << seed;
  }
}

}  // namespace
}  // namespace entente::sync

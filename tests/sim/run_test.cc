// The simulator's own promises: one seed is one run, workloads are read, failing runs get smaller.
#include "tests/sim/run.h"

#include "gtest/gtest.h"
#include "tests/sim/hostile/turncoat.h"
#include "tests/sim/shrink.h"
#include "tests/sim/two_worlds.h"

namespace entente::sim {
namespace {

TEST(ReplayTest, TheSameSeedIsTheSameRunToTheLastFrame) {
  RunOptions options;
  options.seed = 11;
  options.workload = "lantern";
  const Outcome one = RunSeed(options), two = RunSeed(options);
  EXPECT_EQ(one.problem, "");
  EXPECT_EQ(one.trace, two.trace);
  EXPECT_EQ(one.deliveries, two.deliveries);
  EXPECT_EQ(one.counters.fired, two.counters.fired);
  options.seed = 12;
  EXPECT_NE(RunSeed(options).trace, one.trace);
}

TEST(ScriptTest, EveryWorkloadOfTheFolderIsRead) {
  EXPECT_GE(AllScripts().size(), 8u);
  EXPECT_NE(FindScript("lantern"), nullptr);
  EXPECT_EQ(FindScript("no such workload"), nullptr);
}

TEST(ScriptTest, ALineThatIsNotUnderstoodIsNamed) {
  EXPECT_TRUE(ParseScript("t", "bodies XA XB\nparties XA XB\n1m XA note XB\n").ok());
  const auto bad = ParseScript("t", "bodies XA XB\nparties XA XB\nsoon XA note\n");
  EXPECT_NE(std::string(ToStd(bad.status().message())).find("soon XA note"), std::string::npos);
}

TEST(FaultsTest, ASwitchedOffFaultLeavesTheOthersAsTheyWere) {
  const std::set<std::string> all = NamesOf(DrawFaults(5, {}));
  ASSERT_FALSE(all.empty());
  const std::string first = *all.begin();
  std::set<std::string> rest = NamesOf(DrawFaults(5, {first}));
  EXPECT_FALSE(rest.contains(first));
  rest.insert(first);
  EXPECT_EQ(rest, all);
}

TEST(ShrinkTest, OnlyWhatIsNeededForTheFailureIsLeft) {
  RunOptions failing;
  failing.seed = 5;
  const std::set<std::string> all = NamesOf(DrawFaults(5, {}));
  const std::string guilty = *all.rbegin();
  const RunOptions small = Shrink(failing, [&](const RunOptions& candidate) {
    return !candidate.without.contains(guilty) && candidate.acts > 0.2;
  });
  EXPECT_EQ(small.without.size(), all.size() - 1);
  EXPECT_FALSE(small.without.contains(guilty));
  EXPECT_EQ(small.acts, 0.25);
}

TEST(TwoWorldsTest, AnOutsiderCannotTellThatThereIsASecret) {
  Counters counters;
  EXPECT_EQ(CompareTwoWorlds(3, &counters), "");
  EXPECT_EQ(CompareTwoWorlds(4, &counters), "");
  EXPECT_EQ(counters.Of("two worlds compared"), 2u);
}

TEST(HostileTest, BehavioursHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Behaviour* behaviour : AllBehaviours()) {
    EXPECT_TRUE(names.insert(behaviour->name).second) << behaviour->name;
  }
  EXPECT_GE(names.size(), 30u);
}

}  // namespace
}  // namespace entente::sim

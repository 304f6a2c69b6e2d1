// The simulator keeps its own promises: one seed is one run, and each checker sees what it is for.
#include <algorithm>
#include <memory>
#include <string>

#include "entente/v1/client.pb.h"
#include "gtest/gtest.h"
#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

namespace entente::sim {
namespace {

class CheckersTest : public testing::Test {
 protected:
  CheckersTest() {
    scenario_.OpenJit();
    scenario_.Work(60, absl::Hours(1));
    scenario_.Settle();
  }
  void Note(SimNode& node, const std::string& text, const std::string& audience) {
    auto request = std::make_shared<v1::AddNotesRequest>();
    request->add_texts(text);
    request->add_audience(audience);
    world_.MustCall(node, "/entente.v1.RecordService/AddNotes", request);
  }
  // The text of some note that `outsider` does not hold.
  std::string SecretFrom(const std::string& outsider) {
    for (auto& node : world_.nodes()) {
      const auto answer = world_.MustCall(*node, "/entente.v1.RecordService/ListNotes",
                                          std::make_shared<v1::ListNotesRequest>());
      for (const auto& record : dynamic_cast<v1::ListNotesResponse&>(*answer).records()) {
        const auto& audience = record.audience();
        if (std::find(audience.begin(), audience.end(), outsider) == audience.end()) {
          return record.note().text();
        }
      }
    }
    return "";
  }

  World world_{World::Setup{}};
  Scenario scenario_{world_};
};

TEST(ReplayTest, TheSameSeedIsTheSameRunToTheLastFrame) {
  const Outcome one = RunSeed(11), two = RunSeed(11), other = RunSeed(12);
  EXPECT_EQ(one.problem, "");
  EXPECT_EQ(one.trace, two.trace);
  EXPECT_EQ(one.deliveries, two.deliveries);
  EXPECT_EQ(one.acknowledged, two.acknowledged);
  EXPECT_NE(one.trace, other.trace);
}

TEST_F(CheckersTest, AnHonestRunKeepsEveryPromise) {
  EXPECT_EQ(scenario_.CheckLogs(), "");
  EXPECT_EQ(scenario_.CheckConvergence(), "");
  EXPECT_EQ(scenario_.CheckDurability(), "");
  EXPECT_EQ(scenario_.CheckConfidentiality(), "");
}

TEST_F(CheckersTest, APlantedLeakOfATextIsSeen) {
  const std::string secret = SecretFrom("XC");
  ASSERT_FALSE(secret.empty());
  world_.node("XC").received_ += secret;
  EXPECT_NE(scenario_.CheckConfidentiality(), "");
}

TEST_F(CheckersTest, APlantedLeakOfALogIdIsSeen) {
  for (const auto& [key, value] : world_.node("XA").disk_.kv.rows()) {
    if (key[0] != 'l' || world_.node("XC").disk_.kv.rows().contains(key)) continue;
    world_.node("XC").received_ += key.substr(1);
    break;
  }
  EXPECT_NE(scenario_.CheckConfidentiality(), "");
}

TEST_F(CheckersTest, ABodyThatLacksWhatItShouldHaveIsSeen) {
  Note(world_.node("XA"), "just written, on its way", "XB");
  EXPECT_NE(scenario_.CheckConvergence(), "");
  world_.RunFor(absl::Minutes(5));
  EXPECT_EQ(scenario_.CheckConvergence(), "");
}

TEST(DurabilityTest, ANodeThatForgetsWhatItAcknowledgedIsSeen) {
  World world{World::Setup{}};
  Scenario scenario(world);
  scenario.OpenJit();
  SimNode& node = world.node("XA");
  const auto before = node.disk_.kv.rows();
  scenario.Work(40, absl::Hours(1));
  node.Crash();
  node.disk_.kv.rows() = before;
  world.RunFor(absl::Minutes(5));
  EXPECT_NE(scenario.CheckDurability(), "");
}

TEST_F(CheckersTest, AnAlteredEntryIsSeen) {
  for (auto& [key, value] : world_.node("XB").disk_.kv.rows()) {
    if (key[0] == 'e') value.back() = static_cast<char>(value.back() ^ 1);
  }
  EXPECT_NE(scenario_.CheckLogs(), "");
}

}  // namespace
}  // namespace entente::sim

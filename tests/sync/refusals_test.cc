// Refusals are counted, kept through a restart, and say who refused whom.
#include "sync/refusals.h"

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::sync {
namespace {

TEST(RefusalsTest, AreCountedByPeerDirectionAndCodeAndSurviveARestart) {
  MemoryKv disk;
  OverlayKv store(disk);
  Refusals refusals(store);
  const PartyId peer = *PartyId::From(std::string(32, 'p'));
  const absl::Time first = absl::FromUnixSeconds(100);
  refusals.Record(peer, false, v1::REFUSAL_CODE_BAD_PROOF, "one", first);
  refusals.Record(peer, false, v1::REFUSAL_CODE_BAD_PROOF, "two", first + absl::Seconds(5));
  refusals.Record(peer, true, v1::REFUSAL_CODE_BAD_PROOF, "", first);
  ASSERT_OK(disk.Commit(store.Take()));
  OverlayKv later(disk);
  Refusals again(later);
  ASSERT_OK(again.Load());
  const auto all = again.All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_FALSE(all[0].row.by_peer());
  EXPECT_EQ(all[0].row.count(), 2u);
  EXPECT_EQ(all[0].row.first_time(), 100);
  EXPECT_EQ(all[0].row.last_time(), 105);
  EXPECT_EQ(all[0].row.detail(), "two");
  EXPECT_TRUE(all[1].row.by_peer());
}

}  // namespace
}  // namespace entente::sync

// What OverlayKv promises beyond the contract: what is taken, what stays visible, what is merged.
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sync/kv.h"
#include "tests/node/store/store_test_util.h"

namespace entente::sync {
namespace {

class OverlayKvTest : public testing::Test {
 protected:
  std::string Keys(std::string_view from = "a", std::string_view to = "z", size_t limit = 99) {
    std::string keys;
    size_t seen = 0;
    EXPECT_OK(overlay_.Scan(from, to, [&](std::string_view key, std::string_view value) {
      keys += Cat(key, "=", value, " ");
      return ++seen < limit;
    }));
    return keys;
  }

  MemoryKv base_;
  OverlayKv overlay_{base_};
};

TEST_F(OverlayKvTest, ChangesAreSeenBeforeTheyAreCommitted) {
  base_.rows() = {{"b", "base"}, {"d", "base"}};
  overlay_.Put("a", "1");
  overlay_.Put("b", "2");
  overlay_.Put("c", "3");
  overlay_.Put("e", "5");
  EXPECT_EQ(Keys(), "a=1 b=2 c=3 d=base e=5 ");
  EXPECT_EQ(base_.rows().size(), 2u);
}

TEST_F(OverlayKvTest, PendingDeletesHideBaseRows) {
  base_.rows() = {{"b", "1"}, {"c", "1"}, {"d", "1"}};
  overlay_.Delete("b");
  overlay_.Delete("c");
  overlay_.Delete("nowhere");
  EXPECT_EQ(Keys(), "d=1 ");
  EXPECT_EQ(**overlay_.Get("d"), "1");
  EXPECT_EQ(*overlay_.Get("c"), std::nullopt);
  overlay_.Delete("d");
  EXPECT_EQ(Keys(), "");
}

TEST_F(OverlayKvTest, ScanRespectsBoundsInBothParts) {
  base_.rows() = {{"b", "b"}, {"d", "d"}, {"f", "f"}};
  overlay_.Put("a", "A");
  overlay_.Put("c", "C");
  overlay_.Put("e", "E");
  overlay_.Put("g", "G");
  EXPECT_EQ(Keys("b", "f"), "b=b c=C d=d e=E ");
  EXPECT_EQ(Keys("g", "b"), "");
}

TEST_F(OverlayKvTest, ScanStopsInsideEitherPart) {
  base_.rows() = {{"b", "b"}, {"d", "d"}};
  overlay_.Put("a", "A");
  overlay_.Put("c", "C");
  overlay_.Put("e", "E");
  EXPECT_EQ(Keys("a", "z", 1), "a=A ");
  EXPECT_EQ(Keys("a", "z", 2), "a=A b=b ");
  EXPECT_EQ(Keys("a", "z", 3), "a=A b=b c=C ");
  EXPECT_EQ(Keys("a", "z", 5), "a=A b=b c=C d=d e=E ");
}

TEST_F(OverlayKvTest, TakeHandsOutEachChangeOnceInOrder) {
  overlay_.Put("a", "1");
  overlay_.Delete("b");
  overlay_.Put("a", "2");
  const WriteBatch first = overlay_.Take();
  ASSERT_EQ(first.writes().size(), 3u);
  EXPECT_EQ(first.writes()[0].value, "1");
  EXPECT_EQ(first.writes()[1].value, std::nullopt);
  EXPECT_EQ(first.writes()[2].value, "2");
  EXPECT_TRUE(overlay_.Take().empty());
  overlay_.Put("c", "3");
  EXPECT_EQ(overlay_.Take().writes().size(), 1u);
}

TEST_F(OverlayKvTest, TakenChangesStayVisibleUntilForgotten) {
  base_.rows() = {{"a", "old"}};
  overlay_.Put("a", "new");
  const WriteBatch batch = overlay_.Take();
  EXPECT_EQ(**overlay_.Get("a"), "new");
  ASSERT_OK(base_.Commit(batch));
  overlay_.Forget();
  EXPECT_EQ(**overlay_.Get("a"), "new");
  base_.rows()["a"] = "newer";
  EXPECT_EQ(**overlay_.Get("a"), "newer");
}

TEST_F(OverlayKvTest, BatchesAppendInOrder) {
  WriteBatch first;
  WriteBatch second;
  first.Put("a", "1");
  second.Put("a", "2");
  second.Delete("b");
  first.Append(std::move(second));
  overlay_.Apply(first);
  EXPECT_EQ(Keys(), "a=2 ");
  EXPECT_EQ(overlay_.Take().writes().size(), 3u);
  WriteBatch empty;
  empty.Append(std::move(first));
  EXPECT_EQ(empty.writes().size(), 3u);
}

// An error below must not look like the end of the rows.
TEST_F(OverlayKvTest, DamageInTheBaseIsPassedOn) {
  class Damaged : public KvReader {
   public:
    absl::StatusOr<std::optional<std::string>> Get(std::string_view) const override {
      return absl::DataLossError("damaged");
    }
    absl::Status Scan(std::string_view, std::string_view, const Visitor&) const override {
      return absl::DataLossError("damaged");
    }
  };
  const Damaged damaged;
  OverlayKv overlay(damaged);
  overlay.Put("a", "1");
  EXPECT_OK(overlay.Get("a"));
  EXPECT_TRUE(absl::IsDataLoss(overlay.Get("b").status()));
  EXPECT_TRUE(absl::IsDataLoss(
      overlay.Scan("a", "z", [](std::string_view, std::string_view) { return true; })));
}

}  // namespace
}  // namespace entente::sync

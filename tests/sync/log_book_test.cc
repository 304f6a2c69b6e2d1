// What is stored of a log comes back as it was, and damage is named rather than believed.
#include "sync/log_book.h"

#include <random>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"

namespace entente::sync {
namespace {

class LogBookTest : public testing::Test {
 protected:
  LogBookTest() {
    LogState log;
    log.id = *LogId::From(std::string(32, 'L'));
    log.author = *PartyId::From(std::string(32, 'a'));
    log.members = {log.author};
    book_.Add(std::move(log));
  }
  LogState& log() { return *book_.Find(*LogId::From(std::string(32, 'L'))); }
  void Append(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string body = "body " + std::to_string(log().size);
      leaves_.push_back(crypto::Sha256(body));
      ASSERT_OK(book_.Append(log(), 1, 1, leaves_.back(), body));
    }
    log().head_size = log().size;
    log().head_edge = crypto::CompactRange::Empty(log().size);
    book_.Save(log());
  }
  void Commit() {
    ASSERT_OK(disk_.Commit(store_.Take()));
    store_.Forget();
  }
  absl::Status LoadWith(const std::function<void(v1::LogRow&)>& damage) {
    Commit();
    const std::string key = schema::Log(log().id);
    v1::LogRow row;
    row.ParseFromString(disk_.rows()[key]);
    damage(row);
    disk_.rows()[key] = row.SerializeAsString();
    LogBook again(store_);
    return again.Load();
  }

  MemoryKv disk_;
  OverlayKv store_{disk_};
  LogBook book_{store_};
  std::vector<Hash> leaves_;
};

TEST_F(LogBookTest, ARangeOfAnySizeIsThatOfTheLeaves) {
  Append(600);  // more than two tiles
  const crypto::VectorMerkleSource tree(leaves_);
  for (const uint64_t size : {0u, 1u, 255u, 256u, 257u, 512u, 599u, 600u}) {
    EXPECT_EQ(book_.RangeAt(log(), size)->Root(), crypto::RangeFrom(tree, 0, size)->Root()) << size;
  }
  EXPECT_EQ(book_.EdgeToHead(log(), 300)->hashes(), crypto::RangeFrom(tree, 300, 600)->hashes());
}

TEST_F(LogBookTest, TheOrderInWhichRangesAreAskedForChangesNothing) {
  Append(600);
  const crypto::VectorMerkleSource tree(leaves_);
  std::mt19937 dice(7);
  for (int i = 0; i < 200; ++i) {
    const uint64_t size = dice() % 601;
    ASSERT_EQ(book_.RangeAt(log(), size)->hashes(), crypto::RangeFrom(tree, 0, size)->hashes())
        << size;
  }
  Append(50);
  EXPECT_EQ(book_.RangeAt(log(), 649)->Root(),
            crypto::RangeFrom(crypto::VectorMerkleSource(leaves_), 0, 649)->Root());
}

TEST_F(LogBookTest, ComesBackAsItWas) {
  Append(300);
  const Receipt receipt{200, "a line", 150};
  book_.SaveReceipt(log(), log().author, receipt);
  Commit();
  disk_.rows()["rdamaged"] = "x";  // a receipt can be asked for again
  LogBook again(store_);
  ASSERT_OK(again.Load());
  const LogState* read = again.Find(log().id);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->size, 300u);
  EXPECT_EQ(read->Root(), log().Root());
  EXPECT_EQ(read->members, log().members);
  EXPECT_EQ(read->receipts.at(log().author).cosignature, "a line");
}

TEST_F(LogBookTest, ARowThatContradictsItselfIsDamage) {
  Append(5);
  const std::vector<std::function<void(v1::LogRow&)>> damages = {
      [](v1::LogRow& row) { row.set_jit_id("short"); },
      [](v1::LogRow& row) { row.set_author(""); },
      [](v1::LogRow& row) { row.set_author_card("x"); },
      [](v1::LogRow& row) { row.set_audience_id("x"); },
      [](v1::LogRow& row) { row.set_size(6); },
      [](v1::LogRow& row) { row.add_range("x"); },
      [](v1::LogRow& row) { row.mutable_tile()->RemoveLast(); },
      [](v1::LogRow& row) { row.set_head_size(4); },
      [](v1::LogRow& row) { row.set_head_size(9); },
      [](v1::LogRow& row) { row.add_members("x"); },
  };
  for (size_t i = 0; i < damages.size(); ++i) {
    book_.Save(log());
    EXPECT_REFUSED(LoadWith(damages[i]), kDataLoss, "log row") << i;
  }
  disk_.rows()[schema::Log(log().id)] = "\xFF\xFF";
  LogBook again(store_);
  EXPECT_REFUSED(again.Load(), kDataLoss, "does not parse");
}

TEST_F(LogBookTest, AMissingOrCutEntryIsDamage) {
  Append(5);
  Commit();
  EXPECT_OK(book_.Read(log(), 2));
  EXPECT_REFUSED(book_.Read(log(), 5), kDataLoss, "missing");
  disk_.rows()[schema::Entry(log().id, 2)] = "cut";
  EXPECT_REFUSED(book_.Read(log(), 2), kDataLoss, "too short");
  EXPECT_REFUSED(book_.ReadRange(log(), 0, 5, [](uint64_t, const StoredEntry&) { return true; }),
                 kDataLoss, "too short");
  EXPECT_REFUSED(book_.RangeAt(log(), 4), kDataLoss, "too short");
  disk_.rows().erase(schema::Entry(log().id, 2));
  EXPECT_REFUSED(book_.RangeAt(log(), 4), kDataLoss, "missing");
  EXPECT_REFUSED(book_.EdgeToHead(log(), 1), kDataLoss, "missing");
}

TEST_F(LogBookTest, ReadingStopsWhenItsReaderHasEnough) {
  Append(5);
  std::vector<uint64_t> seen;
  ASSERT_OK(book_.ReadRange(log(), 1, 5, [&](uint64_t index, const StoredEntry& entry) {
    EXPECT_EQ(entry.body, "body " + std::to_string(index));
    seen.push_back(index);
    return seen.size() < 2;
  }));
  EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2}));
}

TEST_F(LogBookTest, AnEntryWhoseBodyIsErasedKeepsItsPlaceInTheTree) {
  Append(300);
  const Hash root = log().Root();
  const Hash order = crypto::Sha256("order");
  book_.Erase(log(), 7, *book_.Read(log(), 7), order);
  const absl::StatusOr<StoredEntry> read = book_.Read(log(), 7);
  ASSERT_OK(read);
  EXPECT_EQ(read->body, "");
  ASSERT_TRUE(read->erased.has_value());
  EXPECT_EQ(read->erased->hash, crypto::Sha256("body 7"));
  EXPECT_EQ(read->erased->size, 6u);
  EXPECT_EQ(read->erased->order, order);
  EXPECT_EQ(read->leaf, leaves_[7]);
  EXPECT_EQ(read->type, 1);
  // A second order changes nothing: the first is what took it away.
  book_.Erase(log(), 7, *read, crypto::Sha256("another"));
  EXPECT_EQ(book_.Read(log(), 7)->erased->order, order);
  const crypto::VectorMerkleSource tree(leaves_);
  EXPECT_EQ(*book_.Inclusion(log(), 7, 300), *crypto::InclusionProof(tree, 7, 300));
  EXPECT_EQ(log().Root(), root);
}

TEST_F(LogBookTest, AnErasedRowThatIsDamagedIsNamed) {
  Append(3);
  book_.Erase(log(), 1, *book_.Read(log(), 1), Hash());
  Commit();
  disk_.rows()[schema::Entry(log().id, 1)].pop_back();
  EXPECT_REFUSED(book_.Read(log(), 1), kDataLoss, "damaged");
  EXPECT_REFUSED(book_.ReadOrder(Hash()), kDataLoss, "missing");
}

}  // namespace
}  // namespace entente::sync

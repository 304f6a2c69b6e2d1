// Invariant 13: who holds a grant opens exactly the granted entries, each as it was signed, and a
// grant that was touched anywhere opens nothing.
#include "sync/grants.h"

#include <set>
#include <string>
#include <vector>

#include "crypto/body_seal.h"
#include "crypto/key_tree.h"
#include "gtest/gtest.h"
#include "sync/entry_codec.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class GrantsTest : public testing::Test {
 protected:
  GrantsTest() { f_.TrustAll(); }

  void WriteMany(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text " + std::to_string(i)));
    }
  }
  const LogState& Log() { return *f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"}); }
  const LogBook& Book() { return f_["XA"].replica->logs(); }
  EpochKeys& Keys() { return f_["XA"].replica->epoch_keys(); }
  const PublicKey& LogKey() { return f_["XA"].keys->log.public_key(); }
  v1::Grant Make(const std::set<uint64_t>& indexes) {
    const auto grants = MakeGrants(Book(), Keys(), Log(), indexes, "order of 3 May");
    EXPECT_OK(grants);
    EXPECT_EQ(grants->size(), 1u);
    return grants->front();
  }
  // Whether any key of the grant, wherever it is put in the tree, opens entry `index`.
  bool Opens(const v1::Grant& grant, uint64_t index) {
    const StoredEntry stored = *Book().Read(Log(), index);
    for (const v1::TreeKey& item : grant.keys()) {
      crypto::EntryKeys keys(
          crypto::TreeNode{{item.depth(), item.prefix()}, *crypto::Secret32::From(item.key())});
      const uint32_t width = crypto::kTreeDepth - item.depth();
      for (uint32_t leaf = item.prefix() << width; keys.root().Covers(leaf); ++leaf) {
        if (OpenEntryUnder(keys.Key(leaf), Log(), index, stored).ok()) return true;
      }
    }
    return false;
  }

  Federation f_{{"XA", "XB", "XC"}};
};

TEST_F(GrantsTest, AnEntryIsVerifiedAndReadAsItWasSigned) {
  WriteMany(5);
  const v1::Grant grant = Make({3});
  EXPECT_EQ(grant.keys_size(), 1);
  EXPECT_EQ(grant.keys(0).depth(), crypto::kTreeDepth);
  const auto originals = VerifyGrant(grant, LogKey());
  ASSERT_OK(originals);
  ASSERT_EQ(originals->size(), 1u);
  EXPECT_EQ(originals->front().body.justification(), "text 2");
  EXPECT_EQ(originals->front().ref.index, 3u);
  EXPECT_EQ(originals->front().ref.log, Log().id);
  EXPECT_EQ(originals->front().log_size, Log().size);
}

TEST_F(GrantsTest, ARunOfNeighboursTakesFewKeys) {
  WriteMany(16);
  std::set<uint64_t> all;
  for (uint64_t i = 1; i <= 16; ++i) all.insert(i);
  const v1::Grant grant = Make(all);
  EXPECT_EQ(grant.keys_size(), 1);
  EXPECT_EQ(VerifyGrant(grant, LogKey())->size(), 16u);
}

TEST_F(GrantsTest, ExactlyTheGrantedEntriesOpenForRandomChoices) {
  WriteMany(24);
  for (int round = 0; round < 12; ++round) {
    std::set<uint64_t> chosen;
    for (uint64_t index = 1; index <= 24; ++index) {
      if (f_.entropy.Draw<Hash>().data()[0] % (round % 4 + 2) == 0) chosen.insert(index);
    }
    if (chosen.empty()) continue;
    const v1::Grant grant = Make(chosen);
    ASSERT_OK(VerifyGrant(grant, LogKey()));
    for (uint64_t index = 1; index <= 24; ++index) {
      EXPECT_EQ(Opens(grant, index), chosen.contains(index)) << index;
    }
  }
}

TEST_F(GrantsTest, EntriesOfSeveralEpochsGoTogether) {
  WriteMany(3);
  f_.now += kEpochLife + absl::Hours(1);
  WriteMany(3);
  const auto originals = VerifyGrant(Make({2, 3, 5, 7}), LogKey());
  ASSERT_OK(originals);
  EXPECT_EQ(originals->size(), 4u);
  EXPECT_REFUSED(MakeGrants(Book(), Keys(), Log(), {4}, ""), kInvalidArgument, "");  // an Epoch
}

TEST_F(GrantsTest, NothingOfAGrantCanBeAltered) {
  WriteMany(6);
  const v1::Grant good = Make({2, 5});
  const auto refused = [&](const char* what, auto alter) {
    v1::Grant bad = good;
    alter(bad);
    EXPECT_FALSE(VerifyGrant(bad, LogKey()).ok()) << what;
  };
  const auto flip = [](std::string* bytes, size_t at) { (*bytes)[at] ^= 1; };
  refused("log", [&](v1::Grant& g) { flip(g.mutable_log_id(), 0); });
  refused("head", [&](v1::Grant& g) { flip(g.mutable_head_note(), g.head_note().size() - 3); });
  refused("key", [&](v1::Grant& g) { flip(g.mutable_keys(0)->mutable_key(), 5); });
  refused("depth", [&](v1::Grant& g) { g.mutable_keys(0)->set_depth(13); });
  refused("prefix", [&](v1::Grant& g) { g.mutable_keys(0)->set_prefix(7); });
  refused("epoch", [&](v1::Grant& g) { g.mutable_keys(0)->set_epoch(2); });
  refused("first", [&](v1::Grant& g) { g.mutable_keys(0)->set_first_index(2); });
  refused("body", [&](v1::Grant& g) { flip(g.mutable_entries(0)->mutable_body(), 90); });
  refused("path", [&](v1::Grant& g) { flip(g.mutable_entries(0)->mutable_path(0), 1); });
  refused("no path", [&](v1::Grant& g) { g.mutable_entries(0)->clear_path(); });
  for (size_t at = 0; at < crypto::kHeaderBytes; ++at) {
    refused("header", [&](v1::Grant& g) { flip(g.mutable_entries(0)->mutable_header(), at); });
  }
  refused("twice", [&](v1::Grant& g) { *g.mutable_entries(1) = g.entries(0); });
  refused("an entry less", [&](v1::Grant& g) { g.mutable_entries()->RemoveLast(); });
  refused("a key less", [&](v1::Grant& g) { g.mutable_keys()->RemoveLast(); });
  refused("keys alone", [&](v1::Grant& g) { g.clear_entries(); });
  EXPECT_REFUSED(VerifyGrant(good, f_["XB"].keys->log.public_key()), kUnauthenticated, "");
}

// A key that reaches further than its entries would open what nobody has decided to hand on.
TEST_F(GrantsTest, ItHoldsAfterItsAuthorWasGivenNewKeys) {
  WriteMany(3);
  const v1::Grant grant = Make({2});
  for (int renewal = 0; renewal < 2; ++renewal) {
    f_.Renew(f_["XA"], {.keep_tls = true});
    f_.Connect(f_["XA"], f_["XC"]);
    f_.Settle();
    ASSERT_EQ(f_["XC"].replica->cards().Find(f_["XA"].party)->card.seq(), f_["XA"].card.seq());
    for (const char* code : {"XA", "XC"}) {
      const auto originals = f_[code].replica->Originals(f_["XA"].party, grant);
      ASSERT_OK(originals) << code;
      EXPECT_EQ(originals->size(), 1u);
    }
  }
}

TEST_F(GrantsTest, AKeyForMoreThanItsEntriesIsRefused) {
  WriteMany(4);
  v1::Grant grant = Make({2});
  const auto held = Keys().Held(Log().id, 1);
  grant.mutable_keys(0)->set_depth(0);
  grant.mutable_keys(0)->set_prefix(0);
  grant.mutable_keys(0)->set_key(std::string(held->front().key.view()));
  EXPECT_REFUSED(VerifyGrant(grant, LogKey()), kInvalidArgument, "more or for less");
}

TEST_F(GrantsTest, WhatDoesNotFitOneEntryIsSplit) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, std::string(100'000, static_cast<char>('a' + i))));
  }
  const auto grants = MakeGrants(Book(), Keys(), Log(), {1, 2, 3, 4, 5}, "basis");
  ASSERT_OK(grants);
  EXPECT_EQ(grants->size(), 3u);
  size_t entries = 0;
  for (const v1::Grant& grant : *grants) {
    EXPECT_LT(grant.ByteSizeLong() + 2048, kEntryBytesMax);
    ASSERT_OK(VerifyGrant(grant, LogKey()));
    entries += static_cast<size_t>(grant.entries_size());
  }
  EXPECT_EQ(entries, 5u);
}

TEST_F(GrantsTest, OnlyTheAuthorMakesThem) {
  WriteMany(2);
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  const LogState& theirs = *f_.FindLog(f_["XB"], f_["XA"], {"XA", "XB"});
  EXPECT_REFUSED(f_["XB"].replica->MakeGrants({{theirs.id, 1, Hash()}}, "basis"), kPermissionDenied,
                 "NOT_AUTHOR");
}

}  // namespace
}  // namespace entente::sync

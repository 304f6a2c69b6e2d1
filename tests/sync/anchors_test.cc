// Invariant 30: an opened anchor proves what existed on its day, an unopened one shows nothing; one
// a day, whatever happened.
#include "sync/anchors.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

class AnchorsTest : public testing::Test {
 protected:
  AnchorsTest() {
    f_.TrustAll();
    f_.all_parties = {"XA", "XB", "XC"};
  }

  std::vector<const OpenedEntry*> AnchorsAt(const std::string& holder, const std::string& author) {
    std::vector<const OpenedEntry*> out;
    for (const OpenedEntry& entry : f_[holder].opened) {
      if (entry.author == f_[author].party && entry.body.has_anchor()) out.push_back(&entry);
    }
    return out;
  }
  // Past the next midnight, in steps as timers would make them.
  void NextDay() {
    f_.Pass(f_["XA"].replica->anchors().NextDue(f_.now) - f_.now);
    f_.Pass(absl::Minutes(1));
  }
  EntryRef Last(const std::vector<std::string>& audience) {
    const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], audience);
    return {log.id, log.size - 1, f_["XA"].replica->logs().Read(log, log.size - 1)->leaf};
  }
  absl::StatusOr<v1::ExistenceProof> Prove(const EntryRef& entry) {
    return f_["XA"].replica->anchors().Prove(f_.jit, entry);
  }
  absl::StatusOr<ProvenExistence> Verify(const v1::ExistenceProof& proof) {
    return VerifyExistence(proof, f_["XA"].keys->log.public_key());
  }

  Federation f_{{"XA", "XB", "XC"}};
};

TEST_F(AnchorsTest, ANarrowEntryIsProvenToABodyThatKnewNothingOfIt) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "narrow"));
  const EntryRef entry = Last({"XA", "XB"});
  EXPECT_REFUSED(Prove(entry), kNotFound, "");
  NextDay();
  const auto proof = Prove(entry);
  ASSERT_OK(proof);
  EXPECT_TRUE(proof->entry().body().empty());
  const auto proven = Verify(*proof);
  ASSERT_OK(proven);
  EXPECT_EQ(proven->entry.leaf, entry.leaf);
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Settle();
  // XC holds the anchor itself, and so can say from when on it did.
  ASSERT_EQ(AnchorsAt("XC", "XA").size(), 1u);
  EXPECT_EQ(AnchorsAt("XC", "XA").front()->ref.leaf, proven->anchor.leaf);
  EXPECT_EQ(AnchorsAt("XC", "XA").front()->body.hlc(), proven->anchor_hlc);
  f_.Pass(absl::Minutes(10));
  const absl::Time said = f_["XC"].replica->AcknowledgedSince(
      proven->anchor.log, proven->anchor.index, proven->anchor.leaf);
  EXPECT_GT(said, absl::InfinitePast());
  EXPECT_LE(said, f_.now);
  EXPECT_EQ(f_["XC"].replica->AcknowledgedSince(proven->anchor.log, proven->anchor.index, Hash()),
            absl::InfinitePast());
}

TEST_F(AnchorsTest, WhatCameAfterAnAnchorIsProvenByTheNextOneOnly) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "before"));
  const EntryRef before = Last({"XA", "XB"});
  NextDay();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "after"));
  const EntryRef after = Last({"XA", "XB"});
  EXPECT_REFUSED(Prove(after), kNotFound, "");
  const uint64_t first = Verify(*Prove(before))->anchor_hlc;
  NextDay();
  EXPECT_EQ(Verify(*Prove(before))->anchor_hlc, first);  // the earliest there is
  EXPECT_GT(Verify(*Prove(after))->anchor_hlc, first);
}

TEST_F(AnchorsTest, AProofThatWasTouchedAnywhereDoesNotHold) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "narrow"));
  const EntryRef entry = Last({"XA", "XB"});
  NextDay();
  const v1::ExistenceProof good = *Prove(entry);
  const auto refused = [&](const char* what, auto alter) {
    v1::ExistenceProof bad = good;
    alter(bad);
    EXPECT_FALSE(Verify(bad).ok()) << what;
  };
  const auto flip = [](std::string* bytes) { (*bytes)[bytes->size() / 2] ^= 1; };
  refused("salt", [&](auto& p) { flip(p.mutable_salt()); });
  refused("log", [&](auto& p) { flip(p.mutable_log_id()); });
  refused("root", [&](auto& p) { flip(p.mutable_root()); });
  refused("size", [&](auto& p) { p.set_size(p.size() + 1); });
  refused("position", [&](auto& p) { p.set_position(p.position() ^ 1); });
  refused("path", [&](auto& p) { flip(p.mutable_path(3)); });
  refused("entry", [&](auto& p) { flip(p.mutable_entry()->mutable_header()); });
  refused("anchor", [&](auto& p) { flip(p.mutable_anchor()->mutable_entries(0)->mutable_body()); });
  refused("no anchor", [&](auto& p) { p.clear_anchor(); });
  EXPECT_REFUSED(VerifyExistence(good, f_["XB"].keys->log.public_key()), kUnauthenticated, "");
}

TEST_F(AnchorsTest, OneADayWhetherAnythingHappenedOrNotAndMissedDaysStayMissed) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  f_.Pass(absl::Minutes(5));
  EXPECT_EQ(AnchorsAt("XA", "XA").size(), 0u);  // not on the day of the first entry
  NextDay();
  for (int i = 0; i < 5; ++i) ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "busy"));
  f_.Pass(absl::Hours(3));
  EXPECT_EQ(AnchorsAt("XA", "XA").size(), 1u);
  NextDay();  // nothing has happened
  EXPECT_EQ(AnchorsAt("XA", "XA").size(), 2u);
  f_.Start(f_["XA"]);
  f_.Pass(absl::Hours(1));
  EXPECT_EQ(AnchorsAt("XA", "XA").size(), 2u);
  f_.now += 5 * kDay;  // switched off
  f_.Start(f_["XA"]);
  f_.Pass(absl::Minutes(1));
  EXPECT_EQ(AnchorsAt("XA", "XA").size(), 3u);
}

TEST_F(AnchorsTest, AJitThatIsNotInForceOrEndedGetsNone) {
  f_.all_parties.clear();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  NextDay();
  EXPECT_EQ(AnchorsAt("XA", "XA").size(), 0u);
}

// All that others see of an anchor, for few logs and for many: entries of one size.
TEST_F(AnchorsTest, WhatOthersSeeDoesNotDependOnTheNumberOfLogs) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "one log"));
  NextDay();
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XC"}, "more"));
    ASSERT_OK(f_.Write(f_["XA"], {"XA"}, "and more"));
  }
  NextDay();
  const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB", "XC"});
  std::vector<size_t> sizes;
  for (const OpenedEntry* anchor : AnchorsAt("XA", "XA")) {
    sizes.push_back(f_["XA"].replica->logs().Read(log, anchor->ref.index)->body.size());
    EXPECT_EQ(anchor->body.anchor().leaves(), 1024u);
    EXPECT_EQ(anchor->body.anchor().root().size(), 32u);
    EXPECT_TRUE(anchor->body.based_on().empty());
  }
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(sizes[0], sizes[1]);
}

}  // namespace
}  // namespace entente::sync

// A node gets new keys under the same root: its history stays, its work goes on, and what the old
// keys sign afterwards counts for nobody, whoever brings it.
#include "sync/renewal.h"

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/note.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;
const Texts kAll = {"XA", "XB", "XC"};

class RenewalTest : public testing::Test {
 protected:
  RenewalTest() { f_.TrustAll(); }

  void Connect(const std::string& a, const std::string& b) {
    f_.Connect(f_[a], f_[b]);
    f_.Settle();
  }
  void Minutes(int n) {
    for (int i = 0; i < n; ++i) f_.Pass(absl::Minutes(1));
  }
  // What a thief or a second copy has of XA: keys, disk and anchors of now.
  struct Copy {
    std::shared_ptr<crypto::NodeKeys> keys;
    std::map<std::string, std::string, std::less<>> rows;
    std::vector<AnchorRecord> anchors;
    Hash spki;
  };
  Copy CopyOf(const std::string& code) {
    Body& body = f_[code];
    return {body.keys, body.disk.rows(), body.anchors, body.spki};
  }
  void Become(const std::string& code, const Copy& copy) {
    Body& body = f_[code];
    f_.Disconnect(body);
    body.keys = copy.keys;
    body.disk.rows() = copy.rows;
    body.anchors = copy.anchors;
    body.spki = copy.spki;
    f_.Start(body);
  }
  // XA writes `text` to XB after it has been copied; then the copy runs in its place. What ran
  // first.
  Copy RunACopyInstead(const std::string& text) {
    Connect("XA", "XB");
    EXPECT_OK(f_.Write(f_["XA"], kAll, "shared"));
    Minutes(1);
    const Copy copy = CopyOf("XA");
    EXPECT_OK(f_.Write(f_["XA"], kAll, text));
    Minutes(1);
    Copy first = CopyOf("XA");
    Become("XA", copy);
    return first;
  }
  bool Connected(const std::string& a, const std::string& b) {
    return f_[a].replica->Connected(f_[b].party);
  }
  // XA's logs for all three, oldest card first.
  std::vector<const LogState*> LogsAt(const std::string& holder) {
    std::vector<const LogState*> out;
    const CardBook& cards = f_[holder].replica->cards();
    for (const TrustedCard* card : cards.ChainOf(f_["XA"].party)) {
      for (const auto& [id, log] : f_[holder].replica->logs().all()) {
        if (log.author == f_["XA"].party && log.members.size() == 3 &&
            log.author_card == card->hash) {
          out.push_back(&log);
        }
      }
    }
    return out;
  }
  bool Refused(const std::string& at, v1::RefusalCode code) {
    const std::vector<Refusals::Item> all = f_[at].replica->refusals().All();
    return std::any_of(all.begin(), all.end(), [code](const Refusals::Item& item) {
      return item.row.code() == static_cast<uint32_t>(code);
    });
  }

  Federation f_{kAll};
};

TEST_F(RenewalTest, HistoryStaysAndWorkGoesOnInNewLogs) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "before"));
  ASSERT_OK(f_.Write(f_["XB"], kAll, "of XB"));
  Minutes(1);
  f_.Renew(f_["XA"], {.keep_tls = true});
  EXPECT_EQ(f_["XA"].TextsOf(f_["XA"]), (Texts{"before", ""}));
  EXPECT_EQ(f_["XA"].TextsOf(f_["XB"]), Texts{"of XB"});
  Connect("XA", "XB");  // with the TLS key kept the new card comes by itself
  ASSERT_TRUE(Connected("XB", "XA"));
  EXPECT_EQ(f_["XB"].replica->cards().Find(f_["XA"].party)->card.seq(), 2u);
  ASSERT_OK(f_.Write(f_["XA"], kAll, "after"));
  ASSERT_OK(f_.Write(f_["XB"], kAll, "an answer"));
  Minutes(2);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"before", "", "after"}));
  EXPECT_EQ(f_["XA"].TextsOf(f_["XB"]), (Texts{"of XB", "an answer"}));
  ASSERT_EQ(LogsAt("XB").size(), 2u);
  EXPECT_EQ(f_["XB"].replica->RevokedSize(LogsAt("XB")[0]->id), LogsAt("XA")[0]->size);
  EXPECT_EQ(f_["XB"].replica->RevokedSize(LogsAt("XB")[1]->id), UINT64_MAX);
  EXPECT_TRUE(LogsAt("XA")[0]->frozen);
  EXPECT_TRUE(f_["XA"].replica->InSync(f_["XB"].party));
  EXPECT_TRUE(f_["XB"].replica->InSync(f_["XA"].party));
  EXPECT_FALSE(Refused("XA", v1::REFUSAL_CODE_BAD_PROOF));
  EXPECT_FALSE(Refused("XB", v1::REFUSAL_CODE_BAD_PROOF));
}

TEST_F(RenewalTest, OldLogsReceiptsAndReadingKeysHoldAfterRestartsOnBothSides) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "before"));
  Minutes(1);
  f_.Renew(f_["XA"], {.keep_tls = true});
  Connect("XA", "XB");
  Minutes(1);
  f_.Start(f_["XB"]);
  f_.Start(f_["XA"]);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"before", ""}));
  for (const char* code : {"XA", "XB"}) {
    const Replica& replica = *f_[code].replica;
    for (const auto& [id, log] : replica.logs().all()) {
      for (const auto& [party, receipt] : log.receipts) {
        const std::string text =
            crypto::CheckpointText({crypto::LogOrigin(id), receipt.size,
                                    *replica.logs().RangeAt(log, receipt.size)->Root()});
        EXPECT_TRUE(ReceiptHolds(replica.cards(), party, text, receipt.cosignature, true)) << code;
      }
    }
  }
  // Sealed to the old reading key by one who has not heard yet, and opened all the same.
  ASSERT_OK(f_.Write(f_["XC"], kAll, "for the old key"));
  f_.Connect(f_["XA"], f_["XC"]);
  f_.Settle();
  Minutes(1);
  EXPECT_EQ(f_["XA"].TextsOf(f_["XC"]), Texts{"for the old key"});
}

TEST_F(RenewalTest, WithANewTlsKeyTheCardIsHandedOver) {
  Connect("XA", "XB");
  f_.Renew(f_["XA"], {});
  Connect("XA", "XB");
  EXPECT_FALSE(Connected("XB", "XA"));
  f_.Trust(f_["XB"], f_["XA"]);
  Connect("XA", "XB");
  EXPECT_TRUE(Connected("XB", "XA"));
  EXPECT_EQ(f_["XB"].replica->cards().ChainOf(f_["XA"].party).size(), 2u);
}

TEST_F(RenewalTest, EverybodySealsToTheNewKeyWithoutWaiting) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XB"], kAll, "idle from now on"));
  Minutes(1);
  f_.Renew(f_["XA"], {.keep_tls = true, .compromised_since = f_.now});
  Connect("XA", "XB");
  Minutes(1);
  EXPECT_EQ(*f_["XB"].replica->RekeyDebt(true), 0u);
  EXPECT_EQ(f_.FindLog(f_["XB"], f_["XB"], kAll)->epoch, 2u);
}

// "what the old keys sign beyond them is refused by everybody (REVOKED_CARD) and has no effect"
TEST_F(RenewalTest, TheOldCopyIsRefusedAndWhatItWroteCountsForNobody) {
  Connect("XA", "XB");
  Connect("XA", "XC");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "before"));
  Minutes(1);
  f_.Disconnect(f_["XC"]);
  const Copy old = CopyOf("XA");
  f_.Renew(f_["XA"], {.keep_tls = true});
  Connect("XA", "XB");
  Minutes(1);
  const Copy renewed = CopyOf("XA");

  Become("XA", old);
  Connect("XA", "XB");
  EXPECT_FALSE(Connected("XB", "XA"));
  EXPECT_TRUE(Refused("XB", v1::REFUSAL_CODE_REVOKED_CARD));
  ASSERT_OK(f_.Write(f_["XA"], kAll, "by the old keys"));
  Connect("XA", "XC");  // XC has not heard of the renewal
  Minutes(1);
  EXPECT_EQ(f_["XC"].TextsOf(f_["XA"]).size(), 2u);
  f_.Disconnect(f_["XA"]);
  Connect("XB", "XC");
  Minutes(2);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"before", ""}));

  Become("XA", renewed);
  Connect("XA", "XB");
  Connect("XA", "XC");
  Minutes(3);
  const uint64_t end = f_["XB"].replica->RevokedSize(LogsAt("XB")[0]->id);
  EXPECT_EQ(end, 2u);  // the epoch and "before"
  EXPECT_EQ(f_["XC"].replica->RevokedSize(LogsAt("XC")[0]->id), end);
  EXPECT_GT(LogsAt("XC")[0]->size, end);
  for (const char* code : {"XB", "XC"}) {
    EXPECT_TRUE(f_["XA"].replica->InSync(f_[code].party)) << code;
  }
}

TEST_F(RenewalTest, ALogThatTheOldKeysFoundedLaterCountsForNobody) {
  const Copy old = CopyOf("XA");
  f_.Renew(f_["XA"], {.keep_tls = true});
  const Copy renewed = CopyOf("XA");
  Become("XA", old);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XC"}, "by the old keys"));
  Connect("XA", "XC");
  EXPECT_EQ(f_["XC"].TextsOf(f_["XA"]).size(), 1u);
  Become("XA", renewed);
  Connect("XA", "XC");
  Minutes(3);
  const LogState* log = nullptr;
  for (const auto& [id, each] : f_["XC"].replica->logs().all()) {
    if (each.author == f_["XA"].party &&
        each.author_card != f_["XC"].replica->cards().Find(f_["XA"].party)->hash) {
      log = &each;
    }
  }
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(f_["XC"].replica->RevokedSize(log->id), 0u);
  EXPECT_TRUE(f_["XA"].replica->InSync(f_["XC"].party));
}

TEST_F(RenewalTest, WhatWasWrittenSinceTheTheftIsNotVouchedFor) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "mine"));
  Minutes(60);
  const absl::Time theft = f_.now;
  Minutes(1);
  ASSERT_OK(f_.Write(f_["XA"], kAll, "a thief at the keyboard"));
  Minutes(1);
  f_.Renew(f_["XA"], {.keep_tls = true, .compromised_since = theft});
  Connect("XA", "XB");
  Minutes(1);
  for (const char* code : {"XA", "XB"}) {
    EXPECT_EQ(f_[code].replica->RevokedSize(LogsAt(code)[0]->id), 2u) << code;
  }
}

TEST_F(RenewalTest, WhoWasAwayGetsTheOldLogUpToItsEndFromAnother) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "before"));
  Minutes(1);
  f_.Renew(f_["XA"], {.keep_tls = true});
  Connect("XA", "XB");
  Minutes(1);
  f_.Trust(f_["XC"], f_["XA"]);
  f_.Disconnect(f_["XA"]);
  Connect("XB", "XC");
  Minutes(3);
  EXPECT_EQ(f_["XC"].TextsOf(f_["XA"]).size(), 2u);
  EXPECT_TRUE(f_["XC"].replica->InSync(f_["XB"].party));
}

TEST_F(RenewalTest, ASecondRenewalLeavesTheFirstInPlace) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "one"));
  Minutes(1);
  f_.Renew(f_["XA"], {.keep_tls = true});
  ASSERT_OK(f_.Write(f_["XA"], kAll, "two"));
  f_.Renew(f_["XA"], {.keep_tls = true});
  ASSERT_OK(f_.Write(f_["XA"], kAll, "three"));
  Connect("XA", "XB");  // the card brings the one before along
  Minutes(3);
  EXPECT_EQ(LogsAt("XB").size(), 3u);
  const Texts texts = f_["XB"].TextsOf(f_["XA"]);
  for (const char* text : {"one", "two", "three"}) {
    EXPECT_EQ(std::count(texts.begin(), texts.end(), text), 1) << text;
  }
  EXPECT_TRUE(f_["XA"].replica->InSync(f_["XB"].party));
}

// "A cloned node (two running copies) is noticed, and `node renew` mends it."
TEST_F(RenewalTest, ANodeThatRanTwiceWritesAgainAfterItsRenewal) {
  const Copy first = RunACopyInstead("by one");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "by the other"));
  Connect("XA", "XC");
  Connect("XB", "XC");
  Minutes(3);
  Become("XA", first);
  Connect("XA", "XB");
  Minutes(1);
  ASSERT_TRUE(f_["XA"].replica->cloned());
  EXPECT_REFUSED(f_.Write(f_["XA"], kAll, "no"), kFailedPrecondition, "CLONED");
  f_.Renew(f_["XA"], {.keep_tls = true});
  EXPECT_FALSE(f_["XA"].replica->cloned());
  EXPECT_OK(f_.Write(f_["XA"], kAll, "with new keys"));
  Connect("XA", "XB");
  Connect("XA", "XC");
  Minutes(5);
  for (const char* code : {"XB", "XC"}) {
    const Texts texts = f_[code].TextsOf(f_["XA"]);
    EXPECT_EQ(std::count(texts.begin(), texts.end(), "with new keys"), 1) << code;
  }
}

TEST_F(RenewalTest, ACopyThatHearsOfTheOthersEntriesStopsBeforeItSignsAnything) {
  const Copy first = RunACopyInstead("by the first");
  EXPECT_FALSE(f_["XA"].replica->cloned());
  Connect("XA", "XB");
  Minutes(2);
  EXPECT_TRUE(f_["XA"].replica->cloned());
  EXPECT_REFUSED(f_.Write(f_["XA"], kAll, "by the copy"), kFailedPrecondition, "CLONED");
  f_.Start(f_["XA"]);
  EXPECT_TRUE(f_["XA"].replica->cloned());
  // Nothing was signed twice: the other one goes on as if nothing had happened.
  Become("XA", first);
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], kAll, "and on"));
  Minutes(1);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"shared", "by the first", "and on"}));
}

TEST_F(RenewalTest, AnotherBodysRootRenewsNothing) {
  const Body& xa = f_["XA"];
  const auto fresh = crypto::RenewNodeKeys(*xa.keys, "XA", true, f_.entropy);
  ASSERT_OK(fresh);
  EXPECT_REFUSED(PlanRenewal(xa.disk, *xa.keys, *fresh, f_["XB"].root.root, f_.now, std::nullopt),
                 kFailedPrecondition, "WRONG_ROOT");
}

// A node that is reached through a relay alone says in its parcels that it has a new card.
TEST_F(RenewalTest, ThroughARelayTheNewCardComesInAParcel) {
  Federation two({"RA", "RB"});
  two.TrustAll();
  Body &ra = two["RA"], &rb = two["RB"];
  ASSERT_OK(two.Write(ra, {"RA", "RB"}, "before"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(two.Carry(ra, rb));
    ASSERT_OK(two.Carry(rb, ra));
  }
  const auto old_keys = ra.keys;
  two.Renew(ra, {});
  ASSERT_OK(two.Write(ra, {"RA", "RB"}, "after"));
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK(two.Carry(ra, rb));
    ASSERT_OK(two.Carry(rb, ra));
    two.Pass(absl::Minutes(31));
  }
  EXPECT_EQ(rb.replica->cards().Find(ra.party)->card.seq(), 2u);
  const Texts texts = rb.TextsOf(ra);
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "after"), 1);
  EXPECT_TRUE(rb.replica->box_keys().KnowsNewest(ra.party));
}

}  // namespace
}  // namespace entente::sync

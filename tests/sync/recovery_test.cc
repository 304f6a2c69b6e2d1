// Nothing is left of a node but its root key. A fresh one under the same root gets back what others
// hold, its own writing included, and its people go on.
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sync/renewal.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;
const Texts kAll = {"XA", "XB", "RC"};

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() { f_.TrustAll(); }

  // Streams between XA and XB, parcels to and from RC, until everybody has heard everything.
  void Meet() {
    f_.Connect(f_["XA"], f_["XB"]);
    for (int i = 0; i < 20; ++i) {
      f_.Settle();
      for (const char* from : {"XA", "XB", "RC"}) CarryFrom(from);
      f_.Pass(absl::Minutes(1));
    }
  }
  void CarryFrom(const std::string& from) {
    for (const ParcelOut& parcel : std::exchange(f_[from].parcels, {})) {
      for (const std::string& to : kAll) {
        if (f_[to].party == parcel.peer) f_.Feed(f_[to], Input(ParcelReceived{parcel.parcel}));
      }
    }
  }
  void WriteEverywhere() {
    ASSERT_OK(f_.Write(f_["XA"], kAll, "of XA, for all"));
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "of XA, for XB"));
    ASSERT_OK(f_.Write(f_["XB"], kAll, "of XB, for all"));
    ASSERT_OK(f_.Write(f_["RC"], {"XA", "RC"}, "of RC, for XA"));
    Meet();
  }
  // The Close entries of a renewal have no text.
  Texts TextsAt(const std::string& reader, const std::string& author) {
    Texts out = f_[reader].TextsOf(f_[author]);
    std::erase(out, "");
    return out;
  }
  std::string CardAt(const std::string& holder, const std::string& of) {
    return f_[holder].replica->PortableCard(f_[of].party).SerializeAsString();
  }
  absl::StatusOr<Renewal> Plan(const std::vector<std::string>& cards,
                               const crypto::PartyRoot& root) {
    const crypto::NodeKeys fresh = *crypto::GenerateNodeKeys(root, "XA", f_.entropy);
    return PlanRecovery(cards, fresh, root.root, v1::NodeCard(), f_.now);
  }
  Federation f_{kAll};
};

TEST_F(RecoveryTest, WhatOthersHoldComesBackAndWorkGoesOn) {
  WriteEverywhere();
  f_.Recover(f_["XA"], {"XB", "RC"});
  Meet();
  EXPECT_EQ(TextsAt("XA", "XA"), (Texts{"of XA, for all", "of XA, for XB"}));
  EXPECT_EQ(TextsAt("XA", "XB"), Texts{"of XB, for all"});
  EXPECT_EQ(TextsAt("XA", "RC"), Texts{"of RC, for XA"});
  ASSERT_OK(f_.Write(f_["XA"], kAll, "after"));
  ASSERT_OK(f_.Write(f_["RC"], {"XA", "RC"}, "an answer"));
  Meet();
  for (const char* reader : {"XB", "RC"}) EXPECT_EQ(TextsAt(reader, "XA").back(), "after");
  EXPECT_EQ(TextsAt("XA", "RC"), (Texts{"of RC, for XA", "an answer"}));
}

TEST_F(RecoveryTest, ABodyBehindARelayIsRecoveredToo) {
  WriteEverywhere();
  f_.Recover(f_["RC"], {"XA"});
  Meet();
  EXPECT_EQ(TextsAt("RC", "RC"), Texts{"of RC, for XA"});
  EXPECT_EQ(TextsAt("RC", "XA"), Texts{"of XA, for all"});
  EXPECT_EQ(TextsAt("RC", "XB"), Texts{"of XB, for all"});
  ASSERT_OK(f_.Write(f_["RC"], kAll, "after"));
  Meet();
  for (const char* reader : {"XA", "XB"}) EXPECT_EQ(TextsAt(reader, "RC").back(), "after");
}

TEST_F(RecoveryTest, ARenewalAfterwardsVouchesForAllThatCameBack) {
  WriteEverywhere();
  f_.Recover(f_["XA"], {"XB"});
  Meet();
  f_.Renew(f_["XA"], {});
  f_.Trust(f_["XB"], f_["XA"]);
  f_.Trust(f_["RC"], f_["XA"]);
  Meet();
  int closed = 0;
  for (const auto& [id, log] : f_["XB"].replica->logs().all()) {
    if (log.author != f_["XA"].party || f_["XB"].replica->RevokedSize(id) == UINT64_MAX) continue;
    EXPECT_EQ(f_["XB"].replica->RevokedSize(id), log.size);
    ++closed;
  }
  EXPECT_GE(closed, 2);
  EXPECT_EQ(TextsAt("XB", "XA"), (Texts{"of XA, for all", "of XA, for XB"}));
}

TEST_F(RecoveryTest, TheLostNodeIsNotLetInAgain) {
  WriteEverywhere();
  const auto old_keys = f_["XA"].keys;
  const auto old_rows = f_["XA"].disk.rows();
  const Hash old_spki = f_["XA"].spki;
  f_.Recover(f_["XA"], {"XB"});
  Meet();
  f_["XA"].keys = old_keys;
  f_["XA"].disk.rows() = old_rows;
  f_["XA"].spki = old_spki;
  f_.Start(f_["XA"]);
  Meet();
  EXPECT_FALSE(f_["XB"].replica->Connected(f_["XA"].party));
}

TEST_F(RecoveryTest, TheNewestOfTheCardsIsTheOneThatIsFollowed) {
  const std::string first = CardAt("XB", "XA");
  f_.Renew(f_["XA"], {});
  f_.Trust(f_["RC"], f_["XA"]);
  const std::string second = CardAt("RC", "XA");
  for (const std::vector<std::string>& cards : {Texts{first, second}, Texts{second, first}}) {
    const absl::StatusOr<Renewal> plan = Plan(cards, f_["XA"].root);
    ASSERT_OK(plan);
    EXPECT_EQ(VerifyCard(plan->signed_card)->card.seq(), 3u);
    EXPECT_TRUE(VerifyCard(plan->signed_card)->card.revokes().empty());
  }
}

TEST_F(RecoveryTest, WaysThatAreGivenReplaceThoseOfTheOldCard) {
  const crypto::PartyRoot& root = f_["XA"].root;
  const crypto::NodeKeys fresh = *crypto::GenerateNodeKeys(root, "XA", f_.entropy);
  v1::NodeCard ways;
  ways.add_addresses("203.0.113.9:7443");
  const auto plan = PlanRecovery({CardAt("XB", "XA")}, fresh, root.root, ways, f_.now);
  ASSERT_OK(plan);
  const v1::NodeCard card = VerifyCard(plan->signed_card)->card;
  EXPECT_EQ(card.addresses(0), "203.0.113.9:7443");
  EXPECT_EQ(card.relays_size(), 0);
  EXPECT_EQ(card.name(), f_["XA"].card.name());
}

TEST_F(RecoveryTest, WhatDoesNotBelongTogetherIsRefused) {
  const crypto::PartyRoot& root = f_["XA"].root;
  EXPECT_REFUSED(Plan({}, root), kInvalidArgument, "");
  EXPECT_REFUSED(Plan({"a shopping list"}, root), kInvalidArgument, "");
  EXPECT_REFUSED(Plan({CardAt("XA", "XB")}, root), kInvalidArgument, "WRONG_BODY");
  const crypto::NodeKeys fresh = *crypto::GenerateNodeKeys(root, "XA", f_.entropy);
  EXPECT_REFUSED(PlanRecovery({CardAt("XB", "XA")}, fresh, f_["XB"].root.root, {}, f_.now),
                 kFailedPrecondition, "WRONG_ROOT");
  v1::NodeCard other = f_["XA"].card;
  other.set_issued(other.issued() + 1);
  EXPECT_REFUSED(Plan({CardAt("XB", "XA"), SignCard(other, root.root)}, root), kFailedPrecondition,
                 "CARD_FORKED");
}

}  // namespace
}  // namespace entente::sync

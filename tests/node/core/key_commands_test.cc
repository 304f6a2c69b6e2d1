// Fresh keys as people ask for them: who hears of it, what is still sealed to older ones, what a
// thief could read, and a node that goes on with new keys.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sync/card_book.h"
#include "sync/renewal.h"
#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class KeyCommandsTest : public CoreTest {
 protected:
  v1::KeyStatus Keys(const std::string& at) {
    return Call<v1::GetStatusResponse>(at, "NodeService/GetStatus", v1::GetStatusRequest())->keys();
  }
  absl::Status Rotate(const std::string& who, bool emergency) {
    v1::RotateKeysRequest request;
    request.set_emergency(emergency);
    return Call<v1::RotateKeysResponse>(who, "NodeService/RotateKeys", request).status();
  }
  std::set<std::string> Notes(const std::string& at) {
    std::set<std::string> out;
    const auto list =
        Call<v1::ListNotesResponse>(at, "RecordService/ListNotes", v1::ListNotesRequest());
    for (const v1::RecordView& record : list->records()) out.insert(record.note().text());
    return out;
  }
  std::set<std::string> Exposed(const std::string& at, const std::string& body, absl::Time since) {
    v1::ShowExposureRequest request;
    request.set_body(body);
    request.set_since(absl::ToUnixSeconds(since));
    const auto shown = Call<v1::ShowExposureResponse>(at, "NodeService/ShowExposure", request);
    EXPECT_OK(shown);
    std::set<std::string> out;
    for (const v1::ExposedRecord& record : shown->records()) out.insert(record.ref());
    return out;
  }

  // What a node is made of: keys and disk, as a thief would copy them.
  struct Copy {
    std::shared_ptr<crypto::NodeKeys> keys;
    v1::NodeCard card;
    v1::SignedCard signed_card;
    sim::Disk disk;
  };
  Copy CopyOf(sim::Node& node) {
    return {node.who.keys, node.who.card, node.who.signed_card, node.disk};
  }
  void Become(sim::Node& node, const Copy& copy) {
    node.PowerOff();
    node.who.keys = copy.keys;
    node.who.card = copy.card;
    node.who.signed_card = copy.signed_card;
    node.disk = copy.disk;
    node.Boot();
  }
  // As `entente node renew --keep-tls` does it on a stopped node.
  void Renew(sim::Node& node) {
    node.PowerOff();
    auto fresh = std::make_shared<crypto::NodeKeys>(
        *crypto::RenewNodeKeys(*node.who.keys, node.code(), /*keep_tls=*/true, world_.entropy()));
    const auto renewal = sync::PlanRenewal(node.disk.kv, *node.who.keys, *fresh, node.who.root.root,
                                           world_.now(), std::nullopt);
    ASSERT_OK(renewal);
    ASSERT_OK(node.disk.kv.Commit(renewal->rows));
    node.who.keys = fresh;
    ASSERT_TRUE(node.who.signed_card.ParseFromString(renewal->signed_card));
    node.who.card = sync::VerifyCard(renewal->signed_card)->card;
    node.Boot();
  }
};

TEST_F(KeyCommandsTest, AFreshKeyReachesEveryPartnerOnEveryRoad) {
  Settle();
  ASSERT_OK(Rotate("XA", false));
  EXPECT_EQ(Keys("XA").behind_size(), 3);
  EXPECT_EQ(Keys("XA").old_keys_held(), 1u);
  world_.RunFor(absl::Minutes(20));
  EXPECT_EQ(Keys("XA").behind_size(), 0);
  ASSERT_OK(Note("XC", "through the relay", {"XA"}).status());
  world_.RunFor(absl::Minutes(20));
  EXPECT_TRUE(Notes("XA").contains("through the relay"));
}

// "logs whose current epoch is still sealed to somebody's old key … is countable"
TEST_F(KeyCommandsTest, WhatIsStillSealedToAnOldKeyIsCountedUntilItIsSealedAnew) {
  ASSERT_OK(Note("XA", "idle from now on", {"XB"}).status());
  Settle();
  EXPECT_EQ(Keys("XA").rekey_debt(), 0u);
  ASSERT_OK(Rotate("XB", false));
  Settle();
  const uint64_t lazy = Keys("XA").rekey_debt();
  EXPECT_GE(lazy, 1u);
  ASSERT_OK(Note("XA", "the next entry", {"XB"}).status());
  EXPECT_EQ(Keys("XA").rekey_debt(), lazy - 1);
  ASSERT_OK(Rotate("XB", true));
  world_.RunFor(absl::Minutes(20));
  for (const char* code : {"XA", "XB", "XC", "EJ"}) {
    EXPECT_EQ(Keys(code).rekey_debt(), 0u) << code;
    EXPECT_EQ(Keys(code).rekey_debt_of_others(), 0u) << code;
  }
  EXPECT_EQ(Keys("XB").old_keys_held(), 0u) << "destroyed once everybody had followed";
}

TEST_F(KeyCommandsTest, ExposureNamesWhatTheStolenKeysOpenAndNothingLater) {
  const auto before = Note("XA", "before the theft", {"XB"});
  const auto other = Note("XA", "not for XB", {"XC"});
  Settle();
  const absl::Time theft = world_.now();
  world_.RunFor(absl::Minutes(5));
  const auto after = Note("XA", "after the theft, before the rotation", {"XB"});
  Settle();
  ASSERT_OK(Rotate("XB", true));
  Settle();
  const auto late = Note("XA", "under the fresh key", {"XB"});
  Settle();
  const std::set<std::string> exposed = Exposed("XA", "XB", theft);
  EXPECT_TRUE(exposed.contains(*before));
  EXPECT_TRUE(exposed.contains(*after));
  EXPECT_FALSE(exposed.contains(*late));
  EXPECT_FALSE(exposed.contains(*other));
  EXPECT_EQ(Exposed("XB", "XB", theft), exposed) << "the body itself sees the same";
  v1::ShowExposureRequest unknown;
  unknown.set_body("ZZ");
  unknown.set_since(absl::ToUnixSeconds(theft));
  EXPECT_FALSE(Call<v1::ShowExposureResponse>("XA", "NodeService/ShowExposure", unknown).ok());
  unknown.set_body("XB");
  unknown.set_since(0);
  EXPECT_REFUSED(Call<v1::ShowExposureResponse>("XA", "NodeService/ShowExposure", unknown).status(),
                 kInvalidArgument, "BAD_DATE");
}

TEST_F(KeyCommandsTest, ARenewedNodeGoesOnAndItsOldCopyIsHeardByNobody) {
  ASSERT_OK(Note("XA", "before", {"XB", "EJ"}).status());
  Settle();
  const Copy old = CopyOf(node("XA"));
  Renew(node("XA"));
  Settle();
  ASSERT_OK(Note("XA", "after", {"XB", "EJ"}).status());
  ASSERT_OK(Note("XB", "an answer", {"XA", "EJ"}).status());
  world_.RunFor(absl::Minutes(20));
  EXPECT_TRUE(Notes("XB").contains("after"));
  EXPECT_TRUE(Notes("XB").contains("before"));
  EXPECT_EQ(Notes("XA"), Notes("XB"));
  const auto verified =
      Call<v1::VerifyLogResponse>("XB", "SyncService/VerifyLog", v1::VerifyLogRequest());
  ASSERT_OK(verified);
  EXPECT_EQ(verified->problems_size(), 0) << verified->ShortDebugString();

  const Copy renewed = CopyOf(node("XA"));
  Become(node("XA"), old);
  ASSERT_OK(Note("XA", "by the old copy", {"XB", "EJ"}).status());
  world_.RunFor(absl::Minutes(5));
  EXPECT_FALSE(Notes("XB").contains("by the old copy"));
  Become(node("XA"), renewed);
  world_.RunFor(absl::Minutes(5));
  EXPECT_FALSE(Notes("XA").contains("by the old copy"));
  EXPECT_TRUE(Notes("XA").contains("an answer"));
}

// Two running copies of one node contradict each other; new keys for one of them mend it.
TEST_F(KeyCommandsTest, ANodeThatRanTwiceIsNoticedAndMendedByItsRenewal) {
  ASSERT_OK(Note("XA", "shared", {"XB", "EJ"}).status());
  Settle();
  const Copy copy = CopyOf(node("XA"));
  ASSERT_OK(Note("XA", "by one", {"XB", "EJ"}).status());
  Settle();
  Become(node("XA"), copy);
  ASSERT_OK(Note("XA", "by the other", {"XB", "EJ"}).status());
  world_.RunFor(absl::Minutes(10));
  EXPECT_REFUSED(Note("XA", "no more", {"XB", "EJ"}).status(), kFailedPrecondition, "CLONED");
  EXPECT_REFUSED(Rotate("XA", false), kFailedPrecondition, "CLONED");
  Renew(node("XA"));
  ASSERT_OK(Note("XA", "with new keys", {"XB", "EJ"}).status());
  world_.RunFor(absl::Minutes(20));
  for (const char* code : {"XB", "EJ"}) {
    EXPECT_TRUE(Notes(code).contains("with new keys")) << code;
    EXPECT_TRUE(Notes(code).contains("shared")) << code;
  }
}

TEST_F(KeyCommandsTest, TwoCardsWithOneNumberAreShownToPeople) {
  const auto other = [&](const std::string& name) {
    v1::NodeCard card = node("XB").who.card;
    card.set_name(name);
    return sync::SignCard(card, node("XB").who.root.root);
  };
  v1::TrustCardRequest request;
  request.set_signed_card(other("Somebody else"));
  EXPECT_REFUSED(Call<v1::TrustCardResponse>("XA", "NodeService/TrustCard", request).status(),
                 kFailedPrecondition, "CARD_FORKED");
  Settle();
  for (const char* code : {"XA", "XC"}) {
    const auto status =
        Call<v1::GetStatusResponse>(code, "NodeService/GetStatus", v1::GetStatusRequest());
    ASSERT_EQ(status->keys().disputed_size(), 1) << code;
    EXPECT_EQ(status->keys().disputed(0), "XB") << code;
    EXPECT_GE(status->warnings_size(), 1) << code;
  }
  const auto cards =
      Call<v1::ListCardsResponse>("XA", "NodeService/ListCards", v1::ListCardsRequest());
  const auto xb = std::find_if(cards->cards().begin(), cards->cards().end(),
                               [](const v1::CardSummary& card) { return card.code() == "XB"; });
  EXPECT_TRUE(xb->disputed());
}

}  // namespace
}  // namespace entente::core

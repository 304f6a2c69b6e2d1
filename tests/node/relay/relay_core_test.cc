// The relay's rules: who may fill and empty which mailbox, how much fits, what is erased when.
#include "node/relay/relay_core.h"

#include <map>
#include <string>
#include <utility>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "crypto/parcel_seal.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::relay {
namespace {

// Keeps everything in memory; `full` makes every Put fail like a full volume.
class MemoryStorage : public RelayStorage {
 public:
  absl::StatusOr<Contents> Load() override {
    Contents out{table, {}};
    for (const auto& [order, item] : parcels) out.parcels.push_back(item.first);
    return out;
  }
  absl::Status SaveTable(const Table& saved) override {
    table = saved;
    return absl::OkStatus();
  }
  absl::Status Put(const WaitingParcel& parcel, std::string_view bytes) override {
    if (full) return absl::ResourceExhaustedError("the volume is full");
    parcels[parcel.order] = {parcel, std::string(bytes)};
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Get(const WaitingParcel& parcel) override {
    const auto it = parcels.find(parcel.order);
    if (it == parcels.end()) return absl::DataLossError("gone");
    return it->second.second;
  }
  absl::Status Erase(const std::vector<WaitingParcel>& gone) override {
    for (const WaitingParcel& parcel : gone) parcels.erase(parcel.order);
    return absl::OkStatus();
  }

  Table table;
  std::map<uint64_t, std::pair<WaitingParcel, std::string>> parcels;
  bool full = false;
};

Hash KeyOf(char c) { return *Hash::From(std::string(32, c)); }

class RelayCoreTest : public testing::Test {
 protected:
  RelayCoreTest() {
    EXPECT_OK(core_.Admit({*PartyId::From(std::string(32, 'c')), owner_, 1}));
    EXPECT_OK(core_.OpenMailboxes(owner_, {{box_, depositor_}}, now_));
  }
  std::string Parcel(const std::string& text, const MailboxId& box) {
    return *crypto::SealParcel(key_.public_key(), key_.id(), PartyId(), box, text, entropy_);
  }
  std::string Parcel(const std::string& text) { return Parcel(text, box_); }
  RelayCore Reopen() { return *RelayCore::Open(storage_, quotas_, now_); }

  SeededEntropy entropy_{1};
  const crypto::BoxKeyPair key_ = crypto::BoxKeyPair::Generate(entropy_);
  const Hash owner_ = KeyOf('o'), depositor_ = KeyOf('d'), stranger_ = KeyOf('s');
  const MailboxId box_ = *MailboxId::From(std::string(32, 'M'));
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  MemoryStorage storage_;
  Quotas quotas_{2, 2, 20'000, 3, 40'000};
  RelayCore core_ = Reopen();
};

TEST_F(RelayCoreTest, AParcelWaitsInOrderUntilItsOwnerAcknowledgesIt) {
  const std::string one = Parcel("one"), two = Parcel("two");
  ASSERT_OK(core_.Deposit(depositor_, one, now_));
  ASSERT_OK(core_.Deposit(depositor_, two, now_));
  auto fetched = core_.Fetch(owner_, 10, now_);
  ASSERT_OK(fetched);
  ASSERT_EQ(fetched->size(), 2u);
  EXPECT_EQ((*fetched)[0].bytes, one);
  EXPECT_EQ((*fetched)[1].bytes, two);
  ASSERT_OK(core_.Acknowledge(owner_, {(*fetched)[0].id}));
  EXPECT_EQ(core_.Fetch(owner_, 10, now_)->size(), 1u);
  EXPECT_EQ(core_.totals().parcels, 1u);
}

TEST_F(RelayCoreTest, TheSameParcelTwiceWaitsOnce) {
  const std::string parcel = Parcel("one");
  EXPECT_FALSE(core_.Deposit(depositor_, parcel, now_)->repeated);
  EXPECT_TRUE(core_.Deposit(depositor_, parcel, now_)->repeated);
  EXPECT_EQ(core_.totals().parcels, 1u);
}

// Every refusal reads alike: nobody learns which mailboxes or parcels there are.
TEST_F(RelayCoreTest, StrangersLearnNothing) {
  ASSERT_OK(core_.Deposit(depositor_, Parcel("one"), now_));
  const MailboxId nowhere = *MailboxId::From(std::string(32, 'N'));
  const absl::Status wrong_key = core_.Deposit(stranger_, Parcel("x"), now_).status();
  const absl::Status no_box = core_.Deposit(stranger_, Parcel("x", nowhere), now_).status();
  EXPECT_EQ(wrong_key, no_box);
  EXPECT_EQ(wrong_key.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(core_.Fetch(depositor_, 10, now_).status(), wrong_key);
  EXPECT_EQ(core_.Fetch(stranger_, 10, now_).status(), wrong_key);
  EXPECT_EQ(core_.OpenMailboxes(stranger_, {{nowhere, stranger_}}, now_), wrong_key);
}

TEST_F(RelayCoreTest, AnotherAdmittedNodeCannotTakeAMailboxOrItsParcels) {
  const Hash rival = KeyOf('r');
  ASSERT_OK(core_.Admit({*PartyId::From(std::string(32, 'r')), rival, 1}));
  const std::string parcel = Parcel("one");
  ASSERT_OK(core_.Deposit(depositor_, parcel, now_));
  EXPECT_REFUSED(core_.OpenMailboxes(rival, {{box_, rival}}, now_), kPermissionDenied, "");
  EXPECT_EQ(core_.Fetch(rival, 10, now_)->size(), 0u);
  ASSERT_OK(core_.Acknowledge(rival, {*ParcelId::From(crypto::Sha256(parcel).view())}));
  EXPECT_EQ(core_.Fetch(owner_, 10, now_)->size(), 1u);
}

TEST_F(RelayCoreTest, QuotasHoldAndSayWhatIsFull) {
  for (int i = 0; i < 3; ++i) ASSERT_OK(core_.Deposit(depositor_, Parcel("small"), now_));
  EXPECT_REFUSED(core_.Deposit(depositor_, Parcel("small"), now_), kResourceExhausted,
                 "mailbox is full");
  ASSERT_OK(core_.Admit({*PartyId::From(std::string(32, 'r')), KeyOf('r'), 1}));
  EXPECT_REFUSED(core_.Admit({*PartyId::From(std::string(32, 'q')), KeyOf('q'), 1}),
                 kResourceExhausted, "");
}

TEST_F(RelayCoreTest, AFullVolumeRefusesAndLosesNothing) {
  ASSERT_OK(core_.Deposit(depositor_, Parcel("one"), now_));
  storage_.full = true;
  EXPECT_REFUSED(core_.Deposit(depositor_, Parcel("two"), now_), kResourceExhausted, "");
  EXPECT_EQ(core_.Fetch(owner_, 10, now_)->size(), 1u);
  EXPECT_EQ(core_.totals().parcels, 1u);
}

TEST_F(RelayCoreTest, WhatIsNotFetchedInFourWeeksIsErased) {
  ASSERT_OK(core_.Deposit(depositor_, Parcel("one"), now_));
  ASSERT_OK(core_.Expire(now_ + kParcelLife - absl::Hours(2)));
  EXPECT_EQ(core_.totals().parcels, 1u);
  ASSERT_OK(core_.Expire(now_ + kParcelLife + absl::Hours(2)));
  EXPECT_EQ(core_.totals().parcels, 0u);
  EXPECT_TRUE(storage_.parcels.empty());
}

TEST_F(RelayCoreTest, ARestartFindsEverythingAsItWas) {
  ASSERT_OK(core_.Deposit(depositor_, Parcel("one"), now_));
  RelayCore again = Reopen();
  EXPECT_EQ(again.Fetch(owner_, 10, now_)->size(), 1u);
  EXPECT_EQ(again.Pins(), core_.Pins());
}

TEST_F(RelayCoreTest, AnOlderCardOrAnotherBodysKeyIsNotAdmitted) {
  const PartyId party = *PartyId::From(std::string(32, 'c'));
  ASSERT_OK(core_.Admit({party, KeyOf('n'), 2}));
  EXPECT_REFUSED(core_.Admit({party, owner_, 1}), kFailedPrecondition, "OLD_CARD");
  EXPECT_REFUSED(core_.Admit({*PartyId::From(std::string(32, 'r')), KeyOf('n'), 1}), kAlreadyExists,
                 "KEY_IN_USE");
  EXPECT_REFUSED(core_.Fetch(owner_, 10, now_), kPermissionDenied, "");
  EXPECT_OK(core_.Fetch(KeyOf('n'), 10, now_));
}

TEST_F(RelayCoreTest, WhatIsNoParcelIsNotKept) {
  EXPECT_REFUSED(core_.Deposit(depositor_, "a letter", now_), kInvalidArgument, "");
  EXPECT_REFUSED(core_.Deposit(depositor_, Parcel("one") + "x", now_), kInvalidArgument, "");
}

}  // namespace
}  // namespace entente::relay

// The slow road: a body behind a relay gets everything through parcels that may be lost, repeated
// or come in any order.
#include "sync/parcels.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;

class ParcelsTest : public testing::Test {
 protected:
  ParcelsTest() { f_.TrustAll(); }
  std::vector<ParcelOut> Collect(const std::string& from) {
    std::vector<ParcelOut> out;
    std::swap(out, f_[from].parcels);
    return out;
  }
  void Carry(const std::string& from, const std::string& to) {
    for (const ParcelOut& parcel : Collect(from)) {
      f_.Feed(f_[to], Input(ParcelReceived{parcel.parcel}));
    }
  }
  void CarryAll() {
    for (int i = 0; i < 10; ++i) {
      Carry("XA", "RC");
      Carry("RC", "XA");
      f_.Pass(absl::Seconds(5));
    }
  }
  Federation f_{{"XA", "RC"}};
};

TEST_F(ParcelsTest, WhatIsWrittenArrivesAndTheReceiptComesBack) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "RC"}, "by post"));
  const EntryRef ref = f_["XA"].opened.back().ref;
  EXPECT_EQ(f_["XA"].replica->Delivery(ref, f_["RC"].party), DeliveryState::kQueued);
  f_.Pass(absl::Seconds(5));
  for (const ParcelOut& parcel : f_["XA"].parcels) {
    f_.Feed(f_["XA"], Input(ParcelDeposited{f_["RC"].party, parcel.seq, absl::OkStatus()}));
  }
  EXPECT_EQ(f_["XA"].replica->Delivery(ref, f_["RC"].party), DeliveryState::kAtRelay);
  CarryAll();
  EXPECT_EQ(f_["RC"].TextsOf(f_["XA"]), Texts{"by post"});
  EXPECT_EQ(f_["XA"].replica->Delivery(ref, f_["RC"].party), DeliveryState::kVerified);
}

TEST_F(ParcelsTest, LostRepeatedAndShuffledParcelsStillEndInEverythingArriving) {
  std::mt19937 dice(3);
  std::vector<std::string> post;
  const auto deliver = [&](bool faulty) {
    for (const char* from : {"XA", "RC"}) {
      for (const ParcelOut& parcel : Collect(from)) {
        if (faulty && dice() % 4 == 0) continue;
        post.push_back(parcel.parcel);
        if (faulty && dice() % 4 == 0) post.push_back(parcel.parcel);
      }
    }
    if (faulty) std::shuffle(post.begin(), post.end(), dice);
    std::vector<std::string> now;
    std::swap(now, post);
    for (const std::string& parcel : now) {
      for (const char* to : {"XA", "RC"}) f_.Feed(f_[to], Input(ParcelReceived{parcel}));
    }
    f_.Pass(absl::Minutes(1));
  };
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK(f_.Write(f_["XA"], {"XA", "RC"}, "a" + std::to_string(i)));
    ASSERT_OK(f_.Write(f_["RC"], {"XA", "RC"}, "c" + std::to_string(i)));
    deliver(true);
  }
  for (int i = 0; i < 90; ++i) deliver(false);
  EXPECT_EQ(f_["RC"].TextsOf(f_["XA"]).size(), 40u);
  EXPECT_EQ(f_["XA"].TextsOf(f_["RC"]).size(), 40u);
}

TEST_F(ParcelsTest, EachWrongParcelHasItsOwnAnswer) {
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "RC"}, "text"));
  std::vector<std::string> exported;
  ASSERT_OK(f_["XA"].replica->ExportParcels(f_["RC"].party, f_.now, &exported));
  ASSERT_FALSE(exported.empty());
  Replica& rc = *f_["RC"].replica;
  EXPECT_REFUSED(rc.ImportParcel("a shopping list", f_.now), kInvalidArgument, "");
  EXPECT_REFUSED(rc.ImportParcel(exported[0].substr(1), f_.now), kInvalidArgument, "");
  std::string altered = exported[0];
  altered[200] ^= 1;
  EXPECT_REFUSED(rc.ImportParcel(altered, f_.now), kUnauthenticated, "PARCEL_ALTERED");
  EXPECT_REFUSED(f_["XA"].replica->ImportParcel(exported[0], f_.now), kNotFound, "NOT_FOR_US");
  const auto taken = rc.ImportParcel(exported[0], f_.now);
  ASSERT_OK(taken);
  EXPECT_FALSE(taken->repeated);
  EXPECT_TRUE(rc.ImportParcel(exported[0], f_.now)->repeated);
}

TEST_F(ParcelsTest, ADiskHoldsEverythingThePeerLacks) {
  for (int i = 0; i < 30; ++i) ASSERT_OK(f_.Write(f_["XA"], {"XA", "RC"}, std::to_string(i)));
  std::vector<std::string> exported;
  ASSERT_OK(f_["XA"].replica->ExportParcels(f_["RC"].party, f_.now, &exported));
  for (const std::string& parcel : exported) f_.Feed(f_["RC"], Input(ParcelReceived{parcel}));
  EXPECT_EQ(f_["RC"].TextsOf(f_["XA"]).size(), 30u);
}

}  // namespace
}  // namespace entente::sync

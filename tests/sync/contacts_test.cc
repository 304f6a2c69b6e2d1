// Who was heard when: kept over restarts, and only what is new counts as having been heard.
#include "sync/contacts.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class ContactsTest : public testing::Test {
 protected:
  // What a process that was killed now would come up with.
  absl::Time AfterACrash() {
    EXPECT_OK(disk_.Commit(store_.Take()));
    OverlayKv later(disk_);
    Contacts again(later);
    EXPECT_OK(again.Load());
    return again.Last(peer_);
  }
  const PartyId peer_ = *PartyId::From(std::string(32, 'p'));
  const absl::Time start_ = absl::FromUnixSeconds(1'800'000'000);
  MemoryKv disk_;
  OverlayKv store_{disk_};
  Contacts contacts_{store_};
};

TEST_F(ContactsTest, ABodyThatWasNeverHeardHasNoLastTime) {
  EXPECT_EQ(contacts_.Last(peer_), absl::InfinitePast());
  contacts_.Parted(peer_);
  EXPECT_EQ(AfterACrash(), absl::InfinitePast());
}

TEST_F(ContactsTest, TheFirstWordIsKeptAtOnce) {
  contacts_.Heard(peer_, start_);
  EXPECT_EQ(AfterACrash(), start_);
}

TEST_F(ContactsTest, ACrashForgetsAQuarterOfAnHourAtMost) {
  for (int minute = 0; minute < 60; ++minute) {
    const absl::Time now = start_ + absl::Minutes(minute);
    contacts_.Heard(peer_, now);
    EXPECT_EQ(contacts_.Last(peer_), now);
    EXPECT_LT(now - AfterACrash(), kContactSavedEvery);
  }
}

TEST_F(ContactsTest, WordsInQuickSuccessionWriteNothing) {
  contacts_.Heard(peer_, start_);
  ASSERT_OK(disk_.Commit(store_.Take()));
  for (int i = 1; i < 1000; ++i) contacts_.Heard(peer_, start_ + absl::Milliseconds(i));
  EXPECT_TRUE(store_.Take().empty());
}

TEST_F(ContactsTest, TheEndOfASessionIsKept) {
  contacts_.Heard(peer_, start_);
  contacts_.Heard(peer_, start_ + absl::Minutes(7));
  contacts_.Parted(peer_);
  EXPECT_EQ(AfterACrash(), start_ + absl::Minutes(7));
}

TEST_F(ContactsTest, AClockThatWasAheadHidesNoSilenceLater) {
  contacts_.Heard(peer_, start_ + absl::Hours(24 * 365));
  contacts_.ClockSetBack(start_);
  EXPECT_EQ(contacts_.Last(peer_), start_);
  EXPECT_EQ(AfterACrash(), start_);
}

class ContactTest : public testing::Test {
 protected:
  ContactTest() { f_.TrustAll(); }
  absl::Time LastAt(const std::string& who, const std::string& of) {
    return f_[who].replica->LastContact(f_[of].party);
  }
  // Seconds are what is stored.
  void ExpectHeardJustNow(const std::string& who, const std::string& of) {
    EXPECT_LE(f_.now - LastAt(who, of), absl::Seconds(1));
  }
  Federation f_{{"XA", "XB", "RC"}};
};

TEST_F(ContactTest, AfterARestartANodeStillKnowsWhomItMetLast) {
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Settle();
  f_.Pass(absl::Minutes(3));
  const absl::Time met = LastAt("XA", "XB");
  f_.Disconnect(f_["XA"]);
  f_.now += absl::Hours(24 * 10);
  f_.Start(f_["XA"]);
  EXPECT_LE(met - LastAt("XA", "XB"), absl::Seconds(1));
  EXPECT_EQ(LastAt("XA", "RC"), absl::InfinitePast());
}

TEST_F(ContactTest, AParcelCountsOnceHoweverOftenItIsShown) {
  f_.Pass(absl::Minutes(1));
  ASSERT_FALSE(f_["RC"].parcels.empty());
  const std::string parcel = f_["RC"].parcels.front().parcel;
  ASSERT_OK(f_["XA"].replica->ImportParcel(parcel, f_.now));
  ExpectHeardJustNow("XA", "RC");
  const absl::Time then = f_.now;
  f_.now += absl::Hours(24 * 30);
  ASSERT_OK(f_["XA"].replica->ImportParcel(parcel, f_.now));
  EXPECT_EQ(LastAt("XA", "RC"), then);
}

TEST_F(ContactTest, ABodyThatCountsItsParcelsAnewAfterLosingItsDatabaseIsHeard) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(f_.Write(f_["RC"], {"XA", "RC"}, "before"));
    f_.Pass(absl::Minutes(10));
    ASSERT_OK(f_.Carry(f_["RC"], f_["XA"]));
  }
  f_.LoseDatabase(f_["RC"]);
  f_["RC"].parcels.clear();
  f_.now += absl::Hours(24 * 7);
  f_.Pass(absl::Minutes(10));
  ASSERT_OK(f_.Carry(f_["RC"], f_["XA"]));
  ExpectHeardJustNow("XA", "RC");
}

}  // namespace
}  // namespace entente::sync

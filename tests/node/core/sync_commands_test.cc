// Delivery is told per body and step, and the store answers for itself.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class SyncCommandsTest : public CoreTest {
 protected:
  std::string Note(const std::vector<std::string>& audience) {
    const auto added = CoreTest::Note("XA", "a note", audience);
    EXPECT_OK(added);
    return *added;
  }
  std::string Delivered(const std::string& ref, const std::string& peer) {
    v1::GetSyncStatusRequest request;
    request.set_record(ref);
    const auto status = Call<v1::GetSyncStatusResponse>("XA", "SyncService/GetSyncStatus", request);
    EXPECT_OK(status);
    for (const v1::Delivery& delivery : status->records(0).deliveries()) {
      if (delivery.peer() == peer) return delivery.state();
    }
    return "not addressed";
  }
};

TEST_F(SyncCommandsTest, ARecordIsQueuedThenVerifiedAtEachOfItsReaders) {
  const std::string ref = Note({"XB", "XC"});
  EXPECT_EQ(Delivered(ref, "XB"), "queued");
  Settle();
  EXPECT_EQ(Delivered(ref, "XB"), "verified");
  EXPECT_EQ(Delivered(ref, "XC"), "verified");
  EXPECT_EQ(Delivered(ref, "EJ"), "not addressed");
}

TEST_F(SyncCommandsTest, WhatOnlyThisNodeHoldsIsCounted) {
  node("XB").Crash(absl::Seconds(10));
  Note({"XB"});
  world_.RunFor(absl::Milliseconds(500));
  const auto status = Call<v1::GetSyncStatusResponse>("XA", "SyncService/GetSyncStatus",
                                                      v1::GetSyncStatusRequest());
  ASSERT_OK(status);
  EXPECT_GE(status->only_here(), 1u);
}

TEST_F(SyncCommandsTest, TheSameNotesSentTwiceAreWrittenOnceAndAllNamed) {
  v1::AddNotesRequest request;
  for (const char* text : {"one", "two", "three"}) request.add_texts(text);
  request.set_idempotency_key("key-1");
  const auto first = Call<v1::AddNotesResponse>("XA", "RecordService/AddNotes", request);
  const auto again = Call<v1::AddNotesResponse>("XA", "RecordService/AddNotes", request);
  ASSERT_OK(first);
  ASSERT_OK(again);
  EXPECT_EQ(again->DebugString(), first->DebugString());
  EXPECT_EQ(Call<v1::ListNotesResponse>("XA", "RecordService/ListNotes", v1::ListNotesRequest())
                ->records_size(),
            3);
}

TEST_F(SyncCommandsTest, VerifyRecomputesEverythingAndNamesDamage) {
  Note({"XB"});
  Settle();
  const auto verify = [&] {
    return *Call<v1::VerifyLogResponse>("XB", "SyncService/VerifyLog", v1::VerifyLogRequest());
  };
  const v1::VerifyLogResponse good = verify();
  EXPECT_TRUE(good.ok()) << good.DebugString();
  EXPECT_GT(good.entries(), 0u);
  EXPECT_GT(good.heads(), 0u);
  EXPECT_GT(good.cosignatures(), 0u);
  EXPECT_EQ(good.opened() + good.locked() + good.epochs(), good.entries());
  // One bit of one stored entry body.
  for (auto& [key, value] : node("XB").disk.kv.rows()) {
    if (key[0] == 'e' && value.size() > 400) {
      value.back() = static_cast<char>(value.back() ^ 1);
      break;
    }
  }
  const v1::VerifyLogResponse bad = verify();
  EXPECT_FALSE(bad.ok());
  EXPECT_FALSE(bad.problems().empty());
}

TEST_F(SyncCommandsTest, AParcelForADiskIsReadOnceByItsAddressee) {
  node("XB").Crash(absl::Seconds(10));
  Note({"XB"});
  v1::ExportParcelRequest request;
  request.set_to("XB");
  const auto parcels = Call<v1::ExportParcelResponse>("XA", "SyncService/ExportParcel", request);
  ASSERT_OK(parcels);
  ASSERT_GT(parcels->parcels_size(), 0);
  v1::ImportParcelRequest import;
  import.set_parcel(parcels->parcels(0));
  EXPECT_REFUSED(Call<v1::ImportParcelResponse>("EJ", "SyncService/ImportParcel", import).status(),
                 kNotFound, "NOT_FOR_US");
}

}  // namespace
}  // namespace entente::core

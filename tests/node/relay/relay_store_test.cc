// The relay's files: exact text, whole parcels, and nothing left of what a crash interrupted.
#include "node/relay/relay_store.h"

#include <filesystem>
#include <string>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/node/store/store_test_util.h"
#include "tests/support/status_testing.h"

namespace entente::relay {
namespace {

using store::ReadRaw;
using store::TempDir;
using store::WriteRaw;

class RelayStoreTest : public testing::Test {
 protected:
  static Table SomeTable() {
    Table table;
    const PartyId party = *PartyId::From(std::string(32, 'p'));
    const MailboxId box = *MailboxId::From(std::string(32, 'm'));
    table.nodes[party] = {party, *Hash::From(std::string(32, 'k')), 3};
    table.mailboxes[box] = {box, party, *Hash::From(std::string(32, 'd')), 20000};
    return table;
  }
  static WaitingParcel Waiting(uint64_t order, std::string_view bytes) {
    return {*MailboxId::From(std::string(32, 'm')), order, 500'000,
            *ParcelId::From(crypto::Sha256(bytes).view()), bytes.size()};
  }
  std::string OnlyParcelFile() {
    for (const std::string& path : store::FilesBelow(dir_.path())) {
      if (path.find("/parcels/") != std::string::npos) return path;
    }
    return "";
  }

  TempDir dir_;
  RelayStore store_{dir_.path()};
  const std::string bytes_ = std::string(4096, 'x');
};

TEST_F(RelayStoreTest, TheTableHasOneTextAndOneReading) {
  const Table table = SomeTable();
  const std::string text = EncodeTable(table);
  EXPECT_EQ(*ParseTable(text), table);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] ^= 1;
    EXPECT_FALSE(ParseTable(altered).ok()) << "byte " << i;
    EXPECT_FALSE(ParseTable(text.substr(0, i)).ok()) << "cut at " << i;
  }
}

TEST_F(RelayStoreTest, WhatWasPutIsThereAfterARestart) {
  ASSERT_OK(store_.SaveTable(SomeTable()));
  ASSERT_OK(store_.Put(Waiting(7, bytes_), bytes_));
  RelayStore again(dir_.path());
  const auto contents = again.Load();
  ASSERT_OK(contents);
  EXPECT_EQ(contents->table, SomeTable());
  ASSERT_EQ(contents->parcels.size(), 1u);
  EXPECT_EQ(contents->parcels[0], Waiting(7, bytes_));
  EXPECT_EQ(*again.Get(contents->parcels[0]), bytes_);
  ASSERT_OK(again.Erase(contents->parcels));
  EXPECT_TRUE(again.Load()->parcels.empty());
}

TEST_F(RelayStoreTest, DamageIsNamedAndNeverHandedOut) {
  ASSERT_OK(store_.SaveTable(SomeTable()));
  ASSERT_OK(store_.Put(Waiting(1, bytes_), bytes_));
  store::FlipBit(OnlyParcelFile(), 100);
  EXPECT_REFUSED(store_.Get(Waiting(1, bytes_)), kDataLoss, "");
}

TEST_F(RelayStoreTest, WhatACrashLeftHalfWrittenIsRemoved) {
  ASSERT_OK(store_.SaveTable(SomeTable()));
  ASSERT_OK(store_.Put(Waiting(1, bytes_), bytes_));
  WriteRaw(OnlyParcelFile() + ".tmp", "half");
  RelayStore again(dir_.path());
  EXPECT_EQ(again.Load()->parcels.size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(OnlyParcelFile() + ".tmp"));
}

TEST_F(RelayStoreTest, AFullVolumeIsAnErrorAndLeavesNoHalfParcel) {
  ASSERT_OK(store_.SaveTable(SomeTable()));
  {
    const store::FileSizeLimit limit(1000);
    EXPECT_FALSE(store_.Put(Waiting(1, bytes_), bytes_).ok());
  }
  RelayStore again(dir_.path());
  EXPECT_TRUE(again.Load()->parcels.empty());
  EXPECT_EQ(OnlyParcelFile(), "");
}

}  // namespace
}  // namespace entente::relay

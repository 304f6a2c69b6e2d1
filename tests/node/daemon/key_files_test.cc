// A renewal is whole or has not been, wherever it is cut; a destroyed key leaves the key file.
#include "node/daemon/key_files.h"

#include <optional>
#include <sstream>
#include <utility>

#include "gtest/gtest.h"
#include "node/daemon/init.h"
#include "node/daemon/node_files.h"
#include "node/store/file_io.h"
#include "node/store/keystore_file.h"
#include "sync/renewal.h"
#include "tests/node/store/store_test_util.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::daemon {
namespace {

constexpr char kPassphrase[] = "correct horse battery";

class KeyFilesTest : public testing::Test {
 protected:
  KeyFilesTest() {
    EXPECT_OK(store::WriteSecretFile(
        PathIn(dir_.path(), kKeystoreFile),
        *crypto::SealKeystore(*xa_.keys, kPassphrase, crypto::Argon2Cost::kInteractive, f_.entropy),
        store::Overwrite::kRefuse));
  }
  crypto::NodeKeys Fresh() { return *crypto::RenewNodeKeys(*xa_.keys, "XA", true, f_.entropy); }
  sync::WriteBatch RowsFor(const crypto::NodeKeys& fresh) {
    return sync::PlanRenewal(xa_.disk, *xa_.keys, fresh, xa_.root.root, f_.now, std::nullopt)->rows;
  }
  // What the node's next start makes of the folder.
  crypto::NodeKeys Start() {
    crypto::NodeKeys opened = *OpenKeys(dir_.path(), kPassphrase);
    return *SettleKeys(dir_.path(), kPassphrase, std::move(opened), xa_.disk, f_.entropy);
  }
  bool Beside() const { return store::Exists(PathIn(dir_.path(), kFreshKeystoreFile)); }

  sync::Federation f_{{"XA"}};
  sync::Body& xa_ = f_["XA"];
  store::TempDir dir_;
};

TEST_F(KeyFilesTest, CutBeforeTheCardTheNodeIsAsBefore) {
  ASSERT_OK(PutBeside(dir_.path(), kPassphrase, Fresh(), f_.entropy));
  const crypto::NodeKeys keys = Start();
  EXPECT_EQ(keys.statement.public_key(), xa_.keys->statement.public_key());
  EXPECT_FALSE(Beside());
}

TEST_F(KeyFilesTest, CutAfterTheCardTheNodeIsRenewed) {
  const crypto::NodeKeys fresh = Fresh();
  ASSERT_OK(PutBeside(dir_.path(), kPassphrase, fresh, f_.entropy));
  ASSERT_OK(xa_.disk.Commit(RowsFor(fresh)));
  EXPECT_EQ(Start().statement.public_key(), fresh.statement.public_key());
  EXPECT_FALSE(Beside());
  EXPECT_EQ(OpenKeys(dir_.path(), kPassphrase)->statement.public_key(),
            fresh.statement.public_key());
}

TEST_F(KeyFilesTest, ADestroyedReadingKeyLeavesTheKeyFileAndAHeldOneStays) {
  ASSERT_OK(xa_.replica->RotateBoxKey(f_.now, /*emergency=*/false));
  f_.Feed(xa_, sync::Input(sync::Tick{}));
  EXPECT_EQ(Start().box.id(), xa_.keys->box.id());
  f_.now += absl::Hours(61 * 24);
  f_.Feed(xa_, sync::Input(sync::Tick{}));
  EXPECT_NE(Start().box.id(), xa_.keys->box.id());
  const crypto::NodeKeys kept = *OpenKeys(dir_.path(), kPassphrase);
  EXPECT_NE(kept.box.id(), xa_.keys->box.id());
  EXPECT_EQ(kept.statement.public_key(), xa_.keys->statement.public_key());
}

TEST_F(KeyFilesTest, AWrongPassphraseOpensNothing) {
  EXPECT_REFUSED(OpenKeys(dir_.path(), "another passphrase"), kPermissionDenied, "");
}

TEST(RenewNodeTest, ACardReplacesNoFileAndThatIsSaidBeforeAnyKeyIsMade) {
  const store::TempDir dir;
  SystemEntropy entropy;
  std::ostringstream out;
  const std::string card = dir / "other.card";
  store::WriteRaw(card, "the card of another body");
  EXPECT_REFUSED(RenewNode({"--data", dir.path(), "--root-key", dir / "xa.root", "--card", card},
                           entropy, absl::FromUnixSeconds(1'900'000'000), out),
                 kAlreadyExists, "FILE_EXISTS");
  EXPECT_EQ(store::ReadRaw(card), "the card of another body");
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace entente::daemon

// Key files: a wrong passphrase, damage and a planted file are three different answers.
#include "crypto/keystore.h"

#include <string>

#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

class KeystoreTest : public testing::Test {
 protected:
  // Damages are mended at the end, as somebody would who plants a file on purpose.
  static std::string WithHash(std::string file) {
    file.resize(file.size() - 32);
    return file + Sha256(file).str();
  }

  SeededEntropy entropy_{6};
  const PartyRoot root_ = GeneratePartyRoot(entropy_);
  const NodeKeys keys_ = *GenerateNodeKeys(root_, "XA", entropy_);
};

TEST_F(KeystoreTest, RenewedKeysShareNothingButPartyStorageAndRecoveryUnlessTlsIsKept) {
  const NodeKeys fresh = *RenewNodeKeys(keys_, "XA", /*keep_tls=*/false, entropy_);
  EXPECT_EQ(fresh.party, keys_.party);
  EXPECT_EQ(fresh.recovery, keys_.recovery);
  EXPECT_TRUE(fresh.storage.Equals(keys_.storage));
  EXPECT_NE(fresh.log.public_key(), keys_.log.public_key());
  EXPECT_NE(fresh.cosign.public_key(), keys_.cosign.public_key());
  EXPECT_NE(fresh.statement.public_key(), keys_.statement.public_key());
  EXPECT_NE(fresh.box.public_key(), keys_.box.public_key());
  EXPECT_NE(fresh.tls.certificate_pem, keys_.tls.certificate_pem);
  EXPECT_EQ(RenewNodeKeys(keys_, "XA", /*keep_tls=*/true, entropy_)->tls.certificate_pem,
            keys_.tls.certificate_pem);
}

TEST_F(KeystoreTest, WithoutItsReadingKeyAllElseStays) {
  const NodeKeys emptied = WithoutBoxKey(keys_, entropy_);
  EXPECT_NE(emptied.box.public_key(), keys_.box.public_key());
  EXPECT_EQ(emptied.log.public_key(), keys_.log.public_key());
  EXPECT_EQ(emptied.cosign.public_key(), keys_.cosign.public_key());
  EXPECT_EQ(emptied.statement.public_key(), keys_.statement.public_key());
  EXPECT_TRUE(emptied.storage.Equals(keys_.storage));
}

TEST_F(KeystoreTest, KeysComeBackWithTheirPassphrase) {
  const auto file = SealKeystore(keys_, "correct horse", Argon2Cost::kInteractive, entropy_);
  ASSERT_OK(file);
  const auto back = OpenKeystore(*file, "correct horse");
  ASSERT_OK(back);
  EXPECT_EQ(EncodeNodeKeys(*back).view(), EncodeNodeKeys(keys_).view());
  EXPECT_REFUSED(OpenKeystore(*file, "wrong horse"), kPermissionDenied, "");
  std::string damaged = *file;
  damaged[100] ^= 1;
  EXPECT_REFUSED(OpenKeystore(damaged, "correct horse"), kDataLoss, "");
  EXPECT_REFUSED(OpenKeystore(WithHash(damaged), "correct horse"), kPermissionDenied, "");
  EXPECT_REFUSED(OpenPartyRoot(*file, "correct horse"), kDataLoss, "");
}

TEST_F(KeystoreTest, APartyRootComesBackToo) {
  const auto file = SealPartyRoot(root_, "correct horse", Argon2Cost::kInteractive, entropy_);
  ASSERT_OK(file);
  const auto back = OpenPartyRoot(*file, "correct horse");
  ASSERT_OK(back);
  EXPECT_EQ(back->root.public_key(), root_.root.public_key());
  EXPECT_EQ(back->recovery.public_key(), root_.recovery.public_key());
}

TEST_F(KeystoreTest, APlantedFileCannotChooseItsCost) {
  const std::string file =
      *SealPartyRoot(root_, "correct horse", Argon2Cost::kInteractive, entropy_);
  std::string cheap = file, dear = file;
  cheap[8 + 7] = 1;
  for (int i = 8; i < 15; ++i) cheap[static_cast<size_t>(i)] = 0;
  dear[8] = 0x7f;
  EXPECT_REFUSED(OpenPartyRoot(WithHash(cheap), "correct horse"), kInvalidArgument, "");
  EXPECT_REFUSED(OpenPartyRoot(WithHash(dear), "correct horse"), kInvalidArgument, "");
}

TEST_F(KeystoreTest, ACutFileIsDamageAtEveryLength) {
  const std::string file =
      *SealPartyRoot(root_, "correct horse", Argon2Cost::kInteractive, entropy_);
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_REFUSED(OpenPartyRoot(file.substr(0, size), "correct horse"), kDataLoss, "");
  }
}

TEST_F(KeystoreTest, EncodedKeysDecodeAtFullLengthOnly) {
  const SecretBytes plain = EncodeNodeKeys(keys_);
  EXPECT_OK(DecodeNodeKeys(plain.view()));
  EXPECT_REFUSED(DecodeNodeKeys(plain.view().substr(1)), kDataLoss, "");
  EXPECT_REFUSED(DecodeNodeKeys(Cat(plain.view(), "x")), kDataLoss, "");
}

TEST_F(KeystoreTest, AUserKeyFileIsReadBackExactlyOrRefused) {
  const UserKey key{"Ada Lindqvist", "XA", SigningKey::Generate(entropy_)};
  const std::string text = EncodeUserKeyFile(key);
  const auto back = ParseUserKeyFile(text);
  ASSERT_OK(back);
  EXPECT_EQ(back->user, "Ada Lindqvist");
  EXPECT_EQ(back->key.public_key(), key.key.public_key());
  EXPECT_REFUSED(ParseUserKeyFile(text + "\n"), kInvalidArgument, "");
  EXPECT_REFUSED(ParseUserKeyFile(text.substr(0, text.size() - 1)), kInvalidArgument, "");
  EXPECT_REFUSED(ParseUserKeyFile("a shopping list"), kInvalidArgument, "");
}

}  // namespace
}  // namespace entente::crypto

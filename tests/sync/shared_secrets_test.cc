// A secret exchanged in person comes into use when both ends hold it, and goes out of use when one
// does not; whoever lost it is given what it missed by somebody else.
#include "sync/shared_secrets.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/slot.h"
#include "gtest/gtest.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;

class SharedSecretsTest : public testing::Test {
 protected:
  SharedSecretsTest() { f_.TrustAll(); }

  void Set(const std::string& at, const std::string& with, const crypto::Secret32& secret) {
    ASSERT_OK(f_[at].replica->SetSharedSecret(f_[with].party, secret, f_.now));
    f_.Feed(f_[at], Input(Tick{}));
  }
  void Share(const std::string& a, const std::string& b) {
    const auto secret = f_.entropy.Draw<crypto::Secret32>();
    Set(a, b, secret);
    Set(b, a, secret);
  }
  bool InUse(const std::string& at, const std::string& with) {
    return f_[at].replica->shared_secrets().InUse(f_[with].party) != nullptr;
  }
  // The forms of the slots of the newest epoch of a log of XA's, by body.
  std::map<std::string, std::vector<v1::SlotAlgorithm>> Forms(
      const std::vector<std::string>& audience) {
    const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], audience);
    v1::Epoch epoch;
    EXPECT_TRUE(
        epoch.ParseFromString(f_["XA"].replica->logs().Read(log, log.epoch_first - 1)->body));
    std::map<std::string, std::vector<v1::SlotAlgorithm>> out;
    for (const v1::Slot& slot : epoch.slots()) {
      for (const std::string& code : audience) {
        if (slot.party() == f_[code].party.view()) out[code].push_back(slot.alg());
      }
    }
    return out;
  }
  void Meet(const std::string& a, const std::string& b) {
    f_.Connect(f_[a], f_[b]);
    f_.Settle();
  }

  const std::vector<v1::SlotAlgorithm> plain_ = {v1::SLOT_ALGORITHM_X25519,
                                                 v1::SLOT_ALGORITHM_X25519};
  const std::vector<v1::SlotAlgorithm> secret_ = {v1::SLOT_ALGORITHM_X25519_PSK,
                                                  v1::SLOT_ALGORITHM_X25519_PSK};
  Federation f_{{"XA", "XB", "XC", "RD"}};
};

TEST_F(SharedSecretsTest, OneEndAloneUsesNothing) {
  Set("XA", "XB", f_.entropy.Draw<crypto::Secret32>());
  Meet("XA", "XB");
  EXPECT_FALSE(InUse("XA", "XB"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  f_.Settle();
  EXPECT_EQ(Forms({"XA", "XB"})["XB"], plain_);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
}

TEST_F(SharedSecretsTest, TwoDifferentSecretsAreNoneInCommon) {
  Set("XA", "XB", f_.entropy.Draw<crypto::Secret32>());
  Set("XB", "XA", f_.entropy.Draw<crypto::Secret32>());
  Meet("XA", "XB");
  EXPECT_FALSE(InUse("XA", "XB"));
  EXPECT_FALSE(InUse("XB", "XA"));
}

TEST_F(SharedSecretsTest, HeldByBothItSealsBothSlotsOfThePartnerAndTheOwnOnes) {
  Share("XA", "XB");
  EXPECT_FALSE(InUse("XA", "XB"));  // they have not met yet
  Meet("XA", "XB");
  EXPECT_TRUE(InUse("XA", "XB"));
  EXPECT_TRUE(InUse("XB", "XA"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  f_.Settle();
  auto forms = Forms({"XA", "XB"});
  EXPECT_EQ(forms["XB"], secret_);  // the recovery slot too
  EXPECT_EQ(forms["XA"], secret_);  // and its own, which hold the same seed
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
}

TEST_F(SharedSecretsTest, ABodyWithoutOneIsSealedToAsBefore) {
  Share("XA", "XB");
  Meet("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "text"));
  auto forms = Forms({"XA", "XB", "XC"});
  EXPECT_EQ(forms["XB"], secret_);
  EXPECT_EQ(forms["XC"], plain_);
  Meet("XA", "XC");
  EXPECT_EQ(f_["XC"].TextsOf(f_["XA"]), Texts{"text"});
}

TEST_F(SharedSecretsTest, OnceInUseTheNextWriteTakesANewEpochAndARestartChangesNothing) {
  Meet("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "before"));
  EXPECT_EQ(Forms({"XA", "XB"})["XB"], plain_);
  Share("XA", "XB");
  f_.Settle();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "after"));
  EXPECT_EQ(Forms({"XA", "XB"})["XB"], secret_);
  f_.Start(f_["XA"]);
  f_.Start(f_["XB"]);
  EXPECT_TRUE(InUse("XA", "XB"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "later"));
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->epoch, 2u);
  Meet("XA", "XB");
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"before", "after", "later"}));
}

TEST_F(SharedSecretsTest, WhoLostItIsLockedAndGivenWhatItMissedByAnother) {
  Share("XA", "XB");
  Meet("XA", "XB");
  Meet("XA", "XC");
  f_.Disconnect(f_["XB"]);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "text"));
  f_.Settle();
  f_["XB"].replica->DropSharedSecret(f_["XA"].party);
  f_.Disconnect(f_["XA"]);
  Meet("XB", "XC");
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{});
  EXPECT_EQ(f_.FindLog(f_["XB"], f_["XA"], {"XA", "XB", "XC"})->locked_epochs.size(), 1u);
  f_.Pass(kRepairStagger + absl::Minutes(1));
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
}

TEST_F(SharedSecretsTest, WhoLostItIsGivenWhatItMissedByTheAuthorWhenNobodyElseHasIt) {
  Share("XA", "XB");
  Meet("XA", "XB");
  f_.Disconnect(f_["XB"]);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  f_["XB"].replica->DropSharedSecret(f_["XA"].party);
  Meet("XA", "XB");
  EXPECT_FALSE(InUse("XA", "XB"));
  f_.Pass(kRepairEpochInterval * 2);
  const Texts texts = f_["XB"].TextsOf(f_["XA"]);
  EXPECT_NE(std::find(texts.begin(), texts.end(), "text"), texts.end());
  EXPECT_EQ(Forms({"XA", "XB"})["XB"], plain_);
}

TEST_F(SharedSecretsTest, FoundAgainItOpensWhatWasLocked) {
  const auto secret = f_.entropy.Draw<crypto::Secret32>();
  Set("XA", "XB", secret);
  Set("XB", "XA", secret);
  Meet("XA", "XB");
  f_.Disconnect(f_["XB"]);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  f_["XB"].replica->DropSharedSecret(f_["XA"].party);
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    return &from != &f_["XB"] || !frame.has_cosign();  // XA does not hear that it is locked
  };
  Meet("XA", "XB");
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{});
  Set("XB", "XA", secret);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), Texts{"text"});
  EXPECT_TRUE(f_.FindLog(f_["XB"], f_["XA"], {"XA", "XB"})->locked_epochs.empty());
}

TEST_F(SharedSecretsTest, ParcelsAreSealedWithItAndAPartnerThatLostItSaysSo) {
  const auto carry = [&](const std::string& from, const std::string& to) {
    for (const ParcelOut& out : std::exchange(f_[from].parcels, {})) {
      if (out.peer != f_[to].party) continue;
      f_.Feed(f_[to], Input(ParcelReceived{out.parcel}));
    }
  };
  const auto settle = [&] {
    for (int i = 0; i < 4; ++i) {
      carry("XA", "RD");
      carry("RD", "XA");
    }
  };
  Share("XA", "RD");
  settle();
  EXPECT_TRUE(InUse("XA", "RD"));
  EXPECT_TRUE(InUse("RD", "XA"));
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "RD"}, "text"));
  ASSERT_FALSE(f_["XA"].parcels.empty());
  f_["RD"].replica->DropSharedSecret(f_["XA"].party);
  settle();
  EXPECT_FALSE(InUse("XA", "RD"));
  f_.Pass(kIdleParcelInterval);
  settle();
  f_.Pass(kIdleParcelInterval);
  settle();
  const Texts texts = f_["RD"].TextsOf(f_["XA"]);
  EXPECT_NE(std::find(texts.begin(), texts.end(), "text"), texts.end());
}

TEST_F(SharedSecretsTest, AnEpochWithAWeakerRecoverySlotOrASlotOfAnotherLengthIsRefused) {
  Share("XA", "XB");
  Meet("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "text"));
  const LogState& log = *f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"});
  v1::Epoch good;
  ASSERT_TRUE(good.ParseFromString(f_["XA"].replica->logs().Read(log, 0)->body));
  const PublicKey& key = f_["XA"].keys->log.public_key();
  ASSERT_OK(CheckEpoch(good, log, key));
  v1::Epoch bad = good;
  bad.mutable_slots(1)->set_alg(v1::SLOT_ALGORITHM_X25519);
  bad.mutable_slots(1)->mutable_box()->resize(crypto::kSlotBytes);
  EXPECT_REFUSED(CheckEpoch(bad, log, key), kInvalidArgument, "two forms");
  bad = good;
  bad.mutable_slots(0)->mutable_box()->push_back('x');
  EXPECT_REFUSED(CheckEpoch(bad, log, key), kInvalidArgument, "a form");
  bad = good;
  bad.mutable_slots(0)->set_alg(v1::SLOT_ALGORITHM_X_WING);
  EXPECT_REFUSED(CheckEpoch(bad, log, key), kInvalidArgument, "a form");
}

TEST_F(SharedSecretsTest, ItsFileSaysWhoMadeItForWhomAndNothingElseIsTaken) {
  SecretFile file{f_["XA"].party, f_["XB"].party, f_.entropy.Draw<crypto::Secret32>()};
  const std::string text = EncodeSecretFile(file);
  const auto parsed = ParseSecretFile(text);
  ASSERT_OK(parsed);
  EXPECT_EQ(parsed->from, file.from);
  EXPECT_EQ(parsed->to, file.to);
  EXPECT_TRUE(parsed->secret.Equals(file.secret));
  EXPECT_FALSE(ParseSecretFile("").ok());
  EXPECT_FALSE(ParseSecretFile(text + "\n").ok());
  EXPECT_FALSE(ParseSecretFile(text.substr(1)).ok());
  for (size_t at = 0; at < text.size(); at += 7) {
    std::string bad = text;
    bad.erase(at, 1);
    EXPECT_FALSE(ParseSecretFile(bad).ok()) << at;
  }
}

}  // namespace
}  // namespace entente::sync

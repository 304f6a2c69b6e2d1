// Stored values open under their row's key and nowhere else.
#include "crypto/value_seal.h"

#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

TEST(ValueSealTest, OpensUnderItsRowAndStorageKeyOnly) {
  SeededEntropy entropy(10);
  const Secret32 key = entropy.Draw<Secret32>();
  const std::string sealed = SealValue(key, "row", "value", entropy);
  EXPECT_EQ(sealed.size(), 5 + kValueOverhead);
  EXPECT_EQ(*OpenValue(key, "row", sealed), "value");
  EXPECT_REFUSED(OpenValue(key, "another row", sealed), kDataLoss, "");
  EXPECT_REFUSED(OpenValue(entropy.Draw<Secret32>(), "row", sealed), kDataLoss, "");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] ^= 1;
    EXPECT_REFUSED(OpenValue(key, "row", altered), kDataLoss, "");
    EXPECT_REFUSED(OpenValue(key, "row", sealed.substr(0, i)), kDataLoss, "");
  }
}

}  // namespace
}  // namespace entente::crypto

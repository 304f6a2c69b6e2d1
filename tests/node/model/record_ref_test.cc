// References are short, typed by people, and count nothing.
#include "node/model/record_ref.h"

#include <regex>
#include <set>
#include <string>

#include "crypto/entropy.h"
#include "gtest/gtest.h"

namespace entente::model {
namespace {

TEST(RecordRefTest, ALetterAndSixCharactersThatCannotBeMistaken) {
  const KindRegistry kinds;
  SeededEntropy entropy(1);
  const std::regex shape("T-[0-9A-HJKMNP-TV-Z]{6}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string ref = RecordRef(*kinds.Find(kTaskKind), entropy.Draw<RecordId>());
    EXPECT_TRUE(std::regex_match(ref, shape)) << ref;
    seen.insert(ref);
  }
  EXPECT_GE(seen.size(), 998u);
}

TEST(RecordRefTest, WhatIsTypedIsReadAsItWasMeant) {
  EXPECT_EQ(NormalizeRef("t-7k3moi"), "T-7K3M01");
  EXPECT_EQ(NormalizeRef("E-L00000"), "E-100000");
}

}  // namespace
}  // namespace entente::model

// Who may have a record erased, and when.
#include "node/model/decide.h"

#include <string>

#include "gtest/gtest.h"

namespace entente::model {
namespace {

const PartyId kA = *PartyId::From(std::string(32, 'a'));
const PartyId kB = *PartyId::From(std::string(32, 'b'));

class DecideErasureTest : public testing::Test {
 protected:
  DecideErasureTest() {
    agreement_.set_period_from(0);
    agreement_.set_period_to(1000);
    for (const PartyId& party : {kA, kB}) {
      agreement_.add_bodies()->set_party(party.str());
      directory_.Add({party, party == kA ? "XA" : "XB", "Authority",
                      v1::BODY_KIND_MEMBER_STATE_AUTHORITY, ""});
    }
    question_.action = Action::kErase;
    question_.body = question_.owner = kA;
    question_.audience = {kA, kB};
    question_.role = v1::ROLE_JIT_LEADER;
    question_.agreement = &agreement_;
    question_.now = absl::FromUnixSeconds(500);
    question_.exists = true;
  }
  std::string Code() {
    const Decision decision = Decide(question_, directory_);
    return decision.allowed ? "ALLOWED" : decision.code;
  }
  v1::Agreement agreement_;
  Directory directory_;
  Question question_;
};

TEST_F(DecideErasureTest, TheOwnerMayDuringTheJitAndAfterIt) {
  EXPECT_EQ(Code(), "ALLOWED");
  question_.now = absl::FromUnixSeconds(1500);
  EXPECT_EQ(Code(), "ALLOWED");
  question_.action = Action::kChange;
  EXPECT_EQ(Code(), "EXPIRED");
}

TEST_F(DecideErasureTest, NobodyElseMay) {
  question_.body = kB;
  EXPECT_EQ(Code(), "NOT_OWNER");
  question_.body = kA;
  question_.role = v1::ROLE_COORDINATOR;
  EXPECT_EQ(Code(), "ROLE");
}

TEST_F(DecideErasureTest, WhatIsRestrictedIsKeptAndWhatIsErasedIsErased) {
  question_.restricted = true;
  EXPECT_EQ(Code(), "RESTRICTED");
  question_.restricted = false;
  question_.erased = true;
  EXPECT_EQ(Code(), "ERASED");
  question_.action = Action::kRead;
  EXPECT_EQ(Code(), "ALLOWED");
}

}  // namespace
}  // namespace entente::model

#include "sync/record_id.h"

#include <string>

#include "gtest/gtest.h"

namespace entente::sync {
namespace {

constexpr uint32_t kEvidence = 5;
constexpr uint32_t kNote = 8;
const JitId kJit = *JitId::From(std::string(32, 'j'));
const PartyId kA = *PartyId::From(std::string(32, 'a'));
const PartyId kB = *PartyId::From(std::string(32, 'b'));
const std::string kKey(32, 'k');

TEST(RecordIdTest, FollowsFromJitKindOwnerAndKey) {
  EXPECT_EQ(RecordIdOf(kJit, kEvidence, kA, kKey).hex(), "d73c3b32f27bb867b7f6e162411cecb2");
  const RecordId id = RecordIdOf(kJit, kEvidence, kA, kKey);
  EXPECT_NE(id, RecordIdOf(JitId(), kEvidence, kA, kKey));
  EXPECT_NE(id, RecordIdOf(kJit, kNote, kA, kKey));
  EXPECT_NE(id, RecordIdOf(kJit, kEvidence, kB, kKey));
  EXPECT_NE(id, RecordIdOf(kJit, kEvidence, kA, std::string(32, 'l')));
}

// What is left of an erased record is the Erase: it, too, has to show whose the id is.
TEST(RecordIdTest, AnEraseBeginsARecordOfItsAuthorsAndNoOther) {
  v1::EntryBody body;
  body.set_kind(kEvidence);
  body.set_record_id(RecordIdOf(kJit, kEvidence, kA, kKey).str());
  body.mutable_erase()->set_blind_key(kKey);
  EXPECT_TRUE(Founds(kJit, kA, body));
  EXPECT_FALSE(Founds(kJit, kB, body));
  body.mutable_erase()->set_blind_key(std::string(32, 'l'));
  EXPECT_FALSE(Founds(kJit, kA, body));
  body.mutable_amend();
  EXPECT_FALSE(Founds(kJit, kA, body));
}

}  // namespace
}  // namespace entente::sync

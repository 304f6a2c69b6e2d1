// The kinds are what their annotations say: numbers, states, steps, writers.
#include "node/model/kinds.h"

#include <set>
#include <string>

#include "entente/v1/records.pb.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::model {
namespace {

class KindsTest : public testing::Test {
 protected:
  KindRegistry kinds_;
  const Kind& task_ = *kinds_.Find(kTaskKind);
};

TEST_F(KindsTest, NumbersNamesAndLettersAreUnique) {
  std::set<std::string> names;
  std::set<char> letters;
  for (const auto& [number, kind] : kinds_.all()) {
    EXPECT_EQ(kind.number(), number);
    EXPECT_TRUE(names.insert(kind.name()).second) << kind.name();
    EXPECT_TRUE(letters.insert(kind.ref_letter()).second) << kind.ref_letter();
  }
  EXPECT_GE(kinds_.all().size(), 8u);
  EXPECT_EQ(kinds_.FindByName("task"), &task_);
  EXPECT_EQ(kinds_.Find(999), nullptr);
}

TEST_F(KindsTest, EveryStepOfEveryKindLeadsFromAStateToAState) {
  for (const auto& [number, kind] : kinds_.all()) {
    for (const v1::TransitionRule& rule : kind.options().transitions()) {
      EXPECT_OK(kind.StateNumber(rule.to()));
      EXPECT_FALSE(rule.from().empty()) << kind.name() << " to " << rule.to();
      for (const std::string& from : rule.from()) EXPECT_OK(kind.StateNumber(from));
    }
  }
}

TEST_F(KindsTest, OnlyTheExecutingBodyMovesATaskForward) {
  const uint32_t sent = *task_.StateNumber("SENT"), accepted = *task_.StateNumber("ACCEPTED");
  EXPECT_NE(task_.Rule(sent, accepted, Side::kExecutor), nullptr);
  EXPECT_EQ(task_.Rule(sent, accepted, Side::kOwner), nullptr);
  EXPECT_EQ(task_.Rule(sent, accepted, Side::kOther), nullptr);
  const uint32_t withdrawn = *task_.StateNumber("WITHDRAWN");
  EXPECT_NE(task_.Rule(sent, withdrawn, Side::kOwner), nullptr);
  EXPECT_EQ(task_.Rule(sent, withdrawn, Side::kExecutor), nullptr);
  EXPECT_EQ(task_.Rule(withdrawn, accepted, Side::kExecutor), nullptr);
}

TEST_F(KindsTest, ADeclinedOrWithdrawnTaskCarriesAReason) {
  for (const char* to : {"DECLINED", "WITHDRAWN", "BLOCKED", "IMPOSSIBLE", "PARTLY_EXECUTED"}) {
    for (const v1::TransitionRule& rule : task_.options().transitions()) {
      EXPECT_TRUE(rule.to() != to || rule.justify()) << to;
    }
  }
}

TEST_F(KindsTest, FieldsHaveOneWritingSide) {
  const auto* fields = v1::Task::descriptor();
  const auto& note = *fields->FindFieldByName("result_note");
  EXPECT_TRUE(task_.MayWrite(note, Side::kExecutor));
  EXPECT_FALSE(task_.MayWrite(note, Side::kOwner));
  EXPECT_FALSE(task_.MayWrite(*fields->FindFieldByName("title"), Side::kExecutor));
  EXPECT_TRUE(task_.Immutable(*fields->FindFieldByName("to_party")));
}

TEST_F(KindsTest, ARecordNeedsItsFieldsAndCleanTexts) {
  v1::Task task;
  EXPECT_REFUSED(task_.Validate(task), kInvalidArgument, "title");
  task.set_title("Bank data of Lime Street");
  task.set_kind(v1::TASK_KIND_BANK_DATA);
  task.set_to_party(std::string(32, 'b'));
  EXPECT_OK(task_.Validate(task));
  task.set_title("Bank data\x1b[2J");
  EXPECT_REFUSED(task_.Validate(task), kInvalidArgument, "BAD_TEXT");
  task.set_title(std::string(301, 'x'));
  EXPECT_REFUSED(task_.Validate(task), kInvalidArgument, "title");
}

TEST_F(KindsTest, BytesOfAnotherFormAreRefusedAndUnknownFieldsAreKept) {
  EXPECT_REFUSED(task_.Decode("\xFF\xFF"), kInvalidArgument, "");
  v1::Task task;
  task.set_title("t");
  const std::string later = task.SerializeAsString() +
                            "\xC2\x3E\x03"
                            "new";  // field 1000
  const auto decoded = task_.Decode(later);
  ASSERT_OK(decoded);
  EXPECT_EQ((*decoded)->SerializeAsString(), later);
}

}  // namespace
}  // namespace entente::model

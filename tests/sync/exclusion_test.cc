// A body is left out: at once by each who signs, for good when all others have, and nothing it
// writes later counts, whoever brings it.
#include "sync/exclusion.h"

#include <string>
#include <vector>

#include "crypto/signing.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;
const std::vector<std::string> kAll = {"XA", "XB", "XC", "XM"};

class ExclusionTest : public testing::Test {
 protected:
  ExclusionTest() {
    f_.TrustAll();
    for (const std::string& code : kAll) f_.signers.insert(f_[code].party);
  }
  void ConnectAll() {
    for (size_t a = 0; a < kAll.size(); ++a) {
      for (size_t b = a + 1; b < kAll.size(); ++b) f_.Connect(f_[kAll[a]], f_[kAll[b]]);
    }
    f_.Settle();
  }
  void Minutes(int n) {
    for (int i = 0; i < n; ++i) f_.Pass(absl::Minutes(1));
  }
  absl::Status Say(const std::string& who, crypto::Purpose purpose, const std::string& payload) {
    Body& body = f_[who];
    Draft draft;
    draft.jit = f_.jit;
    for (const std::string& code : kAll) draft.audience.insert(f_[code].party);
    draft.audience.erase(f_["XM"].party);
    v1::Statement* statement = draft.body.mutable_statement();
    statement->set_purpose(std::string(crypto::PurposeName(purpose)));
    statement->set_payload(payload);
    statement->set_signer_card(body.replica->cards().Find(body.party)->hash.str());
    statement->set_signature(
        crypto::SignStatement(body.keys->statement, purpose, f_.jit, payload).str());
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    const absl::Status written = body.replica->Append(f_.now, std::move(drafts)).status();
    f_.Feed(body, Input(Tick{}));
    return written;
  }
  Members Others() { return {f_["XA"].party, f_["XB"].party, f_["XC"].party}; }
  absl::Status Exclude(const std::string& who, const std::string& party = "XM") {
    const auto payload =
        f_[who].replica->exclusions().MakeExclusion(f_.jit, f_[party].party, "it leaks", Others());
    return payload.ok() ? Say(who, crypto::Purpose::exclude, *payload) : payload.status();
  }
  absl::Status Suspend(const std::string& who, bool lifted) {
    const auto payload = f_[who].replica->exclusions().MakeSuspension(f_.jit, f_["XM"].party,
                                                                      "to be cleared up", lifted);
    return payload.ok() ? Say(who, crypto::Purpose::suspend, *payload) : payload.status();
  }
  bool Excluded(const std::string& at) {
    return f_[at].replica->exclusions().IsExcluded(f_.jit, f_["XM"].party);
  }
  Federation f_{kAll};
};

TEST_F(ExclusionTest, ASignerStopsWritingToThePartyAtOnce) {
  ConnectAll();
  ASSERT_OK(f_.Write(f_["XA"], kAll, "before"));
  ASSERT_OK(Exclude("XA"));
  EXPECT_REFUSED(f_.Write(f_["XA"], kAll, "after"), kFailedPrecondition, "EXCLUDED");
  EXPECT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "among the others"));
  EXPECT_OK(f_.Write(f_["XB"], kAll, "XB has not signed"));
  Minutes(2);
  EXPECT_FALSE(Excluded("XB"));
}

TEST_F(ExclusionTest, IsCompleteOnlyWhenAllOthersHaveSigned) {
  ConnectAll();
  ASSERT_OK(Exclude("XA"));
  ASSERT_OK(Exclude("XB"));
  Minutes(1);
  EXPECT_FALSE(Excluded("XA"));
  const std::vector<Standing> waiting = f_["XA"].replica->exclusions().StandingsIn(f_.jit);
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].waiting_for, std::set<PartyId>{f_["XC"].party});
  ASSERT_OK(Exclude("XC"));
  Minutes(1);
  for (const char* code : {"XA", "XB", "XC"}) EXPECT_TRUE(Excluded(code)) << code;
}

TEST_F(ExclusionTest, ThePartyHearsNothingOfItAndNothingAfterIt) {
  ConnectAll();
  ASSERT_OK(f_.Write(f_["XM"], kAll, "mine"));
  Minutes(10);
  std::string heard;
  f_.on_frame = [&](Body&, Body& to, v1::Frame& frame) {
    if (to.code == "XM") heard += frame.SerializeAsString();
    return true;
  };
  for (const char* code : {"XA", "XB", "XC"}) ASSERT_OK(Exclude(code));
  Minutes(1);
  heard.clear();
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB", "XC"}, "without it"));
  Minutes(10);
  const LogState* log = f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB", "XC"});
  EXPECT_EQ(heard.find(log->id.view()), std::string::npos);
  EXPECT_EQ(heard.find(f_["XA"].keys->statement.public_key().view()), std::string::npos);
  EXPECT_EQ(f_["XM"].TextsOf(f_["XA"]), Texts{});
}

TEST_F(ExclusionTest, WhatItWritesLaterIsRefusedAndByWhateverRoadHasNoEffect) {
  ConnectAll();
  ASSERT_OK(f_.Write(f_["XM"], kAll, "in time"));
  Minutes(3);
  const uint64_t size = f_.FindLog(f_["XA"], f_["XM"], kAll)->size;
  for (const char* code : {"XA", "XB", "XC"}) ASSERT_OK(Exclude(code));
  Minutes(1);
  for (int i = 0; i < 3; ++i) ASSERT_OK(f_.Write(f_["XM"], kAll, "too late"));
  Minutes(5);
  for (const char* code : {"XA", "XB", "XC"}) {
    const LogState& log = *f_.FindLog(f_[code], f_["XM"], kAll);
    EXPECT_EQ(log.size, size) << code;
    EXPECT_EQ(f_[code].replica->FinalSize(log.id), size) << code;
    EXPECT_EQ(f_[code].TextsOf(f_["XM"]), Texts{"in time"}) << code;
  }
  EXPECT_TRUE(f_["XA"].replica->InSync(f_["XB"].party));
}

// XC was cut off: it has signed with less than the others hold, and fetches up to the end.
TEST_F(ExclusionTest, TheLargestStatedSizeIsTheEndAndThoseBehindCatchUpToIt) {
  f_.Connect(f_["XM"], f_["XA"]);
  f_.Settle();
  ASSERT_OK(f_.Write(f_["XM"], kAll, "seen by XA alone"));
  f_.Settle();
  f_.Disconnect(f_["XM"]);
  ASSERT_OK(Exclude("XA"));
  ASSERT_OK(Exclude("XB"));
  ASSERT_OK(Exclude("XC"));
  f_.Connect(f_["XA"], f_["XB"]);
  f_.Connect(f_["XB"], f_["XC"]);
  f_.Settle();
  Minutes(5);
  for (const char* code : {"XB", "XC"}) {
    EXPECT_TRUE(Excluded(code));
    EXPECT_EQ(f_[code].TextsOf(f_["XM"]), Texts{"seen by XA alone"}) << code;
  }
}

TEST_F(ExclusionTest, NarrowLogsEndByWhatTheirRemainingMembersWroteDown) {
  ConnectAll();
  ASSERT_OK(f_.Write(f_["XM"], {"XM", "XA", "XB"}, "for two"));
  Minutes(3);
  std::string heard;
  f_.on_frame = [&](Body&, Body& to, v1::Frame& frame) {
    if (to.code == "XC") heard += frame.SerializeAsString();
    return true;
  };
  for (const char* code : {"XA", "XB", "XC"}) ASSERT_OK(Exclude(code));
  Minutes(3);
  const LogState& log = *f_.FindLog(f_["XA"], f_["XM"], {"XM", "XA", "XB"});
  EXPECT_EQ(f_["XA"].replica->FinalSize(log.id), log.size);
  EXPECT_EQ(f_["XB"].replica->FinalSize(log.id), log.size);
  EXPECT_NE(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"}), nullptr);  // the Close entry
  // XC was never in that audience, and the exclusion does not give the log away.
  EXPECT_EQ(heard.find(log.id.view()), std::string::npos);
  ASSERT_OK(f_.Write(f_["XM"], {"XM", "XA", "XB"}, "too late"));
  Minutes(3);
  EXPECT_EQ(f_["XA"].TextsOf(f_["XM"]), Texts{"for two"});
}

TEST_F(ExclusionTest, ASuspensionIsOneBodysOwnAndCanBeLifted) {
  ConnectAll();
  ASSERT_OK(Suspend("XA", /*lifted=*/false));
  EXPECT_REFUSED(f_.Write(f_["XA"], {"XA", "XM"}, "no"), kFailedPrecondition, "EXCLUDED");
  EXPECT_REFUSED(Suspend("XA", /*lifted=*/false), kFailedPrecondition, "ALREADY_SUSPENDED");
  EXPECT_OK(f_.Write(f_["XB"], {"XB", "XM"}, "XB goes on"));
  f_.now += absl::Hours(1);
  ASSERT_OK(Suspend("XA", /*lifted=*/true));
  EXPECT_OK(f_.Write(f_["XA"], {"XA", "XM"}, "again"));
  EXPECT_REFUSED(Suspend("XA", /*lifted=*/true), kFailedPrecondition, "NOT_SUSPENDED");
}

TEST_F(ExclusionTest, SurvivesARestartAndEvenALostDatabase) {
  ConnectAll();
  for (const char* code : {"XA", "XB", "XC"}) ASSERT_OK(Exclude(code));
  Minutes(1);
  f_.Start(f_["XA"]);
  EXPECT_TRUE(Excluded("XA"));
  EXPECT_REFUSED(f_.Write(f_["XA"], kAll, "no"), kFailedPrecondition, "EXCLUDED");
  f_["XB"].replica->AddStopLock(Exclusions::LockOf(f_.jit, f_["XC"].party));
  EXPECT_REFUSED(f_.Write(f_["XB"], {"XB", "XC"}, "no"), kFailedPrecondition, "EXCLUDED");
}

// Found by tests/model/agreement.pml: two open exclusions may complete in different orders in
// different places.
TEST_F(ExclusionTest, ABodySignsTheNextOnlyWhenTheFirstIsComplete) {
  ConnectAll();
  ASSERT_OK(Exclude("XA"));
  EXPECT_REFUSED(Exclude("XA", "XC"), kFailedPrecondition, "EXCLUSION_PENDING");
  EXPECT_OK(Exclude("XB"));
  EXPECT_OK(Exclude("XC"));
  Minutes(1);
  ASSERT_TRUE(Excluded("XA"));
  EXPECT_OK(Exclude("XA", "XC"));
}

TEST_F(ExclusionTest, ALostDatabaseDoesNotForgetTheOpenOne) {
  ConnectAll();
  f_["XA"].replica->AddStopLock(Exclusions::LockOf(f_.jit, f_["XM"].party));
  EXPECT_REFUSED(Exclude("XA", "XC"), kFailedPrecondition, "EXCLUSION_PENDING");
  EXPECT_OK(Exclude("XA"));
}

TEST_F(ExclusionTest, WhoMaySignWhat) {
  EXPECT_REFUSED(Exclude("XA", "XA"), kInvalidArgument, "NOT_A_PARTY");
  ASSERT_OK(Exclude("XA"));
  EXPECT_REFUSED(Exclude("XA"), kAlreadyExists, "ALREADY_SIGNED");
  f_.signers = {f_["XA"].party, f_["XM"].party};
  EXPECT_REFUSED(Exclude("XB"), kPermissionDenied, "NOT_A_SIGNER");
  const auto alone =
      f_["XM"].replica->exclusions().MakeExclusion(f_.jit, f_["XA"].party, "why", Others());
  EXPECT_REFUSED(alone.status(), kFailedPrecondition, "TOO_FEW");
}

TEST_F(ExclusionTest, AStatementThatItsSignerDidNotSignCountsForNothing) {
  ConnectAll();
  for (const char* code : {"XA", "XB"}) ASSERT_OK(Exclude(code));
  const auto payload =
      f_["XC"].replica->exclusions().MakeExclusion(f_.jit, f_["XM"].party, "forged", Others());
  ASSERT_OK(payload.status());
  // Right body, wrong purpose: a suspension's signature is not that of an exclusion.
  Body& body = f_["XC"];
  Draft draft;
  draft.jit = f_.jit;
  draft.audience = Others();
  v1::Statement* statement = draft.body.mutable_statement();
  statement->set_purpose("exclude");
  statement->set_payload(*payload);
  statement->set_signer_card(body.replica->cards().Find(body.party)->hash.str());
  statement->set_signature(
      crypto::SignStatement(body.keys->statement, crypto::Purpose::suspend, f_.jit, *payload)
          .str());
  std::vector<Draft> drafts;
  drafts.push_back(std::move(draft));
  ASSERT_OK(body.replica->Append(f_.now, std::move(drafts)).status());
  f_.Feed(body, Input(Tick{}));
  Minutes(2);
  EXPECT_FALSE(Excluded("XA"));
}

}  // namespace
}  // namespace entente::sync

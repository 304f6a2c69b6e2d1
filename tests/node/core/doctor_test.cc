// Each finding of the doctor: there when its cause is planted, and absent from a healthy node.
#include "node/core/doctor.h"

#include <string>
#include <vector>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);

DoctorFacts Healthy() {
  DoctorFacts facts;
  facts.self = "XA";
  facts.newest_own_stamp = kNow - absl::Hours(1);
  facts.own_keys_since = kNow - absl::Hours(24 * 10);
  facts.next_rotation = kNow + absl::Hours(24 * 20);
  for (const char* code : {"XB", "XC", "EJ"}) {
    DoctorFacts::Peer peer;
    peer.code = code;
    peer.connected = true;
    peer.last_contact = kNow;
    peer.newest_stamp = kNow - absl::Minutes(1);
    peer.keys_since = kNow - absl::Hours(24 * 10);
    peer.shares_a_jit = true;
    facts.peers.push_back(peer);
  }
  facts.jits.push_back({"LANTERN", true, kNow + absl::Hours(24 * 300), {}});
  return facts;
}

DoctorFacts::Peer& Cut(DoctorFacts& facts, absl::Duration ago) {
  DoctorFacts::Peer& peer = facts.peers.front();
  peer.connected = false;
  peer.last_contact = kNow - ago;
  return peer;
}

std::string Codes(const DoctorFacts& facts) {
  std::string out;
  for (const v1::Finding& finding : Examine(facts, kNow)) {
    EXPECT_NE(finding.severity(), v1::SEVERITY_UNSPECIFIED);
    EXPECT_FALSE(finding.what().empty() || finding.why().empty() || finding.next().empty())
        << finding.code();
    out += (out.empty() ? "" : " ") + finding.code();
  }
  return out;
}

TEST(DoctorTest, AHealthyNodeHasNoFindings) { EXPECT_EQ(Codes(Healthy()), ""); }

TEST(DoctorTest, AClockBehindItsOwnStampsHasBeenSetBack) {
  DoctorFacts facts = Healthy();
  facts.newest_own_stamp = kNow + absl::Minutes(9);
  EXPECT_EQ(Codes(facts), "");
  facts.newest_own_stamp = kNow + absl::Minutes(11);
  EXPECT_EQ(Codes(facts), "CLOCK_SET_BACK");
}

TEST(DoctorTest, OneBodyAheadIsItsClockAndMostBodiesAheadIsOurs) {
  DoctorFacts facts = Healthy();
  facts.peers[0].newest_stamp = kNow + absl::Hours(3);
  EXPECT_EQ(Codes(facts), "CLOCK_OF_PEER");
  facts.peers[1].newest_stamp = kNow + absl::Hours(3);
  EXPECT_EQ(Codes(facts), "CLOCK_BEHIND");
}

TEST(DoctorTest, ARestoredNodeIsAdvisedAndAClonedOneAlarms) {
  DoctorFacts facts = Healthy();
  facts.incarnation = 2;
  EXPECT_EQ(Codes(facts), "RESTORED");
  facts.cloned = true;
  EXPECT_EQ(Codes(facts), "CLONED");
  EXPECT_EQ(Examine(facts, kNow).front().severity(), v1::SEVERITY_ALARM);
}

TEST(DoctorTest, AContradictionSaysWhoseItIsAndHowMuchLostItsEffect) {
  DoctorFacts facts = Healthy();
  facts.forks.push_back({"XB", false, 10, 7});
  const std::vector<v1::Finding> found = Examine(facts, kNow);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().code(), "FORK");
  EXPECT_NE(found.front().why().find("The last 3 of 10 entries"), std::string::npos);
  facts.forks = {{"XA", true, 10, 10}};
  EXPECT_EQ(Codes(facts), "FORK_OWN");
}

TEST(DoctorTest, AContradictionOfKeysThatAreGivenUpAlarmsNobodyForEver) {
  DoctorFacts facts = Healthy();
  facts.forks = {{"XA", true, 10, 10, true}, {"XB", false, 10, 7, true}};
  EXPECT_EQ(Codes(facts), "FORK_OWN FORK");
  for (const v1::Finding& finding : Examine(facts, kNow)) {
    EXPECT_EQ(finding.severity(), v1::SEVERITY_ADVICE);
    EXPECT_EQ(finding.next().find("renew"), std::string::npos);
  }
}

TEST(DoctorTest, PeersThatWereNeverMetOrAreSilentOrHaveNoRoad) {
  DoctorFacts facts = Healthy();
  Cut(facts, absl::Hours(24 * 2));
  EXPECT_EQ(Codes(facts), "NOT_CONNECTED");
  EXPECT_EQ(Examine(facts, kNow).front().severity(), v1::SEVERITY_ADVICE);
  facts.peers.front().road = DoctorFacts::Road::kRelay;
  EXPECT_EQ(Codes(facts), "") << "through a relay nobody is ever connected";
  facts.peers.front().road = DoctorFacts::Road::kDirect;
  Cut(facts, absl::Hours(24 * 4));
  EXPECT_EQ(Codes(facts), "SILENT");
  facts.peers.front().shares_a_jit = false;
  EXPECT_EQ(Codes(facts), "");
  facts.peers.front().last_contact = absl::InfinitePast();
  EXPECT_EQ(Codes(facts), "NEVER_MET");
  facts.peers.front().road = DoctorFacts::Road::kNone;
  EXPECT_EQ(Codes(facts), "NO_ROAD");
}

TEST(DoctorTest, ANodeThatIsStillCatchingUpSaysSo) {
  DoctorFacts facts = Healthy();
  facts.peers.front().agrees = false;
  EXPECT_EQ(Codes(facts), "CATCHING_UP");
  facts.peers.front().shares_a_jit = false;
  EXPECT_EQ(Codes(facts), "");
}

TEST(DoctorTest, WhatWaitsAtARelayIsNamedAWeekBeforeItIsErased) {
  DoctorFacts facts = Healthy();
  DoctorFacts::Peer& peer = Cut(facts, absl::Hours(24 * 22));
  peer.road = DoctorFacts::Road::kRelay;
  peer.waiting = 5;
  EXPECT_EQ(Codes(facts), "RELAY_ERASES");
  peer.waiting = 0;
  EXPECT_EQ(Codes(facts), "SILENT");
}

TEST(DoctorTest, RefusalsOfTheLastWeekAreExplained) {
  DoctorFacts facts = Healthy();
  facts.refusals = {{"XB", true, v1::REFUSAL_CODE_UNTRUSTED_CARD, kNow - absl::Hours(1), 3}};
  EXPECT_EQ(Codes(facts), "") << "they are connected, so that is over";
  Cut(facts, absl::Hours(2)).road = DoctorFacts::Road::kRelay;
  EXPECT_EQ(Codes(facts), "CARD_NOT_TRUSTED_THERE");
  facts.refusals[0].by_peer = false;
  EXPECT_EQ(Codes(facts), "CARD_NOT_TRUSTED_HERE");
  facts.refusals[0].code = v1::REFUSAL_CODE_VERSION;
  EXPECT_EQ(Codes(facts), "VERSION");
  facts.refusals[0].code = v1::REFUSAL_CODE_REVOKED_CARD;
  EXPECT_EQ(Codes(facts), "CARD_REVOKED");
  facts.refusals[0].code = v1::REFUSAL_CODE_STORAGE;
  EXPECT_EQ(Codes(facts), "STORAGE_REFUSED");
  facts.refusals[0].code = v1::REFUSAL_CODE_TOO_BIG;
  EXPECT_EQ(Codes(facts), "TOO_MUCH");
  facts.refusals[0].code = v1::REFUSAL_CODE_BAD_PROOF;
  EXPECT_EQ(Codes(facts), "REFUSED_BAD_PROOF");
  facts.refusals[0].code = v1::REFUSAL_CODE_NOT_HERE;
  EXPECT_EQ(Codes(facts), "");
  facts.refusals[0] = {"XB", true, v1::REFUSAL_CODE_VERSION, kNow - absl::Hours(24 * 8), 3};
  EXPECT_EQ(Codes(facts), "");
}

TEST(DoctorTest, KeysThatHaveNotChangedInTimeHereOrAtAPeer) {
  DoctorFacts facts = Healthy();
  facts.next_rotation = kNow - absl::Hours(24);
  EXPECT_EQ(Codes(facts), "");
  facts.next_rotation = kNow - absl::Hours(24 * 3);
  EXPECT_EQ(Codes(facts), "ROTATION_OVERDUE");
  facts = Healthy();
  facts.peers[1].keys_since = kNow - absl::Hours(24 * 59);
  EXPECT_EQ(Codes(facts), "");
  facts.peers[1].keys_since = kNow - absl::Hours(24 * 61);
  EXPECT_EQ(Codes(facts), "PEER_UNCHANGED");
  EXPECT_EQ(Examine(facts, kNow).front().severity(), v1::SEVERITY_ADVICE);
}

TEST(DoctorTest, PeersThatHaveNotHeardOfFreshKeysAreNamedOnceTheNewsHadTime) {
  DoctorFacts facts = Healthy();
  facts.behind = {"EJ"};
  EXPECT_EQ(Codes(facts), "PEERS_BEHIND");
  facts.own_keys_since = kNow - absl::Hours(24 * 2);
  EXPECT_EQ(Codes(facts), "");
}

TEST(DoctorTest, WhatDoesNotOpenHereIsNamedByItsAuthor) {
  DoctorFacts facts = Healthy();
  facts.locked_authors = {"XB"};
  EXPECT_EQ(Codes(facts), "LOCKED");
}

TEST(DoctorTest, ADisputedCardAlarmsAndSaysWhose) {
  DoctorFacts facts = Healthy();
  facts.disputed = {"XB"};
  EXPECT_EQ(Codes(facts), "DISPUTED");
  EXPECT_EQ(Examine(facts, kNow).front().severity(), v1::SEVERITY_ALARM);
  facts.disputed = {"XA"};
  EXPECT_EQ(Codes(facts), "DISPUTED_OWN");
}

TEST(DoctorTest, ATheftThatABodyHasToldIsNamedForThreeMonths) {
  DoctorFacts facts = Healthy();
  facts.thefts = {{"XB", kNow - absl::Hours(24 * 200), kNow - absl::Hours(24 * 5)}};
  EXPECT_EQ(Codes(facts), "COMPROMISED");
  EXPECT_NE(Examine(facts, kNow).front().next().find("exposure --body XB --since 20"),
            std::string::npos);
  facts.thefts.front().told = kNow - absl::Hours(24 * 91);
  EXPECT_EQ(Codes(facts), "");
}

TEST(DoctorTest, AnErasureThatIsNotConfirmedForAWeekNamesWhoIsWaitedFor) {
  DoctorFacts facts = Healthy();
  facts.erasures = {{"E-1", kNow - absl::Hours(24 * 6), {"XB", "XC"}}};
  EXPECT_EQ(Codes(facts), "");
  facts.erasures.front().ordered = kNow - absl::Hours(24 * 8);
  EXPECT_EQ(Codes(facts), "ERASURE_OPEN");
  const v1::Finding finding = Examine(facts, kNow).front();
  EXPECT_NE(finding.what().find("E-1 was ordered 8 days ago, and not confirmed by XB, XC"),
            std::string::npos);
  EXPECT_EQ(finding.next(), "entente evidence certificate E-1");
}

TEST(DoctorTest, EvidenceWhoseDateHasComeIsToBeReviewed) {
  DoctorFacts facts = Healthy();
  facts.to_be_reviewed = 3;
  EXPECT_EQ(Codes(facts), "REVIEW_DUE");
  EXPECT_NE(Examine(facts, kNow).front().next().find("list --due 2030-03-17"), std::string::npos);
}

// People at a node's door know cards, countries and dates.
TEST(DoctorTest, NoTextSpeaksOfKeysOrHashes) {
  DoctorFacts facts = Healthy();
  facts.cloned = true;
  facts.next_rotation = facts.own_keys_since = kNow - absl::Hours(24 * 100);
  facts.behind = facts.disputed = {"XB", "EJ"};
  facts.locked_authors = {"XB"};
  facts.erasures = {{"E-1", kNow - absl::Hours(24 * 8), {"XB"}}};
  facts.to_be_reviewed = 1;
  facts.thefts = {{"XB", kNow - absl::Hours(24 * 200), kNow - absl::Hours(24 * 5)}};
  facts.forks = {{"XB", false, 10, 7}, {"XA", true, 10, 10}, {"EJ", false, 10, 7, true}};
  for (DoctorFacts::Peer& peer : facts.peers) peer.keys_since = facts.own_keys_since;
  const std::vector<v1::Finding> found = Examine(facts, kNow);
  EXPECT_GE(found.size(), 10u);
  for (const v1::Finding& finding : found) {
    for (const char* word : {"key", "hash"}) {
      EXPECT_EQ((finding.what() + finding.why()).find(word), std::string::npos) << finding.what();
    }
  }
}

TEST(DoctorTest, AgreementsThatExpireOrWaitForASignature) {
  DoctorFacts facts = Healthy();
  facts.jits[0].period_to = kNow + absl::Hours(24 * 29);
  EXPECT_EQ(Codes(facts), "EXPIRING");
  facts.jits[0].period_to = kNow - absl::Hours(1);
  EXPECT_EQ(Codes(facts), "EXPIRED");
  facts = Healthy();
  facts.jits[0].waiting_for = {"XB"};
  EXPECT_EQ(Codes(facts), "SIGNING");
}

TEST(DoctorTest, AnOpenExclusionAndASuspensionAreNamedAndACompleteOneIsNot) {
  DoctorFacts facts = Healthy();
  facts.standings = {{"LANTERN", "XC", false, {"XA"}, {"XB"}, {}}};
  EXPECT_EQ(Codes(facts), "EXCLUSION_OPEN");
  facts.standings = {{"LANTERN", "XC", false, {}, {}, {"XA"}}};
  EXPECT_EQ(Codes(facts), "SUSPENDED");
  facts.standings = {{"LANTERN", "XC", true, {"XA", "XB"}, {}, {}}};
  EXPECT_EQ(Codes(facts), "");
}

TEST(DoctorTest, WhatIsOnlyHereIsAProblemWhenNobodyIsConnected) {
  DoctorFacts facts = Healthy();
  facts.only_here = 4;
  EXPECT_EQ(Codes(facts), "ONLY_HERE");
  EXPECT_EQ(Examine(facts, kNow).front().severity(), v1::SEVERITY_ADVICE);
  for (DoctorFacts::Peer& peer : facts.peers) peer.connected = false;
  EXPECT_EQ(Examine(facts, kNow).front().severity(), v1::SEVERITY_PROBLEM);
}

TEST(DoctorTest, TheWorstComesFirst) {
  DoctorFacts facts = Healthy();
  facts.only_here = 1;
  facts.cloned = true;
  facts.locked_authors = {"XB"};
  EXPECT_EQ(Codes(facts), "CLONED LOCKED ONLY_HERE");
}

// The same on nodes that work together.
class DoctorAtWorkTest : public CoreTest {
 protected:
  std::string Ask(const std::string& code) {
    const auto answer =
        Call<v1::DiagnoseResponse>(code, "NodeService/Diagnose", v1::DiagnoseRequest());
    EXPECT_OK(answer.status());
    std::string out;
    for (const v1::Finding& finding : answer->findings()) out += finding.code() + " ";
    return out;
  }
};

TEST_F(DoctorAtWorkTest, AFederationAtRestIsWell) {
  Settle();
  EXPECT_EQ(Ask("XA"), "");
}

TEST_F(DoctorAtWorkTest, AnOperatorMayAskAndABodyThatIsDownIsNoticed) {
  Settle();
  node("XA").role = v1::ROLE_NODE_OPERATOR;
  node("XB").PowerOff();
  world_.RunFor(absl::Hours(24 * 4));
  EXPECT_NE(Ask("XA").find("SILENT"), std::string::npos);
}

}  // namespace
}  // namespace entente::core

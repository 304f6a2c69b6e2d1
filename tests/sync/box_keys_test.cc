// Keys that others seal to: they change, everybody follows, and what is old is destroyed in the
// end.
#include "sync/box_keys.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sync/limits.h"
#include "sync/mailbox.h"
#include "sync/schema.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

using Texts = std::vector<std::string>;
constexpr absl::Duration kDay = absl::Hours(24);

class BoxKeysTest : public testing::Test {
 protected:
  BoxKeysTest() { f_.TrustAll(); }

  void Connect(const std::string& a, const std::string& b) {
    f_.Connect(f_[a], f_[b]);
    f_.Settle();
  }
  absl::Status Rotate(const std::string& who, bool emergency = false) {
    const absl::Status done = f_[who].replica->RotateBoxKey(f_.now, emergency);
    f_.Feed(f_[who], Input(Tick{}));
    f_.Settle();
    return done;
  }
  const BoxKeys& Keys(const std::string& who) { return f_[who].replica->box_keys(); }
  KeyId Newest(const std::string& who, const std::string& of) {
    return Keys(who).NewestOf(f_[of].party)->id;
  }
  // The keys of `of` that the newest epoch of a log is sealed to.
  std::set<std::string> SealedTo(const std::string& author, const Texts& audience,
                                 const std::string& of) {
    const LogState& log = *f_.FindLog(f_[author], f_[author], audience);
    v1::Epoch epoch;
    EXPECT_TRUE(
        epoch.ParseFromString(f_[author].replica->logs().Read(log, log.epoch_first - 1)->body));
    std::set<std::string> out;
    for (const v1::Slot& slot : epoch.slots()) {
      if (slot.party() == f_[of].party.view()) out.insert(slot.key_id());
    }
    return out;
  }

  Federation f_{{"XA", "XB", "XC", "RD"}};
};

// "Box keys rotate every 30 days; private half kept 60 days for late parcels, then destroyed"
TEST_F(BoxKeysTest, ANewKeyIsDrawnEveryThirtyDaysAndReachesThePeers) {
  Connect("XA", "XB");
  const KeyId first = Newest("XB", "XA");
  f_.Pass(29 * kDay);
  EXPECT_EQ(Newest("XB", "XA"), first);
  f_.Pass(2 * kDay);
  EXPECT_NE(Newest("XB", "XA"), first);
  EXPECT_EQ(Newest("XB", "XA"), Newest("XA", "XA"));
  EXPECT_TRUE(Keys("XA").KnowsNewest(f_["XB"].party));
  EXPECT_FALSE(Keys("XA").KnowsNewest(f_["XC"].party));
  // Who was away hears it at the next meeting.
  Connect("XA", "XC");
  EXPECT_EQ(Newest("XC", "XA"), Newest("XA", "XA"));
}

TEST_F(BoxKeysTest, ThePrivateHalfIsKeptSixtyDaysAndThenDestroyed) {
  const KeyId first = Newest("XA", "XA");
  ASSERT_OK(Rotate("XA"));
  f_.now += 59 * kDay;
  f_.Feed(f_["XA"], Input(Tick{}));
  EXPECT_NE(Keys("XA").Find(first.view()), nullptr);
  f_.now += 2 * kDay;
  f_.Feed(f_["XA"], Input(Tick{}));
  EXPECT_EQ(Keys("XA").Find(first.view()), nullptr);
  f_.Start(f_["XA"]);
  EXPECT_EQ(Keys("XA").Find(first.view()), nullptr);
  EXPECT_NE(Keys("XA").Find(Newest("XA", "XA").view()), nullptr);
}

TEST_F(BoxKeysTest, TheStoreOfANodeHoldsNothingOfADestroyedKey) {
  ASSERT_OK(Rotate("XA"));
  const std::string secret(Keys("XA").newest().secret().view());
  const auto held = [&] {
    for (const auto& [key, value] : f_["XA"].disk.rows()) {
      if (value.find(secret) != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(held());
  ASSERT_OK(Rotate("XA"));
  EXPECT_TRUE(held());
  f_.now += 61 * kDay;
  f_.Feed(f_["XA"], Input(Tick{}));
  EXPECT_FALSE(held());
}

// "New epoch: first write after a member's box key changed (lazy: idle logs cost nothing)"
TEST_F(BoxKeysTest, TheNextWriteBeginsAnEpochForTheNewKey) {
  Connect("XA", "XB");
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "one"));
  f_.Settle();
  ASSERT_OK(Rotate("XB"));
  f_.Pass(absl::Minutes(1));
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->epoch, 1u);
  EXPECT_EQ(*f_["XA"].replica->RekeyDebt(true), 1u);
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "two"));
  f_.Settle();
  EXPECT_EQ(f_.FindLog(f_["XA"], f_["XA"], {"XA", "XB"})->epoch, 2u);
  EXPECT_TRUE(SealedTo("XA", {"XA", "XB"}, "XB").contains(Newest("XB", "XB").str()));
  EXPECT_EQ(*f_["XA"].replica->RekeyDebt(true), 0u);
  EXPECT_EQ(*f_["XB"].replica->RekeyDebt(false), 0u);
  EXPECT_EQ(f_["XB"].TextsOf(f_["XA"]), (Texts{"one", "two"}));
}

// "nothing is wrapped under the old key any more after one session"
TEST_F(BoxKeysTest, InAnEmergencyEverythingIsSealedAnewAtOnceByAllWhoHearOfIt) {
  Connect("XA", "XB");
  Connect("XB", "XC");
  ASSERT_OK(f_.Write(f_["XA"], {"XA", "XB"}, "of XA"));
  ASSERT_OK(f_.Write(f_["XB"], {"XA", "XB"}, "of XB"));
  ASSERT_OK(f_.Write(f_["XB"], {"XB", "XC"}, "idle, without XA"));
  f_.Settle();
  const std::string old = Newest("XA", "XA").str();
  ASSERT_OK(Rotate("XA", /*emergency=*/true));
  EXPECT_FALSE(SealedTo("XA", {"XA", "XB"}, "XA").contains(old));
  EXPECT_FALSE(SealedTo("XB", {"XA", "XB"}, "XA").contains(old));
  EXPECT_EQ(f_.FindLog(f_["XB"], f_["XB"], {"XB", "XC"})->epoch, 1u);
  for (const char* code : {"XA", "XB"}) {
    EXPECT_EQ(*f_[code].replica->RekeyDebt(true), 0u) << code;
    EXPECT_EQ(*f_[code].replica->RekeyDebt(false), 0u) << code;
  }
}

// "the old private half is destroyed as soon as what was sealed to it has been opened"
TEST_F(BoxKeysTest, AKeyGivenUpInHasteGoesOnceNobodyNeedsItAndNotBefore) {
  ASSERT_OK(f_.Write(f_["XB"], {"XA", "XB"}, "sealed before XB heard"));
  ASSERT_OK(f_.Write(f_["XC"], {"XA", "XC"}, "the same of XC"));
  Connect("XA", "XB");
  const KeyId old = Newest("XA", "XA");
  Connect("XA", "XC");
  f_.Disconnect(f_["XC"]);
  ASSERT_OK(f_.Write(f_["XC"], {"XA", "XC"}, "while XC is away"));
  ASSERT_OK(Rotate("XA", /*emergency=*/true));
  for (int i = 0; i < 5; ++i) f_.Pass(absl::Minutes(1));
  EXPECT_NE(Keys("XA").Find(old.view()), nullptr) << "XC has not heard of the new key";
  f_.Start(f_["XA"]);
  Connect("XA", "XB");
  Connect("XA", "XC");
  for (int i = 0; i < 5; ++i) f_.Pass(absl::Minutes(1));
  EXPECT_EQ(f_["XA"].TextsOf(f_["XC"]), (Texts{"the same of XC", "while XC is away"}));
  EXPECT_EQ(Keys("XA").Find(old.view()), nullptr);
}

TEST_F(BoxKeysTest, ManyLogsAreSealedAnewAFewAStepUntilNoneIsLeft) {
  Connect("XA", "XB");
  for (int i = 0; i < 40; ++i) {
    Draft draft;
    draft.jit = *JitId::From(std::string(31, 'j') + static_cast<char>(i));
    draft.audience = {f_["XA"].party, f_["XB"].party};
    draft.body.set_justification("text");
    std::vector<Draft> drafts;
    drafts.push_back(std::move(draft));
    ASSERT_OK(f_["XA"].replica->Append(f_.now, std::move(drafts)).status());
  }
  f_.Feed(f_["XA"], Input(Tick{}));
  f_.Settle();
  ASSERT_OK(Rotate("XB", /*emergency=*/true));
  for (int i = 0; i < 4; ++i) f_.Pass(absl::Seconds(1));
  EXPECT_EQ(*f_["XA"].replica->RekeyDebt(true), 0u);
}

// "the node then lacks the newest private half: it must notice and announce a fresh key at once"
TEST_F(BoxKeysTest, ANodeSetBackToBeforeARotationAnnouncesAnotherKeyAtOnce) {
  Connect("XA", "XB");
  const auto before = f_["XA"].disk.rows();
  ASSERT_OK(Rotate("XA"));
  const KeyId lost = Newest("XB", "XA");
  f_["XA"].disk.rows() = before;
  f_.Start(f_["XA"]);  // the anchor file remembers
  Connect("XA", "XB");
  EXPECT_NE(Newest("XB", "XA"), lost);
  EXPECT_EQ(Newest("XB", "XA"), Newest("XA", "XA"));
  ASSERT_OK(f_.Write(f_["XB"], {"XA", "XB"}, "readable"));
  f_.Settle();
  EXPECT_EQ(f_["XA"].TextsOf(f_["XB"]), Texts{"readable"});
}

TEST_F(BoxKeysTest, WithoutAnAnchorThePeersTellOfTheKeyThatWasLost) {
  Connect("XA", "XB");
  const auto before = f_["XA"].disk.rows();
  ASSERT_OK(Rotate("XA"));
  const KeyId lost = Newest("XB", "XA");
  f_["XA"].disk.rows() = before;
  f_["XA"].anchors.clear();
  f_.Start(f_["XA"], /*anchor_missing=*/true);
  Connect("XA", "XB");
  f_.Pass(absl::Seconds(1));
  EXPECT_NE(Newest("XB", "XA"), lost);
  EXPECT_EQ(Newest("XB", "XA"), Newest("XA", "XA"));
}

TEST_F(BoxKeysTest, AStatementThatDoesNotHoldChangesNothing) {
  Connect("XA", "XB");
  const KeyId first = Newest("XB", "XA");
  const TrustedCard card = *VerifyCard(f_["XA"].signed_card);
  const crypto::BoxKeyPair box = crypto::BoxKeyPair::Generate(f_.entropy);
  v1::BoxKeyNotice notice;
  notice.set_party(f_["XA"].party.str());
  notice.set_card(card.hash.str());
  notice.set_seq(7);
  notice.mutable_key()->set_id(box.id().str());
  notice.mutable_key()->set_public_key(box.public_key().str());
  const auto signed_by = [&](const Body& who) { return SignBoxKey(notice, who.keys->statement); };
  ASSERT_OK(VerifyBoxKey(signed_by(f_["XA"]), card));
  EXPECT_REFUSED(VerifyBoxKey(signed_by(f_["XB"]), card), kUnauthenticated, "own body");
  for (const auto& spoil : std::vector<std::function<void(v1::BoxKeyNotice&)>>{
           [&](auto& n) { n.set_party(f_["XB"].party.str()); },
           [](auto& n) { n.set_card(std::string(32, 'c')); }, [](auto& n) { n.set_seq(0); },
           [](auto& n) { n.mutable_key()->set_public_key(std::string(32, '\0')); },
           [](auto& n) { n.mutable_key()->set_id("other id"); },
           [](auto& n) {  // a point of low order, to which nothing can be sealed
             std::string one(32, '\0');
             one[0] = 1;
             n.mutable_key()->set_public_key(one);
             n.mutable_key()->set_id(crypto::BoxKeyId(*BoxPublicKey::From(one)).str());
           },
           [](auto& n) { n.set_seq(UINT64_MAX); },
           [](auto& n) { n.mutable_key()->set_public_key("short"); }}) {
    const v1::BoxKeyNotice good = notice;
    spoil(notice);
    EXPECT_REFUSED(VerifyBoxKey(signed_by(f_["XA"]), card), kInvalidArgument, "");
    notice = good;
  }
  v1::SignedBoxKey altered = signed_by(f_["XA"]);
  altered.mutable_signature()->front() ^= 1;
  EXPECT_REFUSED(VerifyBoxKey(altered, card), kUnauthenticated, "");
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (from.code == "XA" && frame.has_box_keys() && frame.box_keys().has_own()) {
      frame.mutable_box_keys()->mutable_own()->mutable_signature()->front() ^= 1;
    }
    return true;
  };
  ASSERT_OK(Rotate("XA"));
  EXPECT_EQ(Newest("XB", "XA"), first);
}

// Peers say which keys of this node they know, and a lost one has to be followed by a higher
// number.
TEST_F(BoxKeysTest, NoClaimOfAPeerUsesTheNumbersUp) {
  Connect("XA", "XB");
  v1::Frame frame;
  v1::KnownBoxKey* known = frame.mutable_box_keys()->mutable_yours();
  known->set_card(VerifyCard(f_["XA"].signed_card)->hash.str());
  known->set_key_id("a key that never was");
  for (const uint64_t seq : {UINT64_MAX - 1, uint64_t{1} << 40}) {
    known->set_seq(seq);
    f_.Feed(f_["XA"], Input(FrameReceived{1, frame}));
    f_.Pass(2 * absl::Hours(1));
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK(Rotate("XA"));
      EXPECT_EQ(Newest("XB", "XA"), Keys("XA").newest().id()) << seq;
    }
  }
}

TEST_F(BoxKeysTest, AnOlderStatementPlayedAgainChangesNothing) {
  Connect("XA", "XB");
  v1::Frame older;
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (from.code == "XA" && frame.has_box_keys() && older.frame_case() == 0) older = frame;
    return true;
  };
  ASSERT_OK(Rotate("XA"));
  ASSERT_OK(Rotate("XA"));
  f_.on_frame = [&](Body& from, Body&, v1::Frame& frame) {
    if (from.code == "XA" && frame.has_digests()) frame = older;
    return true;
  };
  f_.Pass(absl::Minutes(1));
  EXPECT_EQ(Newest("XB", "XA"), Newest("XA", "XA"));
}

// A card file brings the newest key along: the card's own may have been destroyed long ago.
TEST_F(BoxKeysTest, WhoTrustsACardLateSealsToTheKeyThatIsInUse) {
  Federation late({"XA", "XB"});
  ASSERT_OK(late["XA"].replica->RotateBoxKey(late.now, false));
  late.Feed(late["XA"], Input(Tick{}));
  ASSERT_OK(late["XB"].replica->TrustCard(
      late["XA"].replica->PortableCard(late["XA"].party).SerializeAsString(), late.now));
  EXPECT_EQ(late["XB"].replica->box_keys().NewestOf(late["XA"].party)->id,
            late["XA"].replica->box_keys().newest().id());
}

// "a parcel sealed to an older, unexpired key still opens"
TEST_F(BoxKeysTest, AParcelForAnOlderKeyStillOpensAndTheNextGoesToTheNewMailbox) {
  Body &xa = f_["XA"], &rd = f_["RD"];
  ASSERT_OK(f_.Carry(xa, rd));
  ASSERT_OK(f_.Carry(rd, xa));
  ASSERT_OK(f_.Write(xa, {"XA", "RD"}, "for the old key"));
  const MailboxId before = OutgoingMailbox(Keys("XA"), xa.party, rd.party)->id;
  ASSERT_OK(Rotate("RD"));
  ASSERT_OK(f_.Carry(xa, rd));
  EXPECT_EQ(rd.TextsOf(xa), Texts{"for the old key"});
  ASSERT_OK(f_.Carry(rd, xa));
  const MailboxId after = OutgoingMailbox(Keys("XA"), xa.party, rd.party)->id;
  EXPECT_NE(before, after);
  bool open = false;
  for (const IncomingMailbox& box : IncomingMailboxes(Keys("RD"), rd.party, xa.party)) {
    open = open || box.mailbox.id == after;
  }
  EXPECT_TRUE(open);
  ASSERT_OK(f_.Write(xa, {"XA", "RD"}, "for the new key"));
  ASSERT_OK(f_.Carry(xa, rd));
  EXPECT_EQ(rd.TextsOf(xa), (Texts{"for the old key", "for the new key"}));
}

// Whichever of the two rotates, and however often their parcels cross, they keep meeting.
TEST_F(BoxKeysTest, TwoBodiesThatMeetThroughARelayAloneNeverLoseEachOther) {
  Federation two({"RA", "RB"});
  two.TrustAll();
  Body &ra = two["RA"], &rb = two["RB"];
  Texts from_a, from_b;
  for (int month = 0; month < 12; ++month) {
    ASSERT_OK(two.Write(ra, {"RA", "RB"}, from_a.emplace_back("a" + std::to_string(month))));
    ASSERT_OK(two.Write(rb, {"RA", "RB"}, from_b.emplace_back("b" + std::to_string(month))));
    if (month % 3 != 0) {
      ASSERT_OK(two.Carry(ra, rb));
    }
    if (month % 3 != 1) {
      ASSERT_OK(two.Carry(rb, ra));
    }
    if (month == 5) {
      ASSERT_OK(ra.replica->RotateBoxKey(two.now, /*emergency=*/true));
      two.Feed(ra, Input(Tick{}));
    }
    two.now += 16 * kDay;
    two.Feed(ra, Input(Tick{}));
    two.Feed(rb, Input(Tick{}));
  }
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK(two.Carry(ra, rb));
    ASSERT_OK(two.Carry(rb, ra));
    two.Pass(kIdleParcelInterval);
  }
  EXPECT_EQ(rb.TextsOf(ra), from_a);
  EXPECT_EQ(ra.TextsOf(rb), from_b);
}

// RA forgets which keys of RB it knew; RB goes on using the one that RA once confirmed.
TEST_F(BoxKeysTest, ABodyThatLostItsDatabaseIsHeardByRelayEvenWhenItsFirstParcelsAreLost) {
  Federation two({"RA", "RB"});
  two.TrustAll();
  Body &ra = two["RA"], &rb = two["RB"];
  for (int rotation = 0; rotation < 6; ++rotation) {
    for (Body* body : {&ra, &rb}) {
      ASSERT_OK(body->replica->RotateBoxKey(two.now, /*emergency=*/false));
      two.Feed(*body, Input(Tick{}));
    }
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK(two.Carry(ra, rb));
      ASSERT_OK(two.Carry(rb, ra));
    }
    two.now += kDay;
  }
  two.LoseDatabase(ra);
  ASSERT_TRUE(two.Write(rb, {"RA", "RB"}, "to whom?").ok());
  EXPECT_EQ(two.Carry(rb, ra).code(), absl::StatusCode::kNotFound);  // [NOT_FOR_US]
  // People hand over the card with the reading key in use, as docs/operating.md says.
  two.Feed(ra, Input(Tick{}));
  ASSERT_OK(ra.replica->TrustCard(rb.replica->PortableCard(rb.party).SerializeAsString(), two.now)
                .status());
  two.Feed(ra, Input(Tick{}));
  ra.parcels.clear();  // and these are lost
  for (int i = 0; i < 4; ++i) {
    two.Pass(kIdleParcelInterval);
    ASSERT_OK(two.Carry(ra, rb));
    two.Carry(rb, ra).IgnoreError();  // of those some are still for the forgotten key
  }
  const Texts texts = ra.TextsOf(rb);
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "to whom?"), 1);
}

// Nobody tells it which key it has lost: its peers go on sealing to that one, in mailboxes that it
// cannot even find. The card files that people exchange end that, wrong though its clock once was.
TEST_F(BoxKeysTest, ABodyThatLostDatabaseAndAnchorIsReachedAgainOnceCardsAreHandedOver) {
  Federation two({"RA", "RB"});
  two.TrustAll();
  Body &ra = two["RA"], &rb = two["RB"];
  const absl::Time today = two.now;
  two.now += 365 * kDay;  // RA's clock is a year ahead when it announces a key
  ASSERT_OK(ra.replica->RotateBoxKey(two.now, /*emergency=*/false));
  two.now = today;
  for (int i = 0; i < 3; ++i) {
    two.Feed(ra, Input(Tick{}));
    ASSERT_OK(two.Carry(ra, rb));
    ASSERT_OK(two.Carry(rb, ra));
    two.Pass(kIdleParcelInterval);
  }
  ra.parcels.clear();
  rb.parcels.clear();
  two.LoseDatabase(ra, /*anchor_missing=*/true);
  two.Feed(ra, Input(Tick{}));
  ASSERT_OK(two.Write(rb, {"RA", "RB"}, "to whom?"));
  EXPECT_EQ(two.Carry(rb, ra).code(), absl::StatusCode::kNotFound);  // [NOT_FOR_US]
  for (const auto& [from, to] : {std::pair(&ra, &rb), std::pair(&rb, &ra)}) {
    ASSERT_OK(to->replica->TrustCard(from->replica->PortableCard(from->party).SerializeAsString(),
                                     two.now));
    two.Feed(*to, Input(Tick{}));
  }
  for (int i = 0; i < 4; ++i) {
    two.Pass(kIdleParcelInterval);
    two.Carry(ra, rb).IgnoreError();
    two.Carry(rb, ra).IgnoreError();  // of those some are still for the forgotten key
  }
  const Texts texts = ra.TextsOf(rb);
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "to whom?"), 1);
}

}  // namespace
}  // namespace entente::sync

// What the law asks of a JIT agreement, each with its own answer (scenarios 4 and 6).
#include "node/model/agreement_rules.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::model {
namespace {

PartyId PartyOf(char c) { return *PartyId::From(std::string(32, c)); }

class AgreementRulesTest : public testing::Test {
 protected:
  AgreementRulesTest() {
    Add('a', "XA", v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
    Add('b', "XB", v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
    Add('e', "EJ", v1::BODY_KIND_EUROJUST);
    Add('t', "XT", v1::BODY_KIND_THIRD_COUNTRY_AUTHORITY);
  }
  void Add(char party, const std::string& code, v1::BodyKind kind) {
    directory_.Add({PartyOf(party), code, "Authority of " + code, kind, code});
  }
  static void AddBody(v1::Agreement& agreement, char party, const std::string& code,
                      v1::BodyKind kind, bool participant = false) {
    v1::AgreementBody* body = agreement.add_bodies();
    body->set_party(PartyOf(party).str());
    body->set_code(code);
    body->set_kind(kind);
    body->set_participant(participant);
    if (participant) return;
    v1::AgreementPerson* leader = agreement.add_leaders();
    leader->set_party(PartyOf(party).str());
    leader->set_user("Leader of " + code);
    leader->set_function("prosecutor");
  }
  static v1::Agreement Good() {
    v1::Agreement out;
    out.set_code_name("LANTERN");
    out.set_purpose("Trafficking in human beings");
    out.add_legal_bases(v1::LEGAL_BASIS_FD2002_465);
    AddBody(out, 'a', "XA", v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
    AddBody(out, 'b', "XB", v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
    AddBody(out, 'e', "EJ", v1::BODY_KIND_EUROJUST, true);
    v1::AgreementPerson* admin = out.add_space_administrators();
    admin->set_party(PartyOf('a').str());
    admin->set_user("Leader of XA");
    out.set_period_from(1'800'000'000);
    out.set_period_to(1'830'000'000);
    return out;
  }
  absl::Status With(const std::function<void(v1::Agreement&)>& change) {
    v1::Agreement agreement = Good();
    change(agreement);
    return CheckAgreement(agreement, directory_);
  }

  Directory directory_;
};

TEST_F(AgreementRulesTest, ACompleteAgreementIsAccepted) {
  EXPECT_OK(With([](auto&) {}));
}

TEST_F(AgreementRulesTest, EachGapIsNamed) {
  EXPECT_REFUSED(With([](auto& a) { a.clear_legal_bases(); }), kInvalidArgument, "NO_LEGAL_BASIS");
  EXPECT_REFUSED(With([](auto& a) { a.clear_space_administrators(); }), kInvalidArgument,
                 "NO_ADMIN");
  EXPECT_REFUSED(With([](auto& a) { a.mutable_leaders()->RemoveLast(); }), kInvalidArgument,
                 "NO_LEADER");
  EXPECT_REFUSED(With([](auto& a) { a.clear_purpose(); }), kInvalidArgument, "purpose");
  EXPECT_REFUSED(With([](auto& a) { a.clear_code_name(); }), kInvalidArgument, "code name");
}

TEST_F(AgreementRulesTest, ThePeriodIsLimited) {
  EXPECT_REFUSED(With([](auto& a) { a.set_period_to(a.period_from()); }), kInvalidArgument,
                 "BAD_PERIOD");
  EXPECT_REFUSED(With([](auto& a) { a.set_period_to(a.period_from() + 400'000'000); }),
                 kInvalidArgument, "BAD_PERIOD");
}

TEST_F(AgreementRulesTest, PartiesAreTwoStatesAndUnionBodiesTakePart) {
  EXPECT_REFUSED(With([](auto& a) { a.mutable_bodies(1)->set_participant(true); }),
                 kInvalidArgument, "TOO_FEW_PARTIES");
  EXPECT_REFUSED(With([](auto& a) { a.mutable_bodies(2)->set_participant(false); }),
                 kInvalidArgument, "UNION_BODY_AS_PARTY");
}

TEST_F(AgreementRulesTest, BodiesAreThoseOfTrustedCards) {
  EXPECT_REFUSED(With([](auto& a) { AddBody(a, 'q', "XQ", v1::BODY_KIND_MEMBER_STATE_AUTHORITY); }),
                 kFailedPrecondition, "CARD_NOT_TRUSTED");
  EXPECT_REFUSED(With([](auto& a) { a.mutable_bodies(0)->set_code("XZ"); }), kInvalidArgument,
                 "BODY_MISMATCH");
  EXPECT_REFUSED(With([](auto& a) { *a.add_bodies() = a.bodies(0); }), kInvalidArgument,
                 "BODY_TWICE");
}

TEST_F(AgreementRulesTest, ASpaceAdministratorComesFromAMemberState) {
  EXPECT_REFUSED(
      With([](auto& a) { a.mutable_space_administrators(0)->set_party(PartyOf('e').str()); }),
      kInvalidArgument, "ADMIN_NOT_ALLOWED");
  EXPECT_REFUSED(
      With([](auto& a) { a.mutable_space_administrators(0)->set_party(PartyOf('q').str()); }),
      kInvalidArgument, "BAD_ADMIN");
}

TEST_F(AgreementRulesTest, AThirdCountryContributesOnceAControllerIsNamed) {
  v1::Agreement agreement = Good();
  AddBody(agreement, 't', "XT", v1::BODY_KIND_THIRD_COUNTRY_AUTHORITY);
  EXPECT_OK(CheckAgreement(agreement, directory_));
  EXPECT_OK(MayContribute(agreement, PartyOf('a')));
  EXPECT_REFUSED(MayContribute(agreement, PartyOf('t')), kPermissionDenied, "NO_CONTROLLER");
  EXPECT_REFUSED(MayContribute(agreement, PartyOf('q')), kPermissionDenied, "NOT_A_PARTY");
  agreement.set_third_country_controller(PartyOf('a').str());
  EXPECT_OK(CheckAgreement(agreement, directory_));
  EXPECT_OK(MayContribute(agreement, PartyOf('t')));
  agreement.set_third_country_controller(PartyOf('t').str());
  EXPECT_REFUSED(CheckAgreement(agreement, directory_), kInvalidArgument, "BAD_CONTROLLER");
}

TEST_F(AgreementRulesTest, NamesWithInvisibleCharactersAreRefused) {
  EXPECT_FALSE(With([](auto& a) { a.set_code_name("LAN\xE2\x80\xAETERN"); }).ok());
  EXPECT_FALSE(With([](auto& a) { a.mutable_leaders(0)->set_user("Ada\x1b[2J"); }).ok());
}

}  // namespace
}  // namespace entente::model

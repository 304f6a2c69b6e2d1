#include "node/model/agreement_rules.h"

#include <map>
#include <set>
#include <string>

#include "node/model/kinds.h"

namespace entente::model {
namespace {

constexpr int64_t kTenYears = int64_t{10} * 366 * 24 * 3600;
constexpr int kBodiesMax = 64;

absl::Status Invalid(std::string_view what, std::string_view code, std::string_view next) {
  return absl::InvalidArgumentError(Cat(what, " [", code, "]\n  Next: ", next));
}

using Bodies = std::map<std::string, const v1::AgreementBody*>;

absl::Status CheckBodies(const v1::Agreement& agreement, const Directory& directory,
                         Bodies* bodies) {
  std::set<std::string> codes;
  int parties = 0;
  if (agreement.bodies_size() > kBodiesMax) {
    return Invalid("an agreement names at most 64 bodies", "TOO_MANY_BODIES", "name fewer");
  }
  for (const v1::AgreementBody& body : agreement.bodies()) {
    const absl::StatusOr<PartyId> party = PartyId::From(body.party());
    if (!party.ok() || !bodies->emplace(body.party(), &body).second ||
        !codes.insert(body.code()).second) {
      return Invalid(
          Cat("the body ", CleanForDisplay(body.code()), " is named twice or not at all"),
          "BODY_TWICE", "name each body once");
    }
    const BodyInfo* known = directory.Find(*party);
    if (known == nullptr) {
      return absl::FailedPreconditionError(
          Cat("the card of ", CleanForDisplay(body.code()),
              " is not trusted here [CARD_NOT_TRUSTED]\n  Next: compare the words with ",
              CleanForDisplay(body.code()), ", then: entente card trust FILE"));
    }
    if (known->code != body.code() || known->kind != body.kind()) {
      return Invalid(Cat("the agreement calls ", known->code, " something else than its card does"),
                     "BODY_MISMATCH", "propose it again with the codes of the trusted cards");
    }
    if (IsUnionBody(body.kind()) && !body.participant()) {
      return Invalid(Cat(body.code(),
                         " is a Union body and takes part as a participant, not as a "
                         "party (R 3(5))"),
                     "UNION_BODY_AS_PARTY", Cat("--participant ", body.code()));
    }
    if (!body.participant()) ++parties;
  }
  if (parties < 2) {
    return Invalid("a JIT has at least two parties (FD 2002/465 Art. 1(1))", "TOO_FEW_PARTIES",
                   "--party XA --party XB");
  }
  return absl::OkStatus();
}

absl::Status CheckPeople(const v1::Agreement& agreement, const Bodies& bodies) {
  std::set<std::string> led;
  const auto named = [&bodies](const v1::AgreementPerson& person) {
    return bodies.contains(person.party()) && !person.user().empty() &&
           CheckText(person.user(), 200, false).ok();
  };
  for (const v1::AgreementPerson& leader : agreement.leaders()) {
    if (!named(leader)) {
      return Invalid("a leader belongs to no body of the agreement or has no name", "BAD_LEADER",
                     "--leader XA:NAME:function");
    }
    led.insert(leader.party());
  }
  for (const auto& [party, body] : bodies) {
    if (!body->participant() && !led.contains(party)) {
      return Invalid(Cat(body->code(), " has no leader (FD 2002/465 Art. 1(3)(a))"), "NO_LEADER",
                     Cat("--leader ", body->code(), ":NAME:function"));
    }
  }
  for (const v1::AgreementPerson& member : agreement.members()) {
    if (!named(member)) {
      return Invalid("a member belongs to no body of the agreement or has no name", "BAD_MEMBER",
                     "--member XA:NAME:function");
    }
  }
  for (const v1::AgreementPerson& admin : agreement.space_administrators()) {
    if (!named(admin)) {
      return Invalid("a space administrator belongs to no body of the agreement", "BAD_ADMIN",
                     "--admin XA:NAME");
    }
    const v1::AgreementBody& body = *bodies.at(admin.party());
    if (!IsMemberState(body.kind()) || body.participant()) {
      return Invalid(Cat("a space administrator from ", body.code(),
                         ": only a Member State's or the EPPO's member can be one (R 3(8), 14(1))"),
                     "ADMIN_NOT_ALLOWED", "--admin XA:NAME of a Member State");
    }
  }
  if (agreement.space_administrators_size() == 0) {
    return Invalid("the agreement names no space administrator (R 14(1))", "NO_ADMIN",
                   "--admin XA:NAME");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAgreement(const v1::Agreement& agreement, const Directory& directory) {
  if (agreement.legal_bases().empty()) {
    return Invalid("the agreement names no legal basis", "NO_LEGAL_BASIS",
                   "--legal-basis fd2002-465");
  }
  for (const int basis : agreement.legal_bases()) {
    if (basis == v1::LEGAL_BASIS_UNSPECIFIED || !v1::LegalBasis_IsValid(basis)) {
      return Invalid("a legal basis that is none", "NO_LEGAL_BASIS", "--legal-basis FD2002_465");
    }
  }
  if (agreement.period_from() >= agreement.period_to() ||
      agreement.period_to() - agreement.period_from() > kTenYears) {
    return Invalid(
        "the period must end after it begins, within ten years (FD 2002/465 Art. 1(1): "
        "a limited period)",
        "BAD_PERIOD", "--from 2026-03-01 --to 2027-03-01");
  }
  Bodies bodies;
  if (absl::Status s = CheckBodies(agreement, directory, &bodies); !s.ok()) return s;
  if (absl::Status s = CheckPeople(agreement, bodies); !s.ok()) return s;
  if (!agreement.third_country_controller().empty()) {
    const auto controller = bodies.find(agreement.third_country_controller());
    if (controller == bodies.end() || !IsMemberState(controller->second->kind())) {
      return Invalid(
          "the controller for third-country data must be a Member State's administrator "
          "(R 23(2))",
          "BAD_CONTROLLER", "--controller XA");
    }
  }
  static const Kind kind(v1::Agreement::descriptor());
  return kind.Validate(agreement);
}

absl::Status MayContribute(const v1::Agreement& agreement, const PartyId& body) {
  for (const v1::AgreementBody& named : agreement.bodies()) {
    if (named.party() != body.view()) continue;
    if (IsThirdCountry(named.kind()) && agreement.third_country_controller().empty()) {
      return absl::PermissionDeniedError(
          "the agreement names no controller for third-country data yet; nothing can be "
          "contributed "
          "from a third country before it does (R 23(2)) [NO_CONTROLLER]\n  Next: propose an "
          "amendment with --controller");
    }
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError("this body is not named in the agreement [NOT_A_PARTY]");
}

}  // namespace entente::model

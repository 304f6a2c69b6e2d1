#include "node/core/agreement_commands.h"

#include <utility>

#include "node/core/membership_commands.h"
#include "node/core/proposals.h"
#include "node/model/agreement_rules.h"

namespace entente::core {
namespace {

using sync::DecisionChain;
using sync::ProposalState;

// Everybody named takes part in the signing round, participants too: the agreement is the root of
// all rights, so all who will act under it must be able to verify it.
absl::Status FillBodies(const State& state, v1::Agreement* agreement) {
  for (v1::AgreementBody& body : *agreement->mutable_bodies()) {
    const sync::TrustedCard* card = state.replica.cards().FindByCode(body.code());
    if (card == nullptr) {
      return absl::NotFoundError(
          Cat("no trusted card for ", body.code().empty() ? "a body without a code" : body.code(),
              " [UNKNOWN_PARTY]\n  Next: ask ", body.code(),
              " for its card, compare the words by telephone, then: entente card trust FILE"));
    }
    body.set_party(card->party.str());
    body.set_name(card->card.name());
    body.set_kind(card->card.kind());
  }
  const auto resolve = [&state](auto* people) -> absl::Status {
    for (v1::AgreementPerson& person : *people) {
      // People are named with the code of their body where the party id should stand.
      if (person.party().size() == PartyId::kSize) continue;
      const absl::StatusOr<PartyId> party = state.BodyByCode(person.party());
      if (!party.ok()) return party.status();
      person.set_party(party->str());
    }
    return absl::OkStatus();
  };
  if (absl::Status s = resolve(agreement->mutable_leaders()); !s.ok()) return s;
  if (absl::Status s = resolve(agreement->mutable_members()); !s.ok()) return s;
  if (absl::Status s = resolve(agreement->mutable_space_administrators()); !s.ok()) return s;
  const std::string& controller = agreement->third_country_controller();
  if (!controller.empty() && controller.size() != PartyId::kSize) {
    const absl::StatusOr<PartyId> party = state.BodyByCode(controller);
    if (!party.ok()) return party.status();
    agreement->set_third_country_controller(party->str());
  }
  return absl::OkStatus();
}

v1::AgreementView ViewAgreement(const State& state, const DecisionChain& chain,
                                const ProposalState& proposal, absl::Time now) {
  v1::AgreementView view;
  view.set_jit(chain.jit().hex());
  view.set_proposal(proposal.hash.hex());
  view.set_version(proposal.proposal.version());
  view.set_state(AgreementStateName(chain, proposal, now));
  view.mutable_agreement()->ParseFromString(proposal.proposal.text());
  view.set_proposed_by(state.CodeOf(proposal.proposer));
  FillSigners(state, proposal, view.mutable_signers());
  for (const v1::AgreementBody& body : view.agreement().bodies()) {
    if (body.participant()) view.add_participants(body.code());
  }
  if (chain.Current() == &proposal) FillStandings(state, chain.jit(), &view);
  if (!proposal.validity.ok()) {
    view.set_problem(std::string(ToStd(proposal.validity.message())));
  }
  return view;
}

// Unnamed, it is the JIT whose agreement waits for this body, when there is one such.
absl::StatusOr<JitDecisions*> OpenJitToSign(State& state, const std::string& text,
                                            const std::string& proposal) {
  if (text.empty()) {
    std::vector<JitId> waiting;
    for (const auto& [id, jit] : state.decisions.all()) {
      if (FindProposal(state, jit.agreement, proposal).ok()) waiting.push_back(id);
    }
    if (waiting.size() == 1) return state.decisions.Find(waiting.front());
  }
  return OpenJit(state, text);
}

}  // namespace

absl::StatusOr<v1::AgreementView> CurrentAgreementView(const State& state, const JitId& jit,
                                                       absl::Time now) {
  const JitDecisions* decided = state.decisions.Find(jit);
  const ProposalState* current = decided == nullptr ? nullptr : decided->agreement.Current();
  if (current == nullptr) {
    return absl::FailedPreconditionError("no agreement is in force [NOT_IN_FORCE]");
  }
  return ViewAgreement(state, decided->agreement, *current, now);
}

std::string AgreementStateName(const DecisionChain& chain, const ProposalState& state,
                               absl::Time now) {
  if (state.InForce()) {
    v1::Agreement agreement;
    agreement.ParseFromString(state.proposal.text());
    if (chain.Current() != &state) return "SUPERSEDED";
    return now >= absl::FromUnixSeconds(agreement.period_to()) ? "EXPIRED" : "IN_FORCE";
  }
  if (state.AnyRefused()) return "REJECTED";
  return state.validity.ok() ? "SIGNING" : "INVALID";
}

absl::StatusOr<v1::ProposeAgreementResponse> ProposeAgreement(
    State& state, absl::Time now, const Caller& caller,
    const v1::ProposeAgreementRequest& request) {
  v1::ProposeAgreementResponse response;
  if (const auto done = state.proposals_by_key.find(request.idempotency_key());
      !request.idempotency_key().empty() && done != state.proposals_by_key.end()) {
    for (const auto& [id, jit] : state.decisions.all()) {
      if (jit.agreement.Find(done->second) == nullptr) continue;
      response.set_jit(id.hex());
      response.set_proposal(done->second.hex());
      return response;
    }
  }
  v1::Agreement agreement = request.agreement();
  if (absl::Status s = FillBodies(state, &agreement); !s.ok()) return s;
  if (absl::Status s = model::CheckAgreement(agreement, state.directory); !s.ok()) return s;
  if (absl::FromUnixSeconds(agreement.period_to()) <= now) {
    return absl::InvalidArgumentError("the agreement's period is already over [BAD_PERIOD]");
  }
  const std::set<PartyId> bodies = Decisions::Bodies(agreement);
  std::set<PartyId> required = Decisions::Signers(agreement);
  if (!required.contains(state.self)) {
    return absl::PermissionDeniedError(
        "a body proposes only agreements that it will sign itself [NOT_A_SIGNER]");
  }
  JitId jit = state.entropy.Draw<JitId>();
  if (!request.jit().empty()) {
    const absl::StatusOr<JitId> named = state.JitByText(request.jit());
    if (!named.ok()) return named.status();
    jit = *named;
  }
  JitDecisions& decisions = state.decisions.Open(jit);
  sync::Members audience(bodies.begin(), bodies.end());
  if (const std::optional<v1::Agreement> before = state.decisions.Current(jit)) {
    for (const PartyId& party : Decisions::Signers(*before)) required.insert(party);
    for (const PartyId& party : Decisions::Bodies(*before)) audience.insert(party);
  }
  for (const PartyId& gone : state.replica.exclusions().ExcludedIn(jit)) {
    if (bodies.contains(gone)) {
      return absl::FailedPreconditionError(Cat(
          state.CodeOf(gone),
          " has been excluded from this JIT and cannot be named in it again [EXCLUDED]\n  Next: "
          "found a new JIT with it, and release to it what it may have"));
    }
    required.erase(gone);
    audience.erase(gone);
  }
  const v1::Proposal proposal =
      MakeProposal(state, decisions.agreement, v1::PROPOSAL_KIND_AGREEMENT,
                   agreement.SerializeAsString(), bodies, required);
  const absl::StatusOr<Hash> hash =
      AppendProposal(state, now, caller, jit, audience, proposal, request.idempotency_key());
  if (!hash.ok()) return hash.status();
  response.set_jit(jit.hex());
  response.set_proposal(hash->hex());
  return response;
}

absl::StatusOr<v1::SignAgreementResponse> SignAgreement(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::SignAgreementRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJitToSign(state, request.jit(), request.proposal());
  if (!jit.ok()) return jit.status();
  const DecisionChain& chain = (*jit)->agreement;
  const absl::StatusOr<const ProposalState*> proposal =
      SignProposal(state, now, caller, chain, request.proposal());
  if (!proposal.ok()) return proposal.status();
  v1::SignAgreementResponse response;
  *response.mutable_agreement() = ViewAgreement(state, chain, **proposal, now);
  return response;
}

absl::StatusOr<v1::RejectAgreementResponse> RejectAgreement(
    State& state, absl::Time now, const Caller& caller, const v1::RejectAgreementRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJitToSign(state, request.jit(), request.proposal());
  if (!jit.ok()) return jit.status();
  const DecisionChain& chain = (*jit)->agreement;
  const absl::StatusOr<const ProposalState*> proposal =
      RejectProposal(state, now, caller, chain, request.proposal(), request.reason());
  if (!proposal.ok()) return proposal.status();
  v1::RejectAgreementResponse response;
  *response.mutable_agreement() = ViewAgreement(state, chain, **proposal, now);
  return response;
}

absl::StatusOr<v1::ShowAgreementResponse> ShowAgreement(State& state, absl::Time now, const Caller&,
                                                        const v1::ShowAgreementRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJit(state, request.jit());
  if (!jit.ok()) return jit.status();
  v1::ShowAgreementResponse response;
  for (const ProposalState* proposal : ByVersion((*jit)->agreement)) {
    *response.add_agreements() = ViewAgreement(state, (*jit)->agreement, *proposal, now);
  }
  return response;
}

absl::StatusOr<v1::ListAgreementsResponse> ListAgreements(State& state, absl::Time now,
                                                          const Caller&,
                                                          const v1::ListAgreementsRequest&) {
  v1::ListAgreementsResponse response;
  for (const auto& [id, jit] : state.decisions.all()) {
    for (const ProposalState* proposal : ByVersion(jit.agreement)) {
      *response.add_agreements() = ViewAgreement(state, jit.agreement, *proposal, now);
    }
  }
  return response;
}

}  // namespace entente::core

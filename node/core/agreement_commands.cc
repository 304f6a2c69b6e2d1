#include "node/core/agreement_commands.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "node/model/agreement_rules.h"
#include "sync/hlc.h"

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

v1::Proposal MakeProposal(const State& state, const DecisionChain& chain, v1::ProposalKind kind,
                          std::string text, const std::set<PartyId>& bodies,
                          const std::set<PartyId>& required) {
  v1::Proposal proposal;
  proposal.set_prev(chain.NextPrev().str());
  proposal.set_version(chain.NextVersion());
  proposal.set_kind(kind);
  proposal.set_text(std::move(text));
  for (const PartyId& party : bodies) {
    v1::ProposalParty* shown = proposal.add_parties();
    shown->set_party(party.str());
    shown->set_signed_card(state.replica.cards().Find(party)->signed_card);
  }
  for (const PartyId& party : required) proposal.add_required(party.str());
  return proposal;
}

absl::StatusOr<Hash> AppendProposal(State& state, absl::Time now, const Caller& caller,
                                    const JitId& jit, const sync::Members& audience,
                                    const v1::Proposal& proposal, const std::string& key) {
  sync::Draft draft;
  draft.jit = jit;
  draft.audience = audience;
  draft.body.set_user(caller.user);
  draft.body.set_idempotency_key(key);
  draft.body.set_proposal(proposal.SerializeAsString());
  const Hash hash = crypto::Sha256(draft.body.proposal());
  std::vector<sync::Draft> drafts;
  drafts.push_back(std::move(draft));
  if (absl::Status s = state.Append(now, std::move(drafts)); !s.ok()) return s;
  return hash;
}

// The proposal a person named, or the only open one.
absl::StatusOr<const ProposalState*> FindProposal(const State& state, const DecisionChain& chain,
                                                  const std::string& text) {
  std::vector<const ProposalState*> open;
  for (const auto& [hash, proposal] : chain.all()) {
    if (!text.empty() && hash.hex().rfind(text, 0) == 0) return &proposal;
    const auto mine = proposal.signers.find(state.self);
    if (!proposal.InForce() && !proposal.AnyRefused() && mine != proposal.signers.end() &&
        !mine->second.is_signed) {
      open.push_back(&proposal);
    }
  }
  if (text.empty() && open.size() == 1) return open.front();
  if (text.empty() && open.size() > 1) {
    return absl::InvalidArgumentError(
        "more than one proposal waits for this body; name one by its id [AMBIGUOUS]\n  Next: "
        "entente agreement show");
  }
  return absl::NotFoundError(text.empty()
                                 ? "nothing waits for this body's signature here [NOTHING_TO_SIGN]"
                                 : "no such proposal here [NOT_HERE]");
}

absl::Status AppendStatement(State& state, absl::Time now, const Caller& caller,
                             const DecisionChain& chain, const ProposalState& proposal,
                             crypto::Purpose purpose, std::string_view reason) {
  std::vector<sync::Draft> drafts;
  drafts.push_back(StatementDraft(chain.jit(), proposal.audience, purpose, proposal.hash, reason,
                                  caller.user, state.OwnCard().hash, state.keys->statement));
  return state.Append(now, std::move(drafts));
}

void FillSigners(const State& state, const ProposalState& proposal,
                 google::protobuf::RepeatedPtrField<v1::SignerState>* out) {
  for (const auto& [party, signer] : proposal.signers) {
    v1::SignerState* item = out->Add();
    item->set_code(state.CodeOf(party));
    item->set_user(signer.user);
    item->set_reason(signer.reason);
    if (signer.hlc != 0) item->set_time(absl::ToUnixSeconds(sync::TimeFromHlc(signer.hlc)));
    item->set_state(signer.confirmed   ? "CONFIRMED"
                    : signer.refused   ? "REFUSED"
                    : signer.is_signed ? "SIGNED"
                                       : "WAITING");
  }
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
  if (!proposal.validity.ok()) {
    view.set_problem(std::string(ToStd(proposal.validity.message())));
  }
  return view;
}

v1::StrategyView ViewStrategy(const State& state, const DecisionChain& chain,
                              const ProposalState& proposal) {
  v1::StrategyView view;
  view.set_proposal(proposal.hash.hex());
  view.set_version(proposal.proposal.version());
  view.mutable_strategy()->ParseFromString(proposal.proposal.text());
  const ProposalState* current = chain.Current();
  view.set_state(proposal.AnyRefused()  ? "REJECTED"
                 : !proposal.InForce()  ? "PROPOSED"
                 : current == &proposal ? "AGREED"
                                        : "SUPERSEDED");
  FillSigners(state, proposal, view.mutable_signers());
  return view;
}

std::vector<const ProposalState*> ByVersion(const DecisionChain& chain) {
  std::vector<const ProposalState*> out;
  for (const auto& [hash, proposal] : chain.all()) out.push_back(&proposal);
  std::stable_sort(out.begin(), out.end(), [](const auto* a, const auto* b) {
    return a->proposal.version() < b->proposal.version();
  });
  return out;
}

absl::StatusOr<JitDecisions*> OpenJit(State& state, const std::string& text) {
  const absl::StatusOr<JitId> jit = state.JitByText(text);
  if (!jit.ok()) return jit.status();
  return state.decisions.Find(*jit);
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
      FindProposal(state, chain, request.proposal());
  if (!proposal.ok()) return proposal.status();
  if (absl::Status s = chain.MaySign(state.self, (*proposal)->hash);
      !s.ok() && !absl::IsAlreadyExists(s)) {
    return s;
  } else if (s.ok()) {
    if (absl::Status appended =
            AppendStatement(state, now, caller, chain, **proposal, crypto::Purpose::sign, "");
        !appended.ok()) {
      return appended;
    }
  }
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
      FindProposal(state, chain, request.proposal());
  if (!proposal.ok()) return proposal.status();
  if (request.reason().empty()) {
    return absl::InvalidArgumentError("a rejection needs a reason [REASON_NEEDED]");
  }
  if (absl::Status s = chain.MayRefuse(state.self, (*proposal)->hash); !s.ok()) return s;
  if (absl::Status s = AppendStatement(state, now, caller, chain, **proposal,
                                       crypto::Purpose::refuse, request.reason());
      !s.ok()) {
    return s;
  }
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

absl::StatusOr<v1::ProposeStrategyResponse> ProposeStrategy(
    State& state, absl::Time now, const Caller& caller, const v1::ProposeStrategyRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJit(state, request.jit());
  if (!jit.ok()) return jit.status();
  const DecisionChain& chain = (*jit)->strategy;
  v1::ProposeStrategyResponse response;
  if (const auto done = state.proposals_by_key.find(request.idempotency_key());
      !request.idempotency_key().empty() && done != state.proposals_by_key.end() &&
      chain.Find(done->second) != nullptr) {
    *response.mutable_strategy() = ViewStrategy(state, chain, *chain.Find(done->second));
    return response;
  }
  const std::optional<v1::Agreement> agreement = state.decisions.Current(chain.jit());
  if (!agreement.has_value()) {
    return absl::FailedPreconditionError(
        "no agreement is in force; a strategy is proposed under one [NOT_IN_FORCE]\n  Next: "
        "entente agreement show");
  }
  if (now >= absl::FromUnixSeconds(agreement->period_to())) {
    return absl::PermissionDeniedError(
        "the agreement has expired; extend it first [EXPIRED] (FD 2002/465 Art. 1(1))");
  }
  const absl::StatusOr<v1::Strategy> draft =
      state.model.StrategyDraft(chain.jit(), request.draft());
  if (!draft.ok()) return draft.status();
  if (absl::Status s = CheckStrategy(*draft); !s.ok()) return s;
  const std::set<PartyId> required = Decisions::Signers(*agreement);
  if (!required.contains(state.self)) {
    return absl::PermissionDeniedError("only parties propose a strategy [NOT_A_SIGNER]");
  }
  const v1::Proposal proposal = MakeProposal(state, chain, v1::PROPOSAL_KIND_STRATEGY,
                                             draft->SerializeAsString(), required, required);
  const absl::StatusOr<Hash> hash = AppendProposal(state, now, caller, chain.jit(),
                                                   sync::Members(required.begin(), required.end()),
                                                   proposal, request.idempotency_key());
  if (!hash.ok()) return hash.status();
  *response.mutable_strategy() = ViewStrategy(state, chain, *chain.Find(*hash));
  return response;
}

absl::StatusOr<v1::SignStrategyResponse> SignStrategy(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::SignStrategyRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJit(state, request.jit());
  if (!jit.ok()) return jit.status();
  const DecisionChain& chain = (*jit)->strategy;
  const absl::StatusOr<const ProposalState*> proposal =
      FindProposal(state, chain, request.proposal());
  if (!proposal.ok()) return proposal.status();
  const absl::Status may = chain.MaySign(state.self, (*proposal)->hash);
  if (!may.ok() && !absl::IsAlreadyExists(may)) return may;
  if (may.ok()) {
    if (absl::Status s =
            AppendStatement(state, now, caller, chain, **proposal, crypto::Purpose::sign, "");
        !s.ok()) {
      return s;
    }
  }
  v1::SignStrategyResponse response;
  *response.mutable_strategy() = ViewStrategy(state, chain, **proposal);
  return response;
}

absl::StatusOr<v1::RejectStrategyResponse> RejectStrategy(
    State& state, absl::Time now, const Caller& caller, const v1::RejectStrategyRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJit(state, request.jit());
  if (!jit.ok()) return jit.status();
  const DecisionChain& chain = (*jit)->strategy;
  const absl::StatusOr<const ProposalState*> proposal =
      FindProposal(state, chain, request.proposal());
  if (!proposal.ok()) return proposal.status();
  if (request.reason().empty()) {
    return absl::InvalidArgumentError("a rejection needs a reason [REASON_NEEDED]");
  }
  if (absl::Status s = chain.MayRefuse(state.self, (*proposal)->hash); !s.ok()) return s;
  if (absl::Status s = AppendStatement(state, now, caller, chain, **proposal,
                                       crypto::Purpose::refuse, request.reason());
      !s.ok()) {
    return s;
  }
  v1::RejectStrategyResponse response;
  *response.mutable_strategy() = ViewStrategy(state, chain, **proposal);
  return response;
}

absl::StatusOr<v1::ShowStrategyResponse> ShowStrategy(State& state, absl::Time, const Caller&,
                                                      const v1::ShowStrategyRequest& request) {
  const absl::StatusOr<JitDecisions*> jit = OpenJit(state, request.jit());
  if (!jit.ok()) return jit.status();
  v1::ShowStrategyResponse response;
  for (v1::StrategyView& view : state.model.StrategyDrafts((*jit)->agreement.jit())) {
    *response.add_strategies() = std::move(view);
  }
  for (const ProposalState* proposal : ByVersion((*jit)->strategy)) {
    *response.add_strategies() = ViewStrategy(state, (*jit)->strategy, *proposal);
  }
  return response;
}

}  // namespace entente::core

#include "node/core/strategy_commands.h"

#include <utility>

#include "node/core/carry.h"
#include "node/core/proposals.h"
#include "node/model/agreement_rules.h"

namespace entente::core {
namespace {

using sync::DecisionChain;
using sync::ProposalState;

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

}  // namespace

absl::StatusOr<v1::DraftStrategyResponse> DraftStrategy(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::DraftStrategyRequest& request) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  const auto view = Carry(state, now, request.idempotency_key(),
                          [&] { return model::PlanDraftStrategy(*context, request.strategy()); });
  if (!view.ok()) return view.status();
  v1::DraftStrategyResponse response;
  response.set_ref(view->ref());
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
      SignProposal(state, now, caller, chain, request.proposal());
  if (!proposal.ok()) return proposal.status();
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
      RejectProposal(state, now, caller, chain, request.proposal(), request.reason());
  if (!proposal.ok()) return proposal.status();
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

absl::StatusOr<v1::AddLineResponse> AddLine(State& state, absl::Time now, const Caller& caller,
                                            const v1::AddLineRequest& request) {
  const auto context = ContextFor(state, now, caller, request.jit(), request.idempotency_key());
  if (!context.ok()) return context.status();
  v1::LineOfEnquiry line = request.line();
  if (!request.lead().empty()) {
    const absl::StatusOr<PartyId> lead = state.BodyByCode(request.lead());
    if (!lead.ok()) return lead.status();
    line.set_lead_party(lead->str());
  }
  const auto support = state.BodiesByCode(ToVector(request.support()));
  if (!support.ok()) return support.status();
  for (const PartyId& party : *support) line.add_support_parties(party.str());
  const auto audience = state.BodiesByCode(ToVector(request.audience()));
  if (!audience.ok()) return audience.status();
  auto view = Carry(state, now, request.idempotency_key(),
                    [&] { return model::PlanAddLine(*context, line, *audience); });
  if (!view.ok()) return view.status();
  v1::AddLineResponse response;
  *response.mutable_record() = *std::move(view);
  return response;
}

absl::StatusOr<v1::ListLinesResponse> ListLines(State& state, absl::Time now, const Caller&,
                                                const v1::ListLinesRequest& request) {
  v1::ListLinesResponse response;
  const absl::Status s =
      ListKind(state, now, request.jit(), model::kLineKind,
               [&](v1::RecordView view) { *response.add_records() = std::move(view); });
  if (!s.ok()) return s;
  return response;
}

}  // namespace entente::core

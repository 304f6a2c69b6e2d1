#include "node/core/proposals.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "sync/hlc.h"

namespace entente::core {

using sync::DecisionChain;
using sync::ProposalState;

namespace {

absl::Status AppendStatement(State& state, absl::Time now, const Caller& caller,
                             const DecisionChain& chain, const ProposalState& proposal,
                             crypto::Purpose purpose, std::string_view reason) {
  std::vector<sync::Draft> drafts;
  const sync::Members audience =
      state.decisions.AudienceOf(*state.decisions.Find(chain.jit()), proposal);
  drafts.push_back(StatementDraft(chain.jit(), audience, purpose, proposal.hash, reason,
                                  caller.user, state.OwnCard().hash, state.keys->statement));
  return state.Append(now, std::move(drafts));
}

}  // namespace

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

absl::StatusOr<const ProposalState*> SignProposal(State& state, absl::Time now,
                                                  const Caller& caller, const DecisionChain& chain,
                                                  const std::string& text) {
  const absl::StatusOr<const ProposalState*> proposal = FindProposal(state, chain, text);
  if (!proposal.ok()) return proposal.status();
  const absl::Status may = chain.MaySign(state.self, (*proposal)->hash);
  if (absl::IsAlreadyExists(may)) return proposal;
  if (!may.ok()) return may;
  if (absl::Status s =
          AppendStatement(state, now, caller, chain, **proposal, crypto::Purpose::sign, "");
      !s.ok()) {
    return s;
  }
  return proposal;
}

absl::StatusOr<const ProposalState*> RejectProposal(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const DecisionChain& chain,
                                                    const std::string& text,
                                                    const std::string& reason) {
  const absl::StatusOr<const ProposalState*> proposal = FindProposal(state, chain, text);
  if (!proposal.ok()) return proposal.status();
  if (reason.empty()) {
    return absl::InvalidArgumentError("a rejection needs a reason [REASON_NEEDED]");
  }
  if (absl::Status s = chain.MayRefuse(state.self, (*proposal)->hash); !s.ok()) return s;
  if (absl::Status s =
          AppendStatement(state, now, caller, chain, **proposal, crypto::Purpose::refuse, reason);
      !s.ok()) {
    return s;
  }
  return proposal;
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

}  // namespace entente::core

// What agreements and strategies share: a proposal is written once, then every body that must sign
// it signs or rejects it (docs/protocol.md, agreements).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

// The next version of a chain; `bodies` are shown with their cards, `required` must all sign.
v1::Proposal MakeProposal(const State& state, const sync::DecisionChain& chain,
                          v1::ProposalKind kind, std::string text, const std::set<PartyId>& bodies,
                          const std::set<PartyId>& required);

// Writes the proposal and returns the hash that signatures are over.
absl::StatusOr<Hash> AppendProposal(State& state, absl::Time now, const Caller& caller,
                                    const JitId& jit, const sync::Members& audience,
                                    const v1::Proposal& proposal, const std::string& key);

// The proposal a person named by the first digits of its id; unnamed, the only one that waits for
// this body.
absl::StatusOr<const sync::ProposalState*> FindProposal(const State& state,
                                                        const sync::DecisionChain& chain,
                                                        const std::string& text);

// Signs the proposal that `text` names and returns it; signing again changes nothing.
absl::StatusOr<const sync::ProposalState*> SignProposal(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const sync::DecisionChain& chain,
                                                        const std::string& text);

// Rejects it, with a reason, for all.
absl::StatusOr<const sync::ProposalState*> RejectProposal(State& state, absl::Time now,
                                                          const Caller& caller,
                                                          const sync::DecisionChain& chain,
                                                          const std::string& text,
                                                          const std::string& reason);

void FillSigners(const State& state, const sync::ProposalState& proposal,
                 google::protobuf::RepeatedPtrField<v1::SignerState>* out);

std::vector<const sync::ProposalState*> ByVersion(const sync::DecisionChain& chain);

// The JIT a person named by its id's first digits; unnamed, the only one.
absl::StatusOr<JitDecisions*> OpenJit(State& state, const std::string& text);

}  // namespace entente::core

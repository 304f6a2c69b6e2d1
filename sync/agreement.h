// Decisions that need everybody: agreements and strategies. Sign, then Confirm. Protocol §7.1.
//
//   Proposal{prev, version, kind, text, required}
//   Sign | Refuse     one per signer and proposal, by a person, under the statement key
//   Confirm           by the node itself, once it holds every Sign and no Refuse; AT MOST ONE per
//                     predecessor, FOREVER: that is the whole safety argument (model-checked; "sign
//                     the next when the first is dead" is not safe against one lying signer)
//   in force          confirmed by every required signer
//
// A body that joins later is given the version it joins by and nothing older. To it that version,
// whose predecessor it never sees, is the first: it may ask for more signers than the text does,
// never for fewer, and takes the place of a first version here, so that a body comes in once.
//
// Pure and order-insensitive: the same set of proposals and statements gives the same answers in
// every order of arrival. Statements stand by their own signature, not by the log that carried
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "entente/v1/entry.pb.h"
#include "entente/v1/records.pb.h"
#include "sync/entry_types.h"

namespace entente::sync {

enum class SignerStatus { kWaiting, kSigned, kRefused, kConfirmed };

struct SignerRecord {
  bool is_signed = false;
  bool refused = false;
  bool confirmed = false;
  bool excluded = false;  // no longer a party: neither its Sign nor its Confirm is waited for
  std::string user;       // who signed or refused
  std::string reason;     // of a refusal
  uint64_t hlc = 0;       // of the sign or refuse
};

struct ProposalState {
  Hash hash;
  v1::Proposal proposal;
  std::string bytes;
  PartyId proposer;
  std::string user;
  uint64_t hlc = 0;
  Members audience;
  std::set<PartyId> required;
  std::map<PartyId, SignerRecord> signers;  // required signers only
  absl::Status validity;                    // why no honest node will confirm it

  bool AllSigned() const;
  bool AnyRefused() const;
  bool InForce() const;  // confirmed by all required that are not excluded
};

// H("jit", jit_id): what version 1 of the agreement succeeds; other chains add their name.
Hash GenesisOf(const JitId& jit, v1::ProposalKind kind);

// All proposals of one JIT and one kind.
class DecisionChain {
 public:
  DecisionChain(JitId jit, v1::ProposalKind kind) : jit_(jit), kind_(kind) {}

  // Whether the text is acceptable in itself and who must sign it, given the version it succeeds
  // (nullptr for the first). An error is kept with the proposal: it is shown, never confirmed.
  using Rules = std::function<absl::StatusOr<std::set<PartyId>>(const v1::Proposal&,
                                                                const ProposalState* previous)>;

  // True when it was new.
  bool AddProposal(const PartyId& proposer, std::string_view user, uint64_t hlc,
                   const Members& audience, std::string_view bytes);
  // The signature has been verified by the caller. True when it changed something.
  bool AddStatement(const PartyId& signer, std::string_view purpose, std::string_view payload,
                    std::string_view user, uint64_t hlc);
  // The proposal belongs to another chain: its statements need not wait here.
  void Forget(const Hash& proposal);
  // Re-evaluates validity of all proposals under `rules`.
  void Evaluate(const Rules& rules);
  // Parties that have been excluded since; the set only ever grows.
  void SetExcluded(const std::set<PartyId>& excluded);

  // May `self` sign it now? FailedPrecondition or PermissionDenied with the reason.
  absl::Status MaySign(const PartyId& self, const Hash& proposal) const;
  absl::Status MayRefuse(const PartyId& self, const Hash& proposal) const;
  // Proposals this node should confirm now; at most one per predecessor, never twice. `locked`
  // tells which successor of a predecessor this node has already confirmed according to its anchor
  // file; LocksOf names the predecessors that a Confirm of `proposal` closes.
  using Lock = std::function<std::optional<Hash>(const Hash& prev)>;
  std::vector<Hash> ToConfirm(const PartyId& self, const Lock& locked) const;
  std::vector<Hash> LocksOf(const Hash& proposal) const;

  const ProposalState* Find(const Hash& proposal) const;
  const std::map<Hash, ProposalState>& all() const { return proposals_; }
  // Versions in force from the first to the newest.
  std::vector<const ProposalState*> InForce() const;
  const ProposalState* Current() const;
  Hash NextPrev() const;  // what a new proposal should succeed
  uint32_t NextVersion() const;

  const JitId& jit() const { return jit_; }

 private:
  struct Orphan {
    PartyId signer;
    std::string purpose, payload, user;
    uint64_t hlc;
  };
  void Apply(ProposalState& proposal, const Orphan& statement);
  const ProposalState* Predecessor(const ProposalState& proposal) const;
  // It succeeds a version that is not here: one to join by, if anything.
  bool IsEntry(const ProposalState& proposal) const;
  // What rivals have in common: the predecessor, or that they are the first version here.
  Hash Place(const ProposalState& proposal) const;
  const ProposalState* FirstInForce() const;

  JitId jit_;
  v1::ProposalKind kind_;
  std::set<PartyId> excluded_;
  std::map<Hash, ProposalState> proposals_;
  std::vector<Orphan> orphans_;  // statements that arrived before their proposal
};

}  // namespace entente::sync

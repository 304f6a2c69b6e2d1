// Agreements and strategies of every JIT this node takes part in: feeds the pure protocol
// (sync/agreement.h) from opened entries, applies the legal rules, and says what this node must
// confirm. Derived from signed entries alone; rebuilt at every start.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/records.pb.h"
#include "node/model/directory.h"
#include "sync/agreement.h"
#include "sync/card_book.h"
#include "sync/entry_types.h"

namespace entente::core {

struct JitDecisions {
  explicit JitDecisions(const JitId& jit)
      : agreement(jit, v1::PROPOSAL_KIND_AGREEMENT), strategy(jit, v1::PROPOSAL_KIND_STRATEGY) {}
  sync::DecisionChain agreement;
  sync::DecisionChain strategy;
  // Where proposals and the statements about them stand, by the proposal's hash; what is said about
  // a body, under zeros.
  std::multimap<Hash, sync::EntryRef> sources;
};

class Decisions {
 public:
  Decisions(const PartyId& self, const sync::CardBook& cards, const model::Directory& directory)
      : self_(self), cards_(cards), directory_(directory) {}

  // True when the entry was a proposal or a statement (and so is not for the record engine).
  bool Learn(const sync::OpenedEntry& entry);

  // What must be confirmed now, as drafts; `locked` remembers earlier confirmations.
  std::vector<sync::Draft> ConfirmationsDue(const sync::DecisionChain::Lock& locked,
                                            const crypto::SigningKey& statement_key);

  JitDecisions* Find(const JitId& jit);
  const JitDecisions* Find(const JitId& jit) const;
  const std::map<JitId, JitDecisions>& all() const { return jits_; }
  JitDecisions& Open(const JitId& jit) { return jits_.try_emplace(jit, jit).first->second; }

  bool InForce(const JitId& jit) const;
  std::optional<Hash> CurrentVersion(const JitId& jit) const;
  // Who signed a version that is or was in force; empty for any other.
  std::set<PartyId> SignersOf(const JitId& jit, const Hash& version) const;
  void SetExcluded(const JitId& jit, const std::set<PartyId>& excluded);
  // The agreement in force, or nullopt before everybody has confirmed one.
  std::optional<v1::Agreement> Current(const JitId& jit) const;
  // Bodies that sign: all of the agreement but participants.
  static std::set<PartyId> Signers(const v1::Agreement& agreement);
  static std::set<PartyId> Bodies(const v1::Agreement& agreement);

  // Who is told that this body signs, rejects or confirms: whoever the texts name, whatever copy of
  // the proposal came first. A copy in a log of a few would keep the signature from the others.
  sync::Members AudienceOf(const JitDecisions& jit, const sync::ProposalState& proposal) const;

  // Why a proposal's text cannot be accepted, checked as for signing.
  void Evaluate(JitDecisions& jit);

 private:
  absl::StatusOr<std::set<PartyId>> AgreementSigners(const v1::Proposal& proposal,
                                                     const sync::ProposalState* previous) const;
  absl::StatusOr<std::set<PartyId>> StrategySigners(const JitDecisions& jit,
                                                    const v1::Proposal& proposal) const;
  bool LearnStatement(const sync::OpenedEntry& entry);
  struct ShownCard {
    PartyId party;
    std::string code;
  };
  const absl::StatusOr<ShownCard>& Shown(const std::string& signed_card) const;

  PartyId self_;
  const sync::CardBook& cards_;
  const model::Directory& directory_;
  std::map<JitId, JitDecisions> jits_;
  // Cards that travelled in proposals, by hash: every statement has all proposals looked at again,
  // and verifying their cards each time would let one member keep a node busy.
  mutable std::map<Hash, absl::StatusOr<ShownCard>> shown_;
};

// A statement over a proposal (sign, refuse, confirm), ready to be appended.
sync::Draft StatementDraft(const JitId& jit, const sync::Members& audience, crypto::Purpose purpose,
                           const Hash& proposal, std::string_view reason, std::string_view user,
                           const Hash& own_card, const crypto::SigningKey& statement_key);

// Domain rule: a strategy has a financial strand or a recorded reason why not (WP ¶7, ¶41).
absl::Status CheckStrategy(const v1::Strategy& strategy);

}  // namespace entente::core

#include "node/core/decisions.h"

#include <utility>

#include "crypto/hash.h"
#include "crypto/signing.h"
#include "node/model/agreement_rules.h"

namespace entente::core {

std::set<PartyId> Decisions::Bodies(const v1::Agreement& agreement) {
  std::set<PartyId> out;
  for (const v1::AgreementBody& body : agreement.bodies()) {
    const absl::StatusOr<PartyId> party = PartyId::From(body.party());
    if (party.ok()) out.insert(*party);
  }
  return out;
}

std::set<PartyId> Decisions::Signers(const v1::Agreement& agreement) {
  std::set<PartyId> out;
  for (const v1::AgreementBody& body : agreement.bodies()) {
    const absl::StatusOr<PartyId> party = PartyId::From(body.party());
    if (party.ok() && !body.participant()) out.insert(*party);
  }
  return out;
}

bool Decisions::Learn(const sync::OpenedEntry& entry) {
  if (entry.body.has_statement()) return LearnStatement(entry);
  if (entry.body.change_case() != v1::EntryBody::kProposal) return false;
  v1::Proposal proposal;
  if (!proposal.ParseFromString(entry.body.proposal())) return true;
  JitDecisions& jit = Open(entry.jit);
  jit.sources.emplace(crypto::Sha256(entry.body.proposal()), entry.ref);
  sync::DecisionChain& chain =
      proposal.kind() == v1::PROPOSAL_KIND_STRATEGY ? jit.strategy : jit.agreement;
  if (chain.AddProposal(entry.author, entry.body.user(), entry.body.hlc(), entry.audience,
                        entry.body.proposal())) {
    sync::DecisionChain& other = &chain == &jit.strategy ? jit.agreement : jit.strategy;
    other.Forget(crypto::Sha256(entry.body.proposal()));
    Evaluate(jit);
  }
  return true;
}

bool Decisions::LearnStatement(const sync::OpenedEntry& entry) {
  const v1::Statement& statement = entry.body.statement();
  const absl::StatusOr<crypto::Purpose> purpose = crypto::ParsePurpose(statement.purpose());
  if (purpose.ok() && *purpose == crypto::Purpose::destroyed) return false;  // about a record
  const sync::TrustedCard* signer = cards_.FindOf(entry.author, statement.signer_card());
  // The statement stands by its own signature, under the key of the card it names.
  if (!purpose.ok() || signer == nullptr ||
      !crypto::VerifyStatement(signer->statement_key, *purpose, entry.jit, statement.payload(),
                               statement.signature())
           .ok()) {
    return true;
  }
  JitDecisions& jit = Open(entry.jit);
  bool changed = false;
  const absl::StatusOr<Hash> about = Hash::From(statement.payload().substr(0, 32));
  const bool of_body = *purpose == crypto::Purpose::exclude || *purpose == crypto::Purpose::suspend;
  jit.sources.emplace(of_body || !about.ok() ? Hash() : *about, entry.ref);
  for (sync::DecisionChain* chain : {&jit.agreement, &jit.strategy}) {
    const sync::DecisionChain& other = chain == &jit.strategy ? jit.agreement : jit.strategy;
    if (about.ok() && other.Find(*about) != nullptr) continue;
    changed |= chain->AddStatement(entry.author, statement.purpose(), statement.payload(),
                                   entry.body.user(), entry.body.hlc());
  }
  if (changed) Evaluate(jit);
  return true;
}

void Decisions::Evaluate(JitDecisions& jit) {
  jit.agreement.Evaluate([this](const v1::Proposal& proposal, const sync::ProposalState* previous) {
    return AgreementSigners(proposal, previous);
  });
  jit.strategy.Evaluate([this, &jit](const v1::Proposal& proposal, const sync::ProposalState*) {
    return StrategySigners(jit, proposal);
  });
}

absl::StatusOr<std::set<PartyId>> Decisions::AgreementSigners(
    const v1::Proposal& proposal, const sync::ProposalState* previous) const {
  v1::Agreement agreement;
  if (!agreement.ParseFromString(proposal.text())) {
    return absl::InvalidArgumentError("its text does not parse [SCHEMA]");
  }
  if (absl::Status s = model::CheckAgreement(agreement, directory_); !s.ok()) return s;
  // What others found among themselves is no beginning of anything here.
  if (previous == nullptr && !Bodies(agreement).contains(self_)) {
    return absl::PermissionDeniedError("it does not name this body [NOT_A_PARTY]");
  }
  // The card each body is known by travels in the proposal: everybody must mean the same keys.
  for (const v1::ProposalParty& party : proposal.parties()) {
    const absl::StatusOr<ShownCard>& shown = Shown(party.signed_card());
    if (!shown.ok()) return shown.status();
    const sync::TrustedCard* held = cards_.Find(shown->party);
    if (held == nullptr) {
      return absl::FailedPreconditionError(
          Cat("the card of ", shown->code, " is not trusted here; compare its words with ",
              shown->code, " and run: entente card trust FILE [CARD_NOT_TRUSTED]"));
    }
  }
  std::set<PartyId> required = Signers(agreement);
  if (previous != nullptr) {
    v1::Agreement before;
    if (before.ParseFromString(previous->proposal.text())) {
      for (const PartyId& party : Signers(before)) required.insert(party);
    }
  }
  return required;
}

const absl::StatusOr<Decisions::ShownCard>& Decisions::Shown(const std::string& signed_card) const {
  const auto [it, fresh] = shown_.try_emplace(crypto::Sha256(signed_card), ShownCard{});
  if (!fresh) return it->second;
  const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(signed_card);
  if (card.ok()) {
    it->second = ShownCard{card->party, card->card.code()};
  } else {
    it->second = card.status();
  }
  return it->second;
}

absl::StatusOr<std::set<PartyId>> Decisions::StrategySigners(const JitDecisions& jit,
                                                             const v1::Proposal& proposal) const {
  v1::Strategy strategy;
  if (!strategy.ParseFromString(proposal.text())) {
    return absl::InvalidArgumentError("its text does not parse [SCHEMA]");
  }
  if (absl::Status s = CheckStrategy(strategy); !s.ok()) return s;
  const sync::ProposalState* agreement = jit.agreement.Current();
  v1::Agreement text;
  if (agreement == nullptr || !text.ParseFromString(agreement->proposal.text())) {
    return absl::FailedPreconditionError("no agreement is in force [NOT_IN_FORCE]");
  }
  return Signers(text);
}

absl::Status CheckStrategy(const v1::Strategy& strategy) {
  if (strategy.title().empty() || strategy.objectives().empty()) {
    return absl::InvalidArgumentError(
        "a strategy needs a title and objectives [SCHEMA]\n  Next: entente strategy draft --title "
        "… --objectives …");
  }
  if (strategy.financial_strand().empty() && strategy.no_financial_strand_reason().empty()) {
    return absl::FailedPreconditionError(
        "this strategy has no financial strand [NO_FINANCIAL_STRAND]\n  Every JIT follows the "
        "money, or records why it does not (WP1590 ¶7, ¶41).\n  Next: entente strategy draft "
        "--financial-strand … or --no-financial-strand-reason …");
  }
  return absl::OkStatus();
}

sync::Members Decisions::AudienceOf(const JitDecisions& jit,
                                    const sync::ProposalState& proposal) const {
  sync::Members out(proposal.required.begin(), proposal.required.end());
  for (const v1::ProposalParty& shown : proposal.proposal.parties()) {
    const absl::StatusOr<PartyId> party = PartyId::From(shown.party());
    if (party.ok()) out.insert(*party);
  }
  // Those who leave by it are named in the version before, which a newcomer does not hold.
  const sync::ProposalState* current = jit.agreement.Current();
  v1::Agreement agreement;
  const bool before = current != nullptr && agreement.ParseFromString(current->proposal.text());
  const std::set<PartyId> bodies = before ? Bodies(agreement) : std::set<PartyId>();
  for (const PartyId& party : proposal.audience) {
    if (before ? bodies.contains(party) : cards_.Find(party) != nullptr) out.insert(party);
  }
  return out;
}

std::vector<sync::Draft> Decisions::ConfirmationsDue(const sync::DecisionChain::Lock& locked,
                                                     const crypto::SigningKey& statement_key) {
  std::vector<sync::Draft> drafts;
  const sync::TrustedCard* own = cards_.Find(self_);
  for (auto& [id, jit] : jits_) {
    for (const sync::DecisionChain* chain : {&jit.agreement, &jit.strategy}) {
      for (const Hash& hash : chain->ToConfirm(self_, locked)) {
        drafts.push_back(StatementDraft(id, AudienceOf(jit, *chain->Find(hash)),
                                        crypto::Purpose::confirm, hash, "", "", own->hash,
                                        statement_key));
      }
    }
  }
  return drafts;
}

JitDecisions* Decisions::Find(const JitId& jit) {
  const auto it = jits_.find(jit);
  return it == jits_.end() ? nullptr : &it->second;
}

const JitDecisions* Decisions::Find(const JitId& jit) const {
  const auto it = jits_.find(jit);
  return it == jits_.end() ? nullptr : &it->second;
}

bool Decisions::InForce(const JitId& jit) const {
  const JitDecisions* found = Find(jit);
  return found != nullptr && found->agreement.Current() != nullptr;
}

std::optional<Hash> Decisions::CurrentVersion(const JitId& jit) const {
  const JitDecisions* found = Find(jit);
  const sync::ProposalState* state = found == nullptr ? nullptr : found->agreement.Current();
  if (state == nullptr) return std::nullopt;
  return state->hash;
}

std::set<PartyId> Decisions::SignersOf(const JitId& jit, const Hash& version) const {
  const JitDecisions* found = Find(jit);
  if (found == nullptr) return {};
  for (const sync::ProposalState* state : found->agreement.InForce()) {
    v1::Agreement agreement;
    if (state->hash == version && agreement.ParseFromString(state->proposal.text())) {
      return Signers(agreement);
    }
  }
  return {};
}

void Decisions::SetExcluded(const JitId& jit, const std::set<PartyId>& excluded) {
  JitDecisions* found = Find(jit);
  if (found == nullptr) return;
  found->agreement.SetExcluded(excluded);
  found->strategy.SetExcluded(excluded);
  Evaluate(*found);
}

std::optional<v1::Agreement> Decisions::Current(const JitId& jit) const {
  const JitDecisions* found = Find(jit);
  const sync::ProposalState* state = found == nullptr ? nullptr : found->agreement.Current();
  v1::Agreement agreement;
  if (state == nullptr || !agreement.ParseFromString(state->proposal.text())) return std::nullopt;
  return agreement;
}

sync::Draft StatementDraft(const JitId& jit, const sync::Members& audience, crypto::Purpose purpose,
                           const Hash& proposal, std::string_view reason, std::string_view user,
                           const Hash& own_card, const crypto::SigningKey& statement_key) {
  sync::Draft draft;
  draft.jit = jit;
  draft.audience = audience;
  draft.body.set_user(std::string(user));
  v1::Statement* statement = draft.body.mutable_statement();
  statement->set_purpose(std::string(crypto::PurposeName(purpose)));
  statement->set_payload(Cat(proposal.view(), reason));
  statement->set_signer_card(own_card.str());
  statement->set_signature(
      crypto::SignStatement(statement_key, purpose, jit, statement->payload()).str());
  return draft;
}

}  // namespace entente::core

#include "sync/agreement.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"

namespace entente::sync {
namespace {

// Statements of signers nobody asked are dropped; this bounds those that wait for a proposal, and
// the proposals: of each body for itself, so that nobody can crowd out what others have said.
constexpr size_t kOrphansMax = 256;
constexpr size_t kProposalsMax = 256;

template <class Items, class Mine>
bool Full(const Items& items, size_t most, const Mine& mine) {
  return static_cast<size_t>(std::count_if(items.begin(), items.end(), mine)) >= most;
}

absl::StatusOr<Hash> ProposalOf(std::string_view payload) {
  if (payload.size() < 32) return absl::InvalidArgumentError("a statement names no proposal");
  return Hash::From(payload.substr(0, 32));
}

}  // namespace

bool ProposalState::AllSigned() const {
  return std::all_of(signers.begin(), signers.end(),
                     [](const auto& s) { return s.second.is_signed || s.second.excluded; });
}

bool ProposalState::AnyRefused() const {
  return std::any_of(signers.begin(), signers.end(),
                     [](const auto& s) { return s.second.refused; });
}

bool ProposalState::InForce() const {
  const bool anybody =
      std::any_of(signers.begin(), signers.end(), [](const auto& s) { return s.second.confirmed; });
  return validity.ok() && anybody && std::all_of(signers.begin(), signers.end(), [](const auto& s) {
           return s.second.confirmed || s.second.excluded;
         });
}

Hash GenesisOf(const JitId& jit, v1::ProposalKind kind) {
  if (kind == v1::PROPOSAL_KIND_AGREEMENT) return crypto::H("jit", {jit.view()});
  return crypto::H("jit", {jit.view(), v1::ProposalKind_Name(kind)});
}

bool DecisionChain::AddProposal(const PartyId& proposer, std::string_view user, uint64_t hlc,
                                const Members& audience, std::string_view bytes) {
  const Hash hash = crypto::Sha256(bytes);
  if (proposals_.contains(hash) || Full(proposals_, kProposalsMax, [&](const auto& item) {
        return item.second.proposer == proposer;
      })) {
    return false;
  }
  ProposalState state;
  if (!state.proposal.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (state.proposal.kind() != kind_ || !Hash::From(state.proposal.prev()).ok()) return false;
  state.hash = hash;
  state.bytes = std::string(bytes);
  state.proposer = proposer;
  state.user = std::string(user);
  state.hlc = hlc;
  state.audience = audience;
  for (const std::string& raw : state.proposal.required()) {
    const absl::StatusOr<PartyId> party = PartyId::From(raw);
    if (!party.ok()) return false;
    state.required.insert(*party);
    state.signers[*party].excluded = excluded_.contains(*party);
  }
  if (state.required.empty()) return false;
  state.validity = absl::FailedPreconditionError("not checked yet");
  ProposalState& kept = proposals_.emplace(hash, std::move(state)).first->second;
  std::vector<Orphan> waiting;
  std::swap(waiting, orphans_);
  for (Orphan& orphan : waiting) {
    if (*ProposalOf(orphan.payload) == hash) {
      Apply(kept, orphan);
    } else {
      orphans_.push_back(std::move(orphan));
    }
  }
  return true;
}

bool DecisionChain::AddStatement(const PartyId& signer, std::string_view purpose,
                                 std::string_view payload, std::string_view user, uint64_t hlc) {
  const absl::StatusOr<Hash> hash = ProposalOf(payload);
  if (!hash.ok()) return false;
  Orphan statement{signer, std::string(purpose), std::string(payload), std::string(user), hlc};
  const auto it = proposals_.find(*hash);
  if (it == proposals_.end()) {
    const auto same_signer = [&](const Orphan& other) { return other.signer == signer; };
    if (!Full(orphans_, kOrphansMax, same_signer)) orphans_.push_back(std::move(statement));
    return false;
  }
  if (!it->second.required.contains(signer)) return false;
  Apply(it->second, statement);
  return true;
}

void DecisionChain::Apply(ProposalState& proposal, const Orphan& statement) {
  const auto it = proposal.signers.find(statement.signer);
  if (it == proposal.signers.end()) return;
  SignerRecord& record = it->second;
  if (statement.purpose == "confirm") {
    record.confirmed = true;
    return;
  }
  if (statement.purpose == "sign") record.is_signed = true;
  if (statement.purpose == "refuse") {
    record.refused = true;
    record.reason = statement.payload.substr(32);
  }
  // The earliest of several is shown; a pure minimum, so arrival order does not matter.
  if (record.hlc == 0 || statement.hlc < record.hlc) {
    record.hlc = statement.hlc;
    record.user = statement.user;
  }
}

void DecisionChain::Forget(const Hash& proposal) {
  std::erase_if(orphans_,
                [&](const Orphan& orphan) { return *ProposalOf(orphan.payload) == proposal; });
}

const ProposalState* DecisionChain::Predecessor(const ProposalState& proposal) const {
  const absl::StatusOr<Hash> prev = Hash::From(proposal.proposal.prev());
  return prev.ok() ? Find(*prev) : nullptr;
}

void DecisionChain::SetExcluded(const std::set<PartyId>& excluded) {
  excluded_ = excluded;
  for (auto& [hash, state] : proposals_) {
    for (auto& [party, record] : state.signers) record.excluded = excluded.contains(party);
  }
}

bool DecisionChain::IsEntry(const ProposalState& proposal) const {
  return Predecessor(proposal) == nullptr &&
         proposal.proposal.prev() != GenesisOf(jit_, kind_).view();
}

Hash DecisionChain::Place(const ProposalState& proposal) const {
  const ProposalState* previous = Predecessor(proposal);
  return previous == nullptr ? GenesisOf(jit_, kind_) : previous->hash;
}

void DecisionChain::Evaluate(const Rules& rules) {
  // Whether an excluded party is listed as a signer makes no difference: a proposal may be older or
  // younger than the exclusion.
  const auto without_excluded = [this](std::set<PartyId> parties) {
    for (const PartyId& gone : excluded_) parties.erase(gone);
    return parties;
  };
  const auto check = [&](const ProposalState& state) -> absl::Status {
    const ProposalState* previous = Predecessor(state);
    const bool entry = IsEntry(state);
    const uint32_t version = state.proposal.version();
    const uint32_t expected = previous == nullptr ? 1 : previous->proposal.version() + 1;
    if (entry ? version < 2 : version != expected) {
      return absl::InvalidArgumentError(Cat("it calls itself version ", std::to_string(version),
                                            " but succeeds ",
                                            entry ? "another" : std::to_string(expected - 1)));
    }
    const absl::StatusOr<std::set<PartyId>> required = rules(state.proposal, previous);
    if (!required.ok()) return required.status();
    const std::set<PartyId> needed = without_excluded(*required);
    const std::set<PartyId> listed = without_excluded(state.required);
    // Who else must sign a version to join by is known to those who hold the one before.
    if (entry ? !std::includes(listed.begin(), listed.end(), needed.begin(), needed.end())
              : listed != needed) {
      return absl::PermissionDeniedError(
          "the list of those who must sign is not what the text and the version before require "
          "[WRONG_SIGNERS]");
    }
    return absl::OkStatus();
  };
  for (auto& [hash, state] : proposals_) {
    state.validity = IsEntry(state)
                         ? absl::FailedPreconditionError("it succeeds a version that is not here")
                         : check(state);
  }
  // A body with a first version of its own waits for the ones between.
  if (FirstInForce() != nullptr) return;
  for (auto& [hash, state] : proposals_) {
    if (IsEntry(state)) state.validity = check(state);
  }
}

absl::Status DecisionChain::MaySign(const PartyId& self, const Hash& proposal) const {
  const ProposalState* state = Find(proposal);
  if (state == nullptr) return absl::NotFoundError("no such proposal here [NOT_HERE]");
  if (!state->validity.ok()) return state->validity;
  const auto me = state->signers.find(self);
  if (me == state->signers.end()) {
    return absl::PermissionDeniedError("this body is not among those who sign it [NOT_A_SIGNER]");
  }
  if (me->second.is_signed) return absl::AlreadyExistsError("already signed here [ALREADY_SIGNED]");
  if (me->second.refused) {
    return absl::FailedPreconditionError("already rejected here [ALREADY_REJECTED]");
  }
  for (const auto& [hash, other] : proposals_) {
    if (hash == proposal || Place(other) != Place(*state)) continue;
    if (other.InForce()) {
      return absl::FailedPreconditionError(
          "another version has already come into force in its place [SUPERSEDED]");
    }
    const auto mine = other.signers.find(self);
    if (mine == other.signers.end()) continue;
    if (mine->second.confirmed) {
      return absl::FailedPreconditionError(
          "this body has confirmed another version in its place [CONFIRMED_ANOTHER]");
    }
    if (mine->second.is_signed && !other.AnyRefused()) {
      return absl::FailedPreconditionError(
          "this body has signed another version that is still open; it must be rejected by one of "
          "its signers first [SIGNED_ANOTHER]");
    }
  }
  return absl::OkStatus();
}

absl::Status DecisionChain::MayRefuse(const PartyId& self, const Hash& proposal) const {
  const ProposalState* state = Find(proposal);
  if (state == nullptr) return absl::NotFoundError("no such proposal here [NOT_HERE]");
  const auto me = state->signers.find(self);
  if (me == state->signers.end()) {
    return absl::PermissionDeniedError("this body is not among those who sign it [NOT_A_SIGNER]");
  }
  if (me->second.is_signed) {
    return absl::FailedPreconditionError(
        "already signed here; a signature cannot be taken back, propose an amendment "
        "[ALREADY_SIGNED]");
  }
  if (me->second.refused) return absl::AlreadyExistsError("already rejected [ALREADY_REJECTED]");
  return absl::OkStatus();
}

std::vector<Hash> DecisionChain::LocksOf(const Hash& proposal) const {
  const ProposalState* state = Find(proposal);
  if (state == nullptr) return {};
  std::vector<Hash> out = {Place(*state)};
  if (IsEntry(*state)) out.push_back(*Hash::From(state->proposal.prev()));
  return out;
}

std::vector<Hash> DecisionChain::ToConfirm(const PartyId& self, const Lock& locked) const {
  std::set<Hash> confirmed;  // places that this node has confirmed somebody for
  for (const auto& [hash, state] : proposals_) {
    const auto me = state.signers.find(self);
    if (me != state.signers.end() && me->second.confirmed) confirmed.insert(Place(state));
  }
  std::vector<Hash> out;
  for (const auto& [hash, state] : proposals_) {
    if (!state.validity.ok() || !state.AllSigned() || state.AnyRefused()) continue;
    if (!state.signers.contains(self) || confirmed.contains(Place(state))) continue;
    // After a rollback the anchor may remember a Confirm that the logs have lost: the same one may
    // be said again, another one never.
    bool gave_another = false;
    for (const Hash& place : LocksOf(hash)) {
      const std::optional<Hash> lock = locked(place);
      gave_another = gave_another || (lock.has_value() && *lock != hash);
    }
    if (gave_another) continue;
    confirmed.insert(Place(state));
    out.push_back(hash);
  }
  return out;
}

const ProposalState* DecisionChain::Find(const Hash& proposal) const {
  const auto it = proposals_.find(proposal);
  return it == proposals_.end() ? nullptr : &it->second;
}

const ProposalState* DecisionChain::FirstInForce() const {
  const Hash genesis = GenesisOf(jit_, kind_);
  for (const auto& [hash, state] : proposals_) {
    if (state.proposal.prev() == genesis.view() && state.InForce()) return &state;
  }
  return nullptr;
}

std::vector<const ProposalState*> DecisionChain::InForce() const {
  const ProposalState* next = FirstInForce();
  for (const auto& [hash, state] : proposals_) {
    if (next != nullptr && next->proposal.version() <= state.proposal.version()) continue;
    if (IsEntry(state) && state.InForce()) next = &state;
  }
  std::vector<const ProposalState*> out;
  while (next != nullptr) {
    out.push_back(next);
    const std::string_view prev = next->hash.view();
    next = nullptr;
    for (const auto& [hash, state] : proposals_) {
      if (state.proposal.prev() == prev && state.InForce()) next = &state;
    }
  }
  return out;
}

const ProposalState* DecisionChain::Current() const {
  const std::vector<const ProposalState*> versions = InForce();
  return versions.empty() ? nullptr : versions.back();
}

Hash DecisionChain::NextPrev() const {
  const ProposalState* current = Current();
  return current == nullptr ? GenesisOf(jit_, kind_) : current->hash;
}

uint32_t DecisionChain::NextVersion() const {
  const ProposalState* current = Current();
  return current == nullptr ? 1 : current->proposal.version() + 1;
}

}  // namespace entente::sync

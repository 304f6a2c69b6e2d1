#include "sync/exclusion.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "crypto/signing.h"

namespace entente::sync {
namespace {

constexpr size_t kReasonBytesMax = 2000;
constexpr int kFinalsMax = 100'000;

absl::Status CheckReason(const std::string& reason) {
  if (!reason.empty() && reason.size() <= kReasonBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "say why, in at most 2000 characters; the other bodies will read it [NO_REASON]\n  Next: add "
      "--reason \"…\"");
}

}  // namespace

Hash Exclusions::LockOf(const JitId& jit, const PartyId& party) {
  return crypto::H("exclude", {jit.view(), party.view()});
}

void Exclusions::Learn(const OpenedEntry& entry) {
  if (entry.body.has_close()) return LearnClose(entry);
  if (!entry.body.has_statement()) return;
  const v1::Statement& statement = entry.body.statement();
  const absl::StatusOr<crypto::Purpose> purpose = crypto::ParsePurpose(statement.purpose());
  if (!purpose.ok() ||
      (*purpose != crypto::Purpose::exclude && *purpose != crypto::Purpose::suspend)) {
    return;
  }
  const absl::StatusOr<Hash> card_hash = Hash::From(statement.signer_card());
  const TrustedCard* card = card_hash.ok() ? cards_.FindByHash(*card_hash) : nullptr;
  v1::Exclusion exclusion;
  if (card == nullptr || card->party != entry.author ||
      !exclusion.ParseFromString(statement.payload()) || exclusion.finals_size() > kFinalsMax ||
      !crypto::VerifyStatement(card->statement_key, *purpose, entry.jit, statement.payload(),
                               statement.signature())
           .ok()) {
    return;
  }
  const absl::StatusOr<PartyId> party = PartyId::From(exclusion.party());
  if (!party.ok() || *party == entry.author) return;
  Case& about = cases_[entry.jit][*party];
  if (*purpose == crypto::Purpose::suspend) {
    // One setter's statements follow each other by its own clock; nobody else's is compared.
    Suspension& suspension = about.suspensions[entry.author];
    if (entry.body.hlc() > suspension.hlc) suspension = {entry.body.hlc(), exclusion.lifted()};
    return;
  }
  const absl::StatusOr<Hash> version = Hash::From(exclusion.agreement());
  if (!version.ok()) return;
  about.signed_by[entry.author] = {*version, exclusion.reason()};
  for (const v1::Seen& seen : exclusion.finals()) {
    const absl::StatusOr<LogId> id = LogId::From(seen.log_id());
    const absl::StatusOr<Hash> root = Hash::From(seen.root());
    if (id.ok() && root.ok()) about.finals[*id][entry.author] = {seen.size(), *root, {}};
  }
  Refresh();
}

void Exclusions::LearnClose(const OpenedEntry& entry) {
  const absl::StatusOr<LogId> id = LogId::From(entry.body.close().log_id());
  const absl::StatusOr<Hash> root = Hash::From(entry.body.close().root());
  if (!id.ok() || !root.ok()) return;
  // The first of a member counts: it cannot let more in later.
  closes_[*id].emplace(entry.author, Claim{entry.body.close().size(), *root, entry.audience});
}

void Exclusions::Refresh() {
  // Grows to the one fixed point: every exclusion lowers the number of signatures others need.
  for (auto& [jit, cases] : cases_) {
    for (bool grown = true; grown;) {
      grown = false;
      for (auto& [party, about] : cases) {
        if (about.excluded || !Complete(jit, party, about)) continue;
        about.excluded = grown = true;
      }
    }
  }
}

// All who signed one version, but the party itself and those excluded, and two at least.
bool Exclusions::Complete(const JitId& jit, const PartyId& party, const Case& about) const {
  for (const auto& [signer, signature] : about.signed_by) {
    const std::set<PartyId> required = Required(jit, party, signature.version);
    const auto has_signed = [&about, &version = signature.version](const PartyId& other) {
      const auto it = about.signed_by.find(other);
      return it != about.signed_by.end() && it->second.version == version;
    };
    if (required.size() >= 2 && std::all_of(required.begin(), required.end(), has_signed)) {
      return true;
    }
  }
  return false;
}

const Exclusions::Case* Exclusions::Find(const JitId& jit, const PartyId& party) const {
  const auto cases = cases_.find(jit);
  if (cases == cases_.end()) return nullptr;
  const auto it = cases->second.find(party);
  return it == cases->second.end() ? nullptr : &it->second;
}

std::set<PartyId> Exclusions::Required(const JitId& jit, const PartyId& party,
                                       const Hash& version) const {
  std::set<PartyId> required = agreements_.signers(jit, version);
  if (!required.contains(party)) return {};
  required.erase(party);
  for (const PartyId& gone : ExcludedIn(jit)) required.erase(gone);
  return required;
}

std::set<PartyId> Exclusions::ExcludedIn(const JitId& jit) const {
  std::set<PartyId> out;
  const auto cases = cases_.find(jit);
  if (cases == cases_.end()) return out;
  for (const auto& [party, about] : cases->second) {
    if (about.excluded) out.insert(party);
  }
  return out;
}

bool Exclusions::IsExcluded(const JitId& jit, const PartyId& party) const {
  const Case* about = Find(jit, party);
  return about != nullptr && about->excluded;
}

bool Exclusions::Stopped(const JitId& jit, const PartyId& party) const {
  if (!locks_.empty() && locks_.contains(LockOf(jit, party))) return true;
  const Case* about = Find(jit, party);
  if (about == nullptr || party == self_) return false;
  if (about->excluded || about->signed_by.contains(self_)) return true;
  const auto own = about->suspensions.find(self_);
  return own != about->suspensions.end() && !own->second.lifted;
}

Exclusions::Claims Exclusions::ClaimsOn(const LogState& log, const Case& about) const {
  Claims out;
  if (const auto finals = about.finals.find(log.id); finals != about.finals.end()) {
    out = finals->second;
  }
  if (const auto closes = closes_.find(log.id); closes != closes_.end()) {
    Members left = log.members;
    left.erase(log.author);
    for (const auto& [claimant, claim] : closes->second) {
      // From a member of that log, and told to those who are left of it.
      if (left.contains(claimant) && claim.audience == left) out.emplace(claimant, claim);
    }
  }
  return out;
}

uint64_t Exclusions::FinalSize(const LogState& log) const {
  const Case* about = Find(log.jit, log.author);
  if (about == nullptr || !about->excluded) return UINT64_MAX;
  const Claims claims = ClaimsOn(log, *about);
  uint64_t largest = 0;
  for (const auto& [claimant, claim] : claims) {
    // A claim within what is held here must be of this very tree; a longer one is taken at its word
    // until the entries have come and can be compared.
    if (claim.size <= log.size) {
      const absl::StatusOr<crypto::CompactRange> range = logs_.RangeAt(log, claim.size);
      if (!range.ok() || *range->Root() != claim.root) continue;
    }
    largest = std::max(largest, claim.size);
  }
  // Nobody has stated anything in public: this node's own Close is about to say how far it holds
  // it.
  const bool stated = about->finals.contains(log.id) || claims.contains(self_);
  return stated ? largest : std::max(largest, log.size);
}

std::vector<Standing> Exclusions::StandingsIn(const JitId& jit) const {
  std::vector<Standing> out;
  const auto cases = cases_.find(jit);
  if (cases == cases_.end()) return out;
  for (const auto& [party, about] : cases->second) {
    Standing standing;
    standing.party = party;
    standing.excluded = about.excluded;
    for (const auto& [signer, signature] : about.signed_by) {
      if (standing.reason.empty()) standing.reason = signature.reason;
      standing.signed_by.insert(signer);
      if (about.excluded) continue;
      for (const PartyId& other : Required(jit, party, signature.version)) {
        if (!about.signed_by.contains(other)) standing.waiting_for.insert(other);
      }
    }
    for (const auto& [setter, suspension] : about.suspensions) {
      if (!suspension.lifted) standing.suspended_by.insert(setter);
    }
    if (!standing.signed_by.empty() || !standing.suspended_by.empty()) {
      out.push_back(std::move(standing));
    }
  }
  return out;
}

absl::StatusOr<std::string> Exclusions::MakeExclusion(const JitId& jit, const PartyId& party,
                                                      const std::string& reason,
                                                      const Members& readers) const {
  if (absl::Status s = CheckReason(reason); !s.ok()) return s;
  const std::optional<Hash> version = agreements_.current(jit);
  if (!version.has_value()) {
    return absl::FailedPreconditionError("no agreement is in force [NOT_IN_FORCE]");
  }
  const std::set<PartyId> signers = agreements_.signers(jit, *version);
  if (!signers.contains(self_)) {
    return absl::PermissionDeniedError(
        "only bodies that sign the agreement can exclude one [NOT_A_SIGNER]");
  }
  if (party == self_ || !signers.contains(party)) {
    return absl::InvalidArgumentError(
        "only another party to the agreement can be excluded [NOT_A_PARTY]");
  }
  if (IsExcluded(jit, party)) {
    return absl::AlreadyExistsError("this body is excluded already [ALREADY_EXCLUDED]");
  }
  if (const Case* about = Find(jit, party); about != nullptr) {
    const auto own = about->signed_by.find(self_);
    if (own != about->signed_by.end() && own->second.version == *version) {
      return absl::AlreadyExistsError("its exclusion is signed here already [ALREADY_SIGNED]");
    }
  }
  if (Required(jit, party, *version).size() < 2) {
    return absl::FailedPreconditionError(
        "an exclusion needs two other parties; with one partner, stop sharing by a suspension "
        "[TOO_FEW]\n  Next: entente agreement suspend CODE --reason \"…\"");
  }
  // One at a time. Were two open here, the others could complete them in different orders, and each
  // would then lower the number of signatures that the other needs: honest bodies would no longer
  // agree on who has been excluded (tests/model/agreement.pml, MANY_PENDING).
  for (const PartyId& other : signers) {
    if (other == party || other == self_ || IsExcluded(jit, other)) continue;
    const Case* about = Find(jit, other);
    if (locks_.contains(LockOf(jit, other)) ||
        (about != nullptr && about->signed_by.contains(self_))) {
      return absl::FailedPreconditionError(
          "this body has signed the exclusion of another that is not complete; one at a time, so "
          "that all see the same [EXCLUSION_PENDING]\n  Next: entente agreement show");
    }
  }
  v1::Exclusion exclusion;
  exclusion.set_party(party.str());
  exclusion.set_reason(reason);
  exclusion.set_agreement(version->str());
  for (const auto& [id, log] : logs_.all()) {
    if (log.jit != jit || log.author != party || log.size == 0) continue;
    // Only logs that every reader of the statement knows: a list must not give a narrower one away.
    if (!std::includes(log.members.begin(), log.members.end(), readers.begin(), readers.end())) {
      continue;
    }
    v1::Seen* seen = exclusion.add_finals();
    seen->set_log_id(id.str());
    seen->set_size(log.size);
    seen->set_root(log.Root().str());
  }
  return exclusion.SerializeAsString();
}

absl::StatusOr<std::string> Exclusions::MakeSuspension(const JitId& jit, const PartyId& party,
                                                       const std::string& reason,
                                                       bool lifted) const {
  if (absl::Status s = CheckReason(reason); !s.ok()) return s;
  if (party == self_) {
    return absl::InvalidArgumentError("a body cannot suspend itself [NOT_A_PARTY]");
  }
  const Case* about = Find(jit, party);
  bool suspended = false;
  if (about != nullptr) {
    const auto own = about->suspensions.find(self_);
    suspended = own != about->suspensions.end() && !own->second.lifted;
  }
  if (suspended != lifted) {
    return absl::FailedPreconditionError(
        suspended ? "this body is suspended here already [ALREADY_SUSPENDED]"
                  : "this body is not suspended here [NOT_SUSPENDED]");
  }
  v1::Exclusion exclusion;
  exclusion.set_party(party.str());
  exclusion.set_reason(reason);
  exclusion.set_lifted(lifted);
  return exclusion.SerializeAsString();
}

std::vector<Draft> Exclusions::ClosesDue() const {
  std::vector<Draft> out;
  for (const auto& [jit, cases] : cases_) {
    for (const auto& [party, about] : cases) {
      if (!about.excluded || party == self_) continue;
      for (const auto& [id, log] : logs_.all()) {
        if (log.jit != jit || log.author != party || log.size == 0) continue;
        if (about.finals.contains(id) || ClaimsOn(log, about).contains(self_)) continue;
        Draft draft;
        draft.jit = jit;
        draft.audience = log.members;
        draft.audience.erase(party);
        v1::Close* close = draft.body.mutable_close();
        close->set_log_id(id.str());
        close->set_size(log.size);
        close->set_root(log.Root().str());
        out.push_back(std::move(draft));
      }
    }
  }
  return out;
}

}  // namespace entente::sync

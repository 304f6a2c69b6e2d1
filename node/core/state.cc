#include "node/core/state.h"

#include <utility>

#include "crypto/hash.h"
#include "node/model/plans.h"
#include "sync/schema.h"

namespace entente::core {
namespace {

std::string WordFor(sync::BlobSync::Progress::State state) {
  using State = sync::BlobSync::Progress::State;
  switch (state) {
    case State::kHere:
      return "here";
    case State::kFetching:
      return "fetching";
    case State::kPaused:
      return "paused";
    case State::kOnRequest:
      return "on request";
    case State::kVerifying:
      return "verifying";
    case State::kDamaged:
      return "damaged";
    case State::kWaiting:
      break;
  }
  return "waiting";
}

sync::ReplicaOptions ReplicaOptionsOf(const Config& config,
                                      std::shared_ptr<const crypto::NodeKeys> keys,
                                      const Decisions& decisions) {
  sync::ReplicaOptions options;
  options.self = keys->party;
  options.keys = std::move(keys);
  options.relay_cadence = config.relay_cadence;
  options.relay_immediate = config.relay_immediate;
  options.pace = config.pace;
  options.files = config.files;
  options.box_key_terms = config.box_key_terms;
  options.backups_kept = config.backups_kept;
  options.agreement_in_force = [&decisions](const JitId& jit) { return decisions.InForce(jit); };
  options.all_parties = [&decisions](const JitId& jit, absl::Time now) {
    const std::optional<v1::Agreement> agreement = decisions.Current(jit);
    const int64_t seconds = absl::ToUnixSeconds(now);
    if (!agreement.has_value() || seconds < agreement->period_from() ||
        seconds >= agreement->period_to()) {
      return sync::Members();
    }
    return Decisions::Bodies(*agreement);
  };
  options.agreements.current = [&decisions](const JitId& jit) {
    return decisions.CurrentVersion(jit);
  };
  options.agreements.signers = [&decisions](const JitId& jit, const Hash& version) {
    return decisions.SignersOf(jit, version);
  };
  return options;
}

}  // namespace

State::State(Config config_in, std::shared_ptr<const crypto::NodeKeys> keys_in,
             const sync::KvReader& store, Entropy& entropy_in)
    : config(std::move(config_in)),
      keys(std::move(keys_in)),
      self(keys->party),
      overlay(store),
      entropy(entropy_in),
      replica(ReplicaOptionsOf(config, keys, decisions), overlay, entropy),
      decisions(self, replica.cards(), directory),
      model(self, kinds, directory,
            {[this](const v1::FileRef& file) { return StatusOf(file); },
             [this](const LogId& log) { return LimitOf(log); },
             [this](const PartyId& author, const v1::Grant& grant) {
               return replica.Originals(author, grant);
             },
             [this](const sync::EntryRef& entry, const PartyId& party) {
               return party == self ||
                      replica.Delivery(entry, party) == sync::DeliveryState::kVerified;
             }}) {}

model::Model::FileStatus State::StatusOf(const v1::FileRef& file) const {
  model::Model::FileStatus status;
  const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
  const v1::BlobRow* row = blob.ok() ? replica.blobs().Find(*blob) : nullptr;
  if (row == nullptr) return status;
  status.state = WordFor(replica.blobs().ProgressOf(*blob, absl::InfinitePast()).state);
  status.bytes_here = row->verified() ? file.plain_size()
                                      : std::min(file.plain_size(),
                                                 row->next_chunk() * uint64_t{file.chunk_bytes()});
  return status;
}

model::EffectLimit State::LimitOf(const LogId& log) const {
  const uint64_t revoked = replica.RevokedSize(log);
  if (revoked < replica.FinalSize(log) && revoked <= replica.EffectSize(log)) {
    return {revoked, "REVOKED_CARD", "signed with keys that its author had given up by then"};
  }
  const uint64_t end = replica.FinalSize(log);
  if (end <= replica.EffectSize(log)) {
    return {end, "AFTER_EXCLUSION", "its author had been excluded before the others had seen it"};
  }
  return {replica.EffectSize(log), "DISPUTED",
          "its author signed two versions of this; only what every body had acknowledged counts"};
}

void State::RefreshDirectory() {
  for (const auto& [party, card] : replica.cards().all()) {
    directory.Add(
        {party, card.card.code(), card.card.name(), card.card.kind(), card.card.country()});
  }
}

std::string State::CodeOf(const PartyId& party) const { return directory.CodeOf(party); }

absl::StatusOr<PartyId> State::BodyByCode(std::string_view code) const {
  const model::BodyInfo* body = directory.FindByCode(code);
  if (body != nullptr) return body->party;
  std::string known;
  for (const auto& [party, info] : directory.all()) {
    if (info.kind != v1::BODY_KIND_RELAY) known += (known.empty() ? "" : ", ") + info.code;
  }
  return absl::NotFoundError(Cat("no body \"", model::CleanForDisplay(code),
                                 "\" is known here; there are ", known,
                                 " [UNKNOWN_PARTY]\n  Next: entente card list"));
}

absl::StatusOr<sync::Members> State::BodiesByCode(const std::vector<std::string>& codes) const {
  sync::Members out;
  for (const std::string& code : codes) {
    const absl::StatusOr<PartyId> party = BodyByCode(code);
    if (!party.ok()) return party.status();
    out.insert(*party);
  }
  return out;
}

absl::StatusOr<JitId> State::JitByText(std::string_view text) const {
  const auto& jits = decisions.all();
  if (text.empty() && jits.size() == 1) return jits.begin()->first;
  if (text.empty()) {
    // A proposal that nobody has signed yet does not make the one JIT at work ambiguous.
    std::vector<JitId> at_work;
    for (const auto& [id, jit] : jits) {
      if (jit.agreement.Current() != nullptr) at_work.push_back(id);
    }
    if (at_work.size() == 1) return at_work.front();
    return jits.empty()
               ? absl::NotFoundError(
                     "no JIT is known here yet [NO_JIT]\n  Next: entente agreement propose …, or "
                     "wait for a partner's proposal")
               : absl::InvalidArgumentError(
                     "this node takes part in several JITs; name one with --jit [AMBIGUOUS]\n  "
                     "Next: "
                     "entente agreement show");
  }
  const JitId* found = nullptr;
  for (const auto& [id, jit] : jits) {
    const sync::ProposalState* newest = jit.agreement.Current();
    v1::Agreement agreement;
    for (const auto& [hash, proposal] : jit.agreement.all()) {
      if (newest == nullptr) newest = &proposal;
    }
    if (newest != nullptr) agreement.ParseFromString(newest->proposal.text());
    const bool hex = text.size() >= 8 && id.hex().rfind(text, 0) == 0;
    if (!hex && agreement.code_name() != text) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(
          Cat("several JITs are called \"", model::CleanForDisplay(text), "\" [AMBIGUOUS]"));
    }
    found = &id;
  }
  if (found != nullptr) return *found;
  return absl::NotFoundError(Cat("no JIT \"", model::CleanForDisplay(text), "\" here [NO_JIT]"));
}

void State::LeaveOutStopped(std::vector<sync::Draft>* drafts) const {
  for (sync::Draft& draft : *drafts) {
    if (draft.body.has_create() || draft.body.has_release() || draft.body.has_grant() ||
        draft.body.change_case() == v1::EntryBody::kProposal) {
      continue;
    }
    std::erase_if(draft.audience, [&](const PartyId& member) {
      return member != self && replica.exclusions().Stopped(draft.jit, member);
    });
  }
}

void State::RefreshExclusions() {
  replica.RefreshExclusions();
  for (const auto& [jit, decided] : decisions.all()) {
    decisions.SetExcluded(jit, replica.exclusions().ExcludedIn(jit));
  }
  // A version may have come into force for want of the excluded party's Confirm alone.
  replica.RefreshExclusions();
}

absl::Status State::Append(absl::Time now, std::vector<sync::Draft> drafts) {
  if (drafts.empty()) return absl::OkStatus();
  LeaveOutStopped(&drafts);
  const absl::StatusOr<std::vector<sync::EntryRef>> refs = replica.Append(now, std::move(drafts));
  if (!refs.ok()) return refs.status();
  return Absorb(now);
}

absl::Status State::Learn(const sync::OpenedEntry& entry, absl::Time now) {
  static_cast<void>(now);
  if (!decisions.Learn(entry)) {
    model.Apply(entry);
    return absl::OkStatus();
  }
  if (entry.author == self && entry.body.change_case() == v1::EntryBody::kProposal &&
      !entry.body.idempotency_key().empty()) {
    proposals_by_key[entry.body.idempotency_key()] = crypto::Sha256(entry.body.proposal());
  }
  const JitDecisions* jit = decisions.Find(entry.jit);
  if (jit == nullptr) return absl::OkStatus();
  for (const sync::ProposalState* version : jit->agreement.InForce()) {
    v1::Agreement agreement;
    if (agreement.ParseFromString(version->proposal.text())) {
      model.AgreementInForce(entry.jit, version->hash, agreement);
    }
  }
  return absl::OkStatus();
}

absl::Status State::Absorb(absl::Time now) {
  for (;;) {
    const std::vector<sync::OpenedEntry> entries = replica.TakeOpened();
    bool decided = false;
    for (const sync::OpenedEntry& entry : entries) {
      if (absl::Status s = Learn(entry, now); !s.ok()) return s;
      decided = decided || entry.body.has_statement();
    }
    if (decided) RefreshExclusions();
    if (replica.TakeEffectsChanged()) model.LimitsChanged();
    if (absl::Status s = ForgetErased(now); !s.ok()) return s;
    if (absl::Status s = ConfirmWhatIsDue(now); !s.ok()) return s;
    if (absl::Status s = AcknowledgeFiles(now); !s.ok()) return s;
    if (entries.empty()) return absl::OkStatus();
  }
}

absl::Status State::ForgetErased(absl::Time now) {
  const absl::StatusOr<std::vector<std::string>> erased = replica.CarryOutErasures(now);
  if (!erased.ok()) return erased.status();
  for (const std::string& id : *erased) {
    if (const auto record = RecordId::From(id); record.ok()) {
      replica.EraseRemains(id, model.Forget(*record));
    }
  }
  return absl::OkStatus();
}

absl::Status State::ConfirmWhatIsDue(absl::Time now) {
  std::vector<sync::Draft> due = decisions.ConfirmationsDue(
      [this](const Hash& prev) -> std::optional<Hash> {
        const auto it = confirm_locks.find(prev);
        if (it == confirm_locks.end()) return std::nullopt;
        return it->second;
      },
      keys->statement);
  if (due.empty()) return absl::OkStatus();
  for (const sync::Draft& draft : due) {
    const Hash proposal = *Hash::From(draft.body.statement().payload().substr(0, 32));
    const JitDecisions& jit = *decisions.Find(draft.jit);
    const sync::DecisionChain& chain =
        jit.agreement.Find(proposal) != nullptr ? jit.agreement : jit.strategy;
    // The locks are anchored before the Confirm leaves, so that not even a rolled-back database
    // lets this node confirm another successor.
    for (const Hash& lock : chain.LocksOf(proposal)) {
      confirm_locks[lock] = proposal;
      fresh_locks.push_back({*LogId::From(lock.view()), kConfirmLock, 1, proposal});
    }
  }
  LeaveOutStopped(&due);
  for (sync::Draft& draft : due) {
    const absl::Status written = replica.AppendOne(now, std::move(draft)).status();
    // Said as soon as it can be: a card that is missing here is no reason to stop.
    if (!written.ok() && !absl::IsFailedPrecondition(written)) return written;
  }
  return absl::OkStatus();
}

absl::Status State::AcknowledgeFiles(absl::Time now) {
  std::vector<sync::Draft> drafts;
  for (const v1::FileRef& file : replica.TakeReceivedFiles()) {
    const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
    if (!blob.ok()) continue;
    for (const model::Record* record : model.RecordsNaming(*blob)) {
      const model::PlanContext context{model,         now,     "", v1::ROLE_UNSPECIFIED,
                                       record->jit(), entropy, ""};
      absl::StatusOr<model::Plan> plan = model::PlanReceipt(context, *record, file);
      if (!plan.ok()) continue;
      for (sync::Draft& draft : plan->drafts) drafts.push_back(std::move(draft));
    }
  }
  if (drafts.empty()) return absl::OkStatus();
  LeaveOutStopped(&drafts);
  const absl::StatusOr<std::vector<sync::EntryRef>> refs = replica.Append(now, std::move(drafts));
  // A receipt that cannot be written now (a member's card is missing) is no reason to stop.
  if (absl::IsFailedPrecondition(refs.status())) return absl::OkStatus();
  return refs.status();
}

}  // namespace entente::core

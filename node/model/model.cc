#include "node/model/model.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "node/model/record_ref.h"
#include "sync/hlc.h"
#include "sync/record_id.h"

namespace entente::model {
namespace {

bool IsRecordChange(const v1::EntryBody& body) {
  switch (body.change_case()) {
    case v1::EntryBody::kCreate:
    case v1::EntryBody::kAmend:
    case v1::EntryBody::kTransition:
    case v1::EntryBody::kEvent:
    case v1::EntryBody::kRelease:
    case v1::EntryBody::kGrant:
    case v1::EntryBody::kErase:
      return true;
    case v1::EntryBody::kStatement:  // that somebody has destroyed a record
      return !body.record_id().empty();
    default:
      return false;
  }
}

}  // namespace

std::string BlindedRecord(const std::string& blind_key, const RecordId& id) {
  const absl::StatusOr<crypto::Secret32> key = crypto::Secret32::From(blind_key);
  if (!key.ok()) return "";
  return std::string(crypto::K(*key, "blind", {id.view()}).view());
}

Model::Model(const PartyId& self, const KindRegistry& kinds, const Directory& directory,
             Surroundings surroundings)
    : self_(self),
      kinds_(kinds),
      directory_(directory),
      surroundings_(std::move(surroundings)),
      fold_context_{kinds, [this](const Hash& version) { return AgreementByHash(version); },
                    surroundings_.effect_limit, surroundings_.originals} {}

void Model::AgreementInForce(const JitId& jit, const Hash& version,
                             const v1::Agreement& agreement) {
  current_[jit] = version;
  if (!agreements_.emplace(version, agreement).second) return;
  const auto it = waiting_.find(version);
  if (it == waiting_.end()) return;
  const std::vector<sync::OpenedEntry> entries = std::move(it->second);
  waiting_.erase(it);
  for (const sync::OpenedEntry& entry : entries) Apply(entry);
}

std::vector<RecordId> Model::Apply(const sync::OpenedEntry& entry) {
  if (!IsRecordChange(entry.body)) return {};
  const absl::StatusOr<Hash> version = Hash::From(entry.body.agreement());
  if (version.ok() && !agreements_.contains(*version)) {
    // All of them: after a restart nearly everything is read before what brings it into force. What
    // a member may send before an agreement is bounded where it is let in.
    waiting_[*version].push_back(entry);
    return {};
  }
  RecordId id;
  if (!Take(entry, &id)) return {};
  NoteChange(id);
  return {id};
}

std::set<sync::EntryRef> Model::Forget(const RecordId& id) {
  std::set<sync::EntryRef> gone;
  const auto forget = [&](std::vector<sync::OpenedEntry>& entries) {
    std::erase_if(entries, [&](const sync::OpenedEntry& entry) {
      if (entry.body.record_id() != id.view() || SpeaksOfErasure(entry.body)) return false;
      gone.insert(entry.ref);
      return true;
    });
  };
  for (auto& [version, entries] : waiting_) forget(entries);
  if (const auto early = unfounded_.find(id); early != unfounded_.end()) forget(early->second);
  const auto it = records_.find(id);
  if (it == records_.end()) return gone;
  std::set<sync::EntryRef> known = it->second.Forget();
  if (known.empty()) return gone;
  gone.merge(known);
  std::erase_if(by_blob_, [&](const auto& item) { return item.second == id; });
  for (auto& [blinded, cards] : cards_by_blind_) cards.erase(id);
  NoteChange(id);
  return gone;
}

bool Model::Take(const sync::OpenedEntry& entry, RecordId* id) {
  const absl::StatusOr<RecordId> parsed = RecordId::From(entry.body.record_id());
  const Kind* kind = kinds_.Find(entry.body.kind());
  if (!parsed.ok() || kind == nullptr) return false;
  *id = *parsed;
  auto it = records_.find(*id);
  if (it == records_.end()) {
    if (!sync::Founds(entry.jit, entry.author, entry.body)) {
      unfounded_[*id].push_back(entry);
      return false;
    }
    it = records_.emplace(*id, Record(*id, kind->number(), entry.jit)).first;
    by_kind_[kind->number()].push_back(*id);
    by_ref_.emplace(RecordRef(*kind, *id), *id);
    const auto early = unfounded_.find(*id);
    if (early != unfounded_.end()) {
      for (const sync::OpenedEntry& change : early->second) AddTo(it->second, change);
      unfounded_.erase(early);
    }
  }
  return AddTo(it->second, entry);
}

bool Model::AddTo(Record& record, const sync::OpenedEntry& entry) {
  const Kind* kind = kinds_.Find(entry.body.kind());
  if (record.kind() != kind->number() || record.jit() != entry.jit) {
    return false;  // an id of one kind is never taken for another
  }
  if (!record.Add({entry.ref, entry.author, Intern(entry.audience), entry.body_bytes})) {
    return false;
  }
  const RecordId& id = record.id();
  if (entry.author == self_ && !entry.body.idempotency_key().empty()) {
    by_key_[entry.body.idempotency_key()] = id;
  }
  for (const v1::FileRef& file : entry.body.files()) {
    if (const auto blob = BlobId::From(file.blob_id()); blob.ok()) by_blob_.emplace(*blob, id);
  }
  v1::Card card;
  if (kind->number() == kCardKind && entry.body.has_create() &&
      card.ParseFromString(entry.body.create().record())) {
    cards_by_blind_[card.blinded_record()].insert(id);
  }
  return true;
}

std::shared_ptr<const sync::Members> Model::Intern(const sync::Members& members) {
  std::shared_ptr<const sync::Members>& kept = audiences_[members];
  if (kept == nullptr) kept = std::make_shared<const sync::Members>(members);
  return kept;
}

void Model::NoteChange(const RecordId& id) {
  const uint64_t token = next_token_++;
  if (const auto old = change_of_.find(id); old != change_of_.end()) changes_.erase(old->second);
  changes_[token] = id;
  change_of_[id] = token;
}

void Model::LimitsChanged() {
  std::map<LogId, uint64_t> now;
  std::set<RecordId> touched;
  for (const auto& [id, record] : records_) {
    for (const RecordEntry& entry : record.entries()) {
      const LogId& log = entry.ref.log;
      if (!now.contains(log)) now[log] = surroundings_.effect_limit(log).size;
      const auto before = limits_.find(log);
      const uint64_t old = before == limits_.end() ? UINT64_MAX : before->second;
      if (now[log] != old) touched.insert(id);
    }
  }
  limits_ = std::move(now);
  for (const RecordId& id : touched) NoteChange(id);
}

const Record* Model::Find(const RecordId& id) const {
  const auto it = records_.find(id);
  return it == records_.end() ? nullptr : &it->second;
}

absl::StatusOr<const Record*> Model::Resolve(std::string_view text) const {
  if (text.size() == 2 * RecordId::kSize) {
    const absl::StatusOr<RecordId> id = RecordId::FromHex(text);
    if (const Record* record = id.ok() ? Find(*id) : nullptr) return record;
  }
  const auto [first, last] = by_ref_.equal_range(NormalizeRef(text));
  if (first == last) {
    return absl::NotFoundError(Cat("no record \"", CleanForDisplay(text),
                                   "\" here, or it is not for this body [NOT_HERE]"));
  }
  if (std::next(first) != last) {
    std::string ids;
    for (auto it = first; it != last; ++it) ids += "\n  " + it->second.hex();
    return absl::InvalidArgumentError(
        Cat(CleanForDisplay(text), " stands for several records; use one of [AMBIGUOUS]", ids));
  }
  return Find(first->second);
}

absl::StatusOr<const Record*> Model::ResolveKind(std::string_view text, uint32_t kind) const {
  absl::StatusOr<const Record*> record = Resolve(text);
  if (record.ok() && (*record)->kind() != kind) {
    return absl::InvalidArgumentError(
        Cat(CleanForDisplay(text), " is no ", kinds_.Find(kind)->name(), " [WRONG_KIND]"));
  }
  return record;
}

Folded Model::Fold(const Record& record) const { return record.Fold(fold_context_); }

std::vector<const Record*> Model::List(const JitId* jit, uint32_t kind, size_t limit,
                                       const RecordId* after) const {
  std::vector<const Record*> out;
  const auto ids = by_kind_.find(kind);
  if (ids == by_kind_.end()) return out;
  bool started = after == nullptr;
  for (const RecordId& id : ids->second) {
    if (out.size() >= limit) break;
    if (!started) {
      started = id == *after;
      continue;
    }
    const Record* record = Find(id);
    if (jit == nullptr || record->jit() == *jit) out.push_back(record);
  }
  return out;
}

size_t Model::Count(uint32_t kind) const {
  const auto ids = by_kind_.find(kind);
  return ids == by_kind_.end() ? 0 : ids->second.size();
}

std::string Model::RefOf(const Record& record) const {
  return RecordRef(*kinds_.Find(record.kind()), record.id());
}

std::vector<std::string> Model::CodesOf(const sync::Members& members) const {
  std::vector<std::string> out;
  for (const PartyId& member : members) out.push_back(CodeOf(member));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Model::Change> Model::ChangesAfter(uint64_t token, size_t limit) const {
  std::vector<Change> out;
  for (auto it = changes_.upper_bound(token); it != changes_.end() && out.size() < limit; ++it) {
    out.push_back({it->first, it->second});
  }
  return out;
}

const v1::Agreement* Model::AgreementByHash(const Hash& version) const {
  const auto it = agreements_.find(version);
  return it == agreements_.end() ? nullptr : &it->second;
}

std::optional<Model::Current> Model::CurrentAgreement(const JitId& jit) const {
  const auto it = current_.find(jit);
  if (it == current_.end()) return std::nullopt;
  return Current{it->second, AgreementByHash(it->second)};
}

std::optional<RecordId> Model::ByIdempotencyKey(const std::string& key) const {
  const auto it = by_key_.find(key);
  if (key.empty() || it == by_key_.end()) return std::nullopt;
  return it->second;
}

const Record* Model::CardOf(const Record& record) const {
  const Folded folded = Fold(record);
  const auto it = cards_by_blind_.find(BlindedRecord(folded.blind_key, record.id()));
  if (it == cards_by_blind_.end()) return nullptr;
  // Whoever reads a record can make a card that names it; its owner's is the card.
  for (const RecordId& id : it->second) {
    const Record* card = Find(id);
    if (Fold(*card).owner == folded.owner) return card;
  }
  return nullptr;
}

std::vector<const Record*> Model::RecordsNaming(const BlobId& blob) const {
  std::vector<const Record*> out;
  const auto [first, last] = by_blob_.equal_range(blob);
  for (auto it = first; it != last; ++it) {
    const Record* record = Find(it->second);
    if (std::find(out.begin(), out.end(), record) == out.end()) out.push_back(record);
  }
  return out;
}

absl::StatusOr<v1::Strategy> Model::StrategyDraft(const JitId& jit, const std::string& ref) const {
  const Record* record = nullptr;
  if (!ref.empty()) {
    absl::StatusOr<const Record*> named = ResolveKind(ref, kStrategyKind);
    if (!named.ok()) return named.status();
    record = *named;
  } else {
    const std::vector<const Record*> drafts = List(&jit, kStrategyKind);
    if (drafts.empty()) {
      return absl::NotFoundError(
          "there is no draft of a strategy [NO_DRAFT]\n  Next: entente strategy draft --title … "
          "--objectives …");
    }
    record = drafts.back();
  }
  const Folded folded = Fold(*record);
  const auto* strategy = dynamic_cast<const v1::Strategy*>(folded.record.get());
  if (!folded.exists || strategy == nullptr) {
    return absl::FailedPreconditionError("the draft has no effect here [BAD_STATE]");
  }
  return *strategy;
}

std::vector<v1::StrategyView> Model::StrategyDrafts(const JitId& jit) const {
  std::vector<v1::StrategyView> out;
  for (const Record* record : List(&jit, kStrategyKind)) {
    const Folded folded = Fold(*record);
    const auto* strategy = dynamic_cast<const v1::Strategy*>(folded.record.get());
    if (!folded.exists || strategy == nullptr) continue;
    v1::StrategyView view;
    view.set_ref(RefOf(*record));
    view.set_state("DRAFT");
    *view.mutable_strategy() = *strategy;
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace entente::model

#include "sync/erasures.h"

#include <algorithm>

#include "crypto/signing.h"
#include "sync/entry_codec.h"
#include "sync/limits.h"
#include "sync/record_id.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// After a job that failed: the disk may have been full.
constexpr absl::Duration kJobRetry = absl::Minutes(10);

// How long an entry that cannot be read here is kept although an order names it: others may still
// hand over its key, and then it shows whether it is what the order says.
constexpr absl::Duration kUnreadWait = absl::Hours(1);

bool IsDestroyed(const v1::EntryBody& body) {
  return body.has_statement() &&
         body.statement().purpose() == crypto::PurposeName(crypto::Purpose::destroyed);
}

bool HandsOutKeys(const v1::EntryBody& body) {
  return body.has_grant() && body.grant().entries().empty();
}

}  // namespace

// ---- orders

absl::StatusOr<ErasureOrders> Erasures::MakeOrders(const std::set<EntryRef>& entries) const {
  std::map<LogId, std::set<uint64_t>> places;
  for (const EntryRef& entry : entries) {
    const LogState* log = context_.logs.Find(entry.log);
    if (log == nullptr) return absl::InternalError("an entry of a log that is not here");
    const absl::StatusOr<StoredEntry> stored = context_.logs.Read(*log, entry.index);
    if (!stored.ok()) return stored.status();
    const absl::StatusOr<uint64_t> epoch = context_.logs.EpochEntry(*log, stored->epoch);
    if (!epoch.ok()) return epoch.status();
    places[entry.log].insert({entry.index, *epoch});
  }
  ErasureOrders out;
  for (const auto& [id, indexes] : places) {
    if (indexes.size() > kPositionsPerOrder) {
      return absl::InvalidArgumentError("more entries than one order to erase can name [TOO_BIG]");
    }
    const LogState& log = *context_.logs.Find(id);
    out[log.members].push_back(SignErasureOrder(log.jit, id, indexes, context_.self,
                                                context_.cards.Find(context_.self)->hash,
                                                context_.keys->statement));
  }
  return out;
}

absl::Status Erasures::OrderMore(const JitId& jit, const v1::EntryBody& like,
                                 const std::set<EntryRef>& entries, std::vector<Due>* out) {
  const absl::StatusOr<ErasureOrders> by_audience = MakeOrders(entries);
  if (!by_audience.ok()) return by_audience.status();
  for (const auto& [audience, orders] : *by_audience) {
    Due due;
    due.draft.jit = jit;
    due.draft.audience = audience;
    due.draft.body.set_record_id(like.record_id());
    due.draft.body.set_kind(like.kind());
    due.draft.body.set_agreement(like.agreement());
    v1::Erase& erase = *due.draft.body.mutable_erase();
    erase.set_basis(like.erase().basis());
    erase.set_blind_key(like.erase().blind_key());
    erase.mutable_orders()->Add(orders.begin(), orders.end());
    out->push_back(std::move(due));
  }
  return absl::OkStatus();
}

// Whether any order names it.
bool Erasures::IsOrdered(const EntryRef& entry) const {
  const auto places = ordered_.find(entry.log);
  return places != ordered_.end() && places->second.contains(entry.index);
}

// ---- what is opened

bool Erasures::Takes(const OpenedEntry& entry) {
  if (entry.body.has_erase()) {
    Learn(entry);
    return entry.body.record_id().empty();
  }
  if (IsDestroyed(entry.body)) {
    return !CheckDestroyed(entry.body.statement(), entry.jit, entry.author, context_.cards).ok();
  }
  if (HandsOutKeys(entry.body)) {
    const absl::StatusOr<LogId> log = LogId::From(entry.body.grant().log_id());
    if (entry.author == context_.self && log.ok()) {
      own_key_grants_[*log].emplace(entry.ref, entry.body.grant());
      looked_at_.erase(*log);
    }
    return false;
  }
  const bool named = IsOrdered(entry.ref);
  if (named) Grown(entry.ref.log);
  const auto erased = erased_.find(entry.body.record_id());
  if (erased == erased_.end() || !HasEffect(erased->second)) return false;
  if (!named && acts_.at(erased->second).author == context_.self) {
    owed_[entry.body.record_id()].insert(entry.ref);
    news_ = true;
  }
  return true;
}

void Erasures::Learn(const OpenedEntry& entry) {
  const std::string& record = entry.body.record_id();
  if (acts_.contains(entry.ref)) return;
  if (!record.empty() && !Founds(entry.jit, entry.author, entry.body)) return;
  Act act{entry.jit, entry.author, entry.audience, entry.body, {}, {}, absl::InfinitePast()};
  for (const v1::SignedErasureOrder& signed_order : entry.body.erase().orders()) {
    absl::StatusOr<ErasureOrder> order = CheckErasureOrder(signed_order, entry.jit, context_.cards);
    if (!order.ok() || order->signer != entry.author) continue;
    std::set<uint64_t>& places = ordered_[order->log];
    places.insert(order->indexes.begin(), order->indexes.end());
    looked_at_.erase(order->log);
    act.open.insert(order->id);
    act.orders.push_back(*std::move(order));
  }
  act.body.mutable_erase()->clear_orders();  // those that count are kept as they were checked
  for (auto& [owed_record, refs] : owed_) {
    std::erase_if(refs, [&](const EntryRef& ref) { return IsOrdered(ref); });
  }
  std::erase_if(owed_, [](const auto& item) { return item.second.empty(); });
  if (!record.empty()) {
    const auto [newest, fresh] = erased_.emplace(record, entry.ref);
    if (!fresh && entry.body.hlc() > acts_.at(newest->second).body.hlc()) {
      newest->second = entry.ref;
    }
  }
  acts_.emplace(entry.ref, std::move(act));
  to_do_.insert(entry.ref);
}

// What may yet turn out never to have been said is no reason to destroy anything.
bool Erasures::HasEffect(const EntryRef& act) const {
  const LogState* log = context_.logs.Find(act.log);
  return log != nullptr && act.index < hooks_.effect_size(*log);
}

void Erasures::Grown(const LogId& log) {
  const auto acts = waiting_.find(log);
  if (acts == waiting_.end()) return;
  to_do_.insert(acts->second.begin(), acts->second.end());
  waiting_.erase(acts);
}

void Erasures::Remains(const std::string& record, const std::set<EntryRef>& entries) {
  const auto erased = erased_.find(record);
  if (erased == erased_.end() || acts_.at(erased->second).author != context_.self) return;
  for (const EntryRef& entry : entries) {
    if (IsOrdered(entry)) continue;
    owed_[record].insert(entry);
    news_ = true;
  }
}

// ---- what is done

absl::Status Erasures::CarryOut(absl::Time now) {
  while (!unread_.empty() && unread_.begin()->first <= now) {
    to_do_.insert(unread_.begin()->second);
    unread_.erase(unread_.begin());
  }
  std::set<EntryRef> without_effect;
  for (const EntryRef& ref : std::exchange(to_do_, {})) {
    Act& act = acts_.at(ref);
    if (!HasEffect(ref)) {
      without_effect.insert(ref);
      continue;
    }
    if (absl::Status s = CarryOutAct(act, ref, now); !s.ok()) return s;
  }
  to_do_ = std::move(without_effect);
  if (absl::Status s = FindOwnGrants(); !s.ok()) return s;
  if (!deleted_.empty() && now >= next_job_at_) StartJob();
  if (!deleted_.empty()) next_due_ = std::min(next_due_, next_job_at_);
  if (!unread_.empty()) next_due_ = std::min(next_due_, unread_.begin()->first);
  return absl::OkStatus();
}

absl::Status Erasures::CarryOutAct(Act& act, const EntryRef& ref, absl::Time now) {
  if (act.unread_until == absl::InfinitePast()) act.unread_until = now + kUnreadWait;
  for (const ErasureOrder& order : act.orders) {
    if (!act.open.contains(order.id)) continue;
    if (absl::Status s = context_.logs.KeepOrder(order.id, order.as_signed); !s.ok()) return s;
    const absl::StatusOr<bool> done = CarryOutOrder(act, order, now);
    if (!done.ok()) return done.status();
    if (*done) {
      act.open.erase(order.id);
      continue;
    }
    waiting_[order.log].insert(ref);
    if (now < act.unread_until) unread_.emplace(act.unread_until, ref);
  }
  if (act.open.empty()) {
    unconfirmed_.insert(ref);
    news_ = true;
  }
  const std::string& record = act.body.record_id();
  if (record.empty()) return absl::OkStatus();
  erased_now_.push_back(record);
  const std::vector<BlobId> files = hooks_.forget_files(record);
  if (files.empty() || act.orders.empty()) return absl::OkStatus();
  const Hash& first = act.orders.front().id;
  absl::StatusOr<v1::OrderRow> row = context_.logs.ReadOrder(first);
  if (!row.ok()) return row.status();
  for (const BlobId& file : files) row->add_files(file.str());
  row->set_stage(std::min(row->stage(), v1::ERASURE_STAGE_DELETED));
  context_.logs.SaveOrder(first, *row);
  deleted_.insert(first);
  return absl::OkStatus();
}

absl::StatusOr<bool> Erasures::CarryOutOrder(const Act& act, const ErasureOrder& order,
                                             absl::Time now) {
  absl::StatusOr<v1::OrderRow> row = context_.logs.ReadOrder(order.id);
  if (!row.ok()) return row.status();
  if (row->stage() != v1::ERASURE_STAGE_HEARD) {
    if (row->stage() == v1::ERASURE_STAGE_DELETED) deleted_.insert(order.id);
    RemoveAgain(*row);
    return true;
  }
  LogState* log = context_.logs.Find(order.log);
  if (log == nullptr) return false;
  Gone gone;
  bool waiting = false;
  for (const uint64_t index : order.indexes) {
    if (index >= log->size) {
      waiting = true;
      break;
    }
    const absl::StatusOr<Target> target = EraseOne(act, *log, index, order.id, now, &gone);
    if (!target.ok()) return target.status();
    if (*target == Target::kOther) {
      refusals_.Record(act.author, false, v1::REFUSAL_CODE_BAD_PROOF,
                       "an order to erase what is not its author's", now);
    }
    waiting = waiting || *target == Target::kWaiting;
  }
  if (!gone.leaves.empty()) looked_at_.erase(log->id);
  for (const auto& [epoch, leaves] : gone.leaves) {
    if (absl::Status s = keys_.Puncture(log->id, epoch, leaves); !s.ok()) return s;
  }
  if (absl::Status s = EraseEpochs(*log, order); !s.ok()) return s;
  if (!gone.leaves.empty()) deleted_.insert(order.id);
  row->set_entries(row->entries() + gone.entries);
  if (!waiting) {
    row->set_stage(v1::ERASURE_STAGE_DELETED);
    deleted_.insert(order.id);
  }
  context_.logs.SaveOrder(order.id, *row);
  return !waiting;
}

// A chunk that was being written when its file was erased may have come to the disk after that, and
// the process have ended before it could be removed.
void Erasures::RemoveAgain(const v1::OrderRow& row) {
  EraseJob job;
  for (const std::string& file : row.files()) {
    const absl::StatusOr<BlobId> blob = BlobId::From(file);
    if (blob.ok() && !hooks_.knows_file(*blob)) job.files.push_back(*blob);
  }
  if (!job.files.empty()) hooks_.run(std::move(job));
}

bool Erasures::IsMeant(const Act& act, const OpenedEntry& target) {
  if (target.body.has_erase() || IsDestroyed(target.body)) return false;
  if (!act.body.record_id().empty()) {
    return target.jit == act.jit && target.body.record_id() == act.body.record_id();
  }
  return target.author == act.author && HandsOutKeys(target.body);
}

absl::StatusOr<Erasures::Target> Erasures::EraseOne(const Act& act, const LogState& log,
                                                    uint64_t index, const Hash& order,
                                                    absl::Time now, Gone* gone) {
  const absl::StatusOr<StoredEntry> stored = context_.logs.Read(log, index);
  if (!stored.ok()) return stored.status();
  if (stored->type == crypto::kEpoch) return Target::kErased;
  const absl::StatusOr<uint64_t> epoch = context_.logs.EpochEntry(log, stored->epoch);
  if (!epoch.ok()) return epoch.status();
  const auto leaf = static_cast<uint32_t>(index - *epoch - 1);
  // It may have come without its body, from somebody who had carried the order out, and with the
  // key of it here all the same.
  if (stored->erased.has_value()) {
    gone->leaves[stored->epoch].insert(leaf);
    return Target::kErased;
  }
  const absl::StatusOr<crypto::Secret32> key = keys_.EntryKey(log.id, stored->epoch, leaf);
  if (absl::IsNotFound(key.status())) {
    if (now < act.unread_until) return Target::kWaiting;
  } else if (!key.ok()) {
    return key.status();
  } else {
    const absl::StatusOr<OpenedEntry> opened = OpenEntryUnder(*key, log, index, *stored);
    if (!opened.ok() || !IsMeant(act, *opened)) return Target::kOther;
    if (opened->author == context_.self && HandsOutKeys(opened->body)) {
      hooks_.taken_back(opened->body.grant(), opened->audience);
    }
  }
  context_.logs.Erase(log, index, *stored, order);
  gone->leaves[stored->epoch].insert(leaf);
  ++gone->entries;
  return Target::kErased;
}

// The Epoch entries that the order names, each once an entry that it opened is gone: from a slot in
// it the key of that entry could be had again, for as long as some box or recovery key exists.
absl::Status Erasures::EraseEpochs(LogState& log, const ErasureOrder& order) {
  std::map<uint32_t, std::pair<uint64_t, StoredEntry>> epochs;
  for (const uint64_t index : order.indexes) {
    if (index >= log.size) break;
    absl::StatusOr<StoredEntry> stored = context_.logs.Read(log, index);
    if (!stored.ok()) return stored.status();
    if (stored->type == crypto::kEpoch) {
      const uint32_t epoch = stored->epoch;
      if (!stored->erased.has_value()) epochs[epoch] = {index, *std::move(stored)};
      continue;
    }
    const auto epoch = epochs.find(stored->epoch);
    if (!stored->erased.has_value() || epoch == epochs.end()) continue;
    context_.logs.Erase(log, epoch->second.first, epoch->second.second, order.id);
    // Whoever has not learned its keys yet cannot learn them from it now.
    if (log.author == context_.self && epoch->first == log.epoch) log.renew_epoch = true;
    epochs.erase(epoch);
  }
  return absl::OkStatus();
}

// Own grants of keys that reach what an order has named.
absl::Status Erasures::FindOwnGrants() {
  for (const auto& [id, grants] : own_key_grants_) {
    const auto ordered = ordered_.find(id);
    const LogState* log = context_.logs.Find(id);
    if (ordered == ordered_.end() || log == nullptr || !looked_at_.insert(id).second) continue;
    for (const auto& [ref, grant] : grants) {
      if (IsOrdered(ref)) continue;
      const absl::StatusOr<bool> reaches = Reaches(*log, grant, ordered->second);
      if (!reaches.ok()) return reaches.status();
      if (!*reaches) continue;
      owed_grants_.insert(ref);
      news_ = true;
    }
  }
  return absl::OkStatus();
}

// Whether it opens, if its keys are what they are said to be, an entry of `log` that is erased
// here.
absl::StatusOr<bool> Erasures::Reaches(const LogState& log, const v1::Grant& grant,
                                       const std::set<uint64_t>& places) const {
  for (const v1::TreeKey& key : grant.keys()) {
    const crypto::TreePosition position{key.depth(), key.prefix()};
    const absl::StatusOr<uint64_t> epoch = context_.logs.EpochEntry(log, key.epoch());
    if (!position.valid() || absl::IsNotFound(epoch.status())) continue;
    if (!epoch.ok()) return epoch.status();
    const uint64_t first = *epoch + 1 + position.first_leaf();
    const uint64_t end = std::min(log.size, first + (uint64_t{1} << position.height()));
    for (auto place = places.lower_bound(first); place != places.end() && *place < end; ++place) {
      const absl::StatusOr<StoredEntry> stored = context_.logs.Read(log, *place);
      if (!stored.ok()) return stored.status();
      if (stored->epoch != key.epoch()) break;  // the epoch ends before its tree does
      if (stored->erased.has_value()) return true;
    }
  }
  return false;
}

// ---- traces

void Erasures::StartJob() {
  EraseJob job;
  job.id = next_job_++;
  for (const Hash& id : deleted_) {
    const absl::StatusOr<v1::OrderRow> row = context_.logs.ReadOrder(id);
    v1::ErasureOrder order;
    if (!row.ok() || !order.ParseFromString(row->order().order())) continue;
    const absl::StatusOr<LogId> log = LogId::From(order.log_id());
    if (!log.ok() || order.indexes().empty()) continue;
    job.ranges.emplace_back(schema::Entry(*log, *order.indexes().begin()),
                            schema::Entry(*log, *order.indexes().rbegin() + 1));
    job.ranges.emplace_back(schema::EpochSeed(*log, 0), schema::EpochSeed(*log, UINT32_MAX));
    for (const std::string& file : row->files()) {
      const absl::StatusOr<BlobId> blob = BlobId::From(file);
      if (!blob.ok()) continue;
      job.files.push_back(*blob);
      job.ranges.emplace_back(schema::Blob(*blob), schema::After(schema::Blob(*blob)));
    }
  }
  jobs_[job.id] = std::exchange(deleted_, {});
  hooks_.run(std::move(job));
}

absl::Status Erasures::OnErased(const Erased& done, absl::Time now) {
  const auto job = jobs_.find(done.id);
  if (job == jobs_.end()) return absl::OkStatus();
  const std::set<Hash> orders = std::move(job->second);
  jobs_.erase(job);
  if (!done.status.ok()) {
    deleted_.insert(orders.begin(), orders.end());
    next_job_at_ = now + kJobRetry;
    return absl::OkStatus();
  }
  for (const Hash& id : orders) {
    absl::StatusOr<v1::OrderRow> row = context_.logs.ReadOrder(id);
    if (!row.ok()) return row.status();
    if (row->stage() != v1::ERASURE_STAGE_DELETED) continue;
    row->set_stage(v1::ERASURE_STAGE_GONE);
    context_.logs.SaveOrder(id, *row);
  }
  news_ = true;
  return absl::OkStatus();
}

// ---- what is said

absl::StatusOr<std::vector<Erasures::Due>> Erasures::TakeDue(absl::Time now) {
  std::vector<Due> out;
  if (!news_ && now < next_due_) return out;
  news_ = false;
  next_due_ = deleted_.empty() ? absl::InfiniteFuture() : next_job_at_;
  if (!unread_.empty()) next_due_ = std::min(next_due_, unread_.begin()->first);
  if (now < not_before_) {
    next_due_ = std::min(next_due_, not_before_);
    return out;
  }
  for (const EntryRef& ref : std::set<EntryRef>(unconfirmed_)) {
    if (absl::Status s = Confirm(ref, now, &out); !s.ok()) return s;
  }
  for (const auto& [record, refs] : owed_) {
    const Act& act = acts_.at(erased_.at(record));
    if (absl::Status s = OrderMore(act.jit, act.body, refs, &out); !s.ok()) return s;
  }
  std::map<JitId, std::set<EntryRef>> grants;
  for (const EntryRef& ref : owed_grants_) {
    if (IsOrdered(ref)) continue;
    grants[context_.logs.Find(ref.log)->jit].insert(ref);
  }
  for (const auto& [jit, refs] : grants) {
    if (absl::Status s = OrderMore(jit, v1::EntryBody(), refs, &out); !s.ok()) return s;
  }
  return out;
}

absl::Status Erasures::Confirm(const EntryRef& ref, absl::Time now, std::vector<Due>* out) {
  const Act& act = acts_.at(ref);
  v1::Destroyed destroyed;
  Due due;
  for (const ErasureOrder& order : act.orders) {
    const absl::StatusOr<v1::OrderRow> row = context_.logs.ReadOrder(order.id);
    if (!row.ok()) return row.status();
    if (row->stage() < v1::ERASURE_STAGE_GONE) return absl::OkStatus();
    if (row->stage() == v1::ERASURE_STAGE_GONE) due.confirms.push_back(order.id);
    destroyed.add_orders(order.id.str());
    destroyed.set_entries(destroyed.entries() + row->entries());
    destroyed.set_files(destroyed.files() + static_cast<uint64_t>(row->files_size()));
  }
  due.act = ref;
  // What hands out keys alone is nobody's record, and nobody waits to hear of it.
  if (due.confirms.empty() || act.body.record_id().empty()) return Confirmed(due);
  destroyed.set_destroyed_at(absl::ToUnixSeconds(now));
  destroyed.set_backups_expire(absl::ToUnixSeconds(now + backups_kept_));
  due.draft.jit = act.jit;
  due.draft.audience = act.audience;
  due.draft.body.set_record_id(act.body.record_id());
  due.draft.body.set_kind(act.body.kind());
  due.draft.body.set_agreement(act.body.agreement());
  // Its writer's clock may be far behind that of the owner: the answer comes after the order.
  *due.draft.body.add_based_on() = ToProto(ref);
  *due.draft.body.mutable_statement() = SignDestroyed(
      act.jit, destroyed, context_.cards.Find(context_.self)->hash, context_.keys->statement);
  out->push_back(std::move(due));
  return absl::OkStatus();
}

absl::Status Erasures::Confirmed(const Due& due) {
  if (!due.act.has_value()) return absl::OkStatus();
  unconfirmed_.erase(*due.act);
  for (const Hash& id : due.confirms) {
    absl::StatusOr<v1::OrderRow> row = context_.logs.ReadOrder(id);
    if (!row.ok()) return row.status();
    row->set_stage(v1::ERASURE_STAGE_CONFIRMED);
    context_.logs.SaveOrder(id, *row);
  }
  return absl::OkStatus();
}

void Erasures::Postpone(absl::Time until) {
  not_before_ = until;
  next_due_ = std::min(next_due_, until);
}

}  // namespace entente::sync

#include "sync/key_repair.h"

#include <algorithm>
#include <optional>
#include <string>

#include "sync/entry_codec.h"
#include "sync/hlc.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

constexpr std::string_view kBasis = "keys of an epoch that could not be opened";

// Grants of originals carry entries; those of whole epochs to a member carry keys alone.
bool IsRepair(const v1::Grant& grant) {
  return grant.entries().empty() && grant.keys_size() <= static_cast<int>(kGrantKeysMax);
}

// The reader of an entry in a log of two.
std::optional<PartyId> OtherOf(const Members& pair, const PartyId& one) {
  if (pair.size() != 2 || !pair.contains(one)) return std::nullopt;
  return *pair.begin() == one ? *pair.rbegin() : *pair.begin();
}

// Whether the node at `position`, or one above it, is among those held.
bool Covers(const std::vector<crypto::TreeNode>& held, const crypto::TreePosition& position) {
  return std::any_of(held.begin(), held.end(), [&](const crypto::TreeNode& node) {
    return node.position.depth <= position.depth &&
           position.prefix >> (position.depth - node.position.depth) == node.position.prefix;
  });
}

}  // namespace

void KeyRepair::Heard(const LogId& log, const PartyId& member, uint64_t hlc,
                      const google::protobuf::RepeatedField<uint32_t>& epochs) {
  const Debt debt{log, member};
  // The log itself may arrive later than what is said about it.
  const LogState* held = context_.logs.Find(log);
  if (held != nullptr && held->size > 0 && !held->members.contains(member)) return;
  if (epochs.empty() && !reports_.contains(debt)) return;
  Report& report = reports_[debt];
  if (hlc < report.hlc) return;
  std::set<uint32_t> named;
  for (const uint32_t epoch : epochs) {
    if (named.size() >= kGrantKeysMax) break;
    const bool exists = held == nullptr || held->size == 0 || epoch <= held->epoch;
    if (epoch > 0 && exists) named.insert(epoch);
  }
  // The turn of each holder counts from the first word about it.
  if (report.epochs.empty()) report.since = TimeFromHlc(hlc);
  report.hlc = hlc;
  news_ = news_ || named != report.epochs;
  report.epochs = std::move(named);
}

void KeyRepair::Learn(const OpenedEntry& entry) {
  if (entry.body.has_observed() && entry.author != context_.self) {
    for (const v1::Seen& seen : entry.body.observed().seen()) {
      const absl::StatusOr<LogId> log = LogId::From(seen.log_id());
      if (log.ok()) Heard(*log, entry.author, entry.body.hlc(), seen.locked_epochs());
    }
    return;
  }
  if (!entry.body.has_grant() || !IsRepair(entry.body.grant())) return;
  const v1::Grant& grant = entry.body.grant();
  const absl::StatusOr<LogId> log = LogId::From(grant.log_id());
  if (!log.ok()) return;
  if (entry.author == context_.self) {
    const std::optional<PartyId> member = OtherOf(entry.audience, context_.self);
    if (!member.has_value()) return;
    Given& given = given_[{*log, *member}];
    given.last = TimeFromHlc(entry.body.hlc());
    for (const v1::TreeKey& key : grant.keys()) given.epochs.insert(key.epoch());
    return;
  }
  for (const v1::TreeKey& key : grant.keys()) {
    if (arrived_.size() >= kRepairsWaitingMax) arrived_.pop_front();
    arrived_.push_back({entry.author, *log, key});
  }
}

void KeyRepair::Told(const PartyId& peer, const v1::Cosign& cosign, absl::Time now) {
  const absl::StatusOr<LogId> log = LogId::From(cosign.log_id());
  if (!log.ok() || context_.logs.Find(*log) == nullptr) return;
  Heard(*log, peer, HlcFromTime(now), cosign.locked_epochs());
}

void KeyRepair::Grown(const LogId& log) {
  const auto it = reports_.lower_bound({log, PartyId()});
  news_ = news_ || (it != reports_.end() && it->first.first == log);
}

absl::StatusOr<std::vector<KeyRepair::Unlocked>> KeyRepair::TakeArrived() {
  std::vector<Unlocked> out;
  std::deque<Arrived> waiting;
  for (Arrived& item : arrived_) {
    LogState* log = context_.logs.Find(item.log);
    if (log == nullptr || log->epoch < item.key.epoch()) {
      waiting.push_back(std::move(item));  // its Epoch entry is on the way
      continue;
    }
    const auto locked =
        std::find(log->locked_epochs.begin(), log->locked_epochs.end(), item.key.epoch());
    if (locked == log->locked_epochs.end()) {
      needless_.insert({item.granter, item.log});
      continue;
    }
    const absl::StatusOr<Opens> opens = Use(*log, item.key);
    if (!opens.ok()) return opens.status();
    if (*opens == Opens::kNothing) continue;
    // With a part of the tree the rest of the epoch stays locked, and is still asked for.
    if (*opens == Opens::kWholeEpoch) log->locked_epochs.erase(locked);
    const bool named = std::any_of(out.begin(), out.end(), [&](const Unlocked& other) {
      return other.log == item.log && other.epoch == item.key.epoch();
    });
    if (!named) out.push_back({item.log, item.key.epoch()});
  }
  arrived_ = std::move(waiting);
  return out;
}

absl::StatusOr<std::vector<KeyRepair::Unlocked>> KeyRepair::RetrySlots() {
  std::vector<Unlocked> out;
  for (const auto& [id, held] : context_.logs.all()) {
    LogState& log = *context_.logs.Find(id);
    for (const uint32_t number : std::vector<uint32_t>(held.locked_epochs)) {
      const absl::StatusOr<uint64_t> index = context_.logs.EpochEntry(log, number);
      if (absl::IsNotFound(index.status())) continue;
      if (!index.ok()) return index.status();
      const absl::StatusOr<StoredEntry> stored = context_.logs.Read(log, *index);
      if (!stored.ok()) return stored.status();
      v1::Epoch epoch;
      if (!epoch.ParseFromString(stored->body) || !keys_.Learn(log, epoch).ok()) continue;
      std::erase(log.locked_epochs, number);
      out.push_back({id, number});
    }
  }
  return out;
}

absl::StatusOr<KeyRepair::Opens> KeyRepair::Use(const LogState& log, const v1::TreeKey& key) {
  const absl::StatusOr<crypto::Secret32> secret = crypto::Secret32::From(key.key());
  const crypto::TreePosition position{key.depth(), key.prefix()};
  if (!secret.ok() || !position.valid()) return Opens::kNothing;
  const absl::StatusOr<uint64_t> index = context_.logs.EpochEntry(log, key.epoch());
  if (absl::IsNotFound(index.status())) return Opens::kNothing;
  if (!index.ok()) return index.status();
  const absl::StatusOr<StoredEntry> stored = context_.logs.Read(log, *index);
  if (!stored.ok()) return stored.status();
  // Of an epoch that was erased the commitments of its entries are all there is to check by.
  const bool seed = position.depth == 0 && !stored->erased.has_value();
  if (seed) {
    v1::Epoch epoch;
    if (!epoch.ParseFromString(stored->body) ||
        crypto::SeedCommit(log.id, key.epoch(), *secret).view() != epoch.seed_commit()) {
      return Opens::kNothing;
    }
    keys_.Keep(log.id, key.epoch(), *secret);
  } else {
    // A part that is held already opens nothing new, however often it is handed over.
    const absl::StatusOr<std::vector<crypto::TreeNode>> held = keys_.Held(log.id, key.epoch());
    if (!held.ok()) return held.status();
    if (Covers(*held, position)) return Opens::kNothing;
    std::vector<crypto::TreeNode> parts;
    parts.push_back({position, secret->Clone()});
    const absl::StatusOr<bool> good =
        OpensWhatItCovers(log, key.epoch(), *index + 1, parts.front());
    if (!good.ok()) return good.status();
    if (!*good) return Opens::kNothing;
    if (absl::Status s = keys_.KeepParts(log.id, key.epoch(), parts); !s.ok()) return s;
  }
  if (absl::Status s = ForgetErased(log, key.epoch(), *index); !s.ok()) return s;
  return seed ? Opens::kWholeEpoch : Opens::kPart;
}

// Whoever gave the key may not have heard of an erasure that is known here.
absl::Status KeyRepair::ForgetErased(const LogState& log, uint32_t epoch, uint64_t begin) {
  std::set<uint32_t> leaves;
  const absl::Status read = context_.logs.ReadRange(
      log, begin + 1, log.size, [&](uint64_t index, const StoredEntry& stored) {
        if (stored.epoch != epoch) return false;
        if (stored.erased.has_value()) leaves.insert(static_cast<uint32_t>(index - begin - 1));
        return true;
      });
  if (!read.ok() || leaves.empty()) return read;
  return keys_.Puncture(log.id, epoch, leaves);
}

absl::StatusOr<bool> KeyRepair::OpensWhatItCovers(const LogState& log, uint32_t epoch,
                                                  uint64_t first_index,
                                                  const crypto::TreeNode& node) {
  crypto::EntryKeys keys(node);
  const uint64_t from = first_index + node.position.first_leaf();
  const uint64_t to = std::min(log.size, from + (uint64_t{1} << node.position.height()));
  bool any = false;
  bool good = true;
  const absl::Status read =
      context_.logs.ReadRange(log, from, to, [&](uint64_t index, const StoredEntry& stored) {
        if (stored.epoch != epoch || stored.type != crypto::kSealed) return false;
        if (stored.erased.has_value()) return true;
        const crypto::Secret32 key = keys.Key(static_cast<uint32_t>(index - first_index));
        good = OpenEntryUnder(key, log, index, stored).ok();
        any = true;
        return good;
      });
  if (!read.ok()) return read;
  return any && good;
}

absl::Time KeyRepair::DueAt(const LogState& log, const PartyId& member,
                            const Report& report) const {
  if (!log.members.contains(member) || !context_.Shares(log, member) ||
      context_.exclusions->Stopped(log.jit, member)) {
    return absl::InfiniteFuture();
  }
  // The author first, unless it is the one who asks, then the others in order: one is enough.
  int64_t turn = 0;
  if (log.author != context_.self) {
    if (log.author != member) ++turn;
    for (const PartyId& other : log.members) {
      if (other == context_.self) break;
      if (other != log.author && other != member) ++turn;
    }
  }
  absl::Time due = report.since + turn * kRepairStagger;
  const Debt debt{log.id, member};
  // What was given once is given again only after a while, whatever the member says in between.
  if (const auto it = given_.find(debt);
      it != given_.end() && std::includes(it->second.epochs.begin(), it->second.epochs.end(),
                                          report.epochs.begin(), report.epochs.end())) {
    due = std::max(due, it->second.last + kRepairRetry);
  }
  if (const auto it = not_before_.find(debt); it != not_before_.end()) {
    due = std::max(due, it->second);
  }
  return due;
}

absl::StatusOr<Draft> KeyRepair::MakeGrant(const LogState& log, const PartyId& member,
                                           const Report& report) {
  Draft draft;
  draft.jit = log.jit;
  draft.audience = {context_.self, member};
  v1::Grant* grant = draft.body.mutable_grant();
  grant->set_log_id(log.id.str());
  grant->set_basis(std::string(kBasis));
  for (const uint32_t epoch : report.epochs) {
    const absl::StatusOr<std::vector<crypto::TreeNode>> held = keys_.Held(log.id, epoch);
    if (!held.ok()) return held.status();
    if (grant->keys_size() + held->size() > kGrantKeysMax) break;
    for (const crypto::TreeNode& node : *held) {
      v1::TreeKey* key = grant->add_keys();
      key->set_epoch(epoch);
      key->set_depth(node.position.depth);
      key->set_prefix(node.position.prefix);
      key->set_key(std::string(node.key.view()));
    }
  }
  return draft;
}

// The road to the member must be open itself: where it cannot read the present epoch of the log of
// the two, that log gets a new one first.
absl::Time KeyRepair::RenewPair(const PartyId& member, const JitId& jit, absl::Time now) {
  const Members pair = {context_.self, member};
  for (const auto& [id, log] : context_.logs.all()) {
    if (log.jit != jit || log.author != context_.self || log.members != pair || log.frozen) {
      continue;
    }
    const auto report = reports_.find({id, member});
    if (report == reports_.end() || !report->second.epochs.contains(log.epoch)) continue;
    const absl::Time due = absl::FromUnixSeconds(log.epoch_started) + kRepairEpochInterval;
    if (due > now) return due;
    context_.logs.Find(id)->renew_epoch = true;
  }
  return now;
}

absl::StatusOr<std::vector<Draft>> KeyRepair::Due(absl::Time now) {
  std::vector<Draft> out;
  if (now < next_due_ && !news_) return out;
  news_ = false;
  next_due_ = absl::InfiniteFuture();
  for (auto& [debt, report] : reports_) {
    const LogState* log = context_.logs.Find(debt.first);
    if (log == nullptr || report.epochs.empty()) continue;
    report.since = std::min(report.since, now);  // whatever the member's clock says
    const absl::Time due = DueAt(*log, debt.second, report);
    if (due > now) {
      next_due_ = std::min(next_due_, due);
      continue;
    }
    const absl::Time readable = RenewPair(debt.second, log->jit, now);
    if (readable > now) {
      next_due_ = std::min(next_due_, readable);
      continue;
    }
    absl::StatusOr<Draft> draft = MakeGrant(*log, debt.second, report);
    if (!draft.ok()) return draft.status();
    if (draft->body.grant().keys().empty()) {  // locked here as well
      not_before_[debt] = now + kRepairEpochInterval;
      continue;
    }
    Given& given = given_[debt];
    given.last = now;
    given.epochs.insert(report.epochs.begin(), report.epochs.end());
    next_due_ = std::min(next_due_, now + kRepairRetry);
    out.push_back(*std::move(draft));
  }
  return out;
}

void KeyRepair::TakenBack(const v1::Grant& grant, const Members& audience) {
  const absl::StatusOr<LogId> log = LogId::From(grant.log_id());
  const std::optional<PartyId> member = OtherOf(audience, context_.self);
  if (log.ok() && member.has_value()) given_.erase({*log, *member});
  news_ = true;
}

void KeyRepair::Postpone(const Draft& draft, absl::Time until) {
  const absl::StatusOr<LogId> log = LogId::From(draft.body.grant().log_id());
  const std::optional<PartyId> member = OtherOf(draft.audience, context_.self);
  if (!log.ok() || !member.has_value()) return;
  given_.erase({*log, *member});
  not_before_[{*log, *member}] = until;
  next_due_ = std::min(next_due_, until);
}

uint64_t KeyRepair::Owed(const PartyId& member) const {
  uint64_t owed = 0;
  for (const auto& [debt, report] : reports_) {
    const LogState* log = context_.logs.Find(debt.first);
    if (debt.second != member || log == nullptr || !log->members.contains(member)) continue;
    owed += report.epochs.size();
  }
  return owed;
}

}  // namespace entente::sync

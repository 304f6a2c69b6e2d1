#include "sync/observations.h"

#include <algorithm>

#include "sync/hlc.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

// Claims about a log that run ahead of what is held here; more than a member needs to make.
constexpr size_t kPendingMax = 64;
// One Observed entry: about a hundred bytes for each log, so that it fits whatever there is to say.
constexpr int kSeenMax = 1000;
constexpr int kLockedMax = 4096;

}  // namespace

Observations::Room& Observations::Enter(const Audience& audience, const LogId& log) {
  const auto [it, fresh] = rooms_.try_emplace(audience);
  if (fresh) it->second.number = rooms_.size();
  size_t& widest = widest_[audience.first];
  widest = std::max(widest, audience.second.size());
  it->second.logs.insert(log);
  return it->second;
}

void Observations::Reschedule(const Audience& audience, Room& room) {
  const absl::Time due = RoomDue(audience, room);
  if (due == room.due) return;
  schedule_.erase({room.due, room.number});
  room.due = due;
  if (due != absl::InfiniteFuture()) {
    schedule_[{due, room.number}] = &rooms_.find(audience)->first;
  }
}

absl::Status Observations::Learn(const OpenedEntry& entry) {
  const Audience audience{entry.jit, entry.audience};
  Room& room = Enter(audience, entry.ref.log);
  Log& log = logs_[entry.ref.log];
  if (!entry.body.has_observed()) {
    log.content = std::max(log.content, entry.ref.index + 1);
    if (entry.author != context_.self && log.content > log.own_seen) room.dirty = true;
    Reschedule(audience, room);
    return absl::OkStatus();
  }
  const absl::Time time = TimeFromHlc(entry.body.hlc());
  absl::Time& last = last_from_.try_emplace({entry.jit, entry.author}, time).first->second;
  last = std::max(last, time);
  if (entry.author == context_.self) room.last = time;
  for (const v1::Seen& seen : entry.body.observed().seen()) {
    if (absl::Status s = LearnSeen(entry, seen); !s.ok()) return s;
  }
  if (entry.author == context_.self) room.dirty = Dirty(room);
  Reschedule(audience, room);
  return absl::OkStatus();
}

absl::Status Observations::LearnSeen(const OpenedEntry& entry, const v1::Seen& seen) {
  const absl::StatusOr<LogId> id = LogId::From(seen.log_id());
  const absl::StatusOr<Hash> root = Hash::From(seen.root());
  if (!id.ok() || !root.ok() || seen.size() == 0) return absl::OkStatus();
  Log& known = logs_[*id];
  if (entry.author == context_.self) {
    known.own_seen = std::max(known.own_seen, seen.size());
    known.own_locked.assign(seen.locked_epochs().begin(), seen.locked_epochs().end());
    known.own_marks.emplace(seen.size(), entry.body.hlc());
    return absl::OkStatus();
  }
  Member& member = known.members[entry.author];
  Claim claim{entry.audience, *root, std::min(seen.opened(), seen.size())};
  const LogState* log = context_.logs.Find(*id);
  if (log != nullptr && seen.size() <= log->size) {
    return Check(*log, entry.author, seen.size(), claim, &member);
  }
  if (member.pending.size() < kPendingMax) member.pending[seen.size()] = std::move(claim);
  return absl::OkStatus();
}

absl::Status Observations::Check(const LogState& log, const PartyId& claimant, uint64_t size,
                                 const Claim& claim, Member* member) {
  // An Observed entry speaks of the other logs of its own audience; anything else is passed over.
  if (log.members != claim.audience || log.author == claimant) return absl::OkStatus();
  const absl::StatusOr<crypto::CompactRange> range = context_.logs.RangeAt(log, size);
  if (!range.ok()) return range.status();
  if (*range->Root() != claim.root) {
    if (!log.fork.has_value()) contradicted_.push_back(log.id);
    return absl::OkStatus();
  }
  member->held = std::max(member->held, size);
  member->opened = std::max(member->opened, claim.opened);
  return absl::OkStatus();
}

absl::Status Observations::Grown(const LogState& log) {
  Log& known = logs_[log.id];
  if (!log.locked_epochs.empty() && Reports(log) && log.size > known.own_seen) {
    known.content = std::max(known.content, log.size);
    const Audience audience{log.jit, log.members};
    Room& room = Enter(audience, log.id);
    room.dirty = true;
    Reschedule(audience, room);
  }
  for (auto& [party, member] : known.members) {
    while (!member.pending.empty() && member.pending.begin()->first <= log.size) {
      const auto claim = member.pending.extract(member.pending.begin());
      if (absl::Status s = Check(log, party, claim.key(), claim.mapped(), &member); !s.ok())
        return s;
    }
  }
  return absl::OkStatus();
}

void Observations::Unlocked(const LogState& log) {
  const Audience audience{log.jit, log.members};
  Room& room = Enter(audience, log.id);
  room.dirty = true;
  Reschedule(audience, room);
}

void Observations::Forked(const LogState& log) {
  const Audience audience{log.jit, log.members};
  Reschedule(audience, Enter(audience, log.id));
}

uint64_t Observations::HeldBy(const LogState& log, const PartyId& member) const {
  const auto known = logs_.find(log.id);
  if (known == logs_.end()) return 0;
  const auto it = known->second.members.find(member);
  return it == known->second.members.end() ? 0 : it->second.held;
}

uint64_t Observations::OpenedBy(const LogState& log, const PartyId& member) const {
  const auto known = logs_.find(log.id);
  if (known == logs_.end()) return 0;
  const auto it = known->second.members.find(member);
  return it == known->second.members.end() ? 0 : std::min(it->second.opened, it->second.held);
}

absl::Time Observations::OwnWordOn(const LogId& log, uint64_t index) const {
  const auto known = logs_.find(log);
  if (known == logs_.end()) return absl::InfinitePast();
  uint64_t first = UINT64_MAX;
  const auto& marks = known->second.own_marks;
  for (auto it = marks.upper_bound(index); it != marks.end(); ++it) {
    first = std::min(first, it->second);
  }
  return first == UINT64_MAX ? absl::InfinitePast() : TimeFromHlc(first);
}

absl::Time Observations::LastFrom(const JitId& jit, const PartyId& member) const {
  const auto it = last_from_.find({jit, member});
  return it == last_from_.end() ? absl::InfinitePast() : it->second;
}

uint64_t Observations::StableSize(const LogState& log) const {
  uint64_t stable = log.size;
  for (const PartyId& member : log.members) {
    if (member == log.author || member == context_.self) continue;
    stable = std::min(stable, HeldBy(log, member));
  }
  return stable;
}

bool Observations::Reports(const LogState& log) const {
  if (log.author != context_.self) return true;
  const auto known = logs_.find(log.id);
  return log.frozen && (!log.locked_epochs.empty() ||
                        (known != logs_.end() && !known->second.own_locked.empty()));
}

bool Observations::Dirty(const Room& room) const {
  return std::any_of(room.logs.begin(), room.logs.end(), [this](const LogId& id) {
    const LogState* log = context_.logs.Find(id);
    const auto known = logs_.find(id);
    return log != nullptr && Reports(*log) && known != logs_.end() &&
           (known->second.content > known->second.own_seen ||
            (known->second.own_seen > 0 && known->second.own_locked != log->locked_epochs));
  });
}

bool Observations::HasOthers(const Room& room) const {
  return std::any_of(room.logs.begin(), room.logs.end(), [this](const LogId& id) {
    const LogState* log = context_.logs.Find(id);
    return log != nullptr && Reports(*log) && log->size > 0;
  });
}

// Of a forked log every member names the largest size on which it agrees with all others, so that
// those on either branch arrive at the same one.
bool Observations::MarkMissing(const Room& room) const {
  return std::any_of(room.logs.begin(), room.logs.end(), [this](const LogId& id) {
    const LogState* log = context_.logs.Find(id);
    if (log == nullptr || !log->fork.has_value() || log->author == context_.self) return false;
    const uint64_t size = EffectSize(*log);
    const auto known = logs_.find(id);
    return size > 0 && (known == logs_.end() || !known->second.own_marks.contains(size));
  });
}

absl::Time Observations::RoomDue(const Audience& audience, const Room& room) const {
  if (audience.second.size() < 2 || !HasOthers(room)) return absl::InfiniteFuture();
  absl::Time due = absl::InfiniteFuture();
  if (MarkMissing(room)) {
    due = absl::InfinitePast();
  } else if (room.dirty) {
    due = room.last + kObservedInterval * static_cast<int64_t>(audience.second.size());
  } else if (widest_.at(audience.first) == audience.second.size()) {
    due = room.last + kHeartbeatInterval;
  }
  return std::max(due, room.not_before);
}

void Observations::Start(absl::Time now) {
  // Of what cannot be read nothing was replayed.
  for (const auto& [id, log] : context_.logs.all()) {
    if (log.size == 0 || log.locked_epochs.empty() || !Reports(log)) continue;
    logs_[id].content = std::max(logs_[id].content, log.size);
    Enter({log.jit, log.members}, id);
  }
  for (auto& [audience, room] : rooms_) {
    room.last = std::min(room.last, now);
    room.dirty = room.dirty || Dirty(room);
    Reschedule(audience, room);
  }
}

void Observations::ClockSetBack(absl::Time now) {
  for (auto& [audience, room] : rooms_) {
    room.last = std::min(room.last, now);
    room.not_before = std::min(room.not_before, now + kObservedRetry);
    Reschedule(audience, room);
  }
}

void Observations::Postpone(const JitId& jit, const Members& members, absl::Time until) {
  const Audience audience{jit, members};
  Room& room = rooms_[audience];
  room.not_before = until;
  Reschedule(audience, room);
}

absl::StatusOr<std::vector<Draft>> Observations::Observe(const Audience& audience,
                                                         const Room& room) const {
  std::vector<Draft> out;
  int locked = 0;
  for (const LogId& id : room.logs) {
    const LogState* log = context_.logs.Find(id);
    if (log == nullptr || !Reports(*log) || log->size == 0) continue;
    const uint64_t size = std::min(log->size, EffectSize(*log));
    const absl::StatusOr<crypto::CompactRange> range = context_.logs.RangeAt(*log, size);
    if (!range.ok()) return range.status();
    if (out.empty() || out.back().body.observed().seen_size() >= kSeenMax || locked >= kLockedMax) {
      Draft& draft = out.emplace_back();
      draft.jit = audience.first;
      draft.audience = audience.second;
      locked = 0;
    }
    v1::Seen* seen = out.back().body.mutable_observed()->add_seen();
    seen->set_log_id(id.str());
    seen->set_size(size);
    seen->set_root(range->Root()->str());
    seen->set_opened(std::min(log->opened, size));
    for (const uint32_t epoch : log->locked_epochs) {
      if (++locked > kLockedMax) break;  // the rest when these have been opened
      seen->add_locked_epochs(epoch);
    }
  }
  return out;
}

std::vector<Draft> Observations::Due(absl::Time now) {
  std::vector<Draft> out;
  while (!schedule_.empty() && schedule_.begin()->first.first <= now) {
    const Audience& audience = *schedule_.begin()->second;
    Room& room = rooms_.at(audience);
    const bool sign_of_life = !room.dirty && !MarkMissing(room);
    absl::StatusOr<std::vector<Draft>> drafts = Observe(audience, room);
    // The first sign of life of an audience is due a day after it was met, not at once.
    if (drafts.ok() && !(sign_of_life && room.last == absl::InfinitePast())) {
      for (Draft& draft : *drafts) out.push_back(std::move(draft));
    }
    room.last = now;
    Reschedule(audience, room);
    if (room.due <= now) break;
  }
  return out;
}

absl::Time Observations::NextDue() const {
  return schedule_.empty() ? absl::InfiniteFuture() : schedule_.begin()->first.first;
}

}  // namespace entente::sync

#include "sync/revocation.h"

#include <algorithm>

#include "sync/hlc.h"

namespace entente::sync {

void Revocations::Learn(const OpenedEntry& entry) {
  if (entry.author == self_) {
    const int64_t since = cards_.Find(self_)->card.compromised_since();
    if (since != 0 && TimeFromHlc(entry.body.hlc()) >= absl::FromUnixSeconds(since)) {
      uint64_t& first = suspicious_.try_emplace(entry.ref.log, entry.ref.index).first->second;
      first = std::min(first, entry.ref.index);
    }
  }
  if (!entry.body.has_close()) return;
  const absl::StatusOr<LogId> id = LogId::From(entry.body.close().log_id());
  const absl::StatusOr<Hash> root = Hash::From(entry.body.close().root());
  if (!id.ok() || !root.ok()) return;
  closes_[*id][{entry.ref.log, entry.ref.index}] = {entry.body.close().size(), *root,
                                                    entry.audience};
}

void Revocations::Start() {
  for (const auto& [id, log] : logs_.all()) {
    if (log.author == self_) remembered_.insert(id);
  }
  started_ = true;
}

bool Revocations::IsRevoked(const LogState& log) const {
  const TrustedCard* card = CardOf(log);
  return card != nullptr && cards_.IsRevoked(*card);
}

// By the log's own author, under a later card, from within what counts of the log it stands in.
bool Revocations::Valid(const std::pair<LogId, uint64_t>& place, const Claim& claim,
                        const LogState& log, Sizes* known) const {
  const LogState* carrier = logs_.Find(place.first);
  if (carrier == nullptr || carrier->author != log.author || carrier->jit != log.jit) return false;
  const TrustedCard* old = CardOf(log);
  const TrustedCard* later = CardOf(*carrier);
  if (old == nullptr || later == nullptr || later->card.seq() <= old->card.seq()) return false;
  if (place.second >= FinalSizeOf(*carrier, known)) return false;
  // Told to bodies of that log alone; all of them, but for those left out since.
  return log.members.empty() || std::includes(log.members.begin(), log.members.end(),
                                              claim.audience.begin(), claim.audience.end());
}

uint64_t Revocations::FinalSize(const LogState& log) const {
  Sizes known;
  return FinalSizeOf(log, &known);
}

uint64_t Revocations::FinalSizeOf(const LogState& log, Sizes* known) const {
  if (!IsRevoked(log)) return UINT64_MAX;
  if (const auto it = known->find(log.id); it != known->end()) return it->second;
  const auto closes = closes_.find(log.id);
  if (closes == closes_.end()) {
    // Of this node's own old keys, and not here: whoever wrote it, it has to be closed, and only
    // who holds it knows for whom it is.
    if (log.author == self_ && log.size == 0) return UINT64_MAX;
    return log.size;
  }
  uint64_t final_size = UINT64_MAX;
  for (const auto& [place, claim] : closes->second) {
    if (!Valid(place, claim, log, known)) continue;
    if (claim.size <= log.size) {
      // Another tree is held here than the one that is vouched for: a fork, which has rules of its
      // own; nothing is added to it.
      const absl::StatusOr<crypto::CompactRange> range = logs_.RangeAt(log, claim.size);
      if (!range.ok() || *range->Root() != claim.root) continue;
    }
    // The smallest: no later Close can let more in.
    final_size = std::min(final_size, claim.size);
  }
  if (final_size == UINT64_MAX) final_size = log.size;
  (*known)[log.id] = final_size;
  return final_size;
}

bool Revocations::MayMeet(const LogId& log, const TrustedCard& card) const {
  return !cards_.IsRevoked(card) || card.party == self_ || closes_.contains(log);
}

bool Revocations::Counts(const OpenedEntry& entry) const {
  if (!entry.body.has_statement()) return true;
  const TrustedCard* signer = cards_.FindOf(entry.author, entry.body.statement().signer_card());
  const LogState* log = logs_.Find(entry.ref.log);
  // What this node's old keys said elsewhere, after it had given them up, was not said by it.
  if (started_ && log != nullptr && log->author == self_ && IsRevoked(*log) &&
      !remembered_.contains(log->id)) {
    return false;
  }
  return signer == nullptr || log == nullptr || !cards_.IsRevoked(*signer) || IsRevoked(*log);
}

bool Revocations::Closed(const LogState& log) const {
  const auto closes = closes_.find(log.id);
  Sizes known;
  return closes != closes_.end() &&
         std::any_of(closes->second.begin(), closes->second.end(),
                     [&](const auto& item) { return Valid(item.first, item.second, log, &known); });
}

uint64_t Revocations::Vouched(const LogState& log) const {
  if (!remembered_.contains(log.id)) return 0;
  const auto suspicious = suspicious_.find(log.id);
  return suspicious == suspicious_.end() ? log.size : std::min(log.size, suspicious->second);
}

std::vector<Draft> Revocations::ClosesDue() const {
  std::vector<Draft> out;
  if (cards_.Find(self_)->card.revokes().empty()) return out;  // nearly always
  for (const auto& [id, log] : logs_.all()) {
    if (log.author != self_ || log.size == 0 || !IsRevoked(log) || Closed(log)) continue;
    const uint64_t size = Vouched(log);
    const absl::StatusOr<crypto::CompactRange> range = logs_.RangeAt(log, size);
    if (!range.ok()) continue;
    Draft draft;
    draft.jit = log.jit;
    for (const PartyId& member : log.members) {
      if (!exclusions_.Stopped(log.jit, member)) draft.audience.insert(member);
    }
    v1::Close* close = draft.body.mutable_close();
    close->set_log_id(id.str());
    close->set_size(size);
    close->set_root(range->Root()->str());
    out.push_back(std::move(draft));
  }
  return out;
}

}  // namespace entente::sync

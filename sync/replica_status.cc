// What people ask about replication: who is connected, what has arrived where, what is only here.
#include <algorithm>
#include <iterator>
#include <utility>

#include "sync/replica.h"

namespace entente::sync {

absl::StatusOr<std::vector<v1::Grant>> Replica::MakeGrants(const std::vector<EntryRef>& entries,
                                                           std::string_view basis) {
  std::map<LogId, std::set<uint64_t>> by_log;
  for (const EntryRef& entry : entries) by_log[entry.log].insert(entry.index);
  std::vector<v1::Grant> out;
  for (const auto& [id, indexes] : by_log) {
    const LogState* log = logs_.Find(id);
    if (log == nullptr || log->author != context_.self) {
      return absl::PermissionDeniedError(
          "only the author of an entry hands it on as it was signed [NOT_AUTHOR]");
    }
    auto grants = sync::MakeGrants(logs_, epoch_keys_, *log, indexes, basis);
    if (!grants.ok()) return grants.status();
    std::move(grants->begin(), grants->end(), std::back_inserter(out));
  }
  return out;
}

absl::StatusOr<std::vector<Original>> Replica::Originals(const PartyId& author,
                                                         const v1::Grant& grant) const {
  // The log may be of an earlier card. That the grant itself counts is decided where it stands.
  return cards_.UnderAnyCard(
      author, [&](const TrustedCard& card) { return VerifyGrant(grant, card.log_key); });
}

absl::StatusOr<std::vector<v1::BundleLog>> Replica::ProveEntries(
    const std::set<EntryRef>& entries) {
  std::map<LogId, std::set<uint64_t>> by_log;
  for (const EntryRef& entry : entries) by_log[entry.log].insert(entry.index);
  std::vector<v1::BundleLog> out;
  for (const auto& [id, indexes] : by_log) {
    const LogState* log = logs_.Find(id);
    if (log == nullptr) return absl::InternalError("an entry of a log that is not here");
    absl::StatusOr<v1::BundleLog> proven = ProveLog(logs_, epoch_keys_, *log, indexes);
    if (!proven.ok()) return proven.status();
    out.push_back(*std::move(proven));
  }
  return out;
}

absl::Time Replica::AcknowledgedSince(const LogId& id, uint64_t index, const Hash& leaf) const {
  const LogState* log = logs_.Find(id);
  if (log == nullptr || index >= log->size) return absl::InfinitePast();
  const absl::StatusOr<StoredEntry> held = logs_.Read(*log, index);
  if (!held.ok() || held->leaf != leaf) return absl::InfinitePast();
  return observations_.OwnWordOn(id, index);
}

const Link* Replica::AnyLink(const PartyId& peer) const {
  for (const auto& [session, link] : sessions_) {
    if (link.peer == peer && link.ready) return &link;
  }
  const auto it = parcel_links_.find(peer);
  return it == parcel_links_.end() ? nullptr : &it->second;
}

bool Replica::Connected(const PartyId& peer) const {
  const Link* link = AnyLink(peer);
  return link != nullptr && !link->by_parcel();
}

bool Replica::InSync(const PartyId& peer) const {
  const Link* link = AnyLink(peer);
  return link != nullptr && link->in_sync && WaitingFor(peer) == 0;
}

absl::Time Replica::LastContact(const PartyId& peer) const { return contacts_.Last(peer); }

Route Replica::RouteTo(const PartyId& peer) const {
  const TrustedCard* own = cards_.Find(context_.self);
  const TrustedCard* other = cards_.Find(peer);
  if (own == nullptr || other == nullptr) return Route::kNone;
  return RouteBetween(own->card, other->card);
}

// By its receipt over a link, or by what it told the whole audience.
uint64_t Replica::HeldBy(const LogState& log, const PartyId& peer) const {
  const auto receipt = log.receipts.find(peer);
  const uint64_t size = receipt == log.receipts.end() ? 0 : receipt->second.size;
  return std::max(size, observations_.HeldBy(log, peer));
}

uint64_t Replica::OpenedBy(const LogState& log, const PartyId& peer) const {
  const auto receipt = log.receipts.find(peer);
  const uint64_t opened = receipt == log.receipts.end() ? 0 : receipt->second.opened;
  return std::max(opened, observations_.OpenedBy(log, peer));
}

uint64_t Replica::EffectSize(const LogId& log) const {
  const LogState* state = logs_.Find(log);
  return state == nullptr ? UINT64_MAX : observations_.EffectSize(*state);
}

uint64_t Replica::FinalSize(const LogId& log) const {
  const LogState* state = logs_.Find(log);
  return state == nullptr ? UINT64_MAX : exclusions_.FinalSize(*state);
}

uint64_t Replica::RevokedSize(const LogId& log) const {
  const LogState* state = logs_.Find(log);
  return state == nullptr ? UINT64_MAX : revocations_.FinalSize(*state);
}

DeliveryState Replica::Delivery(const EntryRef& ref, const PartyId& peer) const {
  const LogState* log = logs_.Find(ref.log);
  if (log == nullptr) return DeliveryState::kQueued;
  if (OpenedBy(*log, peer) > ref.index) return DeliveryState::kVerified;
  if (HeldBy(*log, peer) > ref.index) return DeliveryState::kStored;
  const auto relay = at_relay_.find(peer);
  if (relay != at_relay_.end()) {
    const auto size = relay->second.find(ref.log);
    if (size != relay->second.end() && size->second > ref.index) return DeliveryState::kAtRelay;
  }
  return DeliveryState::kQueued;
}

uint64_t Replica::WaitingFor(const PartyId& peer) const {
  uint64_t waiting = 0;
  for (const auto& [id, log] : logs_.all()) {
    if (log.author != context_.self || !context_.Shares(log, peer)) continue;
    waiting += log.size - std::min(HeldBy(log, peer), log.size);
  }
  return waiting;
}

uint64_t Replica::OnlyHere() const {
  uint64_t only_here = 0;
  for (const auto& [id, log] : logs_.all()) {
    if (log.author != context_.self) continue;
    uint64_t held = 0;
    for (const PartyId& member : log.members) {
      if (member != context_.self) held = std::max(held, HeldBy(log, member));
    }
    only_here += log.size - std::min(held, log.size);
  }
  return only_here;
}

}  // namespace entente::sync

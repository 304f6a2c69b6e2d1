// What people ask about replication: who is connected, what has arrived where, what is only here.
#include <algorithm>

#include "sync/replica.h"

namespace entente::sync {

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

absl::Time Replica::LastContact(const PartyId& peer) const {
  const auto it = last_contact_.find(peer);
  return it == last_contact_.end() ? absl::InfinitePast() : it->second;
}

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

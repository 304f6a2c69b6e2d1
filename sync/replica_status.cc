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

DeliveryState Replica::Delivery(const EntryRef& ref, const PartyId& peer) const {
  const LogState* log = logs_.Find(ref.log);
  if (log == nullptr) return DeliveryState::kQueued;
  const auto receipt = log->receipts.find(peer);
  if (receipt != log->receipts.end() && receipt->second.opened > ref.index) {
    return DeliveryState::kVerified;
  }
  if (receipt != log->receipts.end() && receipt->second.size > ref.index) {
    return DeliveryState::kStored;
  }
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
    if (log.author != context_.self || !log.members.contains(peer)) continue;
    const auto receipt = log.receipts.find(peer);
    const uint64_t held = receipt == log.receipts.end() ? 0 : receipt->second.size;
    waiting += log.size - std::min(held, log.size);
  }
  return waiting;
}

uint64_t Replica::OnlyHere() const {
  uint64_t only_here = 0;
  for (const auto& [id, log] : logs_.all()) {
    if (log.author != context_.self) continue;
    uint64_t held = 0;
    for (const auto& [party, receipt] : log.receipts) held = std::max(held, receipt.size);
    only_here += log.size - std::min(held, log.size);
  }
  return only_here;
}

}  // namespace entente::sync

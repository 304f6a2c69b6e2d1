#include "tests/sim/operators.h"

#include <algorithm>
#include <memory>

#include "entente/v1/client.pb.h"
#include "sync/replica.h"

namespace entente::sim {
namespace {

bool LostTouch(World& world, Node& node, const Node& other) {
  const auto status = world.Ask<v1::GetSyncStatusResponse>(
      node, "/entente.v1.SyncService/GetSyncStatus", std::make_shared<v1::GetSyncStatusRequest>());
  if (status == nullptr) return false;
  for (const v1::PeerStatus& peer : status->peers()) {
    if (peer.code() != other.code() || peer.connected()) continue;
    return node.LocalTime() - absl::FromUnixSeconds(peer.last_contact()) > sync::BoxKeyTerms().keep;
  }
  return false;
}

// Reached through a relay alone, they cannot tell each other which keys one of them has forgotten.
bool ForgotKeys(const Node& a, const Node& b) {
  return (a.forgot_keys() || b.forgot_keys()) &&
         sync::RouteBetween(a.who.card, b.who.card) == sync::Route::kRelay;
}

bool OneSided(World& world, Node& node, const Node& other) {
  return LostTouch(world, node, other) || HoldsOldCard(world, node, other);
}

}  // namespace

bool HoldsOldCard(World& world, Node& node, const Node& other) {
  const auto list = world.Ask<v1::ListCardsResponse>(node, "/entente.v1.NodeService/ListCards",
                                                     std::make_shared<v1::ListCardsRequest>());
  if (list == nullptr) return false;
  return std::any_of(list->cards().begin(), list->cards().end(), [&](const v1::CardSummary& card) {
    return card.code() == other.code() && card.seq() < other.who.card.seq();
  });
}

void HandOverCard(World& world, Node& from, Node& to) {
  const auto shown = world.Ask<v1::ShowCardResponse>(from, "/entente.v1.NodeService/ShowCard",
                                                     std::make_shared<v1::ShowCardRequest>());
  if (shown == nullptr) return;
  auto request = std::make_shared<v1::TrustCardRequest>();
  request->set_signed_card(shown->card().signed_card());
  request->set_word_string(shown->card().word_string());
  if (world.Ask<v1::TrustCardResponse>(to, "/entente.v1.NodeService/TrustCard", request)) {
    world.counters().Hit("card handed over again");
  }
}

bool RenewKeys(World& world, Node& node, bool keep_tls) {
  if (!node.Renew(keep_tls)) return false;
  world.Renewed(node);
  return true;
}

void MeetWhoLostTouch(World& world) {
  for (auto& a : world.nodes()) {
    for (auto& b : world.nodes()) {
      if (a->index >= b->index || a->hostile || b->hostile) continue;
      if (!ForgotKeys(*a, *b) && !OneSided(world, *a, *b) && !OneSided(world, *b, *a)) continue;
      HandOverCard(world, *a, *b);
      HandOverCard(world, *b, *a);
    }
  }
}

void ReadFilesAgain(World& world) {
  for (auto& node : world.nodes()) {
    if (node->hostile || !node->up()) continue;
    world.Ask<v1::CheckFilesResponse>(*node, "/entente.v1.EvidenceService/CheckFiles",
                                      std::make_shared<v1::CheckFilesRequest>());
  }
}

}  // namespace entente::sim

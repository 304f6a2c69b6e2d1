#include "tests/sim/operators.h"

#include <memory>

#include "entente/v1/client.pb.h"
#include "sync/box_keys.h"

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

}  // namespace

void MeetWhoLostTouch(World& world) {
  for (auto& a : world.nodes()) {
    for (auto& b : world.nodes()) {
      if (a->index >= b->index || a->hostile || b->hostile) continue;
      if (!LostTouch(world, *a, *b) && !LostTouch(world, *b, *a)) continue;
      HandOverCard(world, *a, *b);
      HandOverCard(world, *b, *a);
    }
  }
}

}  // namespace entente::sim

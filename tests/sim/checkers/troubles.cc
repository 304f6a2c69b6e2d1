#include "tests/sim/checkers/troubles.h"

#include "entente/v1/client.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/schema.h"

namespace entente::sim {
namespace {

std::string TroublesOf(Inspection& in, Node& node) {
  const auto status = in.world.Ask<v1::GetSyncStatusResponse>(
      node, "/entente.v1.SyncService/GetSyncStatus", std::make_shared<v1::GetSyncStatusRequest>());
  if (status == nullptr) return Cat("\n  ", node.code(), node.hostile ? " has turned" : " is down");
  std::string out;
  for (const v1::PeerStatus& peer : status->peers()) {
    out += Cat("\n  ", node.code(), ": ", peer.ShortDebugString());
  }
  for (const v1::RefusalView& refusal : status->refusals()) {
    out += Cat("\n  ", node.code(), ": ", refusal.peer(), ", ", refusal.direction(), ": ",
               refusal.code(), " ", refusal.detail(), " (", std::to_string(refusal.count()),
               " times)");
  }
  return out;
}

}  // namespace

std::string WhoHolds(Inspection& in, const SeenLog& log) {
  std::string out = Cat("\n  log ", log.id.hex().substr(0, 8), " is for");
  for (const std::string& code : in.all.CodesOf(log.members)) out += Cat(" ", code);
  out += "; held:";
  for (const auto& node : in.world.nodes()) {
    uint64_t size = 0;
    for (const auto& item : log.entries) {
      size += node->disk.kv.rows().contains(sync::schema::Entry(log.id, item.first)) ? 1 : 0;
    }
    out += Cat(" ", node->code(), " ", std::to_string(size));
    const auto row = node->disk.kv.rows().find(sync::schema::Log(log.id));
    v1::LogRow state;
    if (row == node->disk.kv.rows().end() || !state.ParseFromString(row->second)) continue;
    if (state.opened() < state.size()) out += Cat(" (read ", std::to_string(state.opened()), ")");
    for (const uint32_t epoch : state.locked_epochs()) {
      out += Cat(" (locked ", std::to_string(epoch), ")");
    }
  }
  return out;
}

std::string TroublesOfAll(Inspection& in) {
  std::string out;
  for (auto& node : in.world.nodes()) out += TroublesOf(in, *node);
  return out;
}

}  // namespace entente::sim

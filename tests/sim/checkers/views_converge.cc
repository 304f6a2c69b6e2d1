#include <map>
#include <utility>

#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/troubles.h"
#include "tests/sim/pictures.h"

namespace entente::sim {
namespace {

using Views = std::map<std::string, std::map<std::string, v1::RecordView>>;  // id, node

std::string LogsOf(Inspection& in, const std::string& author, const std::string& reader) {
  std::string out;
  for (const auto& [id, log] : in.all.logs()) {
    const Codes members = in.all.CodesOf(log.members);
    if (in.all.CodeOf(log.author) == author && members.contains(reader)) out += WhoHolds(in, log);
  }
  return out;
}

}  // namespace

std::string ViewsConverge(Inspection& in) {
  Views views;
  Codes honest;
  for (auto& node : in.world.nodes()) {
    if (node->hostile) continue;
    honest.insert(node->code());
    for (auto& [id, view] : RecordsShown(in.world, *node)) {
      views[id][node->code()] = std::move(view);
    }
  }
  for (const auto& [id, by_node] : views) {
    const auto& [first_code, first] = *by_node.begin();
    const std::string bytes = first.SerializeAsString();
    for (const std::string& code : first.audience()) {
      if (!honest.contains(code)) continue;
      const auto it = by_node.find(code);
      if (it == by_node.end()) {
        // Who is left out holds what it had, and what it writes later is refused.
        if (in.ledger.LeftOut(code) || in.ledger.LeftOut(first.owner())) continue;
        return Cat(code, " lacks ", first.ref(), " of ", first.owner(), ", which ", first_code,
                   " has", LogsOf(in, first.owner(), code), TroublesOfAll(in));
      }
      // A suspension lets two bodies see different later changes.
      const bool disturbed = in.ledger.LeftOut(code) || in.ledger.LeftOut(first_code);
      if (!disturbed && it->second.SerializeAsString() != bytes) {
        return Cat(first.ref(), " differs between ", first_code, " and ", code, ":\n",
                   first.ShortDebugString(), "\n", it->second.ShortDebugString());
      }
    }
  }
  return "";
}

}  // namespace entente::sim

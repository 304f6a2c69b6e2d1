#include "tests/sim/checkers/checker.h"

namespace entente::sim {

// From the moment a body signs that another is left out, it writes nothing that the other reads.
std::string NothingForTheExcluded(Inspection& in) {
  for (const auto& [pair, stop] : in.ledger.stops()) {
    const auto& [writer, gone] = pair;
    const Node& node = in.world.node(writer);
    const PartyId out = in.world.node(gone).who.party;
    if (node.hostile || stop.forgotten) continue;
    for (const auto& [id, log] : in.all.logs()) {
      if (log.author != node.who.party || !log.members.contains(out)) continue;
      const auto then = stop.sizes.find(id);
      const uint64_t end = log.entries.empty() ? 0 : log.entries.rbegin()->first + 1;
      if (end > (then == stop.sizes.end() ? 0 : then->second)) {
        return Cat(writer, " wrote for ", gone, " after it had signed that it is left out");
      }
    }
    in.world.counters().Hit("exclusions held");
  }
  return "";
}

}  // namespace entente::sim

#include <algorithm>

#include "sync/schema.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/troubles.h"

namespace entente::sim {
namespace {

// Whoever has turned answers nobody: what only it holds cannot arrive any more, be it of an author
// that has lost its disk.
bool SomebodySends(Inspection& in, const LogId& log, uint64_t index) {
  const auto& nodes = in.world.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) {
    return !node->hostile && node->disk.kv.rows().contains(sync::schema::Entry(log, index));
  });
}

}  // namespace

std::string EntriesArrive(Inspection& in) {
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr) continue;
    if (!log.branches.empty() && !author->hostile) {
      return Cat("two texts stand at one place of a log of ", author->code());
    }
    // A liar's tail may end differently at each reader, and that of who was left out ends.
    if (author->hostile || in.ledger.LeftOut(author->code())) continue;
    for (const PartyId& member : log.members) {
      Node* reader = in.world.Find(member);
      if (reader == nullptr || reader->hostile || in.ledger.LeftOut(reader->code())) continue;
      for (const auto& [index, entry] : log.entries) {
        if (index >= in.ledger.HadTime(id)) break;                 // written a moment ago
        if (index >= in.ledger.EndOf(id, log.author_card)) break;  // its keys were given up
        const auto row = reader->disk.kv.rows().find(sync::schema::Entry(id, index));
        if (row == reader->disk.kv.rows().end() && SomebodySends(in, id, index)) {
          return Cat(reader->code(), " lacks entry ", std::to_string(index), " of ",
                     std::to_string(log.entries.size()), " of a log of ", author->code(),
                     " that it is in the audience of", WhoHolds(in, log), TroublesOfAll(in));
        }
      }
    }
  }
  return "";
}

}  // namespace entente::sim

#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/needles.h"

namespace entente::sim {

// Every byte that ever came in and every row of the disk, searched for every text that the node may
// not know; and every entry that anybody can open, for texts that its readers may not know.
std::string TextsStayInside(Inspection& in) {
  const std::vector<Secret>& secrets = in.ledger.secrets();
  Needles needles;
  for (size_t i = 0; i < secrets.size(); ++i) {
    const std::string& canary = secrets[i].canary;
    needles.Add(canary.substr(canary.size() - 20), i);
  }
  if (needles.empty()) return "";
  for (const auto& node : in.world.nodes()) {
    const auto forbidden = [&](size_t i) { return !secrets[i].may_know.contains(node->code()); };
    size_t found = needles.Find(node->heard, forbidden);
    if (found != SIZE_MAX) {
      return Cat(node->code(), " was sent a text of ", secrets[found].owner, " in the open");
    }
    for (const auto& [key, value] : node->disk.kv.rows()) {
      found = needles.Find(value, forbidden);
      if (found != SIZE_MAX) {
        return Cat(node->code(), " stores a text of ", secrets[found].owner, " in the open");
      }
    }
  }
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr || author->hostile) continue;  // who knows a thing can tell it
    const Codes readers = in.all.CodesOf(log.members);
    for (const auto& [index, entry] : log.entries) {
      if (entry.plain.empty()) continue;
      std::string who;
      const size_t found = needles.Find(entry.plain, [&](size_t i) {
        for (const std::string& code : readers) {
          if (!secrets[i].may_know.contains(code)) who = code;
        }
        return !who.empty();
      });
      if (found != SIZE_MAX) {
        return Cat("a text of ", secrets[found].owner, " stands in a log that ", who, " reads");
      }
    }
  }
  return "";
}

}  // namespace entente::sim

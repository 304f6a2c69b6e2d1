#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/needles.h"

namespace entente::sim {

// The ids of logs and the record ids of entries, in the traffic, on the disk, and in whatever an
// outsider can open.
std::string ExistenceStaysInside(Inspection& in) {
  Needles needles;
  std::vector<Codes> readers;  // by tag
  std::vector<std::string> owner;
  const auto add = [&](std::string_view id, const Codes& who, const std::string& author) {
    needles.Add(std::string(id), readers.size());
    readers.push_back(who);
    owner.push_back(author);
  };
  std::map<std::string, Codes> records;
  for (const auto& [id, log] : in.all.logs()) {
    const Codes who = in.all.CodesOf(log.members);
    if (who.empty()) continue;
    add(id.view(), who, in.all.CodeOf(log.author));
    for (const auto& [index, entry] : log.entries) {
      if (entry.text.has_value() && entry.text->record_id().size() == 16) {
        records[entry.text->record_id()].insert(who.begin(), who.end());
      }
    }
  }
  for (const auto& [id, who] : records) add(id, who, "a record's owner");
  if (needles.empty()) return "";
  for (const auto& node : in.world.nodes()) {
    const auto forbidden = [&](size_t tag) { return !readers[tag].contains(node->code()); };
    size_t found = needles.Find(node->heard, forbidden);
    for (const auto& [key, value] : node->disk.kv.rows()) {
      if (found != SIZE_MAX) break;
      found = needles.Find(key, forbidden);
      if (found == SIZE_MAX) found = needles.Find(value, forbidden);
    }
    if (found != SIZE_MAX) {
      return Cat(node->code(), " has heard of something of ", owner[found],
                 " that it is not in the audience of");
    }
  }
  // Inside the seal too: what readers of one log learn of other logs and records.
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr || author->hostile) continue;
    const Codes who = in.all.CodesOf(log.members);
    for (const auto& [index, entry] : log.entries) {
      std::string outsider;
      const size_t found = needles.Find(entry.plain, [&](size_t tag) {
        for (const std::string& code : who) {
          if (!readers[tag].contains(code)) outsider = code;
        }
        return !outsider.empty();
      });
      if (found != SIZE_MAX) {
        return Cat("an entry that ", outsider, " reads names something of ", owner[found],
                   " that it is not in the audience of");
      }
    }
  }
  return "";
}

}  // namespace entente::sim

#include <algorithm>

#include "tests/sim/checkers/checker.h"

namespace entente::sim {

std::string ReferencesStayInside(Inspection& in) {
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr || author->hostile) continue;
    for (const auto& [index, entry] : log.entries) {
      if (!entry.text.has_value()) continue;
      std::vector<v1::Ref> refs(entry.text->based_on().begin(), entry.text->based_on().end());
      if (entry.text->has_own_prev()) refs.push_back(entry.text->own_prev());
      for (const v1::Ref& ref : refs) {
        const absl::StatusOr<LogId> named = LogId::From(ref.log_id());
        if (!named.ok()) return Cat("a malformed reference in a log of ", author->code());
        const auto other = in.all.logs().find(*named);
        if (other == in.all.logs().end()) continue;
        if (!std::includes(other->second.members.begin(), other->second.members.end(),
                           log.members.begin(), log.members.end())) {
          return Cat("an entry of ", author->code(), " names a log of a smaller audience");
        }
      }
    }
  }
  return "";
}

}  // namespace entente::sim

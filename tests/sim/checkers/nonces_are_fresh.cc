#include <map>
#include <string>

#include "crypto/entry_header.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {

std::string NoncesAreFresh(Inspection& in) {
  std::map<std::string, std::pair<std::string, uint64_t>> seen;  // nonce: where
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr || author->hostile) continue;
    for (const auto& [index, entry] : log.entries) {
      if (entry.type != crypto::kSealed || entry.body.size() < 24) continue;
      const auto [it, fresh] = seen.emplace(entry.body.substr(0, 24), std::pair{id.str(), index});
      if (!fresh && it->second != std::pair{id.str(), index}) {
        return Cat(author->code(), " sealed two entries under one nonce");
      }
    }
  }
  return "";
}

}  // namespace entente::sim

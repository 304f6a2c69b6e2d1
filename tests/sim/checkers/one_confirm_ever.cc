#include <map>

#include "crypto/hash.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {

// Over all logs and all lives of a node, rolled back or not: one Confirm per predecessor.
std::string OneConfirmEver(Inspection& in) {
  std::map<std::string, std::string> prev_of;  // proposal hash: predecessor
  for (const auto& [id, log] : in.all.logs()) {
    for (const auto& [index, entry] : log.entries) {
      if (!entry.text.has_value() || entry.text->proposal().empty()) continue;
      v1::Proposal proposal;
      if (!proposal.ParseFromString(entry.text->proposal())) continue;
      prev_of[crypto::Sha256(entry.text->proposal()).str()] = proposal.prev();
    }
  }
  std::map<std::pair<PartyId, std::string>, std::string> confirmed;
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr || author->hostile) continue;
    for (const auto& [index, entry] : log.entries) {
      if (!entry.text.has_value() || entry.text->statement().purpose() != "confirm") continue;
      const std::string proposal = entry.text->statement().payload().substr(0, 32);
      const auto prev = prev_of.find(proposal);
      if (prev == prev_of.end()) continue;
      const auto [it, fresh] = confirmed.emplace(std::pair{log.author, prev->second}, proposal);
      if (!fresh && it->second != proposal) {
        return Cat(author->code(), " confirmed two successors of one version");
      }
      in.world.counters().Hit("confirmed");
    }
  }
  return "";
}

}  // namespace entente::sim

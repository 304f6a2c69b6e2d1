#include "entente/v1/storage.pb.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/checkers/needles.h"

namespace entente::sim {

// No text, no id and no party's name in anything a relay was ever handed.
std::string RelaysKnowNothing(Inspection& in) {
  Needles needles;
  size_t tag = 0;
  for (const Secret& secret : in.ledger.secrets()) {
    needles.Add(secret.canary.substr(secret.canary.size() - 20), tag++);
  }
  for (const auto& [id, log] : in.all.logs()) {
    needles.Add(std::string(id.view()), tag++);
    needles.Add(std::string(log.jit.view()), tag++);
  }
  for (const auto& node : in.world.nodes()) {
    needles.Add(std::string(node->who.party.view()), tag++);
    needles.Add(node->who.card.name(), tag++);
  }
  for (const auto& [place, seed] : in.all.seeds()) {
    for (const auto& [code, nodes] : seed.holders) {
      for (const crypto::TreeNode& node : nodes) {
        needles.Add(std::string(node.key.view()), tag++);
      }
    }
  }
  const bool found =
      needles.Find(in.world.relays().seen(), [](size_t) { return true; }) != SIZE_MAX;
  return found ? "a relay was handed something that it could read" : "";
}

}  // namespace entente::sim

#include <map>

#include "entente/v1/client.pb.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {

std::string OneSuccessor(Inspection& in) {
  std::map<std::pair<std::string, uint32_t>, std::string> in_force;  // JIT and version: hash
  for (auto& node : in.world.nodes()) {
    if (node->hostile) continue;
    const auto list = in.world.Ask<v1::ListAgreementsResponse>(
        *node, "/entente.v1.AgreementService/ListAgreements",
        std::make_shared<v1::ListAgreementsRequest>());
    if (list == nullptr) continue;
    for (const v1::AgreementView& view : list->agreements()) {
      if (view.state() != "IN_FORCE" && view.state() != "SUPERSEDED") continue;
      const auto [it, fresh] =
          in_force.emplace(std::pair{view.jit(), view.version()}, view.proposal());
      if (!fresh && it->second != view.proposal()) {
        return Cat("two successors with number ", std::to_string(view.version()),
                   " were in force, one of them at ", node->code());
      }
      if (view.version() > 1) in.world.counters().Hit("amendment in force");
    }
  }
  return "";
}

}  // namespace entente::sim

#include "entente/v1/client.pb.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {

std::string LogsVerify(Inspection& in) {
  for (auto& node : in.world.nodes()) {
    if (node->hostile) continue;
    if (!node->up()) return Cat(node->code(), " does not run");
    std::string problem;
    const auto result =
        in.world.Ask<v1::VerifyLogResponse>(*node, "/entente.v1.SyncService/VerifyLog",
                                            std::make_shared<v1::VerifyLogRequest>(), &problem);
    if (result == nullptr) return Cat(node->code(), " cannot verify: ", problem);
    for (const std::string& found : result->problems()) {
      // What a hostile author sealed may open to nothing; that it is reported is right.
      bool of_hostile = false;
      for (auto& other : in.world.nodes()) {
        of_hostile |= other->hostile && found.rfind(Cat("log of ", other->code(), " "), 0) == 0;
      }
      if (!of_hostile) return Cat(node->code(), ": ", found);
    }
  }
  return "";
}

}  // namespace entente::sim

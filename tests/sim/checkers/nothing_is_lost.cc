#include "crypto/entry_header.h"
#include "entente/v1/client.pb.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {

std::string NothingIsLost(Inspection& in) {
  for (const Promise& promise : in.ledger.promises()) {
    Node& owner = in.world.node(promise.owner);
    if (promise.lost_with_disk) {
      in.world.counters().Hit("lost with the only disk that had it");
      continue;
    }
    if (owner.hostile) continue;
    if (promise.set_back && in.ledger.LeftOut(promise.owner)) {
      in.world.counters().Hit("lost with the disk of a body that is left out");
      continue;
    }
    for (const auto& [key, value] : promise.rows) {
      const auto it = owner.disk.kv.rows().find(key);
      // An epoch goes with any entry of it that is erased.
      const bool erased = it != owner.disk.kv.rows().end() && IsErased(it->second) &&
                          (promise.erasing || ReadEntryRow(value)->type == crypto::kEpoch);
      if (it == owner.disk.kv.rows().end() || (it->second != value && !erased)) {
        return Cat(promise.owner, " lost an entry of ", promise.ref, " that it had acknowledged");
      }
    }
    auto request = std::make_shared<v1::ExplainRecordRequest>();
    request->set_record(promise.id.empty() ? promise.ref : promise.id);
    std::string problem;
    if (in.world.Ask(owner, "/entente.v1.RecordService/ExplainRecord", request, &problem) ==
        nullptr) {
      return Cat(promise.owner, " lost ", promise.ref, " that it had acknowledged: ", problem);
    }
    in.world.counters().Hit("acknowledged and kept");
  }
  return "";
}

}  // namespace entente::sim

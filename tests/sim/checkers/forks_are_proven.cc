#include "entente/v1/storage.pb.h"
#include "sync/fork.h"
#include "sync/schema.h"
#include "tests/sim/checkers/checker.h"

namespace entente::sim {

// Where two honest members hold different branches of one log, each has a proof that the author
// signed both, and the proof holds for whoever knows the author's key. And nobody is accused who
// did not fork.
std::string ForksAreProven(Inspection& in) {
  for (const auto& [id, log] : in.all.logs()) {
    const Node* author = in.world.Find(log.author);
    if (author == nullptr) continue;
    for (const auto& node : in.world.nodes()) {
      if (node->hostile || !log.members.contains(node->who.party)) continue;
      const auto row = node->disk.kv.rows().find(sync::schema::Fork(id));
      const bool proven = row != node->disk.kv.rows().end();
      if (!log.branches.empty() && !proven && !in.world.isolated(*node)) {
        return Cat(node->code(), " has no proof of the fork of ", author->code());
      }
      if (!proven) continue;
      v1::ForkProof proof;
      if (!proof.ParseFromString(row->second) ||
          !sync::VerifyFork(proof, id, author->who.keys->log.public_key()).ok()) {
        return Cat(node->code(), " keeps a proof against ", author->code(), " that is none");
      }
      if (!author->hostile) return Cat(node->code(), " can prove a fork of ", author->code());
      in.world.counters().Hit("fork proven");
    }
  }
  return "";
}

}  // namespace entente::sim

// What happens in a simulated federation: the opening of a JIT, then work drawn from the seed, and
// the promises that must hold at the end.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace entente::sim {

// A record that somebody was told is safe, and who may know of it.
struct Acknowledged {
  std::string owner;
  std::string id;  // hex record id
  std::string ref;
  std::string canary;  // its secret text
  std::set<std::string> audience;
};

class Scenario {
 public:
  explicit Scenario(World& world) : world_(world) {}

  // Everybody signs; faults are off until the agreement is in force.
  void OpenJit();
  // `acts` client calls at random moments over `span`, by random people, with faults on.
  void Work(int acts, absl::Duration span);
  // Faults stop, everybody comes back, time passes.
  void Settle();

  // ---- the promises; each returns an empty string or what was broken.
  std::string CheckConvergence();
  std::string CheckDurability();
  std::string CheckConfidentiality();
  std::string CheckLogs();
  // Counts of what was reached, for "a fault that never fires fails".
  size_t acknowledged() const { return acknowledged_.size(); }

 private:
  void OneAct();
  void AddNote(SimNode& node);
  void AddEvidence(SimNode& node);
  void AssignTask(SimNode& node);
  void MoveTask(SimNode& node);
  void Release(SimNode& node);
  std::vector<std::string> SomeAudience(const SimNode& node);
  std::string Canary();
  bool Mentions(const std::string& haystack, const Acknowledged& record, bool with_ids) const;

  World& world_;
  std::vector<Acknowledged> acknowledged_;
  uint64_t canaries_ = 0;
};

// One seed from start to end; returns what was broken, and the trace hash.
struct Outcome {
  std::string problem;
  std::string trace;
  uint64_t deliveries = 0;
  size_t acknowledged = 0;
  Counters counters;
};
Outcome RunSeed(uint64_t seed);

// The faults a seed draws: each switch on with probability one half.
FaultOptions DrawFaults(uint64_t seed);

}  // namespace entente::sim

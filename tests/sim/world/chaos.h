// The faults that come by the beat: some hundred beats in a run, whatever its span, and at each the
// seed decides what breaks. What breaks lasts for some beats and mends.
#pragma once

#include "absl/time/time.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

class Chaos {
 public:
  Chaos(World& world, absl::Duration beat) : world_(world), beat_(beat) {}

  void Start(absl::Time until);

 private:
  void Beat();
  void NetworkFaults();
  void Gathering();
  void StorageFaults();
  void ProcessFaults();
  void KeyFaults();
  void ClockFaults();
  void DiskParcel();
  void ChunkRot();
  // Between half a beat and `beats` of them.
  absl::Duration Some(uint64_t beats);
  Node& Any();
  size_t Other(const Node& node);
  bool Draw(double rate, std::string_view name);

  World& world_;
  const absl::Duration beat_;
  absl::Time until_ = absl::InfinitePast();
};

}  // namespace entente::sim

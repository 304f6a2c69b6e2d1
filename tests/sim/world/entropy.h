// Chance for one step of one node: from the seed, the node, its time and what it was told, and from
// nothing that happened elsewhere. So a record that one world has and another one lacks leaves no
// trace in the randomness of any other step, and what outsiders see can be compared byte for byte.
#pragma once

#include <cstdint>
#include <span>

#include "crypto/entropy.h"

namespace entente::sim {

class StepEntropy : public Entropy {
 public:
  explicit StepEntropy(uint64_t seed) : stream_(seed) {}
  void Restart(uint64_t seed) { stream_ = SeededEntropy(seed); }
  void Fill(std::span<uint8_t> out) override { stream_.Fill(out); }

 private:
  SeededEntropy stream_;
};

}  // namespace entente::sim

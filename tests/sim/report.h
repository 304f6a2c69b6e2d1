// What a run of many seeds came to: one table at the end, or one JSON object for documents to
// quote.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/run.h"

namespace entente::sim {

class Report {
 public:
  void Add(const Outcome& outcome);
  std::string Text() const;
  std::string Json() const;
  // Faults, acts, workloads and hostile behaviours that never happened; empty when all did.
  std::string Missing() const;

 private:
  uint64_t seeds_ = 0;
  uint64_t deliveries_ = 0;
  uint64_t bytes_ = 0;
  uint64_t entries_ = 0;
  uint64_t acknowledged_ = 0;
  double node_years_ = 0;
  Counters counters_;
};

}  // namespace entente::sim

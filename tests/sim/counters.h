// What happened in a run, by name: faults that fired, acts that were done, refusals that were seen.
// "A fault that never fires" is a row that is missing here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace entente::sim {

struct Counters {
  std::map<std::string, uint64_t, std::less<>> fired;

  void Hit(std::string_view what, uint64_t times = 1) {
    const auto it = fired.find(what);
    if (it == fired.end()) {
      fired.emplace(what, times);
    } else {
      it->second += times;
    }
  }
  uint64_t Of(std::string_view what) const {
    const auto it = fired.find(what);
    return it == fired.end() ? 0 : it->second;
  }
  void Add(const Counters& other) {
    for (const auto& [what, times] : other.fired) Hit(what, times);
  }
};

}  // namespace entente::sim

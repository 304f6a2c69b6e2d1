// Many strings at once in one pass: does anything of this stand in those bytes?
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace entente::sim {

class Needles {
 public:
  Needles() : filter_(1u << 16, false) {}

  // At least eight bytes. `tag` comes back with each place it is found at.
  void Add(std::string needle, size_t tag) {
    const uint64_t head = Load(needle.data());
    filter_[Slot(head)] = true;
    by_head_[head].push_back({std::move(needle), tag});
  }
  bool empty() const { return by_head_.empty(); }

  // The first tag found for which `matters`; SIZE_MAX when none is.
  size_t Find(std::string_view hay, const std::function<bool(size_t)>& matters) const {
    for (size_t i = 0; i + 8 <= hay.size(); ++i) {
      const uint64_t head = Load(hay.data() + i);
      if (!filter_[Slot(head)]) continue;
      const auto it = by_head_.find(head);
      if (it == by_head_.end()) continue;
      for (const Needle& needle : it->second) {
        if (hay.compare(i, needle.text.size(), needle.text) == 0 && matters(needle.tag)) {
          return needle.tag;
        }
      }
    }
    return SIZE_MAX;
  }

 private:
  struct Needle {
    std::string text;
    size_t tag;
  };
  static uint64_t Load(const char* at) {
    uint64_t out = 0;
    std::memcpy(&out, at, 8);
    return out;
  }
  static size_t Slot(uint64_t head) { return head * 0x9E3779B97F4A7C15u >> 48; }

  std::vector<bool> filter_;
  std::unordered_map<uint64_t, std::vector<Needle>> by_head_;
};

}  // namespace entente::sim

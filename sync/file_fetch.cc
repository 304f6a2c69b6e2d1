#include "sync/file_fetch.h"

#include <algorithm>
#include <utility>

#include "sync/limits.h"

namespace entente::sync {

FileFetch::Range FileFetch::Ask(const PartyId& source, uint64_t window) {
  UnderWay& mine = under_way_[source];
  const uint64_t busy = mine.count();
  if (busy >= window || (busy > 0 && window - busy < window / 2)) return {};
  const uint64_t room = window - busy;
  Range out;
  if (!open_.empty()) {
    out.from = *open_.begin();
    while (out.count < room && open_.erase(out.from + out.count) > 0) ++out.count;
  } else {
    const uint64_t end = std::min(count_, low_ + kFetchSpread);
    if (frontier_ >= end) return frontier_ < count_ ? AskTwice(mine, room) : Range{};
    out = {frontier_, std::min(room, end - frontier_)};
    frontier_ += out.count;
  }
  for (uint64_t i = 0; i < out.count; ++i) mine.asked.insert(out.from + i);
  return out;
}

// The first chunks that are missing and not under way from this source already.
FileFetch::Range FileFetch::AskTwice(UnderWay& mine, uint64_t room) {
  const auto has = [&](uint64_t index) {
    return held_.contains(index) || mine.asked.contains(index) || mine.writing.contains(index);
  };
  Range out;
  out.from = low_;
  while (out.from < frontier_ && has(out.from)) ++out.from;
  while (out.count < room && out.from + out.count < frontier_ && !has(out.from + out.count)) {
    mine.asked.insert(out.from + out.count++);
  }
  return out;
}

bool FileFetch::Busy(const PartyId& source) const {
  const auto it = under_way_.find(source);
  return it != under_way_.end() && it->second.count() > 0;
}

bool FileFetch::Came(const PartyId& source, uint64_t index) {
  const auto it = under_way_.find(source);
  if (it == under_way_.end()) return false;
  it->second.late.erase(index);
  if (it->second.asked.erase(index) == 0) return false;
  it->second.writing.insert(index);
  return true;
}

void FileFetch::Kept(const PartyId& source, uint64_t index) {
  const auto it = under_way_.find(source);
  if (it != under_way_.end()) it->second.writing.erase(index);
  for (auto& [other, theirs] : under_way_) {
    if (theirs.asked.erase(index) > 0) theirs.late.insert(index);
  }
  open_.erase(index);
  if (index >= low_) held_.insert(index);
  while (held_.erase(low_) > 0) ++low_;
}

void FileFetch::NotKept(const PartyId& source, uint64_t index) {
  const auto it = under_way_.find(source);
  if (it != under_way_.end() && it->second.writing.erase(index) > 0) Reopen(index);
}

// Unless it is held, or under way from somebody else.
void FileFetch::Reopen(uint64_t index) {
  const bool elsewhere =
      std::any_of(under_way_.begin(), under_way_.end(), [index](const auto& item) {
        return item.second.asked.contains(index) || item.second.writing.contains(index);
      });
  if (!elsewhere && index >= low_ && !held_.contains(index)) open_.insert(index);
}

void FileFetch::GiveUp(const PartyId& source) {
  const auto it = under_way_.find(source);
  if (it == under_way_.end()) return;
  const UnderWay theirs = std::move(it->second);
  under_way_.erase(it);
  for (const uint64_t index : theirs.asked) Reopen(index);
  // What is being written may still be kept; should it not be, nobody would ask for it again.
  for (const uint64_t index : theirs.writing) Reopen(index);
}

bool FileFetch::done() const {
  return frontier_ >= count_ && open_.empty() &&
         std::all_of(under_way_.begin(), under_way_.end(), [](const auto& item) {
           return item.second.asked.empty() && item.second.writing.empty();
         });
}

}  // namespace entente::sync

// Which chunks of one file are asked of whom, while it is fetched from several holders at once or
// mended in places.
//
// Each source has a window of chunks under way. What a source does not deliver goes to the others.
// Chunks may arrive in any order within kFetchSpread of the first one missing, so that what has to
// be fetched again after a restart stays small; when a slow source holds up the others at that
// limit, what it was asked for is asked of them too. Pure; indices count chunks from 0.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "crypto/bytes.h"

namespace entente::sync {

class FileFetch {
 public:
  struct Range {
    uint64_t from = 0;
    uint64_t count = 0;
  };

  // Everything from `first` to the end of a file of `count` chunks.
  FileFetch(uint64_t first, uint64_t count) : low_(first), frontier_(first), count_(count) {}
  // Only these.
  explicit FileFetch(const std::vector<uint64_t>& only) : open_(only.begin(), only.end()) {}

  // What to ask `source` for next, at most `window` under way; half a window at a time, so that one
  // frame asks for several and the road never runs dry. Count 0: nothing now.
  Range Ask(const PartyId& source, uint64_t window);
  // A chunk has come. False unless it was asked of this source and is still missing.
  bool Came(const PartyId& source, uint64_t index);
  // What came is durable, or is not and is asked for again.
  void Kept(const PartyId& source, uint64_t index);
  void NotKept(const PartyId& source, uint64_t index);
  // What this source was asked for and has not delivered goes to others.
  void GiveUp(const PartyId& source);

  // Something that it was asked for has not come or is not durable yet.
  bool Busy(const PartyId& source) const;
  // All chunks below are held. Of a whole file only.
  uint64_t first_missing() const { return low_; }
  bool done() const;

 private:
  struct UnderWay {
    std::set<uint64_t> asked;
    std::set<uint64_t> writing;
    std::set<uint64_t> late;  // asked for, and kept from another meanwhile
    size_t count() const { return asked.size() + writing.size() + late.size(); }
  };

  Range AskTwice(UnderWay& mine, uint64_t room);
  void Reopen(uint64_t index);

  uint64_t low_ = 0;
  uint64_t frontier_ = 0;  // nothing at or above has been asked for
  uint64_t count_ = 0;
  std::set<uint64_t> held_;  // at or above low_
  std::set<uint64_t> open_;  // below frontier_, to be asked for again
  std::map<PartyId, UnderWay> under_way_;
};

}  // namespace entente::sync

// Typed refusals, ours and theirs, counted and kept so that both sides can show why something does
// not arrive. Never content, never names.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "entente/v1/peer.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/kv.h"

namespace entente::sync {

class Refusals {
 public:
  explicit Refusals(OverlayKv& store) : store_(store) {}

  absl::Status Load();
  // A code that this version does not know counts as unspecified: a peer can make one row for each
  // kind of refusal and no more.
  void Record(const PartyId& peer, bool by_peer, v1::RefusalCode code, const std::string& detail,
              absl::Time now);

  // Of all kinds, by this node, since its start.
  uint64_t refused_here() const { return refused_here_; }

  struct Item {
    PartyId peer;
    v1::RefusalRow row;
  };
  std::vector<Item> All() const;

 private:
  OverlayKv& store_;
  std::map<std::tuple<PartyId, bool, uint32_t>, v1::RefusalRow> rows_;
  uint64_t refused_here_ = 0;
};

}  // namespace entente::sync

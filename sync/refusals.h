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
  void Record(const PartyId& peer, bool by_peer, v1::RefusalCode code, const std::string& detail,
              absl::Time now);

  struct Item {
    PartyId peer;
    v1::RefusalRow row;
  };
  std::vector<Item> All() const;

 private:
  OverlayKv& store_;
  std::map<std::tuple<PartyId, bool, uint32_t>, v1::RefusalRow> rows_;
};

}  // namespace entente::sync

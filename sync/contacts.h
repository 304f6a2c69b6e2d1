// When each body was last heard: a frame on a stream that its node has proved to hold, or a parcel
// that it had not been shown before. Kept over restarts, so that a node which has just come up, or
// one that is looked at while it stands still, tells silence from never having met.
//
// Stored when a body is heard first, at the end of every session, and every quarter of an hour in
// between: a crash forgets no more than that. Times are this node's own clock.
#pragma once

#include <map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "sync/kv.h"

namespace entente::sync {

inline constexpr absl::Duration kContactSavedEvery = absl::Minutes(15);

class Contacts {
 public:
  explicit Contacts(OverlayKv& store) : store_(store) {}

  absl::Status Load();
  void Heard(const PartyId& party, absl::Time now);
  // The session with `party` is over.
  void Parted(const PartyId& party);
  // Nobody was heard later than now: a clock that was ahead would hide years of silence.
  void ClockSetBack(absl::Time now);

  // InfinitePast: never.
  absl::Time Last(const PartyId& party) const;

 private:
  struct Contact {
    absl::Time heard = absl::InfinitePast();
    absl::Time saved = absl::InfinitePast();
  };
  void Save(const PartyId& party, Contact& contact);

  OverlayKv& store_;
  std::map<PartyId, Contact> contacts_;
};

}  // namespace entente::sync

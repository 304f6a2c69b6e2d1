// One way to one peer: a live stream, or the slow road of parcels. Both carry the same frames, so
// the exchange above does not know the difference. Protocol §9, §10.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "entente/v1/peer.pb.h"
#include "sync/effects.h"
#include "sync/limits.h"

namespace entente::sync {

// What is known of one log at the other end of a link.
struct PeerLog {
  uint64_t known = 0;  // the peer said it holds this much
  uint64_t sent = 0;   // handed to the link up to here
  size_t unacked_bytes = 0;
};

struct Link {
  PartyId peer;
  SessionId session = 0;  // 0: the parcel road
  bool ready = false;
  bool dialled = false;
  Hash peer_spki;
  std::string own_nonce;
  std::string peer_nonce;
  bool peer_card_checked = false;

  absl::Time opened = absl::InfinitePast();
  absl::Time next_digest = absl::InfiniteFuture();
  absl::Time ask_again = absl::InfinitePast();  // for what has been asked for and has not come
  bool in_sync = false;                         // the last digests compared were equal
  bool settled = false;  // and they have been since the peer said which keys it knows

  std::map<LogId, PeerLog> logs;
  struct Asked {
    uint64_t to = 0;     // up to which entry
    uint64_t bytes = 0;  // what arrived of the budget so far
  };
  std::map<LogId, Asked> wanted;
  std::deque<LogId> want_queue;
  std::set<LogId> want_queued;
  std::set<LogId> other_branch;  // the peer holds another tree than ours

  // The parcel road alone: frames that wait for the next parcel.
  std::vector<v1::Frame> outbox;
  size_t outbox_bytes = 0;
  absl::Time next_parcel = absl::InfinitePast();

  bool by_parcel() const { return session == 0; }
};

}  // namespace entente::sync

// Keys that others seal to, over their life. Protocol §3, §5.
//
// A card names the first box key; every so often the node draws another one and announces it by the
// statement "box-key" under the statement key of its card. Whoever hears it seals to the newest
// from then on: epochs, parcels, and the mailboxes that follow from both ends' keys. Keys are
// numbered under each card; the card's own is number 0, and a newer card starts anew.
//
// Private halves of older keys stay for what is still on its way and are then destroyed, so that a
// thief who comes later opens nothing of it. In an emergency a private half goes as soon as nothing
// needs it: everybody knows the newer key, and no log's newest epoch is sealed to the older one.
//
// A node whose database is set back may have announced a key that it no longer holds. Peers say
// which of its keys they know; one that it does not know tells it, and it announces another.
//
// The statements are public; the private halves are rows of the store, sealed at rest, except that
// the first one of a card rests in the keystore. Pure: time and chance are handed in.
// Tests: tests/sync/box_keys_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/box.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "entente/v1/card.pb.h"
#include "entente/v1/peer.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/card_book.h"
#include "sync/kv.h"

namespace entente::sync {

struct BoxKeyTerms {
  absl::Duration life = absl::Hours(30 * 24);  // a newer key is drawn after this time
  absl::Duration keep = absl::Hours(60 * 24);  // how long an older private half stays
};

// A key that somebody may be sealed to.
struct ReadingKey {
  Hash card;
  uint64_t seq = 0;
  KeyId id;
  BoxPublicKey key;
  int64_t created = 0;  // Unix seconds, by its owner's clock
  bool emergency = false;
};

// Checks the form and the signature of `notice` under the statement key of `card`. InvalidArgument
// or Unauthenticated.
absl::StatusOr<v1::BoxKeyNotice> VerifyBoxKey(const v1::SignedBoxKey& notice,
                                              const TrustedCard& card);
v1::SignedBoxKey SignBoxKey(const v1::BoxKeyNotice& notice, const crypto::SigningKey& statement);

class BoxKeys {
 public:
  BoxKeys(const PartyId& self, std::shared_ptr<const crypto::NodeKeys> keys, const CardBook& cards,
          OverlayKv& store, BoxKeyTerms terms)
      : self_(self), keys_(std::move(keys)), cards_(cards), store_(store), terms_(terms) {}

  // After the cards. DataLoss when a row is damaged.
  absl::Status Load();

  // The key to seal to; nullopt for a party without a trusted card.
  std::optional<ReadingKey> NewestOf(const PartyId& party) const;
  // Keys of a peer that it may still use as a sender, the likeliest first: its newest, its card's
  // own, then older ones.
  std::vector<ReadingKey> RecentOf(const PartyId& party) const;
  // The statement about it; nullopt while that is the card's own.
  std::optional<v1::SignedBoxKey> NoticeOf(const PartyId& party) const;
  // When the key of that id was announced; nullopt when it is not known here any more, because many
  // have followed it.
  std::optional<absl::Time> AnnouncedAt(const PartyId& party, std::string_view key_id) const;
  // It gave up a key in haste, or revoked a card: nothing may stay sealed to its older keys.
  bool GaveUpOlderKeys(const PartyId& party) const;

  // ---- this node's own
  const crypto::BoxKeyPair& newest() const;
  // Private halves that are held, newest first.
  std::vector<const crypto::BoxKeyPair*> held() const;
  const crypto::BoxKeyPair* Find(std::string_view key_id) const;
  // An older key, still held, was given up in haste.
  bool in_emergency() const;
  absl::Time newest_since() const;
  absl::Time next_rotation() const { return newest_since() + terms_.life; }

  // What the anchor file remembers to have been announced last: outside the database, so that it
  // outlives one that was set back.
  struct Anchored {
    bool file_missing = false;
    std::optional<ReadingKey> key;  // nullopt: no other than the card's
  };
  // Once, before anything else below.
  void Start(absl::Time now, const Anchored& anchored);
  // Draws and keeps a new key, to be announced and anchored.
  ReadingKey Rotate(absl::Time now, bool emergency, Entropy& entropy);
  // The newest key is too old, or a peer knows one that this node has lost.
  bool RotationDue(absl::Time now) const;
  // Destroys what is due. `needed` says whether anything still rests on a key given up in haste.
  void DestroyDue(absl::Time now, const std::function<bool(const KeyId&)>& needed);
  // When RotationDue or DestroyDue have something to do next.
  absl::Time NextDue() const;

  // ---- to and from peers
  // The frame to send to `peer`.
  v1::BoxKeys FrameFor(const PartyId& peer) const;
  struct Heard {
    bool newer_key = false;    // seal to another key from now on
    bool knows_more = false;   // the peer now knows a newer key of this node
    bool unknown_own = false;  // the peer knows a key of this node that this node has lost
  };
  // InvalidArgument or Unauthenticated: the statement does not hold.
  absl::StatusOr<Heard> Hear(const PartyId& party, const v1::BoxKeys& frame);
  // A key statement that came along with a card. Statements under other cards are passed over.
  absl::StatusOr<bool> HearNotice(const PartyId& party, const v1::SignedBoxKey& notice);
  // Whether `party` is known to know this node's newest card and key.
  bool KnowsNewest(const PartyId& party) const;
  // Of this node's keys the newest that `party` is known to know and whose private half is held.
  const crypto::BoxKeyPair& KnownTo(const PartyId& party) const;
  bool KnowsCard(const PartyId& party) const;

 private:
  struct Own {
    crypto::BoxKeyPair pair;
    v1::OwnBoxKeyRow row;
  };
  struct Peer {
    std::vector<v1::SignedBoxKey> notices;  // oldest first, all under one card
    std::vector<ReadingKey> keys;           // the same, as read
    v1::PeerBoxKeysRow row;
  };
  absl::Status LoadPeers();
  void RetireOlder(absl::Time now);
  void AddOwn(v1::OwnBoxKeyRow row, crypto::BoxKeyPair pair);
  void Save(const Own& own);
  void SavePeer(const PartyId& party);
  const Own* FindOwn(std::string_view key_id) const;

  PartyId self_;
  std::shared_ptr<const crypto::NodeKeys> keys_;
  const CardBook& cards_;
  OverlayKv& store_;
  BoxKeyTerms terms_;
  std::vector<Own> own_;        // held, oldest first
  std::set<std::string> gone_;  // key ids of destroyed private halves
  std::map<PartyId, Peer> peers_;
  uint64_t highest_known_ = 0;  // under the present card, by this node or any peer
  bool lost_ = false;           // a peer knows a newer key than this node
  absl::Time lost_repair_ = absl::InfinitePast();
};

}  // namespace entente::sync

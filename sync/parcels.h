// Parcels: the same frames in a sealed, padded, signed envelope, for relays and disks. Protocol
// §10.
//
// seq and the previous parcel's hash make a dropped, repeated or reordered parcel noticeable; the
// entries inside are idempotent, so only the alarm depends on them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/peer.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/context.h"
#include "sync/effects.h"
#include "sync/link.h"

namespace entente::sync {

class Parcels {
 public:
  explicit Parcels(Context& context) : context_(context) {}

  absl::Status Load();

  // Packs the frames that wait on `link` into as many parcels as they need and empties its outbox.
  absl::Status Pack(Link& link, absl::Time now, Effects* effects);

  struct Opened {
    PartyId from;
    std::vector<v1::Frame> frames;
    bool repeated = false;      // this very parcel, or an older one, was opened before
    bool gap = false;           // at least one parcel before it is missing
    bool card_changed = false;  // it brought a newer card of its sender, which was taken
  };
  // Verifies and opens. InvalidArgument: not a parcel; NotFound: for nobody this node knows;
  // Unauthenticated: altered, or not from the body its mailbox belongs to; PermissionDenied: signed
  // under a card that its sender has revoked; FailedPrecondition: sealed with a shared secret that
  // is not held here.
  absl::StatusOr<Opened> Open(std::string_view parcel);

  // Senders of parcels that were sealed with a shared secret that is not held here.
  std::set<PartyId> TakeWithoutSecret() { return std::exchange(without_secret_, {}); }

  // What a deposited parcel carried: log → size, for "at relay".
  std::map<LogId, uint64_t> Deposited(const PartyId& peer, uint64_t seq);

 private:
  absl::Status PackOne(const PartyId& peer, std::vector<v1::Frame> frames, absl::Time now,
                       Effects* effects);
  // Whose parcels lie in `mailbox`, and the key of this node that they are sealed to.
  struct Addressed {
    PartyId sender;
    const crypto::BoxKeyPair* key;
  };
  std::optional<Addressed> AddressedBy(const MailboxId& mailbox) const;
  // The card that `parcel` is signed under, taken over first when it is a newer one that came
  // along.
  absl::StatusOr<const TrustedCard*> SignerOf(const PartyId& sender, const v1::ParcelBody& body,
                                              const v1::SignedParcel& parcel, bool* card_changed);
  size_t EnvelopeBytes(const PartyId& peer) const;
  std::string CardFor(const PartyId& peer) const;
  void Save(const PartyId& peer);

  Context& context_;
  std::map<PartyId, v1::ParcelLinkRow> rows_;
  std::set<PartyId> without_secret_;
  std::map<std::pair<PartyId, uint64_t>, std::map<LogId, uint64_t>> in_flight_;
};

}  // namespace entente::sync

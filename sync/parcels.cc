#include "sync/parcels.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/hash.h"
#include "crypto/parcel_header.h"
#include "crypto/parcel_seal.h"
#include "sync/mailbox.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// Room for the envelope around the frames.
constexpr size_t kEnvelopeBytes = 512;
constexpr size_t kInFlightMax = 4096;

// A parcel serves all JITs that two nodes share, so its statement names none.
JitId NoJit() { return JitId(); }

absl::Status Forged() {
  return absl::UnauthenticatedError(
      "this parcel was not made by the body its mailbox belongs to [PARCEL_FORGED]");
}

}  // namespace

absl::Status Parcels::Load() {
  return context_.store.Scan("x", "y", [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<PartyId> peer = PartyId::From(key.substr(1));
    v1::ParcelLinkRow row;
    if (peer.ok() && row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      rows_[*peer] = std::move(row);
    }
    return true;
  });
}

void Parcels::Save(const PartyId& peer) {
  context_.store.Put(schema::ParcelLink(peer), rows_[peer].SerializeAsString());
}

absl::Status Parcels::Pack(Link& link, absl::Time now, Effects* effects) {
  std::vector<v1::Frame> waiting = std::move(link.outbox);
  link.outbox.clear();
  link.outbox_bytes = 0;
  std::vector<v1::Frame> frames;
  const size_t envelope = EnvelopeBytes(link.peer);
  size_t bytes = envelope;
  for (v1::Frame& frame : waiting) {
    const size_t size = frame.ByteSizeLong() + 8;
    if (bytes + size > crypto::kParcelBodyBytesMax && !frames.empty()) {
      if (absl::Status s = PackOne(link.peer, std::move(frames), now, effects); !s.ok()) return s;
      frames.clear();
      bytes = envelope;
    }
    bytes += size;
    frames.push_back(std::move(frame));
  }
  if (frames.empty()) return absl::OkStatus();
  return PackOne(link.peer, std::move(frames), now, effects);
}

// Until the peer is known to know this node's newest card, every parcel brings it: a renewed node
// that is reached through a relay alone has no other way to say so.
std::string Parcels::CardFor(const PartyId& peer) const {
  if (context_.box_keys->KnowsCard(peer)) return "";
  return context_.cards.Portable(context_.self).SerializeAsString();
}

size_t Parcels::EnvelopeBytes(const PartyId& peer) const {
  return kEnvelopeBytes + CardFor(peer).size();
}

absl::Status Parcels::PackOne(const PartyId& peer, std::vector<v1::Frame> frames, absl::Time now,
                              Effects* effects) {
  const std::optional<ReadingKey> key = context_.box_keys->NewestOf(peer);
  if (!key.has_value()) return absl::OkStatus();
  const absl::StatusOr<Mailbox> mailbox = OutgoingMailbox(*context_.box_keys, context_.self, peer);
  if (!mailbox.ok()) return mailbox.status();
  v1::ParcelLinkRow& row = rows_[peer];
  v1::ParcelBody body;
  body.set_from(context_.self.str());
  body.set_to(peer.str());
  body.set_seq(row.out_seq() + 1);
  body.set_prev_parcel(row.out_parcel());
  body.set_sender_card(context_.cards.Find(context_.self)->hash.str());
  body.set_created(absl::ToUnixSeconds(now));
  std::map<LogId, uint64_t> carries;
  for (v1::Frame& frame : frames) {
    if (frame.has_batch()) {
      const absl::StatusOr<LogId> log = LogId::From(frame.batch().head().log_id());
      const uint64_t end =
          frame.batch().from() + static_cast<uint64_t>(frame.batch().entries_size());
      if (log.ok()) carries[*log] = std::max(carries[*log], end);
    }
    *body.add_frames() = std::move(frame);
  }
  v1::SignedParcel signed_parcel;
  signed_parcel.set_body(body.SerializeAsString());
  signed_parcel.set_signature(crypto::SignStatement(context_.keys->statement,
                                                    crypto::Purpose::parcel, NoJit(),
                                                    crypto::Sha256(signed_parcel.body()).view())
                                  .str());
  if (std::string own_card = CardFor(peer); !own_card.empty()) {
    signed_parcel.set_signed_card(std::move(own_card));
  }
  absl::StatusOr<std::string> parcel = crypto::SealParcel(
      key->key, key->id, peer, mailbox->id, signed_parcel.SerializeAsString(), context_.entropy,
      context_.secrets == nullptr ? nullptr : context_.secrets->InUse(peer));
  if (!parcel.ok()) return parcel.status();
  row.set_out_seq(body.seq());
  row.set_out_parcel(crypto::Sha256(*parcel).str());
  Save(peer);
  if (in_flight_.size() < kInFlightMax) in_flight_[{peer, body.seq()}] = std::move(carries);
  effects->parcels.push_back({peer, body.seq(), *std::move(parcel)});
  return absl::OkStatus();
}

std::optional<Parcels::Addressed> Parcels::AddressedBy(const MailboxId& mailbox) const {
  for (const auto& [party, card] : context_.cards.all()) {
    if (party == context_.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    for (const IncomingMailbox& box : IncomingMailboxes(*context_.box_keys, context_.self, party)) {
      if (box.mailbox.id == mailbox) return Addressed{party, box.key};
    }
  }
  return std::nullopt;
}

absl::StatusOr<Parcels::Opened> Parcels::Open(std::string_view parcel) {
  const absl::StatusOr<crypto::ParcelHeader> header = crypto::ParseParcelHeader(parcel);
  if (!header.ok()) return header.status();
  const std::optional<Addressed> addressed = AddressedBy(header->mailbox);
  if (!addressed.has_value()) {
    return absl::NotFoundError(
        "this parcel is not addressed to this node by any body it trusts [NOT_FOR_US]");
  }
  const auto& [sender, key] = *addressed;
  const absl::StatusOr<std::string> plain =
      crypto::OpenParcel(*key, context_.self, parcel,
                         context_.secrets == nullptr ? nullptr : context_.secrets->Held(sender));
  if (absl::IsFailedPrecondition(plain.status())) {
    without_secret_.insert(sender);
    return plain.status();
  }
  if (!plain.ok()) {
    return absl::UnauthenticatedError(
        "this parcel has been altered or was sealed for another node; ask for it again "
        "[PARCEL_ALTERED]");
  }
  v1::SignedParcel signed_parcel;
  v1::ParcelBody body;
  if (!signed_parcel.ParseFromString(*plain) || !body.ParseFromString(signed_parcel.body()) ||
      body.from() != sender.view() || body.to() != context_.self.view()) {
    return Forged();
  }
  Opened out;
  const absl::StatusOr<const TrustedCard*> signer =
      SignerOf(sender, body, signed_parcel, &out.card_changed);
  if (!signer.ok()) return signer.status();
  v1::ParcelLinkRow& row = rows_[sender];
  out.from = sender;
  // A sender that has lost its database, or was set back, counts anew, but in later parcels.
  const bool counts_anew = body.seq() <= row.in_seq() && body.created() > row.in_created();
  out.repeated = body.seq() <= row.in_seq() && !counts_anew;
  out.gap = !counts_anew && body.seq() > row.in_seq() + 1;
  if (!out.repeated) {
    row.set_in_seq(body.seq());
    row.set_in_created(std::max(row.in_created(), body.created()));
    row.set_in_parcel(crypto::Sha256(parcel).str());
    Save(sender);
  }
  for (v1::Frame& frame : *body.mutable_frames()) out.frames.push_back(std::move(frame));
  return out;
}

absl::StatusOr<const TrustedCard*> Parcels::SignerOf(const PartyId& sender,
                                                     const v1::ParcelBody& body,
                                                     const v1::SignedParcel& parcel,
                                                     bool* card_changed) {
  const auto signs = [&](const TrustedCard& card) {
    return crypto::VerifyStatement(card.statement_key, crypto::Purpose::parcel, NoJit(),
                                   crypto::Sha256(parcel.body()).view(), parcel.signature())
        .ok();
  };
  const TrustedCard* signer = context_.cards.FindOf(sender, body.sender_card());
  if (signer == nullptr) {
    const absl::StatusOr<TrustedCard> shown = VerifyCard(parcel.signed_card());
    if (!shown.ok() || shown->party != sender || shown->hash.view() != body.sender_card() ||
        !signs(*shown)) {
      return Forged();
    }
    WriteBatch writes;
    const absl::StatusOr<bool> trusted = context_.cards.Trust(parcel.signed_card(), &writes);
    context_.store.Apply(writes);  // also after an error: two cards with one number are a proof
    if (!trusted.ok()) return trusted.status();
    *card_changed = true;
    return context_.cards.Find(sender);
  }
  if (!signs(*signer)) return Forged();
  if (context_.cards.IsRevoked(*signer)) {
    return absl::PermissionDeniedError(
        "this parcel was signed under a card that its body has revoked [REVOKED_CARD]");
  }
  return signer;
}

std::map<LogId, uint64_t> Parcels::Deposited(const PartyId& peer, uint64_t seq) {
  const auto it = in_flight_.find({peer, seq});
  if (it == in_flight_.end()) return {};
  std::map<LogId, uint64_t> out = std::move(it->second);
  in_flight_.erase(it);
  return out;
}

}  // namespace entente::sync

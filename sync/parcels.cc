#include "sync/parcels.h"

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
  size_t bytes = kEnvelopeBytes;
  for (v1::Frame& frame : waiting) {
    const size_t size = frame.ByteSizeLong() + 8;
    if (bytes + size > crypto::kParcelBodyBytesMax && !frames.empty()) {
      if (absl::Status s = PackOne(link.peer, std::move(frames), now, effects); !s.ok()) return s;
      frames.clear();
      bytes = kEnvelopeBytes;
    }
    bytes += size;
    frames.push_back(std::move(frame));
  }
  if (frames.empty()) return absl::OkStatus();
  return PackOne(link.peer, std::move(frames), now, effects);
}

absl::Status Parcels::PackOne(const PartyId& peer, std::vector<v1::Frame> frames, absl::Time now,
                              Effects* effects) {
  const TrustedCard* card = context_.cards.Find(peer);
  if (card == nullptr) return absl::OkStatus();
  const absl::StatusOr<MailboxPair> mailboxes =
      DeriveMailboxes(*context_.keys, context_.self, *card);
  if (!mailboxes.ok()) return mailboxes.status();
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
  const absl::StatusOr<BoxPublicKey> box = BoxPublicKey::From(card->card.box_key().public_key());
  const absl::StatusOr<KeyId> key_id = KeyId::From(card->card.box_key().id());
  if (!box.ok()) return box.status();
  if (!key_id.ok()) return key_id.status();
  absl::StatusOr<std::string> parcel =
      crypto::SealParcel(*box, *key_id, peer, mailboxes->outgoing.id,
                         signed_parcel.SerializeAsString(), context_.entropy);
  if (!parcel.ok()) return parcel.status();
  row.set_out_seq(body.seq());
  row.set_out_parcel(crypto::Sha256(*parcel).str());
  Save(peer);
  if (in_flight_.size() < kInFlightMax) in_flight_[{peer, body.seq()}] = std::move(carries);
  effects->parcels.push_back({peer, body.seq(), *std::move(parcel)});
  return absl::OkStatus();
}

absl::StatusOr<Parcels::Opened> Parcels::Open(std::string_view parcel, absl::Time now) {
  const absl::StatusOr<crypto::ParcelHeader> header = crypto::ParseParcelHeader(parcel);
  if (!header.ok()) return header.status();
  const TrustedCard* sender = nullptr;
  for (const auto& [party, card] : context_.cards.all()) {
    if (party == context_.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    const absl::StatusOr<MailboxPair> pair = DeriveMailboxes(*context_.keys, context_.self, card);
    if (pair.ok() && pair->incoming.id == header->mailbox) sender = &card;
  }
  if (sender == nullptr) {
    return absl::NotFoundError(
        "this parcel is not addressed to this node by any body it trusts [NOT_FOR_US]");
  }
  const absl::StatusOr<std::string> plain =
      crypto::OpenParcel(context_.keys->box, context_.self, parcel);
  if (!plain.ok()) {
    return absl::UnauthenticatedError(
        "this parcel has been altered or was sealed for another node; ask for it again "
        "[PARCEL_ALTERED]");
  }
  v1::SignedParcel signed_parcel;
  v1::ParcelBody body;
  if (!signed_parcel.ParseFromString(*plain) || !body.ParseFromString(signed_parcel.body()) ||
      body.from() != sender->party.view() || body.to() != context_.self.view() ||
      !crypto::VerifyStatement(sender->statement_key, crypto::Purpose::parcel, NoJit(),
                               crypto::Sha256(signed_parcel.body()).view(),
                               signed_parcel.signature())
           .ok()) {
    return absl::UnauthenticatedError(
        "this parcel was not made by the body its mailbox belongs to [PARCEL_FORGED]");
  }
  v1::ParcelLinkRow& row = rows_[sender->party];
  Opened out;
  out.from = sender->party;
  out.repeated = body.seq() <= row.in_seq();
  out.gap = body.seq() > row.in_seq() + 1;
  if (!out.repeated) {
    row.set_in_seq(body.seq());
    row.set_in_parcel(crypto::Sha256(parcel).str());
    row.set_last_contact(absl::ToUnixSeconds(now));
    Save(sender->party);
  }
  for (v1::Frame& frame : *body.mutable_frames()) out.frames.push_back(std::move(frame));
  return out;
}

std::map<LogId, uint64_t> Parcels::Deposited(const PartyId& peer, uint64_t seq) {
  const auto it = in_flight_.find({peer, seq});
  if (it == in_flight_.end()) return {};
  std::map<LogId, uint64_t> out = std::move(it->second);
  in_flight_.erase(it);
  return out;
}

}  // namespace entente::sync

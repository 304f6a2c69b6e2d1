// What arrives at a replica: sessions, frames and parcels, each checked before it may cost
// anything.
#include <algorithm>
#include <utility>

#include "sync/handshake.h"
#include "sync/limits.h"
#include "sync/replica.h"

namespace entente::sync {

absl::Status Replica::Handle(absl::Time now, const Input& input) {
  SetTime(now);
  if (absl::Status s = HandleInput(now, input); !s.ok()) return s;
  if (absl::Status s = OpenRepaired(now); !s.ok()) return s;
  return SettleErasedEpochs(now);
}

absl::Status Replica::HandleInput(absl::Time now, const Input& input) {
  if (const auto* opened = std::get_if<SessionOpened>(&input)) {
    OnSessionOpened(*opened, now);
  } else if (const auto* closed = std::get_if<SessionClosed>(&input)) {
    OnSessionClosed(closed->session);
  } else if (const auto* frame = std::get_if<FrameReceived>(&input)) {
    return OnFrame(frame->session, frame->frame, now);
  } else if (const auto* parcel = std::get_if<ParcelReceived>(&input)) {
    return OnParcel(parcel->parcel, now);
  } else if (const auto* deposited = std::get_if<ParcelDeposited>(&input)) {
    OnDeposited(*deposited);
  } else if (const auto* read = std::get_if<ChunkRead>(&input)) {
    blobs_->OnChunkRead(*read, now);
  } else if (const auto* written = std::get_if<ChunkWritten>(&input)) {
    blobs_->OnChunkWritten(*written, now);
  } else if (const auto* verified = std::get_if<BlobVerified>(&input)) {
    blobs_->OnBlobVerified(*verified, now);
    if (verified->status.ok()) {
      for (const auto& [party, card] : cards_.all()) exchange_->SendReceipts(party);
    }
  } else if (const auto* checked = std::get_if<ChunksChecked>(&input)) {
    blobs_->OnChunksChecked(*checked, now);
  } else if (const auto* erased = std::get_if<Erased>(&input)) {
    return erasures_->OnErased(*erased, now);
  }
  return absl::OkStatus();
}

void Replica::OnSessionOpened(const SessionOpened& opened, absl::Time now) {
  const TrustedCard* card = cards_.Find(opened.peer);
  if (card == nullptr || card->tls_spki != opened.peer_spki || opened.peer == context_.self) {
    effects_.closes.push_back({opened.session, "not a trusted peer"});
    return;
  }
  // A peer that comes back has lost its old stream, whether or not we have noticed.
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const SessionId old = it->first;
    const bool same_peer = it->second.peer == opened.peer;
    ++it;
    if (same_peer) CloseLink(old, "replaced by a newer connection");
  }
  if (budgets_[opened.peer].Resting(now)) {
    effects_.closes.push_back({opened.session, "used its budget up a moment ago"});
    return;
  }
  Link& link = sessions_[opened.session];
  link.peer = opened.peer;
  link.session = opened.session;
  link.peer_spki = opened.peer_spki;
  link.dialled = opened.dialled;
  link.opened = now;
  Send(link, MakeHello(context_, link));
  SpendWork(opened.peer, opened.session, kWorkOfSession, now);
}

// May close the session: no link to it is valid afterwards.
void Replica::SpendWork(const PartyId& peer, SessionId session, int64_t units, absl::Time now) {
  if (budgets_[peer].Spend(units, now)) return;
  refusals_.Record(peer, false, v1::REFUSAL_CODE_BUDGET, "more work than a peer may cause", now);
  if (const auto it = sessions_.find(session); it != sessions_.end()) {
    v1::Frame told;
    told.mutable_refused()->set_code(v1::REFUSAL_CODE_BUDGET);
    Send(it->second, std::move(told));
    CloseLink(session, "used its budget up");
  }
}

// Grows when a frame has brought what was not here.
uint64_t Replica::ProgressOf(const PartyId& peer, const v1::Frame& frame) const {
  const bool batch = frame.has_batch();
  if (!batch && !frame.has_cosign()) return 0;
  const std::string& name = batch ? frame.batch().head().log_id() : frame.cosign().log_id();
  const absl::StatusOr<LogId> id = LogId::From(name);
  const LogState* log = id.ok() ? logs_.Find(*id) : nullptr;
  if (log == nullptr) return 0;
  if (batch) return log->size;
  const auto receipt = log->receipts.find(peer);
  return receipt == log->receipts.end() ? 0 : receipt->second.size + receipt->second.opened;
}

// A stream's frame, paid for by what it did.
absl::Status Replica::OnPaidFrame(Link& link, const v1::Frame& frame, absl::Time now) {
  const PartyId peer = link.peer;
  const SessionId session = link.session;
  const uint64_t progress = ProgressOf(peer, frame);
  const uint64_t refused = refusals_.refused_here();
  contacts_.Heard(peer, now);
  if (absl::Status s = OnReadyFrame(link, frame, now); !s.ok()) return s;
  int64_t units = kWorkOfFrame;
  if (frame.has_digests()) units = kWorkOfDigests;
  if (frame.has_heads()) units += frame.heads().heads_size() / kHeadsPerUnit;
  if (frame.has_box_keys()) units = kWorkOfBoxKeys;
  if (frame.has_want() || frame.has_want_chunks()) units = kWorkOfWant;
  if (refusals_.refused_here() > refused) {
    units = kWorkOfRefusal;
  } else if (ProgressOf(peer, frame) > progress) {
    return absl::OkStatus();
  }
  SpendWork(peer, session, units, now);
  return absl::OkStatus();
}

void Replica::CloseLink(SessionId session, std::string reason) {
  effects_.closes.push_back({session, std::move(reason)});
  OnSessionClosed(session);
}

void Replica::OnSessionClosed(SessionId session) {
  const auto it = sessions_.find(session);
  if (it == sessions_.end()) return;
  const PartyId peer = it->second.peer;
  sessions_.erase(it);
  contacts_.Parted(peer);
  blobs_->OnLinkGone(peer);
}

absl::Status Replica::OnFrame(SessionId session, const v1::Frame& frame, absl::Time now) {
  const auto it = sessions_.find(session);
  if (it == sessions_.end()) return absl::OkStatus();  // closed in the meantime
  Link& link = it->second;
  absl::Status status;
  if (frame.ByteSizeLong() == 0) {  // what the transport makes of bytes that are no frame
    const PartyId peer = link.peer;
    refusals_.Record(peer, false, v1::REFUSAL_CODE_MALFORMED, "not a frame", now);
    v1::Frame told;
    told.mutable_refused()->set_code(v1::REFUSAL_CODE_MALFORMED);
    Send(link, std::move(told));
    CloseLink(session, "sent what is no frame");
    SpendWork(peer, session, kWorkOfGarbage, now);
    return absl::OkStatus();
  }
  if (link.ready) return OnPaidFrame(link, frame, now);
  if (frame.has_hello() && !link.peer_card_checked) {
    absl::StatusOr<v1::Frame> answer = AnswerHello(context_, link, frame.hello(), &peers_changed_);
    status = answer.status();
    if (answer.ok()) Send(link, *std::move(answer));
  } else if (frame.has_hello_proof()) {
    status = CheckProof(context_, link, frame.hello_proof());
    if (status.ok()) {
      link.ready = true;
      contacts_.Heard(link.peer, now);
      if (absl::Status s = StartLink(link, now); !s.ok()) return s;
      blobs_->Fetch(now);
    }
  } else {
    status = absl::FailedPreconditionError("frames before the greeting was over");
  }
  if (!status.ok()) {
    refusals_.Record(link.peer, false,
                     absl::IsPermissionDenied(status) ? v1::REFUSAL_CODE_REVOKED_CARD
                                                      : v1::REFUSAL_CODE_UNTRUSTED_CARD,
                     std::string(ToStd(status.message())), now);
    SpreadCardForks(now);
    CloseLink(session, "greeting refused");
  }
  return absl::OkStatus();
}

absl::Status Replica::OnReadyFrame(Link& link, const v1::Frame& frame, absl::Time now) {
  switch (frame.frame_case()) {
    case v1::Frame::kWantChunks:
      blobs_->OnWantChunks(link, frame.want_chunks(), now);
      return absl::OkStatus();
    case v1::Frame::kChunk:
      blobs_->OnChunk(link, frame.chunk(), now);
      return absl::OkStatus();
    case v1::Frame::kRefused:
      if (blobs_->OnRefused(link, frame.refused())) return absl::OkStatus();
      return exchange_->Handle(link, frame, now);
    case v1::Frame::kFork:
      return fork_watch_->OnAlarm(link, frame.fork(), now);
    case v1::Frame::kBoxKeys:
      OnBoxKeys(link, frame.box_keys(), now);
      return absl::OkStatus();
    case v1::Frame::kCardAlarm:
      OnCardAlarm(link, frame.card_alarm(), now);
      return absl::OkStatus();
    case v1::Frame::kSecret:
      if (secrets_.OnNotice(link.peer, frame.secret())) {
        Send(link, secrets_.Notice(link.peer, /*reply=*/true));
      }
      return absl::OkStatus();
    default:
      return exchange_->Handle(link, frame, now);
  }
}

absl::Status Replica::OnParcel(std::string_view parcel, absl::Time now) {
  const absl::StatusOr<Parcels::Opened> opened = ImportParcel(parcel, now);
  // What a relay hands over is hostile until it opens; a bad parcel is dropped and counted.
  if (!opened.ok()) {
    refusals_.Record(PartyId(), false,
                     absl::IsPermissionDenied(opened.status()) ? v1::REFUSAL_CODE_REVOKED_CARD
                                                               : v1::REFUSAL_CODE_MALFORMED,
                     std::string(ToStd(opened.status().message())), now);
  }
  return absl::OkStatus();
}

absl::StatusOr<Parcels::Opened> Replica::ImportParcel(std::string_view parcel, absl::Time now) {
  SetTime(now);
  absl::StatusOr<Parcels::Opened> opened = parcels_.Open(parcel);
  SpreadCardForks(now);
  for (const PartyId& peer : parcels_.TakeWithoutSecret()) TellSecret(peer);
  if (!opened.ok()) return opened;
  peers_changed_ = peers_changed_ || opened->card_changed;
  if (!opened->repeated) contacts_.Heard(opened->from, now);
  Link* link = nullptr;
  if (const auto it = parcel_links_.find(opened->from); it != parcel_links_.end()) {
    link = &it->second;
  } else {
    // A parcel on a disk from a peer that is otherwise reached directly: answers wait for a stream.
    link = &parcel_links_[opened->from];
    link->peer = opened->from;
  }
  if (opened->gap) link->next_digest = std::min(link->next_digest, now + kDigestDelay);
  for (const v1::Frame& frame : opened->frames) {
    // An old parcel shown again must not take a secret out of use.
    if (opened->repeated && frame.has_secret()) continue;
    if (absl::Status s = OnReadyFrame(*link, frame, now); !s.ok()) return s;
  }
  if (!link->ready) parcel_links_.erase(opened->from);
  if (absl::Status s = OpenRepaired(now); !s.ok()) return s;
  return opened;
}

void Replica::OnDeposited(const ParcelDeposited& deposited) {
  if (!deposited.status.ok()) return;
  for (const auto& [log, size] : parcels_.Deposited(deposited.peer, deposited.seq)) {
    uint64_t& at = at_relay_[deposited.peer][log];
    at = std::max(at, size);
  }
}

}  // namespace entente::sync

#include "sync/replica.h"

#include <algorithm>
#include <utility>

#include "sync/handshake.h"
#include "sync/limits.h"
#include "sync/schema.h"

namespace entente::sync {

Route RouteBetween(const v1::NodeCard& a, const v1::NodeCard& b) {
  const bool relays = a.relays_size() > 0 && b.relays_size() > 0;
  if (a.relay_only() || b.relay_only()) return relays ? Route::kRelay : Route::kNone;
  if (a.addresses_size() > 0 || b.addresses_size() > 0) return Route::kDirect;
  return relays ? Route::kRelay : Route::kNone;
}

bool Dials(const TrustedCard& self, const TrustedCard& peer) {
  if (RouteBetween(self.card, peer.card) != Route::kDirect) return false;
  if (peer.card.addresses_size() == 0) return false;
  return self.card.addresses_size() == 0 || self.party < peer.party;
}

Replica::Replica(ReplicaOptions options, OverlayKv& store, Entropy& entropy)
    : options_(std::move(options)),
      store_(store),
      logs_(store),
      refusals_(store),
      exclusions_(options_.self, cards_, logs_, options_.agreements),
      context_{options_.self, options_.keys, cards_, store, logs_, entropy},
      epoch_keys_(context_),
      writer_(context_, epoch_keys_),
      parcels_(context_),
      observations_(context_) {
  context_.exclusions = &exclusions_;
  Exchange::Hooks hooks;
  hooks.send = [this](Link& link, v1::Frame frame) { Send(link, std::move(frame)); };
  hooks.links = [this] { return ReadyLinks(); };
  hooks.opened = [this](OpenedEntry entry) { Opened(std::move(entry)); };
  hooks.grown = [this](const LogState& log) { return observations_.Grown(log); };
  hooks.other_tree = [this](Link& link, const LogState& log) { fork_watch_->Suspect(link, log); };
  hooks.served = [this](Link& link, const LogState& log) { fork_watch_->Show(link, log); };
  hooks.effect_size = [this](const LogState& log) {
    return std::min(observations_.EffectSize(log), exclusions_.FinalSize(log));
  };
  hooks.agreement_in_force = options_.agreement_in_force;
  hooks.received_blobs_for = [this](const PartyId& peer) { return blobs_->ReceivedFrom(peer); };
  hooks.receipt = [this](const PartyId& peer, const v1::Cosign& cosign) {
    blobs_->OnReceived(peer, cosign);
  };
  exchange_ = std::make_unique<Exchange>(context_, epoch_keys_, refusals_, std::move(hooks));
  ForkWatch::Hooks fork_hooks;
  fork_hooks.send = [this](Link& link, v1::Frame frame) { Send(link, std::move(frame)); };
  fork_hooks.links = [this] { return ReadyLinks(); };
  fork_hooks.forked = [this](const LogState& log) {
    observations_.Forked(log);
    any_fork_ = effects_changed_ = true;
  };
  fork_watch_ = std::make_unique<ForkWatch>(context_, refusals_, std::move(fork_hooks));
  BlobSync::Hooks blob_hooks;
  blob_hooks.send = [this](Link& link, v1::Frame frame) { Send(link, std::move(frame)); };
  blob_hooks.links = [this] { return ReadyLinks(); };
  blob_hooks.run = [this](FileJob job) { effects_.file_jobs.push_back(std::move(job)); };
  blob_hooks.verified = [this](const v1::FileRef& file) { received_files_.push_back(file); };
  blobs_ = std::make_unique<BlobSync>(context_, refusals_, options_.auto_fetch_bytes,
                                      std::move(blob_hooks));
}

absl::Status Replica::Load(const std::vector<AnchorRecord>& anchors, bool anchor_missing) {
  if (absl::Status s = cards_.Load(store_); !s.ok()) return s;
  if (cards_.Find(context_.self) == nullptr) {
    return absl::DataLossError("the store does not hold this node's own card");
  }
  if (absl::Status s = logs_.Load(); !s.ok()) return s;
  if (absl::Status s = refusals_.Load(); !s.ok()) return s;
  if (absl::Status s = parcels_.Load(); !s.ok()) return s;
  if (absl::Status s = blobs_->Load(); !s.ok()) return s;
  if (absl::Status s = CheckAnchors(anchors, anchor_missing); !s.ok()) return s;
  return fork_watch_->Load();
}

void Replica::Opened(OpenedEntry entry) {
  writer_.Observe(entry.body.hlc());
  damage_.Update(observations_.Learn(entry));
  if (entry.body.has_statement() || entry.body.has_close()) {
    exclusions_.Learn(entry);
    effects_changed_ = effects_changed_ || entry.body.has_close();
  }
  if (entry.body.has_observed()) {
    effects_changed_ = effects_changed_ || any_fork_;
    return;
  }
  blobs_->Learn(entry);
  opened_.push_back(std::move(entry));
}

absl::Status Replica::CheckAnchors(const std::vector<AnchorRecord>& anchors, bool anchor_missing) {
  const auto row = store_.Get(schema::Meta("incarnation"));
  if (!row.ok()) return row.status();
  uint32_t incarnation = 1;
  if (row->has_value()) {
    ByteReader reader(**row);
    const absl::StatusOr<uint32_t> stored = reader.ReadU32();
    if (!stored.ok()) return absl::DataLossError("the stored incarnation is damaged");
    incarnation = *stored;
  }
  bool behind = anchor_missing;
  for (const AnchorRecord& anchor : anchors) {
    incarnation = std::max(incarnation, anchor.incarnation);
    const LogState* log = logs_.Find(anchor.log);
    if (log == nullptr || log->size < anchor.size) {
      behind = true;
      continue;
    }
    const absl::StatusOr<crypto::CompactRange> range = logs_.RangeAt(*log, anchor.size);
    if (!range.ok()) return range.status();
    if (*range->Root() != anchor.root) behind = true;
  }
  // Heads may have left this node that its store does not know. Whatever the peers say, the old
  // logs are never written again: a store cannot prove from its own contents that it wrote no more.
  if (behind) ++incarnation;
  context_.incarnation = incarnation;
  std::string value;
  AppendU32(&value, incarnation);
  store_.Put(schema::Meta("incarnation"), std::move(value));
  for (const auto& [id, log] : logs_.all()) {
    if (log.author != context_.self || log.incarnation == incarnation || log.frozen) continue;
    LogState& own = *logs_.Find(id);
    own.frozen = true;
    logs_.Save(own);
  }
  return absl::OkStatus();
}

absl::Status Replica::ReplayAll() {
  for (const auto& [id, log] : logs_.all()) {
    if (absl::Status s = exchange_->OpenEntries(*logs_.Find(id), 0); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replica::Start(absl::Time now) {
  observations_.Start(now);
  return UpdateParcelLinks(now);
}

absl::Status Replica::StartLink(Link& link, absl::Time now) {
  if (absl::Status s = exchange_->Start(link, now); !s.ok()) return s;
  fork_watch_->Greet(link);
  return absl::OkStatus();
}

absl::Status Replica::UpdateParcelLinks(absl::Time now) {
  for (const auto& [party, card] : cards_.all()) {
    if (party == context_.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    if (RouteTo(party) != Route::kRelay || parcel_links_.contains(party)) continue;
    Link& link = parcel_links_[party];
    link.peer = party;
    link.ready = true;
    link.opened = now;
    if (absl::Status s = StartLink(link, now); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replica::Handle(absl::Time now, const Input& input) {
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
  Link& link = sessions_[opened.session];
  link.peer = opened.peer;
  link.session = opened.session;
  link.peer_spki = opened.peer_spki;
  link.dialled = opened.dialled;
  link.opened = now;
  Send(link, MakeHello(context_, link));
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
  blobs_->OnLinkGone(peer);
}

absl::Status Replica::OnFrame(SessionId session, const v1::Frame& frame, absl::Time now) {
  const auto it = sessions_.find(session);
  if (it == sessions_.end()) return absl::OkStatus();  // closed in the meantime
  Link& link = it->second;
  if (link.ready) return OnReadyFrame(link, frame, now);
  absl::Status status;
  if (frame.has_hello() && !link.peer_card_checked) {
    absl::StatusOr<v1::Frame> answer = AnswerHello(context_, link, frame.hello(), &peers_changed_);
    status = answer.status();
    if (answer.ok()) Send(link, *std::move(answer));
  } else if (frame.has_hello_proof()) {
    status = CheckProof(context_, link, frame.hello_proof());
    if (status.ok()) {
      link.ready = true;
      link.last_heard = now;
      last_contact_[link.peer] = now;
      if (absl::Status s = StartLink(link, now); !s.ok()) return s;
      blobs_->Fetch(now);
    }
  } else {
    status = absl::FailedPreconditionError("frames before the greeting was over");
  }
  if (!status.ok()) {
    refusals_.Record(link.peer, false, v1::REFUSAL_CODE_UNTRUSTED_CARD,
                     std::string(ToStd(status.message())), now);
    CloseLink(session, "greeting refused");
  }
  return absl::OkStatus();
}

absl::Status Replica::OnReadyFrame(Link& link, const v1::Frame& frame, absl::Time now) {
  last_contact_[link.peer] = now;
  switch (frame.frame_case()) {
    case v1::Frame::kWantChunks:
      blobs_->OnWantChunks(link, frame.want_chunks(), now);
      return absl::OkStatus();
    case v1::Frame::kChunk:
      blobs_->OnChunk(link, frame.chunk(), now);
      return absl::OkStatus();
    case v1::Frame::kRefused:
      blobs_->OnRefused(link, frame.refused().subject());
      return exchange_->Handle(link, frame, now);
    case v1::Frame::kFork:
      link.last_heard = now;
      return fork_watch_->OnAlarm(link, frame.fork(), now);
    default:
      return exchange_->Handle(link, frame, now);
  }
}

absl::Status Replica::OnParcel(std::string_view parcel, absl::Time now) {
  const absl::StatusOr<Parcels::Opened> opened = ImportParcel(parcel, now);
  // What a relay hands over is hostile until it opens; a bad parcel is dropped and counted.
  if (!opened.ok()) {
    refusals_.Record(PartyId(), false, v1::REFUSAL_CODE_MALFORMED,
                     std::string(ToStd(opened.status().message())), now);
  }
  return absl::OkStatus();
}

absl::StatusOr<Parcels::Opened> Replica::ImportParcel(std::string_view parcel, absl::Time now) {
  absl::StatusOr<Parcels::Opened> opened = parcels_.Open(parcel, now);
  if (!opened.ok()) return opened;
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
    if (absl::Status s = OnReadyFrame(*link, frame, now); !s.ok()) return s;
  }
  if (!link->ready) parcel_links_.erase(opened->from);
  return opened;
}

void Replica::OnDeposited(const ParcelDeposited& deposited) {
  if (!deposited.status.ok()) return;
  for (const auto& [log, size] : parcels_.Deposited(deposited.peer, deposited.seq)) {
    uint64_t& at = at_relay_[deposited.peer][log];
    at = std::max(at, size);
  }
}

absl::StatusOr<std::vector<EntryRef>> Replica::Append(absl::Time now, std::vector<Draft> drafts) {
  absl::StatusOr<std::vector<OpenedEntry>> entries =
      writer_.Append(now, std::move(drafts), &effects_);
  if (!entries.ok()) return entries.status();
  std::vector<EntryRef> refs;
  std::set<LogId> touched;
  for (OpenedEntry& entry : *entries) {
    refs.push_back(entry.ref);
    touched.insert(entry.ref.log);
    Opened(std::move(entry));
  }
  for (const LogId& log : touched) {
    if (absl::Status s = exchange_->Push(*logs_.Find(log)); !s.ok()) return s;
  }
  return refs;
}

absl::StatusOr<bool> Replica::TrustCard(std::string_view signed_card, absl::Time now) {
  WriteBatch writes;
  absl::StatusOr<bool> already = cards_.Trust(signed_card, &writes);
  if (!already.ok() || *already) return already;
  store_.Apply(writes);
  peers_changed_ = true;
  if (absl::Status s = UpdateParcelLinks(now); !s.ok()) return s;
  return already;
}

absl::Status Replica::ExportParcels(const PartyId& peer, absl::Time now,
                                    std::vector<std::string>* out) {
  Link link;
  link.peer = peer;
  link.ready = true;
  if (absl::Status s = StartLink(link, now); !s.ok()) return s;
  for (const auto& [id, log] : logs_.all()) {
    if (log.author == context_.self && log.members.contains(peer)) {
      if (absl::Status s = exchange_->PushAll(link, log); !s.ok()) return s;
    }
  }
  Effects packed;
  if (absl::Status s = parcels_.Pack(link, now, &packed); !s.ok()) return s;
  for (ParcelOut& parcel : packed.parcels) out->push_back(std::move(parcel.parcel));
  return absl::OkStatus();
}

absl::Status Replica::FlushParcels(absl::Time now) {
  for (auto& [peer, link] : parcel_links_) {
    if (!link.ready || link.outbox.empty()) continue;
    if (!options_.relay_immediate && now < link.next_parcel) {
      effects_.wake_up = std::min(effects_.wake_up, link.next_parcel);
      continue;
    }
    if (absl::Status s = parcels_.Pack(link, now, &effects_); !s.ok()) return s;
    link.next_parcel = now + options_.relay_cadence;
  }
  return absl::OkStatus();
}

absl::Status Replica::WriteObservations(absl::Time now) {
  for (const LogId& id : observations_.TakeContradicted()) {
    for (Link* link : ReadyLinks()) fork_watch_->Suspect(*link, *logs_.Find(id));
  }
  if (context_.cloned) return absl::OkStatus();
  for (Draft& draft : observations_.Due(now)) {
    const JitId jit = draft.jit;
    const Members members = draft.audience;
    if (!options_.agreement_in_force(jit)) {
      observations_.Postpone(jit, members, now + kObservedInterval);
      continue;
    }
    std::vector<Draft> one;
    one.push_back(std::move(draft));
    const absl::Status written = Append(now, std::move(one)).status();
    if (absl::IsFailedPrecondition(written)) {
      observations_.Postpone(jit, members, now + kObservedRetry);
    } else if (!written.ok()) {
      return written;
    }
  }
  effects_.wake_up = std::min(effects_.wake_up, observations_.NextDue());
  return absl::OkStatus();
}

void Replica::RefreshExclusions() {
  exclusions_.Refresh();
  effects_changed_ = true;
}

// Failing is no reason to stop: what is owed is owed until it is written.
absl::Status Replica::WriteCloses(absl::Time now) {
  if (context_.cloned) return absl::OkStatus();
  std::vector<Draft> due = exclusions_.ClosesDue();
  if (due.empty()) return absl::OkStatus();
  const absl::Status written = Append(now, std::move(due)).status();
  return absl::IsFailedPrecondition(written) ? absl::OkStatus() : written;
}

absl::StatusOr<Effects> Replica::Finish(absl::Time now) {
  blobs_->Fetch(now);
  if (absl::Status s = WriteCloses(now); !s.ok()) return s;
  if (absl::Status s = WriteObservations(now); !s.ok()) return s;
  if (!damage_.ok()) return damage_;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const SessionId session = it->first;
    Link& link = it->second;
    ++it;
    if (!link.ready && now >= link.opened + kHandshakeTimeout) {
      CloseLink(session, "no greeting in time");
    } else if (!link.ready) {
      effects_.wake_up = std::min(effects_.wake_up, link.opened + kHandshakeTimeout);
    }
  }
  for (Link* link : ReadyLinks()) {
    if (absl::Status s = exchange_->RunTimers(*link, now); !s.ok()) return s;
    effects_.wake_up = std::min(effects_.wake_up, link->next_digest);
  }
  effects_.wake_up = std::min(effects_.wake_up, blobs_->NextTimeout());
  if (absl::Status s = FlushParcels(now); !s.ok()) return s;
  effects_.writes = store_.Take();
  return std::exchange(effects_, Effects{});
}

void Replica::Send(Link& link, v1::Frame frame) {
  if (!link.by_parcel()) {
    effects_.frames.push_back({link.session, std::move(frame)});
    return;
  }
  link.outbox_bytes += frame.ByteSizeLong();
  link.outbox.push_back(std::move(frame));
}

std::vector<Link*> Replica::ReadyLinks() {
  std::vector<Link*> out;
  for (auto& [session, link] : sessions_) {
    if (link.ready) out.push_back(&link);
  }
  for (auto& [peer, link] : parcel_links_) {
    if (link.ready) out.push_back(&link);
  }
  return out;
}

std::vector<OpenedEntry> Replica::TakeOpened() { return std::exchange(opened_, {}); }
std::vector<v1::FileRef> Replica::TakeReceivedFiles() { return std::exchange(received_files_, {}); }
bool Replica::TakeEffectsChanged() { return std::exchange(effects_changed_, false); }
bool Replica::TakePeersChanged() { return std::exchange(peers_changed_, false); }

}  // namespace entente::sync

#include "sync/replica.h"

#include <algorithm>
#include <array>
#include <utility>

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
      revocations_(options_.self, cards_, logs_, exclusions_),
      secrets_(options_.self, store, options_.keys->storage),
      context_{options_.self, options_.keys, cards_, store, logs_, entropy},
      box_keys_(options_.self, options_.keys, cards_, store_, options_.box_key_terms),
      epoch_keys_(context_),
      writer_(context_, epoch_keys_),
      parcels_(context_),
      observations_(context_),
      key_repair_(context_, epoch_keys_),
      anchors_(context_, epoch_keys_),
      contacts_(store_) {
  if (!options_.relay_immediate) {
    options_.pace = options_.pace.WithParcelsEvery(options_.relay_cadence);
  }
  context_.exclusions = &exclusions_;
  context_.box_keys = &box_keys_;
  context_.revocations = &revocations_;
  context_.secrets = &secrets_;
  Exchange::Hooks hooks;
  hooks.send = [this](Link& link, v1::Frame frame) { Send(link, std::move(frame)); };
  hooks.links = [this] { return ReadyLinks(); };
  hooks.opened = [this](OpenedEntry entry) { Opened(std::move(entry)); };
  hooks.grown = [this](const LogState& log) {
    key_repair_.Grown(log.id);
    erasures_->Grown(log.id);
    if (!log.locked_epochs.empty()) unsettled_.insert(log.id);
    return observations_.Grown(log);
  };
  hooks.other_tree = [this](Link& link, const LogState& log) { fork_watch_->Suspect(link, log); };
  hooks.served = [this](Link& link, const LogState& log) { fork_watch_->Show(link, log); };
  const auto effect_size = [this](const LogState& log) {
    return std::min(observations_.EffectSize(log), context_.FinalSize(log));
  };
  hooks.effect_size = effect_size;
  hooks.agreement_in_force = options_.agreement_in_force;
  hooks.received_blobs_for = [this](const PartyId& peer) { return blobs_->ReceivedFrom(peer); };
  hooks.receipt = [this](const PartyId& peer, const v1::Cosign& cosign, absl::Time now) {
    blobs_->OnReceived(peer, cosign);
    key_repair_.Told(peer, cosign, now);
  };
  exchange_ =
      std::make_unique<Exchange>(context_, epoch_keys_, refusals_, options_.pace, std::move(hooks));
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
  FileOptions files = options_.files;
  files.answer_by_parcel = options_.pace.answer_by_parcel;
  blobs_ = std::make_unique<BlobSync>(context_, refusals_, files, std::move(blob_hooks));
  Erasures::Hooks erasure_hooks;
  erasure_hooks.effect_size = effect_size;
  erasure_hooks.forget_files = [this](const std::string& record) { return blobs_->Forget(record); };
  erasure_hooks.taken_back = [this](const v1::Grant& grant, const Members& audience) {
    key_repair_.TakenBack(grant, audience);
  };
  erasure_hooks.knows_file = [this](const BlobId& blob) { return blobs_->Find(blob) != nullptr; };
  erasure_hooks.run = [this](EraseJob job) { effects_.file_jobs.emplace_back(std::move(job)); };
  erasures_ = std::make_unique<Erasures>(context_, epoch_keys_, refusals_, options_.backups_kept,
                                         std::move(erasure_hooks));
}

absl::Status Replica::Load(const std::vector<AnchorRecord>& anchors, bool anchor_missing) {
  if (absl::Status s = cards_.Load(store_); !s.ok()) return s;
  if (cards_.Find(context_.self) == nullptr) {
    return absl::DataLossError("the store does not hold this node's own card");
  }
  const auto cloned = store_.Get(schema::Meta("cloned"));
  if (!cloned.ok()) return cloned.status();
  context_.cloned = *cloned == cards_.Find(context_.self)->hash.str();
  if (absl::Status s = box_keys_.Load(); !s.ok()) return s;
  if (absl::Status s = logs_.Load(); !s.ok()) return s;
  if (absl::Status s = refusals_.Load(); !s.ok()) return s;
  if (absl::Status s = contacts_.Load(); !s.ok()) return s;
  if (absl::Status s = parcels_.Load(); !s.ok()) return s;
  if (absl::Status s = secrets_.Load(); !s.ok()) return s;
  if (absl::Status s = blobs_->Load(); !s.ok()) return s;
  if (absl::Status s = CheckAnchors(anchors, anchor_missing); !s.ok()) return s;
  return fork_watch_->Load();
}

void Replica::Opened(OpenedEntry entry) {
  writer_.Observe(entry, now_);
  damage_.Update(observations_.Learn(entry));
  revocations_.Learn(entry);
  key_repair_.Learn(entry);
  anchors_.Learn(entry);
  if (entry.body.has_statement() || entry.body.has_close()) {
    if (!revocations_.Counts(entry)) return;
    exclusions_.Learn(entry);
    effects_changed_ = effects_changed_ || entry.body.has_close();
  }
  if (entry.body.has_observed()) {
    effects_changed_ = effects_changed_ || any_fork_;
    return;
  }
  if (erasures_->Takes(entry)) return;
  blobs_->Learn(entry);
  opened_.push_back(std::move(entry));
}

namespace {

// 0 to 2^20-1: of a thousand restores of one backup two begin the same incarnation with odds of one
// half, and four thousand fit into the number. Short enough to be spoken of.
uint32_t DrawnStep(Entropy& entropy) {
  std::array<uint8_t, 3> bytes;
  entropy.Fill(bytes);
  return (uint32_t{bytes[0]} & 0x0f) << 16 | uint32_t{bytes[1]} << 8 | bytes[2];
}

// What the node writes of its own accord and cannot write now waits; that a member's card is
// missing, or that there is more to say than an entry holds, is no reason to stop.
bool NotNow(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status);
}

}  // namespace

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
  anchored_key_.file_missing = anchor_missing;
  bool behind = anchor_missing;
  for (const AnchorRecord& anchor : anchors) {
    if (anchor.incarnation == kLifeAnchor) {
      anchored_life_ = static_cast<uint32_t>(std::min<uint64_t>(anchor.size, UINT32_MAX));
      behind = behind || anchored_life_ > incarnation;
      continue;
    }
    if (anchor.incarnation == kBoxKeyAnchor) {
      ReadingKey key;
      key.seq = anchor.size;
      key.key = *BoxPublicKey::From(anchor.root.view());
      key.id = crypto::BoxKeyId(key.key);
      anchored_key_.key = key;
      continue;
    }
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
  incarnation = std::max(incarnation, anchored_life_);
  // Heads may have left this node that its store does not know. Whatever the peers say, the old
  // logs are never written again: a store cannot prove from its own contents that it wrote no more.
  if (behind) ++incarnation;
  // The anchor names every incarnation that was begun beside it. Without it one backup may have
  // been restored before, or be running elsewhere: counted up, both would begin the same logs.
  if (anchor_missing) incarnation += DrawnStep(context_.entropy);
  context_.incarnation = incarnation;
  std::string value;
  AppendU32(&value, incarnation);
  store_.Put(schema::Meta("incarnation"), std::move(value));
  for (const auto& [id, log] : logs_.all()) {
    if (log.author != context_.self || log.frozen) continue;
    // Written in an earlier life, or with keys of an earlier card.
    const TrustedCard* card = cards_.FindByHash(log.author_card);
    const bool own_key = card != nullptr && card->log_key == context_.keys->log.public_key();
    if (log.incarnation == incarnation && own_key) continue;
    LogState& own = *logs_.Find(id);
    own.frozen = true;
    logs_.Save(own);
  }
  return absl::OkStatus();
}

absl::Status Replica::ReplayAll(absl::Time now) {
  SetTime(now);
  for (const auto& [id, log] : logs_.all()) {
    if (absl::Status s = exchange_->OpenEntries(*logs_.Find(id), 0); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replica::OpenRepaired(absl::Time now) {
  const absl::StatusOr<std::vector<KeyRepair::Unlocked>> unlocked = key_repair_.TakeArrived();
  if (!unlocked.ok()) return unlocked.status();
  if (absl::Status s = OpenEpochs(*unlocked, now); !s.ok()) return s;
  for (const auto& [granter, log] : key_repair_.TakeNeedless()) {
    exchange_->SendReceipt(granter, log);
  }
  return absl::OkStatus();
}

absl::Status Replica::RetrySlots(absl::Time now) {
  const absl::StatusOr<std::vector<KeyRepair::Unlocked>> unlocked = key_repair_.RetrySlots();
  return unlocked.ok() ? OpenEpochs(*unlocked, now) : unlocked.status();
}

absl::Status Replica::OpenEpochs(const std::vector<KeyRepair::Unlocked>& unlocked, absl::Time now) {
  for (const auto& [id, epoch] : unlocked) {
    LogState& log = *logs_.Find(id);
    if (absl::Status s = exchange_->OpenEpoch(log, epoch, now); !s.ok()) return s;
    observations_.Unlocked(log);
    erasures_->Grown(id);
    if (!log.locked_epochs.empty()) unsettled_.insert(id);
  }
  return absl::OkStatus();
}

// An epoch whose Epoch entry was erased gives its keys to nobody any more; those of what is left of
// it come in parts, and some of its entries have none. It is open once all that is left opens.
absl::Status Replica::SettleErasedEpochs(absl::Time now) {
  for (const LogId& id : std::exchange(unsettled_, {})) {
    LogState& log = *logs_.Find(id);
    std::vector<KeyRepair::Unlocked> settled;
    for (const uint32_t epoch : log.locked_epochs) {
      const absl::StatusOr<bool> open = epoch_keys_.ErasedEpochIsOpen(log, epoch);
      if (!open.ok()) return open.status();
      if (*open) settled.push_back({id, epoch});
    }
    for (const auto& [settled_log, epoch] : settled) std::erase(log.locked_epochs, epoch);
    if (absl::Status s = OpenEpochs(settled, now); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Replica::CarryOutErasures(absl::Time now) {
  if (absl::Status s = erasures_->CarryOut(now); !s.ok()) return s;
  return erasures_->TakeErased();
}

absl::Status Replica::WriteErasures(absl::Time now) {
  if (context_.cloned) return absl::OkStatus();
  absl::StatusOr<std::vector<Erasures::Due>> due = erasures_->TakeDue(now);
  if (!due.ok()) return due.status();
  for (Erasures::Due& one : *due) {
    const JitId jit = one.draft.jit;
    std::erase_if(one.draft.audience, [&](const PartyId& party) {
      return party != context_.self && exclusions_.Stopped(jit, party);
    });
    const absl::Status written = options_.agreement_in_force(jit)
                                     ? AppendOne(now, one.draft).status()
                                     : absl::FailedPreconditionError("no agreement is in force");
    if (NotNow(written)) {
      erasures_->Postpone(now + kObservedRetry);
      break;
    }
    if (!written.ok()) return written;
    if (absl::Status s = erasures_->Confirmed(one); !s.ok()) return s;
  }
  effects_.wake_up = std::min(effects_.wake_up, erasures_->NextDue());
  return absl::OkStatus();
}

absl::Status Replica::WriteRepairs(absl::Time now) {
  if (context_.cloned) return absl::OkStatus();
  absl::StatusOr<std::vector<Draft>> due = key_repair_.Due(now);
  if (!due.ok()) return due.status();
  for (Draft& draft : *due) {
    const absl::Status written = options_.agreement_in_force(draft.jit)
                                     ? AppendOne(now, draft).status()
                                     : absl::FailedPreconditionError("no agreement is in force");
    if (NotNow(written)) {
      key_repair_.Postpone(draft, now + kObservedRetry);
    } else if (!written.ok()) {
      return written;
    }
  }
  effects_.wake_up = std::min(effects_.wake_up, key_repair_.NextDue());
  return absl::OkStatus();
}

absl::Status Replica::Start(absl::Time now) {
  if (absl::Status s = RetrySlots(now); !s.ok()) return s;
  if (absl::Status s = OpenRepaired(now); !s.ok()) return s;
  for (const auto& [id, log] : logs_.all()) {
    if (!log.locked_epochs.empty()) unsettled_.insert(id);
  }
  if (absl::Status s = SettleErasedEpochs(now); !s.ok()) return s;
  observations_.Start(now);
  contacts_.ClockSetBack(now);
  box_keys_.Start(now, anchored_key_);
  // Before anything is signed in it: lost without a trace, it would be begun a second time.
  if (context_.incarnation > anchored_life_) {
    effects_.anchors.push_back({*LogId::From(std::string(LogId::kSize, '\xff')), kLifeAnchor,
                                context_.incarnation, Hash()});
  }
  revocations_.Start();
  if (absl::Status s = ResignReceipts(now); !s.ok()) return s;
  return UpdateParcelLinks(now);
}

void Replica::SayWhatKeysAreKnown(Link& link) {
  SendBoxKeys(link);
  if (secrets_.Held(link.peer) != nullptr) Send(link, secrets_.Notice(link.peer, /*reply=*/false));
}

absl::Status Replica::StartLink(Link& link, absl::Time now) {
  SayWhatKeysAreKnown(link);
  if (absl::Status s = exchange_->Start(link, now); !s.ok()) return s;
  // Files may have come from others while their author was away.
  if (!blobs_->ReceivedFrom(link.peer).empty()) exchange_->SendReceipts(link.peer);
  fork_watch_->Greet(link);
  ShowCardForks(link);
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

absl::StatusOr<std::vector<EntryRef>> Replica::Append(absl::Time now, std::vector<Draft> drafts) {
  SetTime(now);
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

absl::StatusOr<EntryRef> Replica::AppendOne(absl::Time now, Draft draft) {
  std::vector<Draft> one;
  one.push_back(std::move(draft));
  const absl::StatusOr<std::vector<EntryRef>> refs = Append(now, std::move(one));
  if (!refs.ok()) return refs.status();
  return refs->front();
}

absl::StatusOr<bool> Replica::TrustCard(std::string_view signed_card, absl::Time now) {
  WriteBatch writes;
  absl::StatusOr<bool> already = cards_.Trust(signed_card, &writes);
  store_.Apply(writes);  // also after an error: two cards with one number are a proof
  SpreadCardForks(now);
  if (!already.ok()) return already;
  v1::SignedCard shown;
  shown.ParseFromArray(signed_card.data(), static_cast<int>(signed_card.size()));
  const absl::StatusOr<bool> newer_key =
      shown.has_box_key() ? box_keys_.HearNotice(VerifyCard(signed_card)->party, shown.box_key())
                          : false;
  if (newer_key.ok() && *newer_key) peers_changed_ = true;
  if (*already) return already;
  peers_changed_ = true;
  if (absl::Status s = UpdateParcelLinks(now); !s.ok()) return s;
  return already;
}

void Replica::TellSecret(const PartyId& peer) {
  for (Link* link : ReadyLinks()) {
    if (link->peer == peer) Send(*link, secrets_.Notice(peer, /*reply=*/false));
  }
}

absl::Status Replica::SetSharedSecret(const PartyId& peer, const crypto::Secret32& secret,
                                      absl::Time now) {
  secrets_.Set(peer, secret, now);
  TellSecret(peer);
  return RetrySlots(now);
}

void Replica::DropSharedSecret(const PartyId& peer) {
  secrets_.Drop(peer);
  TellSecret(peer);
}

absl::Status Replica::WriteAnchors(absl::Time now) {
  if (context_.cloned) return absl::OkStatus();
  for (const JitId& jit : anchors_.Due(now)) {
    Members audience = options_.all_parties ? options_.all_parties(jit, now) : Members();
    std::erase_if(audience, [&](const PartyId& party) {
      return party != context_.self && exclusions_.Stopped(jit, party);
    });
    if (audience.size() < 2 || !audience.contains(context_.self)) continue;
    absl::StatusOr<Anchors::Made> made = anchors_.Make(jit, audience);
    if (!made.ok()) return made.status();
    const absl::StatusOr<EntryRef> ref = AppendOne(now, std::move(made->draft));
    // A day on which it cannot be written is missed, and not made up for.
    if (NotNow(ref.status())) continue;
    if (!ref.ok()) return ref.status();
    anchors_.Keep(jit, now, std::move(made->row), *ref);
  }
  effects_.wake_up = std::min(effects_.wake_up, anchors_.NextDue(now));
  return absl::OkStatus();
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
    const absl::Status written = AppendOne(now, std::move(draft)).status();
    if (NotNow(written)) {
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
  for (Draft& draft : revocations_.ClosesDue()) due.push_back(std::move(draft));
  for (Draft& draft : due) {
    const absl::Status written = AppendOne(now, std::move(draft)).status();
    if (!written.ok() && !NotNow(written)) return written;
  }
  return absl::OkStatus();
}

// A clock that was ahead and was set right would leave everything waiting for as long as it had
// been wrong: links silent, files unasked for. What is due is due by the clock as it is now.
void Replica::SetTime(absl::Time now) {
  const bool set_back = now < now_;
  now_ = now;
  if (!set_back) return;
  const auto reset = [&](Link& link) {
    const Pace& pace = options_.pace;
    link.opened = std::min(link.opened, now);
    link.next_digest = std::min(link.next_digest, now + pace.Compare(link.by_parcel()));
    link.ask_again = std::min(link.ask_again, now + pace.answer_by_parcel);
    link.next_parcel = std::min(link.next_parcel, now + options_.relay_cadence);
  };
  for (auto& [session, link] : sessions_) reset(link);
  for (auto& [peer, link] : parcel_links_) reset(link);
  blobs_->ClockSetBack(now);
  observations_.ClockSetBack(now);
  contacts_.ClockSetBack(now);
}

absl::StatusOr<Effects> Replica::Finish(absl::Time now) {
  SetTime(now);
  blobs_->Fetch(now);
  if (absl::Status s = MindKeys(now); !s.ok()) return s;
  if (absl::Status s = WriteCloses(now); !s.ok()) return s;
  if (absl::Status s = WriteObservations(now); !s.ok()) return s;
  if (absl::Status s = WriteRepairs(now); !s.ok()) return s;
  if (absl::Status s = WriteErasures(now); !s.ok()) return s;
  if (absl::Status s = WriteAnchors(now); !s.ok()) return s;
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
    // Parcels get lost, and one that was sealed to a forgotten key cannot be answered.
    if (link->by_parcel() && now >= link->next_digest) SayWhatKeysAreKnown(*link);
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

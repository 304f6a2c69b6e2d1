#include "sync/exchange.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "crypto/note.h"
#include "sync/entry_codec.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

// A frame's worth of digests; far more JITs than a body takes part in.
constexpr int kDigestsMax = 65536;

}  // namespace

absl::Status Exchange::Start(Link& link, absl::Time now) {
  link.logs.clear();
  link.wanted.clear();
  link.want_queue.clear();
  link.want_queued.clear();
  link.other_branch.clear();
  // What the peer has acknowledged durably is a safe guess of what it holds.
  for (const auto& [id, log] : context_.logs.all()) {
    if (!Shared(log, link.peer)) continue;
    const auto receipt = log.receipts.find(link.peer);
    const uint64_t held = receipt == log.receipts.end() ? 0 : receipt->second.size;
    link.logs[id] = {held, held, 0};
  }
  SendLaggingHeads(link);
  AskForKeys(link);
  link.ask_again = now + pace_.Answer(link.by_parcel());
  link.next_digest = now + pace_.Compare(link.by_parcel());
  return SendDigests(link, /*reply=*/false);
}

absl::Status Exchange::Handle(Link& link, const v1::Frame& frame, absl::Time now) {
  switch (frame.frame_case()) {
    case v1::Frame::kDigests:
      return OnDigests(link, frame.digests(), now);
    case v1::Frame::kHeads:
      return OnHeads(link, frame.heads(), now);
    case v1::Frame::kWant:
      return OnWant(link, frame.want(), now);
    case v1::Frame::kBatch:
      return OnBatch(link, frame.batch(), now);
    case v1::Frame::kCosign:
      return OnCosign(link, frame.cosign(), now);
    case v1::Frame::kRefused:
      OnRefused(link, frame.refused(), now);
      return absl::OkStatus();
    case v1::Frame::kPing:
      if (!frame.ping().reply()) {
        v1::Frame pong;
        pong.mutable_ping()->set_token(frame.ping().token());
        pong.mutable_ping()->set_reply(true);
        hooks_.send(link, std::move(pong));
      }
      return absl::OkStatus();
    default:
      // Frames of later versions are passed over: what they say can be asked for again.
      return absl::OkStatus();
  }
}

absl::Status Exchange::RunTimers(Link& link, absl::Time now) {
  if (now < link.next_digest) return absl::OkStatus();
  SendLaggingHeads(link);
  AskForKeys(link);
  if (now >= link.ask_again) {
    link.wanted.clear();  // whatever was asked for and never came
    SendWants(link);
    link.ask_again = now + pace_.Answer(link.by_parcel());
  }
  link.next_digest = now + pace_.Compare(link.by_parcel());
  return SendDigests(link, /*reply=*/false);
}

// A log whose author has forked counts as far as it stands: its branches never become one, and yet
// their holders agree.
absl::StatusOr<std::map<JitId, Hash>> Exchange::DigestsFor(const PartyId& peer) const {
  std::map<JitId, std::string> parts;
  for (const auto& [id, log] : context_.logs.all()) {
    if (!Shared(log, peer)) continue;
    std::string& part = parts[log.jit];
    const uint64_t size = std::min(log.size, hooks_.effect_size(log));
    if (size == 0) continue;  // nothing of it counts, as if it were not there
    const absl::StatusOr<crypto::CompactRange> range = context_.logs.RangeAt(log, size);
    if (!range.ok()) return range.status();
    part.append(id.view());
    AppendU64(&part, size);
    part.append(range->Root()->view());
  }
  std::map<JitId, Hash> out;
  for (const auto& [jit, part] : parts) out[jit] = crypto::H("digest", {jit.view(), part});
  return out;
}

absl::Status Exchange::SendDigests(Link& link, bool reply) {
  const absl::StatusOr<std::map<JitId, Hash>> own = DigestsFor(link.peer);
  if (!own.ok()) return own.status();
  v1::Frame frame;
  v1::Digests* digests = frame.mutable_digests();
  for (const auto& [jit, digest] : *own) {
    v1::JitDigest* item = digests->add_jits();
    item->set_jit_id(jit.str());
    item->set_digest(digest.str());
  }
  digests->set_reply(reply);
  hooks_.send(link, std::move(frame));
  return absl::OkStatus();
}

absl::Status Exchange::OnDigests(Link& link, const v1::Digests& digests, absl::Time now) {
  if (digests.jits_size() > kDigestsMax) {
    Refuse(link, {v1::REFUSAL_CODE_TOO_BIG, "too many digests"}, "", 0, now);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::map<JitId, Hash>> own = DigestsFor(link.peer);
  if (!own.ok()) return own.status();
  std::set<JitId> differing;
  for (const auto& [jit, digest] : *own) differing.insert(jit);
  bool equal = true;
  for (const v1::JitDigest& item : digests.jits()) {
    const absl::StatusOr<JitId> jit = JitId::From(item.jit_id());
    if (!jit.ok()) continue;
    const auto mine = own->find(*jit);
    if (mine == own->end()) {
      equal = false;
    } else if (mine->second.view() == item.digest()) {
      differing.erase(*jit);
    }
  }
  link.in_sync = equal && differing.empty();
  link.settled = link.settled || link.in_sync;
  SendHeads(link, differing);
  return digests.reply() ? absl::OkStatus() : SendDigests(link, /*reply=*/true);
}

void Exchange::SendHeads(Link& link, const std::set<JitId>& jits) {
  v1::Frame frame;
  for (const auto& [id, log] : context_.logs.all()) {
    if (!jits.contains(log.jit) || !Shared(log, link.peer)) continue;
    *frame.mutable_heads()->add_heads() = DescribeLog(log);
    if (frame.heads().heads_size() >= static_cast<int>(kHeadsPerFrame)) {
      hooks_.send(link, std::move(frame));
      frame = v1::Frame();
    }
  }
  if (frame.has_heads()) hooks_.send(link, std::move(frame));
}

// Own logs that the peer has not acknowledged in full: repairs lost pushes and lost receipts.
void Exchange::SendLaggingHeads(Link& link) {
  v1::Frame frame;
  for (const auto& [id, log] : context_.logs.all()) {
    if (log.author != context_.self || !Shared(log, link.peer)) continue;
    const auto receipt = log.receipts.find(link.peer);
    if (receipt != log.receipts.end() && receipt->second.size >= log.size &&
        receipt->second.opened >= log.size) {
      continue;
    }
    *frame.mutable_heads()->add_heads() = DescribeLog(log);
    if (frame.heads().heads_size() >= static_cast<int>(kHeadsPerFrame)) break;
  }
  if (frame.has_heads()) hooks_.send(link, std::move(frame));
}

// After the loss of a database, whether an agreement is in force may stand in an entry that only
// the others can still open, be it an own one or of somebody who is away; and without an agreement
// nothing may be written to say so.
void Exchange::AskForKeys(Link& link) {
  for (const auto& [id, log] : context_.logs.all()) {
    if (log.locked_epochs.empty() || !Shared(log, link.peer) ||
        hooks_.agreement_in_force(log.jit)) {
      continue;
    }
    SendCosign(link, log);
  }
}

absl::Status Exchange::OnHeads(Link& link, const v1::Heads& heads, absl::Time now) {
  if (heads.heads_size() > static_cast<int>(kHeadsPerFrame)) {
    Refuse(link, {v1::REFUSAL_CODE_TOO_BIG, "too many heads"}, "", 0, now);
    return absl::OkStatus();
  }
  // Logs that made room for others are forgotten here too.
  if (link.logs.size() > context_.logs.all().size() + kAnnouncedLogsMax) {
    std::erase_if(link.logs, [&](const auto& item) { return !context_.logs.Find(item.first); });
  }
  std::set<LogId> named;
  for (const v1::Head& head : heads.heads()) {
    Refusal refusal;
    LogState* log = admission_.Meet(head, link.peer, &refusal);
    if (log == nullptr) {
      Refuse(link, refusal, head.log_id(), head.size(), now);
      continue;
    }
    if (!named.insert(log->id).second) continue;  // one look at a tree for each log
    PeerLog& theirs = link.logs[log->id];
    theirs.known = std::min(head.size(), context_.FinalSize(*log));
    theirs.sent = std::max(theirs.sent, head.size());
    theirs.unacked_bytes = 0;
    if (absl::Status s = CompareHead(link, *log, head); !s.ok()) return s;
  }
  SendWants(link);
  return absl::OkStatus();
}

absl::Status Exchange::CompareHead(Link& link, const LogState& log, const v1::Head& head) {
  if (head.size() > log.size) {
    if (link.logs[log.id].known <= log.size) return absl::OkStatus();  // it ends here
    // The other branch of a forked log is never taken twice for more of ours.
    if (!link.other_branch.contains(log.id)) QueueWant(link, log.id);
    return absl::OkStatus();
  }
  const absl::StatusOr<crypto::CompactRange> range = context_.logs.RangeAt(log, head.size());
  if (!range.ok()) return range.status();
  if (range->Root()->view() != head.root()) {
    hooks_.other_tree(link, log);
  } else if (head.size() == log.size && log.author == link.peer) {
    SendCosign(link, log, /*with_files=*/true);
  }
  return absl::OkStatus();
}

void Exchange::QueueWant(Link& link, const LogId& log) {
  if (link.wanted.contains(log) || !link.want_queued.insert(log).second) return;
  link.want_queue.push_back(log);
}

void Exchange::SendWants(Link& link) {
  while (!link.want_queue.empty() && link.wanted.size() < kWantsInFlightMax) {
    const LogId id = link.want_queue.front();
    link.want_queue.pop_front();
    link.want_queued.erase(id);
    const LogState* log = context_.logs.Find(id);
    const auto theirs = link.logs.find(id);
    if (log == nullptr || theirs == link.logs.end()) continue;
    // What may not be kept yet is not asked for; the first digest after the agreement finds it.
    const uint64_t to = std::min(theirs->second.known, Allowed(log->jit));
    if (to <= log->size) continue;
    v1::Frame frame;
    v1::Want* want = frame.mutable_want();
    want->set_log_id(id.str());
    want->set_from(log->size);
    want->set_to(to);
    want->set_budget_bytes(kWantBudgetBytes);
    link.wanted[id] = {to, 0};
    hooks_.send(link, std::move(frame));
  }
}

absl::Status Exchange::OnWant(Link& link, const v1::Want& want, absl::Time now) {
  const absl::StatusOr<LogId> id = LogId::From(want.log_id());
  const LogState* log = id.ok() ? context_.logs.Find(*id) : nullptr;
  // "Not there" and "not for you" are one answer.
  if (log == nullptr || !Shared(*log, link.peer) || want.from() > log->size) {
    Refuse(link, {v1::REFUSAL_CODE_NOT_HERE, "asked for a log it is not in the audience of"},
           want.log_id(), want.from(), now);
    return absl::OkStatus();
  }
  PeerLog& theirs = link.logs[log->id];
  theirs.known = want.from();
  theirs.unacked_bytes = 0;
  uint64_t from = want.from();
  size_t left = std::min(want.budget_bytes(), kWantBudgetBytes);
  uint64_t end = std::min(log->size, context_.FinalSize(*log));
  // The other side may know of an end that has not been heard of here yet.
  if (want.to() > want.from()) end = std::min(end, want.to());
  while (from < end && left > 0) {
    absl::StatusOr<v1::Batch> batch =
        BuildBatch(context_.logs, *log, from, std::min(left, kBatchBytesMax), end);
    if (!batch.ok()) return batch.status();
    from += static_cast<uint64_t>(batch->entries_size());
    const size_t bytes = batch->ByteSizeLong();
    left -= std::min(left, bytes);
    v1::Frame frame;
    *frame.mutable_batch() = *std::move(batch);
    hooks_.send(link, std::move(frame));
  }
  theirs.sent = from;
  hooks_.served(link, *log);
  return absl::OkStatus();
}

uint64_t Exchange::Allowed(const JitId& jit) const {
  return hooks_.agreement_in_force(jit) ? UINT64_MAX : kEntriesBeforeAgreement;
}

bool Exchange::WithinSigningBudget(const v1::Batch& batch) const {
  const absl::StatusOr<LogId> id = LogId::From(batch.head().log_id());
  const absl::StatusOr<JitId> stated = JitId::From(batch.head().jit_id());
  const absl::StatusOr<PartyId> author = PartyId::From(batch.head().author());
  if (!id.ok() || !stated.ok() || !author.ok()) return true;  // admission says what is wrong
  const LogState* log = context_.logs.Find(*id);
  const JitId& jit = log == nullptr ? *stated : log->jit;
  const uint64_t allowed = Allowed(jit);
  if (allowed == UINT64_MAX) return true;
  const uint64_t held = log == nullptr ? 0 : log->size;
  if (batch.from() > held) return true;  // behind a gap: nothing is kept of it
  if (batch.from() + static_cast<uint64_t>(batch.entries_size()) > allowed) return false;
  if (held > 0) return true;
  size_t begun = 0;
  for (const auto& [other_id, other] : context_.logs.all()) {
    if (other.jit == jit && other.author == *author && other.size > 0) ++begun;
  }
  return begun < kLogsBeforeAgreement;
}

absl::Status Exchange::OnBatch(Link& link, const v1::Batch& batch, absl::Time now) {
  Refusal refusal;
  if (!WithinSigningBudget(batch)) {
    Refuse(link, {v1::REFUSAL_CODE_BUDGET, "more than the signing of an agreement needs"},
           batch.head().log_id(), batch.from(), now);
    return absl::OkStatus();
  }
  Admitted admitted;
  const absl::StatusOr<bool> good = admission_.Admit(batch, link.peer, &admitted, &refusal);
  if (!good.ok()) return good.status();
  if (!*good) {
    Refuse(link, refusal, batch.head().log_id(), batch.from(), now);
    if (refusal.other_tree) {
      if (admitted.log->fork.has_value()) link.other_branch.insert(admitted.log->id);
      hooks_.other_tree(link, *admitted.log);
    }
    return absl::OkStatus();
  }
  LogState& log = *admitted.log;
  PeerLog& theirs = link.logs[log.id];
  const uint64_t end = batch.from() + static_cast<uint64_t>(batch.entries_size());
  theirs.known = std::min(std::max({theirs.known, end, log.head_size}), context_.FinalSize(log));
  theirs.sent = std::max(theirs.sent, std::min(end, log.size));
  if (admitted.to > admitted.from) {
    if (absl::Status s = OpenEntries(log, admitted.from); !s.ok()) return s;
    if (absl::Status s = hooks_.grown(log); !s.ok()) return s;
    context_.logs.Save(log);
    // This may have been what puts the agreement in force: then there is more to ask for.
    if (Allowed(log.jit) != UINT64_MAX) {
      link.next_digest = std::min(link.next_digest, now + kDigestDelay);
    }
    for (Link* other : hooks_.links()) {
      if (other != &link && Shared(log, other->peer) && log.author != other->peer) {
        other->next_digest = std::min(other->next_digest, now + kDigestDelay);
      }
    }
  }
  if (admitted.complete) {
    if (admitted.to > admitted.from) {
      if (absl::Status s = CosignAndTell(log, now); !s.ok()) return s;
    } else {
      SendCosign(link, log);
    }
  }
  if (const auto asked = link.wanted.find(log.id); asked != link.wanted.end()) {
    asked->second.bytes += batch.ByteSizeLong();
    if (log.size >= asked->second.to || asked->second.bytes >= kWantBudgetBytes) {
      link.wanted.erase(asked);
    }
  }
  // More to come: ask once the last request is answered, or when nothing was asked for (a push that
  // started behind a gap). What came twice is no answer: by parcel each would call for two more.
  if (log.size < theirs.known) QueueWant(link, log.id);
  SendWants(link);
  return absl::OkStatus();
}

absl::Status Exchange::OpenEntries(LogState& log, uint64_t from) {
  uint64_t epoch_first = 0;
  bool contiguous = log.opened >= from;
  // The epoch in force at `from` is the newest one that starts at or before it.
  uint64_t start = from;
  if (from > 0) {
    const absl::StatusOr<StoredEntry> before = context_.logs.Read(log, from - 1);
    if (!before.ok()) return before.status();
    const bool same_epoch = before->epoch == log.epoch;
    epoch_first = log.epoch_first;
    if (!same_epoch) {
      // Rare: an epoch began within this batch. Walk back to the start of the older one.
      while (start > 0) {
        const absl::StatusOr<StoredEntry> entry = context_.logs.Read(log, start - 1);
        if (!entry.ok()) return entry.status();
        if (entry->type == crypto::kEpoch) break;
        --start;
      }
      epoch_first = start;
    }
  }
  return context_.logs.ReadRange(
      log, from, log.size, [&](uint64_t index, const StoredEntry& stored) {
        bool good = true;
        if (stored.type == crypto::kEpoch) {
          epoch_first = index + 1;
        } else if (!stored.erased.has_value()) {
          absl::StatusOr<OpenedEntry> entry = OpenEntry(log, index, stored, epoch_first, keys_);
          good = entry.ok();
          if (good) hooks_.opened(*std::move(entry));
        }
        contiguous = contiguous && good;
        if (contiguous) log.opened = index + 1;
        return true;
      });
}

absl::Status Exchange::OpenEpoch(LogState& log, uint32_t epoch, absl::Time now) {
  const absl::StatusOr<uint64_t> begin = context_.logs.EpochEntry(log, epoch);
  if (!begin.ok()) return begin.status();
  const uint64_t first = *begin + 1;
  absl::Status read =
      context_.logs.ReadRange(log, first, log.size, [&](uint64_t index, const StoredEntry& stored) {
        if (stored.epoch != epoch) return false;
        absl::StatusOr<OpenedEntry> entry = OpenEntry(log, index, stored, first, keys_);
        if (entry.ok()) hooks_.opened(*std::move(entry));
        return true;
      });
  if (!read.ok()) return read;
  // What is readable without a gap now reaches further, maybe over later epochs that were open.
  uint64_t epoch_first = first;
  read = context_.logs.ReadRange(
      log, *begin, log.size, [&](uint64_t index, const StoredEntry& stored) {
        if (stored.type == crypto::kEpoch) {
          epoch_first = index + 1;
        } else if (index >= log.opened && !stored.erased.has_value() &&
                   !OpenEntry(log, index, stored, epoch_first, keys_).ok()) {
          return false;
        }
        if (index == log.opened) log.opened = index + 1;
        return true;
      });
  if (!read.ok()) return read;
  context_.logs.Save(log);
  return log.size == log.head_size ? CosignAndTell(log, now) : absl::OkStatus();
}

absl::Status Exchange::CosignAndTell(LogState& log, absl::Time now) {
  Receipt& own = log.receipts[context_.self];
  if (log.size > own.size || own.cosignature.empty()) {
    own.size = log.size;
    own.cosignature =
        crypto::CosignLine(log.head_note, context_.self, context_.keys->cosign,
                           static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixSeconds(now))));
  }
  own.opened = log.opened;
  context_.logs.SaveReceipt(log, context_.self, own);
  for (Link* link : hooks_.links()) {
    if (context_.Shares(log, link->peer)) SendCosign(*link, log);
  }
  return absl::OkStatus();
}

void Exchange::SendCosign(Link& link, const LogState& log, bool with_files) {
  const auto own = log.receipts.find(context_.self);
  const bool signed_for = own != log.receipts.end();
  // Of an own log of an earlier life this node is a reader like any other.
  const bool reader = log.author != context_.self || log.frozen;
  if (!reader || (!signed_for && log.locked_epochs.empty())) return;
  v1::Frame frame;
  v1::Cosign* cosign = frame.mutable_cosign();
  cosign->set_log_id(log.id.str());
  if (signed_for) {
    cosign->set_size(own->second.size);
    cosign->set_cosignature(own->second.cosignature);
    cosign->set_opened(own->second.opened);
  }
  for (const uint32_t epoch : log.locked_epochs) cosign->add_locked_epochs(epoch);
  if (with_files && log.author == link.peer) {
    for (std::string& blob : hooks_.received_blobs_for(link.peer)) {
      cosign->add_received_blobs(std::move(blob));
    }
  }
  hooks_.send(link, std::move(frame));
}

void Exchange::SendReceipts(const PartyId& peer) {
  for (Link* link : hooks_.links()) {
    if (link->peer != peer) continue;
    for (const auto& [id, log] : context_.logs.all()) {
      if (log.author == peer && Shared(log, peer) && log.receipts.contains(context_.self)) {
        SendCosign(*link, log, /*with_files=*/true);
        break;  // the list of files rides on one receipt
      }
    }
  }
}

void Exchange::SendReceipt(const PartyId& peer, const LogId& log) {
  const LogState* held = context_.logs.Find(log);
  if (held == nullptr || !Shared(*held, peer)) return;
  for (Link* link : hooks_.links()) {
    if (link->peer == peer) SendCosign(*link, *held);
  }
}

absl::Status Exchange::OnCosign(Link& link, const v1::Cosign& cosign, absl::Time now) {
  const absl::StatusOr<LogId> id = LogId::From(cosign.log_id());
  LogState* log = id.ok() ? context_.logs.Find(*id) : nullptr;
  if (log == nullptr || !Shared(*log, link.peer) || cosign.size() > log->size) {
    return absl::OkStatus();
  }
  // No receipt but a question for keys: what the peer may take before it sees an agreement ends in
  // the middle of a head, and it sees the agreement only with the keys.
  if (cosign.size() == 0 && cosign.cosignature().empty()) {
    hooks_.receipt(link.peer, cosign, now);
    return absl::OkStatus();
  }
  const absl::StatusOr<bool> holds = CosignHolds(link.peer, *log, cosign);
  if (!holds.ok()) return holds.status();
  if (!*holds) {
    Refuse(link, {v1::REFUSAL_CODE_BAD_PROOF, "a receipt whose signature does not hold"},
           cosign.log_id(), cosign.size(), now);
    return absl::OkStatus();
  }
  Receipt& receipt = log->receipts[link.peer];
  if (cosign.size() > receipt.size || cosign.opened() > receipt.opened) {
    if (cosign.size() >= receipt.size) {
      receipt.size = cosign.size();
      receipt.cosignature = cosign.cosignature();
    }
    receipt.opened = std::max(receipt.opened, std::min(cosign.opened(), log->size));
    context_.logs.SaveReceipt(*log, link.peer, receipt);
  }
  hooks_.receipt(link.peer, cosign, now);
  PeerLog& theirs = link.logs[log->id];
  theirs.known = std::max(theirs.known, cosign.size());
  theirs.sent = std::max(theirs.sent, theirs.known);
  if (theirs.known >= theirs.sent) theirs.unacked_bytes = 0;
  return log->author == context_.self ? PushTo(link, *log) : absl::OkStatus();
}

absl::StatusOr<bool> Exchange::CosignHolds(const PartyId& peer, const LogState& log,
                                           const v1::Cosign& cosign) const {
  // Peers repeat their receipts, in parcels every time: what is held was verified when it came.
  const auto held = log.receipts.find(peer);
  if (held != log.receipts.end() && held->second.size == cosign.size() &&
      held->second.cosignature == cosign.cosignature()) {
    return true;
  }
  const absl::StatusOr<crypto::CompactRange> range = context_.logs.RangeAt(log, cosign.size());
  if (!range.ok()) return range.status();
  return ReceiptHolds(
      context_.cards, peer,
      crypto::CheckpointText({crypto::LogOrigin(log.id), cosign.size(), *range->Root()}),
      cosign.cosignature(), /*revoked=*/false);
}

absl::Status Exchange::Push(const LogState& log) {
  for (Link* link : hooks_.links()) {
    if (!Shared(log, link->peer)) continue;
    if (absl::Status s = PushTo(*link, log); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Exchange::PushAll(Link& link, const LogState& log) {
  PeerLog& theirs = link.logs[log.id];
  while (theirs.sent < log.size) {
    theirs.unacked_bytes = 0;
    if (absl::Status s = PushTo(link, log); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Exchange::PushTo(Link& link, const LogState& log) {
  PeerLog& theirs = link.logs[log.id];
  while (theirs.sent < log.size && theirs.unacked_bytes < kPushBytesMax) {
    absl::StatusOr<v1::Batch> batch = BuildBatch(context_.logs, log, theirs.sent, kBatchBytesMax);
    if (!batch.ok()) return batch.status();
    theirs.sent += static_cast<uint64_t>(batch->entries_size());
    theirs.unacked_bytes += batch->ByteSizeLong();
    v1::Frame frame;
    *frame.mutable_batch() = *std::move(batch);
    hooks_.send(link, std::move(frame));
  }
  return absl::OkStatus();
}

void Exchange::Refuse(Link& link, const Refusal& refusal, const std::string& subject,
                      uint64_t position, absl::Time now) {
  refusals_.Record(link.peer, /*by_peer=*/false, refusal.code, refusal.detail, now);
  v1::Frame frame;
  frame.mutable_refused()->set_code(refusal.code);
  frame.mutable_refused()->set_subject(subject.substr(0, 64));
  frame.mutable_refused()->set_position(position);
  hooks_.send(link, std::move(frame));
}

void Exchange::OnRefused(Link& link, const v1::Refused& refused, absl::Time now) {
  refusals_.Record(link.peer, /*by_peer=*/true, refused.code(), "", now);
  const absl::StatusOr<LogId> id = LogId::From(refused.subject());
  if (id.ok()) link.wanted.erase(*id);
}

}  // namespace entente::sync

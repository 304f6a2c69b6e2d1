// The life of keys, as a replica lives it: cards that contradict each other, reading keys that
// rotate, logs that have to be sealed to newer ones.
#include <algorithm>

#include "crypto/note.h"
#include "sync/limits.h"
#include "sync/replica.h"
#include "sync/schema.h"

namespace entente::sync {

// A proof against a party root is for those who share something with that party; to all others the
// party need not even exist.
void Replica::ShowCardFork(Link& link, const PartyId& party) {
  const CardFork* fork = cards_.ForkOf(party);
  if (fork == nullptr) return;
  const bool shared =
      link.peer == party ||
      std::any_of(logs_.all().begin(), logs_.all().end(), [&](const auto& item) {
        return item.second.members.contains(party) && context_.Shares(item.second, link.peer);
      });
  if (!shared) return;
  v1::Frame frame;
  frame.mutable_card_alarm()->set_card_a(fork->card_a);
  frame.mutable_card_alarm()->set_card_b(fork->card_b);
  Send(link, std::move(frame));
}

void Replica::ShowCardForks(Link& link) {
  for (const auto& [party, fork] : cards_.forks()) ShowCardFork(link, party);
}

void Replica::SpreadCardForks(absl::Time now) {
  for (const PartyId& party : cards_.TakeFreshForks()) {
    refusals_.Record(party, /*by_peer=*/false, v1::REFUSAL_CODE_FORK,
                     "it issued two different cards with one number; the proof is kept", now);
    for (Link* link : ReadyLinks()) ShowCardFork(*link, party);
  }
}

void Replica::OnCardAlarm(Link& link, const v1::CardAlarm& alarm, absl::Time now) {
  WriteBatch writes;
  const absl::StatusOr<bool> fresh = cards_.LearnFork({alarm.card_a(), alarm.card_b()}, &writes);
  store_.Apply(writes);
  if (!fresh.ok() && !absl::IsNotFound(fresh.status())) {
    refusals_.Record(link.peer, /*by_peer=*/false, v1::REFUSAL_CODE_BAD_PROOF,
                     std::string(ToStd(fresh.status().message())), now);
  }
  SpreadCardForks(now);
}

v1::SignedCard Replica::PortableCard(const PartyId& party) const {
  v1::SignedCard out = cards_.Portable(party);
  if (const std::optional<v1::SignedBoxKey> notice = box_keys_.NoticeOf(party)) {
    *out.mutable_box_key() = *notice;
  }
  return out;
}

// Receipts signed with keys of an earlier card are taken by nobody any more.
absl::Status Replica::ResignReceipts(absl::Time now) {
  const std::string key = context_.keys->cosign.public_key().str();
  const auto signed_with = store_.Get(schema::Meta("receipts"));
  if (!signed_with.ok()) return signed_with.status();
  if (*signed_with == key) return absl::OkStatus();
  store_.Put(schema::Meta("receipts"), key);
  if (cards_.ChainOf(context_.self).size() == 1) return absl::OkStatus();
  for (const auto& item : logs_.all()) {
    LogState& log = *logs_.Find(item.first);
    const auto own = log.receipts.find(context_.self);
    if (own == log.receipts.end()) continue;
    if (log.size != log.head_size) {
      log.receipts.erase(own);  // drawn up again when the rest has come
      store_.Delete(schema::Receipt(log.id, context_.self));
      continue;
    }
    own->second.size = log.size;
    own->second.cosignature =
        crypto::CosignLine(log.head_note, context_.self, context_.keys->cosign,
                           static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixSeconds(now))));
    logs_.SaveReceipt(log, context_.self, own->second);
  }
  return absl::OkStatus();
}

// ---- reading keys

void Replica::SendBoxKeys(Link& link) {
  v1::Frame frame;
  *frame.mutable_box_keys() = box_keys_.FrameFor(link.peer);
  Send(link, std::move(frame));
}

void Replica::OnBoxKeys(Link& link, const v1::BoxKeys& frame, absl::Time now) {
  const absl::StatusOr<BoxKeys::Heard> heard = box_keys_.Hear(link.peer, frame);
  if (!heard.ok()) {
    refusals_.Record(link.peer, /*by_peer=*/false, v1::REFUSAL_CODE_BAD_PROOF,
                     std::string(ToStd(heard.status().message())), now);
    return;
  }
  // Mailboxes follow from both ends' keys.
  if (heard->newer_key || heard->knows_more) peers_changed_ = true;
  if (heard->newer_key) SendBoxKeys(link);
  if (heard->knows_more) link.settled = false;
}

absl::Status Replica::RotateBoxKey(absl::Time now, bool emergency) {
  if (context_.cloned) {
    return absl::FailedPreconditionError(
        "another node signs with this node's keys, so a new reading key would be announced by both "
        "[CLONED]\n  Next: stop the other one, then: entente node renew");
  }
  const ReadingKey key = box_keys_.Rotate(now, emergency, context_.entropy);
  effects_.anchors.push_back({LogId(), kBoxKeyAnchor, key.seq, *Hash::From(key.key.view())});
  for (Link* link : ReadyLinks()) {
    link->settled = false;
    SendBoxKeys(*link);
    if (emergency) link->next_parcel = now;
  }
  peers_changed_ = true;
  return absl::OkStatus();
}

// Written by this node, and it may still write it.
bool Replica::IsLive(const LogState& log) const {
  return log.author == context_.self && !log.frozen && log.incarnation == context_.incarnation &&
         log.size > 0 && log.epoch > 0;
}

absl::Status Replica::MindKeys(absl::Time now) {
  keys_dirty_ = keys_dirty_ || peers_changed_;
  if (context_.cloned) return absl::OkStatus();
  if (box_keys_.RotationDue(now)) {
    if (absl::Status s = RotateBoxKey(now, /*emergency=*/false); !s.ok()) return s;
  }
  if (keys_dirty_ && now >= next_key_check_) {
    keys_dirty_ = false;
    if (absl::Status s = RekeyWhatIsDue(now); !s.ok()) return s;
  }
  const size_t held = box_keys_.held().size();
  const bool look = box_keys_.in_emergency() && now >= next_old_key_check_;
  if (look) next_old_key_check_ = now + kOldKeyCheckInterval;
  box_keys_.DestroyDue(now, [&](const KeyId&) { return !look || OldKeysNeeded(); });
  if (box_keys_.held().size() != held) peers_changed_ = true;
  if (box_keys_.in_emergency()) {
    effects_.wake_up = std::min(effects_.wake_up, next_old_key_check_);
  }
  effects_.wake_up = std::min(effects_.wake_up, box_keys_.NextDue());
  if (keys_dirty_) effects_.wake_up = std::min(effects_.wake_up, next_key_check_);
  return absl::OkStatus();
}

// Lazy otherwise: a log that nobody writes costs nothing. What a thief may open is sealed anew
// without waiting, a few logs a step so that nobody else waits for it.
absl::Status Replica::RekeyWhatIsDue(absl::Time now) {
  size_t done = 0;
  std::vector<LogId> due;
  for (const auto& item : logs_.all()) {
    const LogState& log = item.second;
    if (!IsLive(log)) continue;
    const auto any = [&log](const auto& holds) {
      return std::any_of(log.members.begin(), log.members.end(), holds);
    };
    if (!any([this](const PartyId& member) { return box_keys_.GaveUpOlderKeys(member); }) ||
        any([&](const PartyId& member) {
          return exclusions_.Stopped(log.jit, member) || cards_.Find(member) == nullptr;
        })) {
      continue;
    }
    const absl::StatusOr<bool> behind = NewestEpochIsBehind(context_, log);
    if (!behind.ok()) return behind.status();
    if (*behind) due.push_back(log.id);
  }
  for (const LogId& id : due) {
    if (++done > kRekeysPerStep) {
      keys_dirty_ = true;
      next_key_check_ = now + kRekeyPause;
      break;
    }
    LogState& log = *logs_.Find(id);
    if (absl::Status s = writer_.BeginEpoch(now, log, &effects_); !s.ok()) return s;
    if (absl::Status s = exchange_->Push(log); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// Something sealed to a key given up in haste may still be on its way: somebody does not know the
// newer one yet, or has not shown since then that nothing is missing here.
bool Replica::OldKeysNeeded() const {
  return std::any_of(cards_.all().begin(), cards_.all().end(), [this](const auto& item) {
    const PartyId& peer = item.first;
    const Link* link = AnyLink(peer);
    if (peer == context_.self || (link != nullptr && link->settled && box_keys_.KnowsNewest(peer)))
      return false;
    return std::any_of(logs_.all().begin(), logs_.all().end(),
                       [&](const auto& log) { return context_.Shares(log.second, peer); });
  });
}

absl::StatusOr<uint64_t> Replica::RekeyDebt(bool own) const {
  uint64_t debt = 0;
  for (const auto& [id, log] : logs_.all()) {
    if (own ? !IsLive(log) : log.author == context_.self || log.epoch == 0) continue;
    const absl::StatusOr<bool> behind = NewestEpochIsBehind(context_, log);
    if (!behind.ok()) return behind.status();
    if (*behind) ++debt;
  }
  return debt;
}

}  // namespace entente::sync

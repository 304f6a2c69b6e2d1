#include "sync/box_keys.h"

#include <algorithm>
#include <utility>

#include "crypto/signing.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// Statements kept per peer, and keys of one body that mailboxes are derived from.
constexpr size_t kNoticesMax = 4;
constexpr size_t kNoticeBytesMax = 4096;
// However many peers know a key that this node has lost, another one is drawn at most this often.
constexpr absl::Duration kRepairInterval = absl::Hours(1);
// Numbers follow the clock. A statement may carry one up to the first bound, and what a peer merely
// claims to know counts up to the second: so no claim can use the numbers up, after which a body
// could announce nothing any more.
constexpr uint64_t kSeqMax = uint64_t{1} << 48;
constexpr uint64_t kClaimedSeqMax = uint64_t{1} << 40;
// Ten years of seconds: further than any clock was ahead when it numbered a forgotten key.
constexpr uint64_t kForgottenAhead = 10 * 365 * 86400;

// A key speaks for its owner in every JIT.
JitId NoJit() { return JitId(); }

uint64_t SecondsOf(absl::Time time) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixSeconds(time)));
}

absl::StatusOr<ReadingKey> KeyOf(const v1::BoxKey& key) {
  const absl::StatusOr<BoxPublicKey> public_key = ReadBoxKey(key);
  if (!public_key.ok()) return public_key.status();
  ReadingKey out;
  out.id = crypto::BoxKeyId(*public_key);
  out.key = *public_key;
  return out;
}

ReadingKey KeyOfCard(const TrustedCard& card) {
  ReadingKey out = *KeyOf(card.card.box_key());  // checked when the card was verified
  out.card = card.hash;
  out.created = card.card.issued();
  return out;
}

absl::StatusOr<ReadingKey> KeyOfNotice(const v1::BoxKeyNotice& notice) {
  absl::StatusOr<ReadingKey> out = KeyOf(notice.key());
  if (!out.ok()) return out;
  const absl::StatusOr<Hash> card = Hash::From(notice.card());
  if (!card.ok()) return card.status();
  out->card = *card;
  out->seq = notice.seq();
  out->created = notice.created();
  out->emergency = notice.emergency();
  return out;
}

}  // namespace

v1::SignedBoxKey SignBoxKey(const v1::BoxKeyNotice& notice, const crypto::SigningKey& statement) {
  v1::SignedBoxKey out;
  out.set_notice(notice.SerializeAsString());
  out.set_signature(
      crypto::SignStatement(statement, crypto::Purpose::box_key, NoJit(), out.notice()).str());
  return out;
}

absl::StatusOr<v1::BoxKeyNotice> VerifyBoxKey(const v1::SignedBoxKey& notice,
                                              const TrustedCard& card) {
  v1::BoxKeyNotice out;
  if (notice.notice().size() > kNoticeBytesMax || !out.ParseFromString(notice.notice())) {
    return absl::InvalidArgumentError("a key statement does not parse");
  }
  if (out.party() != card.party.view() || out.card() != card.hash.view() || out.seq() == 0 ||
      out.seq() > kSeqMax) {
    return absl::InvalidArgumentError("a key statement is not about the card it came with");
  }
  if (const absl::StatusOr<ReadingKey> key = KeyOfNotice(out); !key.ok()) return key.status();
  if (absl::Status s = crypto::VerifyStatement(card.statement_key, crypto::Purpose::box_key,
                                               NoJit(), notice.notice(), notice.signature());
      !s.ok()) {
    return absl::UnauthenticatedError("a key statement is not signed by its own body");
  }
  return out;
}

// ---- rows

absl::Status BoxKeys::Load() {
  absl::Status failure;
  bool keystore_row = false;
  absl::Status scan = store_.Scan("w", "x", [&](std::string_view key, std::string_view value) {
    v1::OwnBoxKeyRow row;
    if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      failure = absl::DataLossError("a stored reading key does not parse");
      return false;
    }
    const std::string id(key.substr(1));
    const bool in_keystore = id == keys_->box.id().view();
    keystore_row = keystore_row || in_keystore;
    if (row.destroyed()) {
      gone_.insert(id);
      return true;
    }
    const absl::StatusOr<crypto::Secret32> secret =
        row.secret().empty() ? crypto::Secret32::From(keys_->box.secret().view())
                             : crypto::Secret32::From(row.secret());
    if (!secret.ok() || (row.secret().empty() && !in_keystore)) {
      failure = absl::DataLossError("a stored reading key is damaged");
      return false;
    }
    AddOwn(std::move(row), crypto::BoxKeyPair::FromSecret(*crypto::Secret32::From(secret->view())));
    return true;
  });
  scan.Update(failure);
  if (!scan.ok()) return scan;
  const TrustedCard* card = cards_.Find(self_);
  if (card == nullptr) return absl::DataLossError("the store does not hold this node's own card");
  if (!keystore_row && card->card.box_key().id() == keys_->box.id().view()) {
    v1::OwnBoxKeyRow row;
    row.set_card(card->hash.str());
    row.set_created(card->card.issued());
    row.set_public_key(keys_->box.public_key().str());
    AddOwn(std::move(row),
           crypto::BoxKeyPair::FromSecret(*crypto::Secret32::From(keys_->box.secret().view())));
  }
  lost_ = own_.empty();
  if (own_.empty()) {  // the rows are gone: announce another key at once
    AddOwn(v1::OwnBoxKeyRow(),
           crypto::BoxKeyPair::FromSecret(*crypto::Secret32::From(keys_->box.secret().view())));
  }
  return LoadPeers();
}

absl::Status BoxKeys::LoadPeers() {
  return store_.Scan("y", "z", [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<PartyId> party = PartyId::From(key.substr(1));
    v1::PeerBoxKeysRow row;
    if (!party.ok() || !row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return true;  // learned again from the peer
    }
    Peer& peer = peers_[*party];
    for (const std::string& raw : row.signed_notices()) {
      v1::SignedBoxKey notice;
      v1::BoxKeyNotice read;
      if (!notice.ParseFromString(raw) || !read.ParseFromString(notice.notice())) continue;
      const TrustedCard* card = cards_.FindOf(*party, read.card());
      if (card == nullptr || !VerifyBoxKey(notice, *card).ok()) continue;
      peer.keys.push_back(*KeyOfNotice(read));
      peer.notices.push_back(std::move(notice));
    }
    row.clear_signed_notices();
    peer.row = std::move(row);
    if (peer.row.known_card() == cards_.Find(self_)->hash.view() &&
        peer.row.known_seq() <= kClaimedSeqMax) {
      highest_known_ = std::max(highest_known_, peer.row.known_seq());
    }
    return true;
  });
}

void BoxKeys::AddOwn(v1::OwnBoxKeyRow row, crypto::BoxKeyPair pair) {
  const auto place = [this](const v1::OwnBoxKeyRow& of) {
    const TrustedCard* card = cards_.FindOf(self_, of.card());
    return std::pair(card == nullptr ? 0 : card->card.seq(), of.seq());
  };
  const auto before = std::find_if(own_.begin(), own_.end(),
                                   [&](const Own& other) { return place(row) < place(other.row); });
  own_.insert(before, Own{std::move(pair), std::move(row)});
}

void BoxKeys::Save(const Own& own) {
  store_.Put(schema::OwnBoxKey(own.pair.id()), own.row.SerializeAsString());
}

void BoxKeys::SavePeer(const PartyId& party) {
  const Peer& peer = peers_[party];
  v1::PeerBoxKeysRow row = peer.row;
  for (const v1::SignedBoxKey& notice : peer.notices) {
    row.add_signed_notices(notice.SerializeAsString());
  }
  store_.Put(schema::PeerBoxKeys(party), row.SerializeAsString());
}

// ---- keys of peers

std::optional<ReadingKey> BoxKeys::NewestOf(const PartyId& party) const {
  const TrustedCard* card = cards_.Find(party);
  if (card == nullptr) return std::nullopt;
  if (party == self_) {
    ReadingKey own;
    own.card = card->hash;
    own.seq = own_.back().row.seq();
    own.id = newest().id();
    own.key = newest().public_key();
    own.created = own_.back().row.created();
    own.emergency = in_emergency();
    return own;
  }
  const auto peer = peers_.find(party);
  if (peer != peers_.end() && !peer->second.keys.empty() &&
      peer->second.keys.back().card == card->hash) {
    return peer->second.keys.back();
  }
  return KeyOfCard(*card);
}

std::vector<ReadingKey> BoxKeys::RecentOf(const PartyId& party) const {
  std::vector<ReadingKey> out;
  if (const auto peer = peers_.find(party); peer != peers_.end()) {
    out.assign(peer->second.keys.rbegin(), peer->second.keys.rend());
  }
  // The keys of its two newest cards as well: one who has not heard of us yet, or has forgotten
  // that it has, takes that of its card, so it comes right behind the newest.
  const std::vector<const TrustedCard*> chain = cards_.ChainOf(party);
  if (!chain.empty()) {
    out.insert(out.begin() + (out.empty() ? 0 : 1), KeyOfCard(*chain.back()));
  }
  if (chain.size() > 1) out.push_back(KeyOfCard(*chain[chain.size() - 2]));
  return out;
}

std::optional<absl::Time> BoxKeys::AnnouncedAt(const PartyId& party,
                                               std::string_view key_id) const {
  if (const Own* own = party == self_ ? FindOwn(key_id) : nullptr) {
    return absl::FromUnixSeconds(own->row.created());
  }
  for (const ReadingKey& key : RecentOf(party)) {
    if (key.id.view() == key_id) return absl::FromUnixSeconds(key.created);
  }
  return std::nullopt;
}

bool BoxKeys::GaveUpOlderKeys(const PartyId& party) const {
  const TrustedCard* card = cards_.Find(party);
  if (card != nullptr && card->card.revokes_size() > 0) return true;
  if (party == self_) return in_emergency();
  const auto peer = peers_.find(party);
  return peer != peers_.end() && std::any_of(peer->second.keys.begin(), peer->second.keys.end(),
                                             [](const ReadingKey& key) { return key.emergency; });
}

absl::StatusOr<bool> BoxKeys::HearNotice(const PartyId& party, const v1::SignedBoxKey& notice) {
  const TrustedCard* card = cards_.Find(party);
  v1::BoxKeyNotice claimed;
  if (card == nullptr || party == self_ || !claimed.ParseFromString(notice.notice()) ||
      claimed.card() != card->hash.view()) {
    return false;  // under a card that is old, or that has not come yet
  }
  const absl::StatusOr<v1::BoxKeyNotice> read = VerifyBoxKey(notice, *card);
  if (!read.ok()) return read.status();
  if (read->seq() <= NewestOf(party)->seq) return false;
  Peer& peer = peers_[party];
  peer.keys.push_back(*KeyOfNotice(*read));
  peer.notices.push_back(notice);
  if (peer.keys.size() > kNoticesMax) {
    peer.keys.erase(peer.keys.begin());
    peer.notices.erase(peer.notices.begin());
  }
  SavePeer(party);
  return true;
}

absl::StatusOr<BoxKeys::Heard> BoxKeys::Hear(const PartyId& party, const v1::BoxKeys& frame) {
  Heard heard;
  if (frame.has_own()) {
    const absl::StatusOr<bool> newer = HearNotice(party, frame.own());
    if (!newer.ok()) return newer.status();
    heard.newer_key = *newer;
  }
  if (!frame.has_yours()) return heard;
  const v1::KnownBoxKey& known = frame.yours();
  v1::PeerBoxKeysRow& row = peers_[party].row;
  if (known.card() == row.known_card() && known.seq() == row.known_seq() &&
      known.key_id() == row.known_key_id()) {
    return heard;
  }
  row.set_known_card(known.card());
  row.set_known_seq(known.seq());
  row.set_known_key_id(known.key_id());
  SavePeer(party);
  heard.knows_more = true;
  const bool mine = FindOwn(known.key_id()) != nullptr || gone_.contains(known.key_id());
  if (!mine && known.card() == cards_.Find(self_)->hash.view() &&
      known.seq() >= own_.back().row.seq() && known.seq() <= kClaimedSeqMax) {
    highest_known_ = std::max(highest_known_, known.seq());
    heard.unknown_own = lost_ = true;
  }
  return heard;
}

v1::BoxKeys BoxKeys::FrameFor(const PartyId& peer) const {
  v1::BoxKeys frame;
  if (const std::optional<v1::SignedBoxKey> own = NoticeOf(self_)) *frame.mutable_own() = *own;
  if (const std::optional<ReadingKey> theirs = NewestOf(peer)) {
    frame.mutable_yours()->set_card(theirs->card.str());
    frame.mutable_yours()->set_seq(theirs->seq);
    frame.mutable_yours()->set_key_id(theirs->id.str());
  }
  return frame;
}

std::optional<v1::SignedBoxKey> BoxKeys::NoticeOf(const PartyId& party) const {
  v1::SignedBoxKey out;
  const TrustedCard* card = cards_.Find(party);
  if (party == self_) {
    const v1::OwnBoxKeyRow& row = own_.back().row;
    if (card == nullptr || row.signed_notice().empty() || row.card() != card->hash.view() ||
        !out.ParseFromString(row.signed_notice())) {
      return std::nullopt;
    }
    return out;
  }
  const auto peer = peers_.find(party);
  if (card == nullptr || peer == peers_.end() || peer->second.keys.empty() ||
      peer->second.keys.back().card != card->hash) {
    return std::nullopt;
  }
  return peer->second.notices.back();
}

bool BoxKeys::KnowsCard(const PartyId& party) const {
  const auto peer = peers_.find(party);
  return peer != peers_.end() && peer->second.row.known_card() == cards_.Find(self_)->hash.view();
}

bool BoxKeys::KnowsNewest(const PartyId& party) const {
  return KnowsCard(party) && peers_.at(party).row.known_key_id() == newest().id().view();
}

const crypto::BoxKeyPair& BoxKeys::KnownTo(const PartyId& party) const {
  const TrustedCard& card = *cards_.Find(self_);
  const auto peer = peers_.find(party);
  const bool heard = peer != peers_.end() && !peer->second.row.known_key_id().empty();
  const Own* own = FindOwn(heard ? peer->second.row.known_key_id() : card.card.box_key().id());
  return own == nullptr ? newest() : own->pair;
}

// ---- own keys

const crypto::BoxKeyPair& BoxKeys::newest() const { return own_.back().pair; }

const BoxKeys::Own* BoxKeys::FindOwn(std::string_view key_id) const {
  const auto it = std::find_if(own_.begin(), own_.end(),
                               [&](const Own& own) { return own.pair.id().view() == key_id; });
  return it == own_.end() ? nullptr : &*it;
}

const crypto::BoxKeyPair* BoxKeys::Find(std::string_view key_id) const {
  const Own* own = FindOwn(key_id);
  return own == nullptr ? nullptr : &own->pair;
}

std::vector<const crypto::BoxKeyPair*> BoxKeys::held() const {
  std::vector<const crypto::BoxKeyPair*> out;
  for (const Own& own : own_) out.push_back(&own.pair);
  std::reverse(out.begin(), out.end());
  return out;
}

bool BoxKeys::in_emergency() const {
  return std::any_of(own_.begin(), own_.end(),
                     [](const Own& own) { return own.row.emergency() && own.row.retired() != 0; });
}

absl::Time BoxKeys::newest_since() const {
  return absl::FromUnixSeconds(own_.back().row.created());
}

void BoxKeys::Start(absl::Time now, const Anchored& anchored) {
  if (anchored.key.has_value() && FindOwn(anchored.key->id.view()) == nullptr &&
      !gone_.contains(anchored.key->id.str())) {
    highest_known_ = std::max(highest_known_, anchored.key->seq);
    lost_ = true;
  }
  // Nobody here knows what was announced, nor how wrong the clock was then. Peers behind a relay
  // cannot tell: they go on sealing to the lost key until they are shown one with a higher number.
  if (anchored.file_missing) {
    highest_known_ = std::max(highest_known_, SecondsOf(now) + kForgottenAhead);
    lost_ = true;
  }
  RetireOlder(now);
}

// Whatever is not the newest has been followed by another: the renewal of a card does that too.
void BoxKeys::RetireOlder(absl::Time now) {
  const bool revoked = cards_.Find(self_)->card.revokes_size() > 0;
  for (size_t i = 0; i + 1 < own_.size(); ++i) {
    Own& own = own_[i];
    if (own.row.retired() != 0) continue;
    own.row.set_retired(absl::ToUnixSeconds(now));
    own.row.set_emergency(own.row.emergency() ||
                          (revoked && own.row.card() != cards_.Find(self_)->hash.view()));
    if (own.pair.id() == keys_->box.id()) own.row.clear_secret();
    Save(own);
  }
}

ReadingKey BoxKeys::Rotate(absl::Time now, bool emergency, Entropy& entropy) {
  const TrustedCard& card = *cards_.Find(self_);
  v1::OwnBoxKeyRow row;
  crypto::BoxKeyPair pair = crypto::BoxKeyPair::Generate(entropy);
  // Numbered by the clock, yet always upwards: what a node announces after its database was set
  // back comes behind what it has forgotten.
  const uint64_t before = std::max(own_.back().row.seq(), highest_known_);
  row.set_seq(std::max(before + 1, SecondsOf(now)));
  row.set_card(card.hash.str());
  row.set_created(absl::ToUnixSeconds(now));
  row.set_secret(pair.secret().view().data(), crypto::Secret32::kSize);
  row.set_public_key(pair.public_key().str());
  v1::BoxKeyNotice notice;
  notice.set_party(self_.str());
  notice.set_card(card.hash.str());
  notice.set_seq(row.seq());
  notice.mutable_key()->set_id(pair.id().str());
  notice.mutable_key()->set_public_key(pair.public_key().str());
  notice.mutable_key()->set_not_after(row.created() + absl::ToInt64Seconds(terms_.life) +
                                      absl::ToInt64Seconds(terms_.keep));
  notice.set_created(row.created());
  notice.set_emergency(emergency);
  row.set_signed_notice(SignBoxKey(notice, keys_->statement).SerializeAsString());
  if (emergency) {
    for (Own& own : own_) {
      own.row.set_emergency(true);
      if (own.row.retired() != 0) Save(own);
    }
  }
  own_.push_back(Own{std::move(pair), std::move(row)});
  Save(own_.back());
  RetireOlder(now);
  if (std::exchange(lost_, false)) lost_repair_ = now;
  return *NewestOf(self_);
}

bool BoxKeys::RotationDue(absl::Time now) const {
  return now >= next_rotation() || (lost_ && now >= lost_repair_ + kRepairInterval);
}

void BoxKeys::DestroyDue(absl::Time now, const std::function<bool(const KeyId&)>& needed) {
  for (size_t i = 0; i + 1 < own_.size();) {
    Own& own = own_[i];
    const bool expired = now >= absl::FromUnixSeconds(own.row.retired()) + terms_.keep;
    if (!expired && (!own.row.emergency() || needed(own.pair.id()))) {
      ++i;
      continue;
    }
    own.row.clear_secret();
    own.row.set_destroyed(true);
    Save(own);
    gone_.insert(own.pair.id().str());
    own_.erase(own_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

absl::Time BoxKeys::NextDue() const {
  absl::Time due = next_rotation();
  if (lost_) due = std::min(due, lost_repair_ + kRepairInterval);
  for (size_t i = 0; i + 1 < own_.size(); ++i) {
    due = std::min(due, absl::FromUnixSeconds(own_[i].row.retired()) + terms_.keep);
  }
  return due;
}

}  // namespace entente::sync

#include "sync/card_book.h"

#include <functional>
#include <set>
#include <utility>

#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "entente/v1/storage.pb.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

constexpr size_t kCardBytesMax = 16 * 1024;
constexpr size_t kWithEarlierBytesMax = 64 * 1024;
constexpr size_t kAddressesMax = 8;
constexpr int kRevokesMax = 64;
constexpr int kEarlierMax = 64;

// Zero: a card speaks for a party in every JIT.
JitId NoJit() { return JitId(); }

absl::Status CheckText(std::string_view what, std::string_view text, size_t max) {
  if (text.empty() || text.size() > max) {
    return absl::InvalidArgumentError(
        Cat("the card's ", what, " must have 1 to ", std::to_string(max), " bytes"));
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return absl::InvalidArgumentError(Cat("the card's ", what, " has control characters"));
    }
  }
  return absl::OkStatus();
}

// Codes are typed by people and shown in tables: two to eight capitals or digits.
absl::Status CheckCode(std::string_view code) {
  bool good = code.size() >= 2 && code.size() <= 8;
  for (const char c : code) good = good && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the card's code must be two to eight capital letters or digits, for example XA");
}

absl::StatusOr<PublicKey> SigningKeyField(std::string_view what, std::string_view raw) {
  absl::StatusOr<PublicKey> key = PublicKey::From(raw);
  if (!key.ok()) return absl::InvalidArgumentError(Cat("the card's ", what, " is malformed"));
  if (absl::Status s = crypto::CheckPublicKey(*key); !s.ok()) {
    return absl::InvalidArgumentError(Cat("the card's ", what, " is not a valid key"));
  }
  return key;
}

absl::Status CheckBoxKey(std::string_view what, const v1::BoxKey& key) {
  return ReadBoxKey(key).ok()
             ? absl::OkStatus()
             : absl::InvalidArgumentError(Cat("the card's ", what, " is malformed"));
}

absl::Status CheckContents(const v1::NodeCard& card) {
  if (absl::Status s = CheckCode(card.code()); !s.ok()) return s;
  if (absl::Status s = CheckText("name", card.name(), 200); !s.ok()) return s;
  if (card.kind() == v1::BODY_KIND_UNSPECIFIED || !v1::BodyKind_IsValid(card.kind())) {
    return absl::InvalidArgumentError("the card does not say what kind of body it is");
  }
  if (card.seq() == 0) return absl::InvalidArgumentError("the card has no sequence number");
  if (card.addresses_size() > static_cast<int>(kAddressesMax) ||
      card.relays_size() > static_cast<int>(kAddressesMax)) {
    return absl::InvalidArgumentError("the card lists more than 8 addresses or relays");
  }
  for (const std::string& address : card.addresses()) {
    if (absl::Status s = CheckText("address", address, 255); !s.ok()) return s;
  }
  for (const v1::RelayRoute& relay : card.relays()) {
    if (absl::Status s = CheckText("relay address", relay.address(), 255); !s.ok()) return s;
    if (relay.tls_spki_sha256().size() != 32) {
      return absl::InvalidArgumentError("the card's relay key is malformed");
    }
  }
  if (card.revokes_size() > kRevokesMax) {
    return absl::InvalidArgumentError("the card revokes more than 64 others");
  }
  for (const std::string& revoked : card.revokes()) {
    if (revoked.size() != Hash::kSize) {
      return absl::InvalidArgumentError("the card revokes something that is no card");
    }
  }
  if (absl::Status s = CheckBoxKey("reading key", card.box_key()); !s.ok()) return s;
  return CheckBoxKey("recovery key", card.recovery_box_key());
}

}  // namespace

absl::StatusOr<BoxPublicKey> ReadBoxKey(const v1::BoxKey& key) {
  absl::StatusOr<BoxPublicKey> out = BoxPublicKey::From(key.public_key());
  if (!out.ok() || !crypto::CheckBoxKey(*out).ok() || key.id() != crypto::BoxKeyId(*out).view()) {
    return absl::InvalidArgumentError("a reading key is malformed");
  }
  return out;
}

absl::StatusOr<TrustedCard> VerifyCard(std::string_view signed_card) {
  if (signed_card.size() > kWithEarlierBytesMax) {
    return absl::InvalidArgumentError("not a node card: larger than 64 KiB");
  }
  v1::SignedCard outer;
  if (!outer.ParseFromArray(signed_card.data(), static_cast<int>(signed_card.size())) ||
      outer.card().empty()) {
    return absl::InvalidArgumentError("not a node card: the bytes do not parse");
  }
  if (outer.card().size() > kCardBytesMax) {
    return absl::InvalidArgumentError("not a node card: larger than 16 KiB");
  }
  TrustedCard out;
  if (!out.card.ParseFromString(outer.card())) {
    return absl::InvalidArgumentError("not a node card: the signed part does not parse");
  }
  const absl::StatusOr<PartyId> party = PartyId::From(out.card.party());
  if (!party.ok()) return absl::InvalidArgumentError("not a node card: it names no party");
  const absl::StatusOr<PublicKey> root = SigningKeyField("party root", out.card.party());
  if (!root.ok()) return root.status();
  if (absl::Status s = crypto::VerifyStatement(*root, crypto::Purpose::card, NoJit(), outer.card(),
                                               outer.signature());
      !s.ok()) {
    return absl::UnauthenticatedError("the card's signature is not the party's own");
  }
  if (absl::Status s = CheckContents(out.card); !s.ok()) return s;
  const absl::StatusOr<PublicKey> log = SigningKeyField("log key", out.card.log_key());
  const absl::StatusOr<PublicKey> cosign = SigningKeyField("receipt key", out.card.cosign_key());
  const absl::StatusOr<PublicKey> statement =
      SigningKeyField("statement key", out.card.statement_key());
  const absl::StatusOr<Hash> spki = Hash::From(out.card.tls_spki_sha256());
  for (const absl::Status& s : {log.status(), cosign.status(), statement.status()}) {
    if (!s.ok()) return s;
  }
  if (!spki.ok()) return absl::InvalidArgumentError("the card's TLS key hash is malformed");
  if (std::set<PublicKey>{*root, *log, *cosign, *statement}.size() != 4) {
    return absl::InvalidArgumentError("the card uses one key for two roles");
  }
  // What is kept is the card and its signature; what else came along stands for itself.
  v1::SignedCard alone;
  alone.set_card(outer.card());
  alone.set_signature(outer.signature());
  out.signed_card = alone.SerializeAsString();
  out.hash = crypto::Sha256(outer.card());
  out.party = *party;
  out.log_key = *log;
  out.cosign_key = *cosign;
  out.statement_key = *statement;
  out.tls_spki = *spki;
  return out;
}

std::string SignCard(const v1::NodeCard& card, const crypto::SigningKey& root) {
  v1::SignedCard out;
  out.set_card(card.SerializeAsString());
  out.set_signature(crypto::SignStatement(root, crypto::Purpose::card, NoJit(), out.card()).str());
  return out.SerializeAsString();
}

namespace {

absl::Status Damaged(const absl::Status& why) {
  return absl::DataLossError(Cat("a stored node card no longer verifies: ", ToStd(why.message())));
}

absl::Status NotNewer(const TrustedCard& card, const TrustedCard& held) {
  return absl::FailedPreconditionError(Cat(
      "this card of ", card.card.code(), " (number ", std::to_string(card.card.seq()),
      ") does not follow the card held here (number ", std::to_string(held.card.seq()), "); ask ",
      card.card.code(), " for its newest card and compare the words again", " [CARD_NOT_NEWER]"));
}

absl::Status Forked(const TrustedCard& card) {
  return absl::FailedPreconditionError(
      Cat(card.card.code(),
          " has issued two different cards with one number, so somebody else may "
          "be using its root key; no newer card of it is taken [CARD_FORKED]\n  Next: meet its "
          "people in person; to stop sharing with it meanwhile: entente agreement suspend ",
          card.card.code()));
}

// The card and those it brings along, oldest first, each following the one before.
absl::StatusOr<std::vector<TrustedCard>> LineOf(std::string_view signed_card) {
  absl::StatusOr<TrustedCard> newest = VerifyCard(signed_card);
  if (!newest.ok()) return newest.status();
  v1::SignedCard outer;
  outer.ParseFromArray(signed_card.data(), static_cast<int>(signed_card.size()));
  std::vector<TrustedCard> line;
  if (outer.earlier_size() > kEarlierMax) {
    return absl::InvalidArgumentError("not a node card: it brings more than 64 earlier ones");
  }
  for (const std::string& earlier : outer.earlier()) {
    absl::StatusOr<TrustedCard> card = VerifyCard(earlier);
    if (!card.ok()) return card.status();
    line.push_back(*std::move(card));
  }
  line.push_back(*std::move(newest));
  for (size_t i = 0; i + 1 < line.size(); ++i) {
    if (line[i].party != line[i + 1].party || line[i].card.seq() >= line[i + 1].card.seq() ||
        line[i + 1].card.prev_hash() != line[i].hash.view()) {
      return absl::InvalidArgumentError("the cards before this one do not lead to it");
    }
  }
  return line;
}

}  // namespace

absl::Status CardBook::Load(const KvReader& store) {
  absl::Status failure;
  const auto each = [&](const std::function<absl::Status(std::string_view)>& take) {
    return [&failure, take](std::string_view, std::string_view value) {
      failure.Update(take(value));
      return failure.ok();
    };
  };
  absl::Status scan = store.Scan("c", "d", each([this](std::string_view value) {
                                   absl::StatusOr<TrustedCard> card = VerifyCard(value);
                                   if (!card.ok()) return Damaged(card.status());
                                   Remember(*card);
                                   cards_.insert_or_assign(card->party, *card);
                                   return absl::OkStatus();
                                 }));
  scan.Update(store.Scan("o", "p", each([this](std::string_view value) {
                           absl::StatusOr<TrustedCard> card = VerifyCard(value);
                           if (!card.ok()) return Damaged(card.status());
                           Remember(*card);
                           earlier_.insert_or_assign({card->party, card->card.seq()}, *card);
                           return absl::OkStatus();
                         })));
  scan.Update(store.Scan("d", "e", each([this](std::string_view value) {
                           v1::CardForkRow row;
                           row.ParseFromArray(value.data(), static_cast<int>(value.size()));
                           const absl::StatusOr<TrustedCard> card = VerifyCard(row.card_a());
                           if (!card.ok()) return Damaged(card.status());
                           forks_[card->party] = {row.card_a(), row.card_b()};
                           return absl::OkStatus();
                         })));
  return scan.ok() ? failure : scan;
}

absl::StatusOr<bool> CardBook::Trust(std::string_view signed_card, WriteBatch* writes) {
  absl::StatusOr<std::vector<TrustedCard>> line = LineOf(signed_card);
  if (!line.ok()) return line.status();
  const TrustedCard& card = line->back();
  if (const TrustedCard* same = FindByCode(card.card.code());
      same != nullptr && same->party != card.party) {
    return absl::AlreadyExistsError(Cat("another body is already trusted under the code ",
                                        card.card.code(),
                                        "; two bodies cannot share a code [CODE_TAKEN]"));
  }
  const TrustedCard* held = Find(card.party);
  if (held != nullptr && held->hash == card.hash) return true;
  for (const TrustedCard& each : *line) {
    if (Contradicts(each, writes)) return Forked(card);
  }
  if (forks_.contains(card.party)) return Forked(card);
  size_t first = 0;
  if (held != nullptr) {
    // What is held may stand anywhere in the line, or just before it.
    while (first < line->size() && (*line)[first].hash != held->hash) ++first;
    if (first < line->size()) {
      ++first;
    } else if (line->front().card.seq() > held->card.seq() &&
               line->front().card.prev_hash() == held->hash.view()) {
      first = 0;
    }
    if (first >= line->size()) return NotNewer(card, *held);
    // Agreements in force name bodies by code and kind.
    if (card.card.code() != held->card.code() || card.card.kind() != held->card.kind()) {
      return absl::InvalidArgumentError(Cat(
          "a body keeps its code and its kind over all its cards; this one was ", held->card.code(),
          " and calls itself ", card.card.code(), " or is of another kind [CODE_CHANGED]"));
    }
  }
  for (size_t i = first; i < line->size(); ++i) Keep(std::move((*line)[i]), writes);
  return false;
}

void CardBook::Keep(TrustedCard card, WriteBatch* writes) {
  Remember(card);
  const PartyId party = card.party;
  if (const auto held = cards_.find(party); held != cards_.end()) {
    writes->Put(schema::EarlierCard(party, held->second.card.seq()), held->second.signed_card);
    const uint32_t seq = held->second.card.seq();
    earlier_.insert_or_assign({party, seq}, std::move(held->second));
  }
  writes->Put(schema::Card(party), card.signed_card);
  cards_.insert_or_assign(party, std::move(card));
}

void CardBook::Remember(const TrustedCard& card) {
  for (const std::string& revoked : card.card.revokes()) {
    revoked_.insert({card.party, *Hash::From(revoked)});
  }
}

bool CardBook::Contradicts(const TrustedCard& card, WriteBatch* writes) {
  for (const TrustedCard* known : ChainOf(card.party)) {
    if (known->card.seq() != card.card.seq() || known->hash == card.hash) continue;
    if (!forks_.contains(card.party)) {
      KeepFork(card.party, {known->signed_card, card.signed_card}, writes);
    }
    return true;
  }
  return false;
}

void CardBook::KeepFork(const PartyId& party, CardFork fork, WriteBatch* writes) {
  v1::CardForkRow row;
  row.set_card_a(fork.card_a);
  row.set_card_b(fork.card_b);
  writes->Put(schema::CardFork(party), row.SerializeAsString());
  forks_[party] = std::move(fork);
  fresh_forks_.push_back(party);
}

absl::StatusOr<bool> CardBook::LearnFork(const CardFork& fork, WriteBatch* writes) {
  const absl::StatusOr<TrustedCard> a = VerifyCard(fork.card_a);
  const absl::StatusOr<TrustedCard> b = VerifyCard(fork.card_b);
  if (!a.ok()) return a.status();
  if (!b.ok()) return b.status();
  if (a->party != b->party || a->card.seq() != b->card.seq() || a->hash == b->hash) {
    return absl::InvalidArgumentError("these two cards do not contradict each other");
  }
  if (Find(a->party) == nullptr) {
    return absl::NotFoundError("about a body that is not trusted here");
  }
  if (forks_.contains(a->party)) return false;
  KeepFork(a->party, {a->signed_card, b->signed_card}, writes);
  return true;
}

const TrustedCard* CardBook::Find(const PartyId& party) const {
  const auto it = cards_.find(party);
  return it == cards_.end() ? nullptr : &it->second;
}

const TrustedCard* CardBook::FindByCode(std::string_view code) const {
  for (const auto& [party, card] : cards_) {
    if (card.card.code() == code) return &card;
  }
  return nullptr;
}

const TrustedCard* CardBook::FindByHash(const Hash& hash) const {
  for (const auto& [party, card] : cards_) {
    if (card.hash == hash) return &card;
  }
  for (const auto& [name, card] : earlier_) {
    if (card.hash == hash) return &card;
  }
  return nullptr;
}

const TrustedCard* CardBook::FindOf(const PartyId& party, std::string_view hash) const {
  for (const TrustedCard* card : ChainOf(party)) {
    if (card->hash.view() == hash) return card;
  }
  return nullptr;
}

std::vector<const TrustedCard*> CardBook::ChainOf(const PartyId& party) const {
  std::vector<const TrustedCard*> out;
  for (auto it = earlier_.lower_bound({party, 0}); it != earlier_.end(); ++it) {
    if (it->first.first != party) break;
    out.push_back(&it->second);
  }
  if (const TrustedCard* newest = Find(party)) out.push_back(newest);
  return out;
}

v1::SignedCard CardBook::Portable(const PartyId& party) const {
  v1::SignedCard out;
  const std::vector<const TrustedCard*> chain = ChainOf(party);
  if (chain.empty()) return out;
  out.ParseFromString(chain.back()->signed_card);
  size_t bytes = chain.back()->signed_card.size();
  size_t first = chain.size() - 1;
  // As many as fit, counted from the newest.
  while (first > 0 && chain.size() - first <= kEarlierMax &&
         bytes + chain[first - 1]->signed_card.size() + 64 < kWithEarlierBytesMax - 1024) {
    bytes += chain[--first]->signed_card.size() + 8;
  }
  for (size_t i = first; i + 1 < chain.size(); ++i) out.add_earlier(chain[i]->signed_card);
  return out;
}

const CardFork* CardBook::ForkOf(const PartyId& party) const {
  const auto it = forks_.find(party);
  return it == forks_.end() ? nullptr : &it->second;
}

bool ReceiptHolds(const CardBook& cards, const PartyId& party, std::string_view text,
                  std::string_view cosignature, bool revoked) {
  for (const TrustedCard* card : cards.ChainOf(party)) {
    if (!revoked && cards.IsRevoked(*card)) continue;
    if (crypto::VerifyCosignLine(text, cosignature, party, card->cosign_key).ok()) return true;
  }
  return false;
}

}  // namespace entente::sync

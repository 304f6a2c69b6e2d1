#include "sync/card_book.h"

#include <set>
#include <utility>

#include "crypto/box.h"
#include "crypto/hash.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

constexpr size_t kCardBytesMax = 16 * 1024;
constexpr size_t kAddressesMax = 8;

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
  const absl::StatusOr<BoxPublicKey> pk = BoxPublicKey::From(key.public_key());
  if (!pk.ok() || pk->is_zero() || key.id() != crypto::BoxKeyId(*pk).view()) {
    return absl::InvalidArgumentError(Cat("the card's ", what, " is malformed"));
  }
  return absl::OkStatus();
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
  if (absl::Status s = CheckBoxKey("reading key", card.box_key()); !s.ok()) return s;
  return CheckBoxKey("recovery key", card.recovery_box_key());
}

}  // namespace

absl::StatusOr<TrustedCard> VerifyCard(std::string_view signed_card) {
  if (signed_card.size() > kCardBytesMax) {
    return absl::InvalidArgumentError("not a node card: larger than 16 KiB");
  }
  v1::SignedCard outer;
  if (!outer.ParseFromArray(signed_card.data(), static_cast<int>(signed_card.size())) ||
      outer.card().empty()) {
    return absl::InvalidArgumentError("not a node card: the bytes do not parse");
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
  out.signed_card = std::string(signed_card);
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

absl::Status CardBook::Load(const KvReader& store) {
  absl::Status failure;
  const absl::Status scan = store.Scan("c", "d", [&](std::string_view, std::string_view value) {
    absl::StatusOr<TrustedCard> card = VerifyCard(value);
    if (!card.ok()) {
      failure = absl::DataLossError(
          Cat("a stored node card no longer verifies: ", ToStd(card.status().message())));
      return false;
    }
    const PartyId party = card->party;
    cards_.insert_or_assign(party, *std::move(card));
    return true;
  });
  return scan.ok() ? failure : scan;
}

absl::StatusOr<bool> CardBook::Trust(std::string_view signed_card, WriteBatch* writes) {
  absl::StatusOr<TrustedCard> card = VerifyCard(signed_card);
  if (!card.ok()) return card.status();
  if (const TrustedCard* same = FindByCode(card->card.code());
      same != nullptr && same->party != card->party) {
    return absl::AlreadyExistsError(Cat("another body is already trusted under the code ",
                                        card->card.code(),
                                        "; two bodies cannot share a code [CODE_TAKEN]"));
  }
  if (const TrustedCard* held = Find(card->party)) {
    if (held->hash == card->hash) return true;
    if (card->card.seq() <= held->card.seq() || card->card.prev_hash() != held->hash.view()) {
      return absl::FailedPreconditionError(
          Cat("this card of ", card->card.code(), " (number ", std::to_string(card->card.seq()),
              ") does not follow the card held here (number ", std::to_string(held->card.seq()),
              "); ask ", card->card.code(), " for its newest card and compare the words again",
              " [CARD_NOT_NEWER]"));
    }
  }
  writes->Put(schema::Card(card->party), card->signed_card);
  const PartyId party = card->party;
  cards_.insert_or_assign(party, *std::move(card));
  return false;
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
  return nullptr;
}

}  // namespace entente::sync

// Node cards: who a body is, which keys speak for it, where it can be reached. Protocol §3.
//
// A card counts here only after a person trusted it (compared the word string); the own card is in
// the book from the start. Cards of one party form a chain by seq and previous hash: a higher seq
// that names the card we hold replaces it, anything else with the same seq is refused.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/signing.h"
#include "entente/v1/card.pb.h"
#include "sync/kv.h"

namespace entente::sync {

struct TrustedCard {
  v1::NodeCard card;
  std::string signed_card;  // serialized SignedCard, as received
  Hash hash;                // SHA-256 of the signed card bytes (SignedCard.card)
  PartyId party;
  PublicKey log_key;
  PublicKey cosign_key;
  PublicKey statement_key;
  Hash tls_spki;
};

// Parses and verifies: signature by the party root it names, all keys well formed and distinct,
// texts clean. Says nothing about trust. InvalidArgument or Unauthenticated.
absl::StatusOr<TrustedCard> VerifyCard(std::string_view signed_card);

// Signs `card` with the party root and returns the serialized SignedCard.
std::string SignCard(const v1::NodeCard& card, const crypto::SigningKey& root);

class CardBook {
 public:
  // Loads the table "c". A stored card that no longer verifies is DataLoss.
  absl::Status Load(const KvReader& store);

  // True when this very card was already trusted. AlreadyExists: another body uses that code;
  // FailedPrecondition: an older card or one that does not follow the card held.
  absl::StatusOr<bool> Trust(std::string_view signed_card, WriteBatch* writes);

  const TrustedCard* Find(const PartyId& party) const;
  const TrustedCard* FindByCode(std::string_view code) const;
  const TrustedCard* FindByHash(const Hash& hash) const;
  const std::map<PartyId, TrustedCard>& all() const { return cards_; }

 private:
  std::map<PartyId, TrustedCard> cards_;
};

}  // namespace entente::sync

// Node cards: who a body is, which keys speak for it, where it can be reached. Protocol §3.
//
// A card counts here only after a person trusted it (compared the word string); the own card is in
// the book from the start. Cards of one party form a chain by seq and previous hash. The newest one
// is used for new work; the earlier ones are kept for ever, because logs, statements and receipts
// made under them are verified by them. A card travels with those before it, so that whoever missed
// one can follow the chain.
//
// Two different cards with one number are a proof against the party root: somebody else has used
// it. From then on no newer card of the party is taken, from either side; the one held stays in use
// until people have met.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

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

// Two different cards with one number, both signed by the party root.
struct CardFork {
  std::string card_a;  // SignedCards
  std::string card_b;
};

// Parses and verifies: signature by the party root it names, all keys well formed and distinct,
// texts clean. Says nothing about trust. InvalidArgument or Unauthenticated.
absl::StatusOr<TrustedCard> VerifyCard(std::string_view signed_card);

// The public half, once its form holds: the right size, not of low order (sealing to such a key
// fails, so nobody could write to an audience with it), and the id that follows from it.
absl::StatusOr<BoxPublicKey> ReadBoxKey(const v1::BoxKey& key);

// Signs `card` with the party root and returns the serialized SignedCard.
std::string SignCard(const v1::NodeCard& card, const crypto::SigningKey& root);

class CardBook {
 public:
  // Loads the newest cards, the earlier ones and the proofs. A stored card that no longer verifies
  // is DataLoss.
  absl::Status Load(const KvReader& store);

  // Takes a card, with those before it that it brings and that are missing here. True when this
  // very card was already trusted. AlreadyExists: another body uses that code; FailedPrecondition:
  // an older card, one that does not follow the card held, or [CARD_FORKED] two cards with one
  // number. `writes` is to be committed also after an error: it may hold the proof.
  absl::StatusOr<bool> Trust(std::string_view signed_card, WriteBatch* writes);

  // The newest card of a party.
  const TrustedCard* Find(const PartyId& party) const;
  const TrustedCard* FindByCode(std::string_view code) const;
  // The newest of every party.
  const std::map<PartyId, TrustedCard>& all() const { return cards_; }

  // Any card ever trusted, by its hash: for what was made under it.
  const TrustedCard* FindByHash(const Hash& hash) const;
  // The same, if it is `party`'s; nullptr otherwise.
  const TrustedCard* FindOf(const PartyId& party, std::string_view hash) const;
  // All cards of a party, oldest first.
  std::vector<const TrustedCard*> ChainOf(const PartyId& party) const;
  // What `verify` says under a card of `party`: the newest first, the first under which it holds,
  // or why it does not under the oldest. FailedPrecondition: no card of it is trusted.
  template <class Verify>
  std::invoke_result_t<Verify, const TrustedCard&> UnderAnyCard(const PartyId& party,
                                                                const Verify& verify) const {
    const std::vector<const TrustedCard*> chain = ChainOf(party);
    std::invoke_result_t<Verify, const TrustedCard&> out =
        absl::FailedPreconditionError("its author's card is not trusted here");
    for (size_t i = chain.size(); i > 0 && !out.ok(); --i) out = verify(*chain[i - 1]);
    return out;
  }
  // A later card of its party has declared its keys void.
  bool IsRevoked(const TrustedCard& card) const {
    return revoked_.contains({card.party, card.hash});
  }

  // A SignedCard with all that came before it, to hand to others. Empty for an unknown party.
  v1::SignedCard Portable(const PartyId& party) const;

  // Verifies a proof from somebody else. True when it was new. InvalidArgument or Unauthenticated:
  // it proves nothing; NotFound: about a party that is not trusted here.
  absl::StatusOr<bool> LearnFork(const CardFork& fork, WriteBatch* writes);
  const CardFork* ForkOf(const PartyId& party) const;
  const std::map<PartyId, CardFork>& forks() const { return forks_; }
  // Parties whose proof has come in since the last call.
  std::vector<PartyId> TakeFreshForks() { return std::exchange(fresh_forks_, {}); }

 private:
  void Keep(TrustedCard card, WriteBatch* writes);
  void Remember(const TrustedCard& card);
  void KeepFork(const PartyId& party, CardFork fork, WriteBatch* writes);
  bool Contradicts(const TrustedCard& card, WriteBatch* writes);

  std::map<PartyId, TrustedCard> cards_;
  std::map<std::pair<PartyId, uint32_t>, TrustedCard> earlier_;  // by number
  std::set<std::pair<PartyId, Hash>> revoked_;
  std::map<PartyId, CardFork> forks_;
  std::vector<PartyId> fresh_forks_;
};

// Whether a cosignature over the checkpoint `text` is `party`'s, under any of its cards. Cards that
// it has revoked count only for what was received before, never for what arrives now.
bool ReceiptHolds(const CardBook& cards, const PartyId& party, std::string_view text,
                  std::string_view cosignature, bool revoked);

}  // namespace entente::sync

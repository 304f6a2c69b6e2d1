// Orders to erase: whose bodies are to go from one log, signed so that the order can stand in their
// place. Protocol §12.
//
// A log that was erased from is served with the hash and the size of what is missing and the order
// that took it away. So whoever gets it later can check three things without having read a word:
// that the log is whole, that somebody who may read it has answered for the gap with his name, and
// which positions he meant. A gap without an order is withholding and is refused.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/signing.h"
#include "entente/v1/entry.pb.h"
#include "sync/card_book.h"
#include "sync/entry_types.h"

namespace entente::sync {

// An order that was checked.
struct ErasureOrder {
  Hash id;  // SHA-256 of its bytes
  LogId log;
  std::set<uint64_t> indexes;
  PartyId signer;
  v1::SignedErasureOrder as_signed;

  // Whether it answers for a gap at that place of a log that these read.
  bool AnswersFor(const LogId& of, uint64_t index, const Members& readers) const {
    return log == of && indexes.contains(index) && readers.contains(signer);
  }
};

// An order names a log: it is for those alone who read that log.
using ErasureOrders = std::map<Members, std::vector<v1::SignedErasureOrder>>;

v1::SignedErasureOrder SignErasureOrder(const JitId& jit, const LogId& log,
                                        const std::set<uint64_t>& indexes, const PartyId& signer,
                                        const Hash& signer_card, const crypto::SigningKey& key);

// InvalidArgument: malformed; Unauthenticated: not signed under a card of its signer that is
// trusted here.
absl::StatusOr<ErasureOrder> CheckErasureOrder(const v1::SignedErasureOrder& order,
                                               const JitId& jit, const CardBook& cards);

// That its signer holds nothing any more of what these orders name. §12.
v1::Statement SignDestroyed(const JitId& jit, const v1::Destroyed& destroyed,
                            const Hash& signer_card, const crypto::SigningKey& key);
// Unauthenticated: `author` did not sign it.
absl::StatusOr<v1::Destroyed> CheckDestroyed(const v1::Statement& statement, const JitId& jit,
                                             const PartyId& author, const CardBook& cards);

}  // namespace entente::sync

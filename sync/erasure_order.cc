#include "sync/erasure_order.h"

#include "crypto/hash.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(Cat("an order to erase that is malformed: ", what));
}

}  // namespace

v1::SignedErasureOrder SignErasureOrder(const JitId& jit, const LogId& log,
                                        const std::set<uint64_t>& indexes, const PartyId& signer,
                                        const Hash& signer_card, const crypto::SigningKey& key) {
  v1::ErasureOrder order;
  order.set_log_id(log.str());
  for (const uint64_t index : indexes) order.add_indexes(index);
  v1::SignedErasureOrder out;
  out.set_order(order.SerializeAsString());
  out.set_party(signer.str());
  out.set_signer_card(signer_card.str());
  out.set_signature(
      crypto::SignStatement(key, crypto::Purpose::erase, jit, crypto::Sha256(out.order()).view())
          .str());
  return out;
}

absl::StatusOr<ErasureOrder> CheckErasureOrder(const v1::SignedErasureOrder& order,
                                               const JitId& jit, const CardBook& cards) {
  v1::ErasureOrder parsed;
  if (!parsed.ParseFromString(order.order())) return Malformed("bytes that are no order");
  const absl::StatusOr<LogId> log = LogId::From(parsed.log_id());
  const absl::StatusOr<PartyId> signer = PartyId::From(order.party());
  if (!log.ok() || !signer.ok()) return Malformed("no log, or no signer");
  if (parsed.indexes().empty() || parsed.indexes_size() > static_cast<int>(kPositionsPerOrder)) {
    return Malformed("no positions, or too many");
  }
  ErasureOrder out;
  out.id = crypto::Sha256(order.order());
  out.log = *log;
  out.signer = *signer;
  out.as_signed = order;
  for (const uint64_t index : parsed.indexes()) {
    if (!out.indexes.empty() && index <= *out.indexes.rbegin()) {
      return Malformed("positions that do not ascend");
    }
    out.indexes.insert(out.indexes.end(), index);
  }
  const TrustedCard* card = cards.FindOf(*signer, order.signer_card());
  if (card == nullptr || !crypto::VerifyStatement(card->statement_key, crypto::Purpose::erase, jit,
                                                  out.id.view(), order.signature())
                              .ok()) {
    return absl::UnauthenticatedError("an order to erase that its signer did not sign");
  }
  return out;
}

v1::Statement SignDestroyed(const JitId& jit, const v1::Destroyed& destroyed,
                            const Hash& signer_card, const crypto::SigningKey& key) {
  v1::Statement out;
  out.set_purpose(std::string(crypto::PurposeName(crypto::Purpose::destroyed)));
  out.set_payload(destroyed.SerializeAsString());
  out.set_signer_card(signer_card.str());
  out.set_signature(
      crypto::SignStatement(key, crypto::Purpose::destroyed, jit, out.payload()).str());
  return out;
}

absl::StatusOr<v1::Destroyed> CheckDestroyed(const v1::Statement& statement, const JitId& jit,
                                             const PartyId& author, const CardBook& cards) {
  const TrustedCard* card = cards.FindOf(author, statement.signer_card());
  v1::Destroyed out;
  if (statement.purpose() != crypto::PurposeName(crypto::Purpose::destroyed) || card == nullptr ||
      !crypto::VerifyStatement(card->statement_key, crypto::Purpose::destroyed, jit,
                               statement.payload(), statement.signature())
           .ok() ||
      !out.ParseFromString(statement.payload())) {
    return absl::UnauthenticatedError("a confirmation of an erasure that its author did not sign");
  }
  return out;
}

}  // namespace entente::sync

#include "node/core/proof_commands.h"

#include <optional>
#include <utility>

#include "node/core/node_commands.h"
#include "node/model/words.h"
#include "sync/anchors.h"
#include "sync/hlc.h"

namespace entente::core {
namespace {

int64_t Seconds(uint64_t hlc) { return absl::ToUnixSeconds(sync::TimeFromHlc(hlc)); }

std::string Day(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%d", absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
}

// This body's first entry on a record: what shows since when it has been registered here.
const model::RecordEntry* FirstOwn(const State& state, const model::Record& record) {
  const model::RecordEntry* first = nullptr;
  uint64_t first_hlc = 0;
  for (const model::RecordEntry& entry : record.entries()) {
    v1::EntryBody body;
    if (entry.author != state.self || !body.ParseFromString(entry.body_bytes)) continue;
    if (first != nullptr && body.hlc() >= first_hlc) continue;
    first = &entry;
    first_hlc = body.hlc();
  }
  return first;
}

// What an entry is to this node: one of a record it reads, or one that was handed on to it.
void DescribeEntry(const State& state, const Hash& leaf, v1::CheckExistenceResponse* out) {
  for (const auto& [number, kind] : state.kinds.all()) {
    for (const model::Record* record : state.model.List(nullptr, number)) {
      v1::EntryBody body;
      bool handed_on = false;
      for (const model::RecordEntry& entry : record->entries()) {
        if (!body.ParseFromString(entry.body_bytes)) continue;
        handed_on = handed_on || body.has_grant();
        if (entry.ref.leaf != leaf) continue;
        out->set_record(state.model.RefOf(*record));
        out->set_what(model::WhatItDoes(body, kind));
        return;
      }
      if (!handed_on) continue;
      for (const model::HandedOn& item : state.model.Fold(*record).originals) {
        if (item.original.ref.leaf != leaf) continue;
        out->set_record(state.model.RefOf(*record));
        out->set_what(model::WhatItDoes(item.original.body, kind));
        return;
      }
    }
  }
}

struct Proven {
  sync::ProvenExistence existence;
  const sync::TrustedCard* card;  // whose key the anchor was signed with
};

// Under whichever card of its author the log of the anchor is.
absl::StatusOr<Proven> VerifyUnderCards(const State& state, const PartyId& author,
                                        const v1::ExistenceProof& proof) {
  const auto verify = [&](const sync::TrustedCard& card) -> absl::StatusOr<Proven> {
    absl::StatusOr<sync::ProvenExistence> proven = sync::VerifyExistence(proof, card.log_key);
    if (!proven.ok()) return proven.status();
    return Proven{*std::move(proven), &card};
  };
  return state.replica.cards().UnderAnyCard(author, verify);
}

}  // namespace

absl::StatusOr<v1::ProveExistenceResponse> ProveExistence(
    State& state, absl::Time, const Caller&, const v1::ProveExistenceRequest& request) {
  const auto record = state.model.Resolve(request.record());
  if (!record.ok()) return record.status();
  const model::RecordEntry* entry = FirstOwn(state, **record);
  if (entry == nullptr) {
    return absl::PermissionDeniedError(
        "refused: this body has written nothing on this record, and only the author of an entry "
        "can prove its date [NOT_AUTHOR]\n  Next: ask the body that owns it for a proof");
  }
  const absl::StatusOr<v1::ExistenceProof> proof =
      state.replica.anchors().Prove((*record)->jit(), entry->ref);
  if (absl::IsNotFound(proof.status())) {
    return absl::FailedPreconditionError(
        "nothing has been deposited with the other bodies since it was registered; that happens "
        "once a day, after midnight UTC [NOT_YET]\n  Next: ask again tomorrow");
  }
  if (!proof.ok()) return proof.status();
  const absl::StatusOr<Proven> proven = VerifyUnderCards(state, state.self, *proof);
  if (!proven.ok()) return proven.status();
  v1::ProveExistenceResponse response;
  response.set_time(Seconds(proven->existence.anchor_hlc));
  if (request.by() != 0 && response.time() >= request.by()) {
    return absl::FailedPreconditionError(
        Cat("the earliest day on which its existence can be proven is ", Day(response.time()),
            " [NOT_PROVABLE]"));
  }
  response.set_proof(proof->SerializeAsString());
  response.set_record(state.model.RefOf(**record));
  return response;
}

absl::StatusOr<v1::CheckExistenceResponse> CheckExistence(
    State& state, absl::Time, const Caller&, const v1::CheckExistenceRequest& request) {
  v1::ExistenceProof proof;
  const bool parsed = proof.ParseFromString(request.proof());
  const absl::StatusOr<PartyId> author = PartyId::From(proof.author());
  if (!parsed || !author.ok()) {
    return absl::InvalidArgumentError("this is no proof of date [NOT_A_PROOF]");
  }
  const sync::TrustedCard* card = state.replica.cards().Find(*author);
  if (card == nullptr) {
    return absl::NotFoundError(
        "this proof is by a body whose card is not trusted here [UNKNOWN_PARTY]\n  Next: entente "
        "card trust FILE");
  }
  const absl::StatusOr<Proven> found = VerifyUnderCards(state, *author, proof);
  if (!found.ok()) {
    return absl::DataLossError(Cat("this proof does not hold: ", ToStd(found.status().message()),
                                   " [PROOF_DOES_NOT_HOLD]"));
  }
  const sync::ProvenExistence* proven = &found->existence;
  const absl::Time received = state.replica.AcknowledgedSince(
      proven->anchor.log, proven->anchor.index, proven->anchor.leaf);
  // Whoever has those keys can sign an anchor of any day; what is held here was there in time.
  const sync::LogState* log = state.replica.logs().Find(proven->anchor.log);
  const bool counts = log != nullptr && received != absl::InfinitePast() &&
                      proven->anchor.index < state.replica.EffectSize(log->id);
  if (state.replica.cards().IsRevoked(*found->card) && !counts) {
    return absl::DataLossError(
        Cat("this proof was signed with keys that ", card->card.code(),
            " has given up since, and this node has not received what it rests on "
            "[PROOF_DOES_NOT_HOLD]\n  Next: have it checked by a body that has"));
  }
  v1::CheckExistenceResponse response;
  response.set_author(card->card.code());
  response.set_time(Seconds(proven->anchor_hlc));
  response.set_entry(proven->entry.leaf.hex());
  // What the other bodies keep is the stronger half: the anchor was in their hands by then.
  response.set_received(SecondsOrZero(received));
  DescribeEntry(state, proven->entry.leaf, &response);
  return response;
}

}  // namespace entente::core

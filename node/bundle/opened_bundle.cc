#include "node/bundle/opened_bundle.h"

#include <utility>

#include "crypto/hash.h"
#include "node/bundle/proof_signature.h"

namespace entente::bundle {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(Cat("the proof is malformed: ", what));
}

model::Model::FileStatus Unknown(const v1::FileRef&) { return {"named", 0}; }

}  // namespace

absl::StatusOr<std::unique_ptr<OpenedBundle>> OpenedBundle::Open(std::string_view proof,
                                                                 std::string_view signature) {
  const absl::StatusOr<ProofSignature> signed_by = ParseProofSignature(signature);
  if (!signed_by.ok()) return signed_by.status();
  // Before anything of it is read: what was not signed is nobody's.
  if (crypto::Sha256(proof) != signed_by->digest) {
    return absl::UnauthenticatedError("the proof is not the one that was signed");
  }
  v1::BundleProof parsed;
  if (!parsed.ParseFromArray(proof.data(), static_cast<int>(proof.size()))) {
    return Malformed("its bytes do not parse");
  }
  if (parsed.format() != kFormat) {
    return absl::InvalidArgumentError(Cat("the bundle has format ", std::to_string(parsed.format()),
                                          "; this program knows format ", std::to_string(kFormat)));
  }
  if (parsed.jit_id() != signed_by->jit.view() || parsed.exporter() != signed_by->party.view()) {
    return absl::UnauthenticatedError("the proof and its signature name different bodies or cases");
  }
  std::unique_ptr<OpenedBundle> out(
      new OpenedBundle(std::move(parsed), signed_by->digest, signed_by->jit, signed_by->party));
  if (absl::Status s = out->TakeCards(); !s.ok()) return s;
  const sync::TrustedCard* card = out->cards_.FindOf(out->exporter_, out->proof_.exporter_card());
  if (card == nullptr) return Malformed("the card of the body that signed it is missing");
  if (absl::Status s = VerifyProofSignature(*signed_by, card->statement_key); !s.ok()) return s;
  if (out->cards_.IsRevoked(*card)) {
    return absl::UnauthenticatedError(
        Cat("it is signed with keys that ", card->card.code(), " has given up"));
  }
  if (absl::Status s = out->TakeLogs(); !s.ok()) return s;
  out->TakeEntries();
  if (absl::Status s = out->FindRecords(); !s.ok()) return s;
  return out;
}

OpenedBundle::OpenedBundle(v1::BundleProof proof, const Hash& digest, const JitId& jit,
                           const PartyId& exporter)
    : proof_(std::move(proof)),
      digest_(digest),
      jit_(jit),
      exporter_(exporter),
      decisions_(exporter_, cards_, directory_),
      exclusions_(exporter_, cards_, log_book_,
                  {[this](const JitId& id) { return decisions_.CurrentVersion(id); },
                   [this](const JitId& id, const Hash& version) {
                     return decisions_.SignersOf(id, version);
                   }}),
      model_(exporter_, kinds_, directory_,
             {Unknown, [this](const LogId& log) { return LimitOf(log); },
              [this](const PartyId& author, const v1::Grant& grant) {
                return cards_.UnderAnyCard(author, [&](const sync::TrustedCard& card) {
                  return sync::VerifyGrant(grant, card.log_key);
                });
              }}) {}

absl::Status OpenedBundle::TakeCards() {
  for (const std::string& signed_card : proof_.cards()) {
    sync::WriteBatch unused;
    if (absl::Status s = cards_.Trust(signed_card, &unused).status(); !s.ok()) return s;
  }
  for (const auto& [party, card] : cards_.all()) {
    directory_.Add(
        {party, card.card.code(), card.card.name(), card.card.kind(), card.card.country()});
  }
  return absl::OkStatus();
}

absl::Status OpenedBundle::TakeLogs() {
  for (const v1::BundleLog& log : proof_.logs()) {
    absl::StatusOr<sync::ProvenLog> proven = sync::VerifyProvenLog(log, jit_, cards_);
    if (!proven.ok()) return proven.status();
    const LogId id = proven->id;
    if (!logs_.emplace(id, *std::move(proven)).second) return Malformed("one log stands twice");
  }
  for (const std::string& raw : proof_.withheld()) {
    const absl::StatusOr<BlobId> blob = BlobId::From(raw);
    if (!blob.ok() || !withheld_.insert(*blob).second) return Malformed("a file that is none");
  }
  return absl::OkStatus();
}

void OpenedBundle::TakeEntries() {
  for (const auto& [id, log] : logs_) {
    for (const sync::OpenedEntry& entry : log.entries) {
      exclusions_.Learn(entry);
      if (!decisions_.Learn(entry)) model_.Apply(entry);
    }
  }
  // A version may be in force for want of an excluded body's Confirm alone.
  exclusions_.Refresh();
  decisions_.SetExcluded(jit_, exclusions_.ExcludedIn(jit_));
  for (const sync::ProposalState* version : Agreements()) {
    v1::Agreement agreement;
    if (agreement.ParseFromString(version->proposal.text())) {
      model_.AgreementInForce(jit_, version->hash, agreement);
    }
  }
}

absl::Status OpenedBundle::FindRecords() {
  std::set<RecordId> seen;
  for (const std::string& raw : proof_.records()) {
    const absl::StatusOr<RecordId> id = RecordId::From(raw);
    const model::Record* record = id.ok() ? model_.Find(*id) : nullptr;
    if (record == nullptr || !model_.Fold(*record).exists) {
      return Malformed("an item whose entries are missing, or rest on no agreement in it");
    }
    if (!seen.insert(*id).second) return Malformed("one item stands twice");
    records_.push_back(record);
  }
  if (records_.empty()) return Malformed("it is about nothing");
  return absl::OkStatus();
}

std::vector<const sync::ProposalState*> OpenedBundle::Agreements() const {
  const core::JitDecisions* jit = decisions_.Find(jit_);
  return jit == nullptr ? std::vector<const sync::ProposalState*>() : jit->agreement.InForce();
}

std::string OpenedBundle::CodeName() const {
  std::string out;
  for (const sync::ProposalState* version : Agreements()) {
    v1::Agreement agreement;
    if (agreement.ParseFromString(version->proposal.text())) out = agreement.code_name();
  }
  return out;
}

model::EffectLimit OpenedBundle::LimitOf(const LogId& log) const {
  const auto it = logs_.find(log);
  if (it == logs_.end() || !it->second.effect_size.has_value()) return {};
  return {*it->second.effect_size, it->second.effect_code,
          "the body that made the bundle holds it to have no effect"};
}

}  // namespace entente::bundle

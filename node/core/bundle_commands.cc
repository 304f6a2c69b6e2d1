#include "node/core/bundle_commands.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/bundle/bag.h"
#include "node/bundle/contents.h"
#include "node/bundle/opened_bundle.h"
#include "node/bundle/proof_signature.h"
#include "node/core/carry.h"

namespace entente::core {
namespace {

using Records = std::vector<const model::Record*>;

constexpr int kItemsMax = 500;  // everybody else waits while one is made

absl::StatusOr<Records> FindItems(const State& state, const v1::MakeBundleRequest& request) {
  if (request.records().empty()) {
    return absl::InvalidArgumentError(
        "say about which items [SCHEMA]\n  Next: entente bundle export --item E-…");
  }
  if (request.purpose().empty()) {
    return absl::InvalidArgumentError(
        "say what the bundle is for; all readers of the items will see it in their custody "
        "[SCHEMA]\n  Next: --purpose \"Trial in Corvia, file 12/2026\"");
  }
  if (absl::Status s = model::CheckText(request.purpose(), 4096, false); !s.ok()) return s;
  if (request.records_size() > kItemsMax) {
    return absl::InvalidArgumentError(
        Cat("a bundle holds ", std::to_string(kItemsMax), " items at most, not ",
            std::to_string(request.records_size()), " [TOO_MANY]\n  Next: make several"));
  }
  Records out;
  for (const std::string& ref : request.records()) {
    const auto record = state.model.ResolveKind(ref, model::kEvidenceKind);
    if (!record.ok()) return record.status();
    if (state.model.Fold(**record).erasure.has_value()) {
      return absl::FailedPreconditionError(
          Cat(state.model.RefOf(**record),
              " has been erased, so there is nothing of it to hand over [ERASED]\n  Next: entente "
              "evidence certificate ",
              state.model.RefOf(**record)));
    }
    if (!out.empty() && (*record)->jit() != out.front()->jit()) {
      return absl::InvalidArgumentError(
          "items of several JITs do not belong into one bundle [SCHEMA]\n  Next: make one for "
          "each");
    }
    if (std::find(out.begin(), out.end(), *record) == out.end()) out.push_back(*record);
  }
  return out;
}

absl::Status CheckFilesAreHere(const State& state, const Records& records) {
  for (const model::Record* record : records) {
    for (const v1::FileRef& file : state.model.Fold(*record).files) {
      const absl::StatusOr<BlobId> blob = BlobId::From(file.blob_id());
      const v1::BlobRow* row = blob.ok() ? state.replica.blobs().Find(*blob) : nullptr;
      if (row != nullptr && row->verified() && !row->damaged()) continue;
      const std::string ref = state.model.RefOf(*record);
      return absl::FailedPreconditionError(
          Cat("the file \"", model::CleanForDisplay(file.name()), "\" of ", ref,
              " is not here in full [NOT_ARRIVED]\n  Next: see how far it is: entente evidence "
              "show ",
              ref, ", or leave files out: --without-files"));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteExported(State& state, absl::Time now, const Caller& caller,
                           const v1::MakeBundleRequest& request, const Records& records) {
  if (state.model.ByIdempotencyKey(request.idempotency_key()).has_value()) return absl::OkStatus();
  v1::CustodyEvent event;
  event.set_kind(v1::CUSTODY_EVENT_KIND_EXPORTED);
  event.set_actor(caller.user);
  event.set_purpose(request.purpose());
  std::vector<sync::Draft> drafts;
  for (const model::Record* record : records) {
    const model::PlanContext context{state.model,
                                     now,
                                     caller.user,
                                     caller.role,
                                     record->jit(),
                                     state.entropy,
                                     drafts.empty() ? request.idempotency_key() : ""};
    absl::StatusOr<model::Plan> plan = model::PlanCustody(context, *record, event);
    if (!plan.ok()) return plan.status();
    for (sync::Draft& draft : plan->drafts) drafts.push_back(std::move(draft));
  }
  return state.Append(now, std::move(drafts));
}

// The items' own entries, and those that brought the agreement into force. Of an agreement that was
// never in force, of strategies and of suspensions nothing is said.
std::set<sync::EntryRef> EntriesOf(const State& state, const Records& records) {
  std::set<sync::EntryRef> out;
  for (const model::Record* record : records) {
    for (const model::RecordEntry& entry : record->entries()) out.insert(entry.ref);
  }
  const JitId& jit = records.front()->jit();
  const JitDecisions* decided = state.decisions.Find(jit);
  if (decided == nullptr) return out;
  std::set<Hash> about;
  for (const sync::ProposalState* version : decided->agreement.InForce()) {
    about.insert(version->hash);
  }
  if (!state.replica.exclusions().ExcludedIn(jit).empty()) about.insert(Hash());
  for (const auto& [proposal, ref] : decided->sources) {
    if (about.contains(proposal)) out.insert(ref);
  }
  return out;
}

void NoteEffect(const State& state, v1::BundleLog* log, const LogId& id) {
  const model::EffectLimit limit = state.LimitOf(id);
  if (limit.size == UINT64_MAX) return;
  log->set_effect_size(limit.size);
  log->set_effect_code(std::string(limit.code));
}

// Everybody whose signature or name is in it.
absl::Status AddCards(const State& state, v1::BundleProof* proof) {
  sync::Members bodies = {state.self};
  const auto add = [&bodies](const std::string& raw) {
    if (const auto party = PartyId::From(raw); party.ok()) bodies.insert(*party);
  };
  for (const v1::BundleLog& log : proof->logs()) {
    for (const std::string& member : log.members()) add(member);
    for (const v1::BundleReceipt& receipt : log.receipts()) add(receipt.party());
  }
  const JitDecisions* decided = state.decisions.Find(*JitId::From(proof->jit_id()));
  if (decided != nullptr) {
    for (const sync::ProposalState* version : decided->agreement.InForce()) {
      for (const v1::ProposalParty& party : version->proposal.parties()) add(party.party());
      for (const PartyId& party : version->required) bodies.insert(party);
    }
  }
  for (const PartyId& party : bodies) {
    v1::SignedCard card = state.replica.cards().Portable(party);
    if (card.card().empty()) {
      return absl::FailedPreconditionError(
          Cat("the card of ", state.CodeOf(party),
              ", which takes part in this, is not trusted here [CARD_NOT_TRUSTED]\n  Next: entente "
              "card trust FILE"));
    }
    proof->add_cards(card.SerializeAsString());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::BundleProof> MakeProof(State& state, absl::Time now, const Caller& caller,
                                          const v1::MakeBundleRequest& request,
                                          const Records& records) {
  v1::BundleProof proof;
  proof.set_format(bundle::kFormat);
  proof.set_jit_id(records.front()->jit().str());
  proof.set_exporter(state.self.str());
  proof.set_exporter_card(state.OwnCard().hash.str());
  proof.set_exported(absl::ToUnixSeconds(now));
  proof.set_user(caller.user);
  proof.set_purpose(request.purpose());
  std::set<std::string> withheld;
  for (const model::Record* record : records) {
    proof.add_records(record->id().str());
    for (const v1::FileRef& file : state.model.Fold(*record).files) {
      if (request.without_files() && withheld.insert(file.blob_id()).second) {
        proof.add_withheld(file.blob_id());
      }
    }
  }
  auto logs = state.replica.ProveEntries(EntriesOf(state, records));
  if (!logs.ok()) return logs.status();
  for (v1::BundleLog& log : *logs) {
    const LogId id = *LogId::From(log.originals(0).log_id());
    NoteEffect(state, &log, id);
    *proof.add_logs() = std::move(log);
  }
  if (absl::Status s = AddCards(state, &proof); !s.ok()) return s;
  return proof;
}

void Fill(const bundle::OpenedBundle& opened, const std::string& bytes,
          const std::string& signature, v1::MakeBundleResponse* response) {
  for (auto& [path, text] : bundle::Contents(opened, bytes, signature)) {
    v1::BundleText* out = response->add_texts();
    out->set_path(path);
    out->set_content(text);
  }
  for (const bundle::EnclosedFile& enclosed : bundle::EnclosedFiles(opened)) {
    v1::BundleFile* out = response->add_files();
    out->set_path(enclosed.path);
    out->set_record(enclosed.record->id().hex());
    out->set_name(enclosed.file.name());
    out->set_size(enclosed.file.plain_size());
    out->set_sha256(Hex(enclosed.file.plain_sha256()));
  }
  for (const auto& [party, body] : opened.directory().all()) response->add_bodies(body.code);
  response->set_proof_sha256(opened.digest().hex());
}

}  // namespace

absl::StatusOr<v1::MakeBundleResponse> MakeBundle(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::MakeBundleRequest& request) {
  const absl::StatusOr<Records> records = FindItems(state, request);
  if (!records.ok()) return records.status();
  if (!request.without_files()) {
    if (absl::Status s = CheckFilesAreHere(state, *records); !s.ok()) return s;
  }
  if (absl::Status s = WriteExported(state, now, caller, request, *records); !s.ok()) return s;
  const auto proof = MakeProof(state, now, caller, request, *records);
  if (!proof.ok()) return proof.status();
  const std::string bytes = proof->SerializeAsString();
  const std::string signature =
      bundle::SignProof(state.keys->statement, records->front()->jit(), state.self, bytes);
  // What does not open here would open nowhere: better said now than in court.
  const auto opened = bundle::OpenedBundle::Open(bytes, signature);
  if (!opened.ok()) {
    return absl::InternalError(Cat("the bundle that was made does not hold: ",
                                   ToStd(opened.status().message()), " [BUNDLE_DOES_NOT_HOLD]"));
  }
  v1::MakeBundleResponse response;
  Fill(**opened, bytes, signature, &response);
  return response;
}

}  // namespace entente::core

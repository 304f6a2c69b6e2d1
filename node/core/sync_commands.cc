#include "node/core/sync_commands.h"

#include <algorithm>
#include <utility>

#include "crypto/note.h"
#include "node/core/node_commands.h"
#include "node/model/record_ref.h"
#include "sync/entry_codec.h"
#include "sync/erasure_order.h"

namespace entente::core {
namespace {

constexpr int kRecordsShown = 200;
constexpr int kProblemsShown = 100;

std::string_view DeliveryName(sync::DeliveryState state) {
  switch (state) {
    case sync::DeliveryState::kQueued:
      return "queued";
    case sync::DeliveryState::kAtRelay:
      return "at relay";
    case sync::DeliveryState::kStored:
      return "stored";
    case sync::DeliveryState::kVerified:
      return "verified";
  }
  return "";
}

// A record counts as delivered as far as its least delivered own entry, and one of this body's own
// as verified once its files have been received in full as well.
sync::DeliveryState DeliveryOf(const State& state, const model::Record& record,
                               const PartyId& peer) {
  sync::DeliveryState least = sync::DeliveryState::kVerified;
  for (const model::RecordEntry& entry : record.entries()) {
    if (entry.author != state.self || !entry.audience->contains(peer)) continue;
    least = std::min(least, state.replica.Delivery(entry.ref, peer));
  }
  if (least != sync::DeliveryState::kVerified) return least;
  const model::Folded folded = state.model.Fold(record);
  if (folded.owner != state.self) return least;
  for (const v1::FileRef& file : folded.files) {
    const auto blob = BlobId::From(file.blob_id());
    if (blob.ok() && !state.replica.blobs().ReceivedBy(*blob, peer)) {
      return sync::DeliveryState::kStored;
    }
  }
  return least;
}

bool AddDeliveries(const State& state, const model::Record& record, bool only_open,
                   v1::GetSyncStatusResponse* out) {
  v1::RecordDelivery item;
  item.set_ref(state.model.RefOf(record));
  item.set_kind(state.kinds.Find(record.kind())->name());
  bool open = false;
  sync::Members readers;
  for (const model::RecordEntry& entry : record.entries()) {
    if (entry.author == state.self) readers.insert(entry.audience->begin(), entry.audience->end());
  }
  for (const PartyId& peer : readers) {
    if (peer == state.self) continue;
    const sync::DeliveryState delivered = DeliveryOf(state, record, peer);
    open |= delivered != sync::DeliveryState::kVerified;
    v1::Delivery* delivery = item.add_deliveries();
    delivery->set_peer(state.CodeOf(peer));
    delivery->set_state(std::string(DeliveryName(delivered)));
  }
  if (only_open && !open) return false;
  *out->add_records() = std::move(item);
  return true;
}

// Recomputes one log from its stored entries alone.
class LogCheck {
 public:
  LogCheck(State& state, v1::VerifyLogResponse* out) : state_(state), out_(out) {}

  void Run(const sync::LogState& log) {
    log_ = &log;
    name_ = Cat("log of ", state_.CodeOf(log.author), " ", log.id.hex().substr(0, 8));
    crypto::CompactRange range = crypto::CompactRange::Empty(0);
    uint64_t epoch_first = 0;
    const absl::Status read = state_.replica.logs().ReadRange(
        log, 0, log.size, [&](uint64_t index, const sync::StoredEntry& entry) {
          const Hash leaf = crypto::LeafHash(sync::HeaderOf(log.id, index, entry));
          if (leaf != entry.leaf) Problem(index, "its bytes are not those that were hashed");
          range.Append(leaf);
          out_->set_entries(out_->entries() + 1);
          if (entry.type == crypto::kEpoch) epoch_first = index + 1;
          if (entry.erased.has_value()) {
            CheckErased(index, *entry.erased);
          } else if (entry.type == crypto::kEpoch) {
            CheckEpochEntry(index, entry);
          } else {
            CheckSealed(index, entry, epoch_first);
          }
          return true;
        });
    if (!read.ok()) Problem(0, ToStd(read.message()));
    if (range.end() != log.size) Problem(range.end(), "entries are missing");
    CheckHead(range);
    CheckReceipts(log);
  }

 private:
  void Problem(uint64_t index, std::string_view what) {
    if (out_->problems_size() >= kProblemsShown) return;
    out_->add_problems(Cat(name_, ", entry ", std::to_string(index), ": ", what));
  }

  void CheckEpochEntry(uint64_t index, const sync::StoredEntry& entry) {
    v1::Epoch epoch;
    out_->set_epochs(out_->epochs() + 1);
    const sync::TrustedCard* author = state_.replica.cards().FindByHash(log_->author_card);
    if (author == nullptr || !epoch.ParseFromString(entry.body)) {
      Problem(index, "its epoch does not parse or its author is not known");
      return;
    }
    const auto members = sync::CheckEpoch(epoch, *log_, author->log_key);
    if (!members.ok()) Problem(index, ToStd(members.status().message()));
  }

  // Somebody who reads this log answers for the gap.
  void CheckErased(uint64_t index, const sync::ErasedBody& erased) {
    out_->set_erased(out_->erased() + 1);
    const auto stored = state_.replica.logs().ReadOrder(erased.order);
    if (!stored.ok()) return Problem(index, ToStd(stored.status().message()));
    const auto order = sync::CheckErasureOrder(stored->order(), log_->jit, state_.replica.cards());
    if (!order.ok()) return Problem(index, ToStd(order.status().message()));
    if (order->id != erased.order || !order->AnswersFor(log_->id, index, log_->members)) {
      Problem(index, "its body is missing, and no order says that it was erased");
    }
  }

  void CheckSealed(uint64_t index, const sync::StoredEntry& entry, uint64_t epoch_first) {
    const auto opened =
        sync::OpenEntry(*log_, index, entry, epoch_first, state_.replica.epoch_keys());
    if (opened.ok()) {
      out_->set_opened(out_->opened() + 1);
    } else if (absl::IsNotFound(opened.status())) {
      out_->set_locked(out_->locked() + 1);
    } else {
      Problem(index, ToStd(opened.status().message()));
    }
  }

  void CheckHead(crypto::CompactRange range) {
    const sync::TrustedCard* author = state_.replica.cards().FindByHash(log_->author_card);
    if (author == nullptr) return;
    const auto head = crypto::VerifyCheckpointNote(log_->head_note, log_->id, author->log_key);
    if (!head.ok()) {
      Problem(log_->head_size, "the signature of its head does not hold");
      return;
    }
    out_->set_heads(out_->heads() + 1);
    if (!range.AppendRange(log_->head_edge).ok() || head->size != range.end() ||
        *range.Root() != head->root) {
      Problem(log_->head_size, "its entries do not add up to the signed root");
    }
  }

  void CheckReceipts(const sync::LogState& log) {
    for (const auto& [party, receipt] : log.receipts) {
      const auto range = state_.replica.logs().RangeAt(log, receipt.size);
      if (!range.ok()) continue;
      const std::string text =
          crypto::CheckpointText({crypto::LogOrigin(log.id), receipt.size, *range->Root()});
      if (sync::ReceiptHolds(state_.replica.cards(), party, text, receipt.cosignature,
                             /*revoked=*/true)) {
        out_->set_cosignatures(out_->cosignatures() + 1);
      } else {
        Problem(receipt.size, Cat("the receipt of ", state_.CodeOf(party), " does not hold"));
      }
    }
  }

  State& state_;
  v1::VerifyLogResponse* out_;
  const sync::LogState* log_ = nullptr;
  std::string name_;
};

}  // namespace

absl::StatusOr<v1::GetSyncStatusResponse> GetSyncStatus(State& state, absl::Time, const Caller&,
                                                        const v1::GetSyncStatusRequest& request) {
  v1::GetSyncStatusResponse out;
  bool in_sync = true;
  for (const auto& [party, card] : state.replica.cards().all()) {
    if (party == state.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    v1::PeerStatus peer = DescribePeer(state, party);
    in_sync = in_sync && peer.waiting() == 0;
    *out.add_peers() = std::move(peer);
  }
  if (!request.record().empty()) {
    const auto record = state.model.Resolve(request.record());
    if (!record.ok()) return record.status();
    AddDeliveries(state, **record, /*only_open=*/false, &out);
  } else {
    for (const auto& [number, kind] : state.kinds.all()) {
      // What everybody has verified needs no line; with nothing waiting nothing can be open but
      // files, which only evidence has.
      if (in_sync && number != model::kEvidenceKind) continue;
      for (const model::Record* record : state.model.List(nullptr, number)) {
        if (out.records_size() >= kRecordsShown) break;
        AddDeliveries(state, *record, /*only_open=*/true, &out);
      }
    }
  }
  for (const sync::Refusals::Item& item : state.replica.refusals().All()) {
    v1::RefusalView* refusal = out.add_refusals();
    refusal->set_peer(item.peer.is_zero() ? "relay" : state.CodeOf(item.peer));
    refusal->set_direction(item.row.by_peer() ? "they refused" : "we refused");
    std::string name = v1::RefusalCode_Name(static_cast<v1::RefusalCode>(item.row.code()));
    if (name.rfind("REFUSAL_CODE_", 0) == 0) name = name.substr(13);
    refusal->set_code(name);
    refusal->set_detail(item.row.detail());
    refusal->set_time(item.row.last_time());
    refusal->set_count(item.row.count());
  }
  out.set_only_here(state.replica.OnlyHere());
  out.set_in_sync(in_sync && out.records_size() == 0);
  return out;
}

absl::StatusOr<v1::VerifyLogResponse> VerifyLog(State& state, absl::Time, const Caller&,
                                                const v1::VerifyLogRequest&) {
  v1::VerifyLogResponse out;
  LogCheck check(state, &out);
  for (const auto& [id, log] : state.replica.logs().all()) {
    if (log.size == 0) continue;
    out.set_logs(out.logs() + 1);
    check.Run(log);
  }
  out.set_ok(out.problems_size() == 0);
  return out;
}

absl::StatusOr<v1::ExportParcelResponse> ExportParcel(State& state, absl::Time now, const Caller&,
                                                      const v1::ExportParcelRequest& request) {
  const absl::StatusOr<PartyId> to = state.BodyByCode(request.to());
  if (!to.ok()) return to.status();
  if (*to == state.self) {
    return absl::InvalidArgumentError("a parcel goes to another body: --to XB [SCHEMA]");
  }
  std::vector<std::string> parcels;
  if (absl::Status s = state.replica.ExportParcels(*to, now, &parcels); !s.ok()) return s;
  v1::ExportParcelResponse out;
  for (std::string& parcel : parcels) out.add_parcels(std::move(parcel));
  return out;
}

absl::StatusOr<v1::ImportParcelResponse> ImportParcel(State& state, absl::Time now, const Caller&,
                                                      const v1::ImportParcelRequest& request) {
  uint64_t before = 0;
  for (const auto& [id, log] : state.replica.logs().all()) before += log.size;
  const auto opened = state.replica.ImportParcel(request.parcel(), now);
  if (!opened.ok()) return opened.status();
  if (absl::Status s = state.Absorb(now); !s.ok()) return s;
  uint64_t after = 0;
  for (const auto& [id, log] : state.replica.logs().all()) after += log.size;
  v1::ImportParcelResponse out;
  out.set_from(state.CodeOf(opened->from));
  out.set_entries(after - before);
  out.set_repeated_parcel(opened->repeated);
  return out;
}

}  // namespace entente::core

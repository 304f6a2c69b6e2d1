#include "node/core/erasure_commands.h"

#include <algorithm>
#include <utility>

#include "node/core/carry.h"
#include "node/model/plans.h"

namespace entente::core {
namespace {

// Where a copy may have left Entente: an erasure does not reach it, but whoever decides should
// know.
bool MadeACopy(const std::string& kind) {
  return kind == "ACCESSED" || kind == "EXPORTED" || kind == "TENDERED" || kind == "DISCLOSED";
}

v1::ErasurePreview Preview(State& state, absl::Time now, const model::Record& record) {
  const v1::RecordView view = state.model.View(record, now);
  v1::ErasurePreview out;
  out.set_ref(view.ref());
  out.set_title(view.title());
  out.set_entries(record.entries().size());
  for (const v1::FileView& file : view.files()) {
    out.set_files(out.files() + 1);
    out.set_file_bytes(out.file_bytes() + file.size());
  }
  *out.mutable_bodies() = view.audience();
  for (const v1::CustodyView& custody : view.custody()) {
    if (MadeACopy(custody.kind())) *out.add_copies() = custody;
  }
  for (const model::Record* other : state.model.List(nullptr, model::kEvidenceKind)) {
    const model::Folded folded = state.model.Fold(*other);
    const auto* item = dynamic_cast<const v1::EvidenceItem*>(folded.record.get());
    if (item == nullptr || folded.erasure.has_value()) continue;
    const bool derived = std::find(item->parents().begin(), item->parents().end(),
                                   record.id().view()) != item->parents().end();
    if (derived) out.add_derived(state.model.RefOf(*other));
  }
  return out;
}

absl::StatusOr<sync::ErasureOrders> OrdersFor(State& state, const model::Record& record) {
  std::set<sync::EntryRef> entries;
  for (const model::RecordEntry& entry : record.entries()) entries.insert(entry.ref);
  return state.replica.MakeErasureOrders(entries);
}

}  // namespace

absl::StatusOr<v1::EraseEvidenceResponse> EraseEvidence(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::EraseEvidenceRequest& request) {
  const auto record = state.model.ResolveKind(request.record(), model::kEvidenceKind);
  if (!record.ok()) return record.status();
  v1::EraseEvidenceResponse response;
  const bool repeated = state.model.ByIdempotencyKey(request.idempotency_key()).has_value();
  const model::PlanContext context{state.model,
                                   now,
                                   caller.user,
                                   caller.role,
                                   (*record)->jit(),
                                   state.entropy,
                                   request.idempotency_key()};
  if (!repeated) {
    if (absl::Status s = model::ToStatus(model::DecideErasure(context, **record)); !s.ok()) {
      return s;
    }
    *response.mutable_preview() = Preview(state, now, **record);
    if (!request.confirm()) return response;
  }
  auto view = Carry(state, now, request.idempotency_key(), [&]() -> absl::StatusOr<model::Plan> {
    const auto orders = OrdersFor(state, **record);
    if (!orders.ok()) return orders.status();
    return model::PlanErasure(context, **record, request.reason(), *orders);
  });
  if (!view.ok()) return view.status();
  *response.mutable_record() = *std::move(view);
  return response;
}

}  // namespace entente::core

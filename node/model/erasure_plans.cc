// A record that is to be destroyed wherever it is (Dir. (EU) 2016/680 Art. 5, 16(2)).
#include "node/model/record_plans.h"

namespace entente::model {

namespace {

Decision DecideOn(const PlanContext& context, const Record& record, const Folded& folded) {
  return Decide(QuestionAbout(context, record, folded, Action::kErase), context.model.directory());
}

}  // namespace

Decision DecideErasure(const PlanContext& context, const Record& record) {
  return DecideOn(context, record, context.model.Fold(record));
}

absl::StatusOr<Plan> PlanErasure(const PlanContext& context, const Record& record,
                                 const std::string& reason, const sync::ErasureOrders& orders) {
  const Folded folded = context.model.Fold(record);
  if (absl::Status s = ToStatus(DecideOn(context, record, folded)); !s.ok()) return s;
  if (absl::Status s = CheckReason(reason); !s.ok()) return s;
  Plan plan;
  plan.primary = record.id();
  for (const auto& [audience, signed_orders] : orders) {
    sync::Draft draft = DraftAbout(context, record, folded);
    draft.audience = audience;
    // It rests on nothing that it takes away.
    draft.body.clear_based_on();
    draft.body.clear_own_prev();
    v1::Erase& erase = *draft.body.mutable_erase();
    erase.set_basis(reason);
    erase.set_blind_key(folded.blind_key);
    erase.mutable_orders()->Add(signed_orders.begin(), signed_orders.end());
    plan.drafts.push_back(std::move(draft));
  }
  return plan;
}

}  // namespace entente::model

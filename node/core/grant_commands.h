// Handing records on as they were signed: the owner gives a new reader the very entries it wrote,
// each verifiable against the head it signed then. Protocol §6.
//
// A grant shows whole bodies, with the names and references inside, so everything it would show is
// previewed first, entry by entry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"
#include "node/model/plans.h"

namespace entente::core {

// What would be handed on of a record, in order and numbered from 1, and how many of its entries
// are by others, who alone can hand those on.
struct Originals {
  std::vector<v1::OriginalView> shown;
  std::vector<sync::Draft> drafts;
  uint32_t not_own = 0;
};
// Those of `numbers` (none: all) that some body of `to` has not got. Drafts only for `with_drafts`.
absl::StatusOr<Originals> PlanOriginals(State& state, const model::PlanContext& context,
                                        const model::Record& record, const sync::Members& to,
                                        const std::vector<uint64_t>& numbers,
                                        const std::string& basis, bool with_drafts);

absl::StatusOr<v1::GrantRecordResponse> GrantRecord(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::GrantRecordRequest& request);
absl::StatusOr<v1::ShowOriginalsResponse> ShowOriginals(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::ShowOriginalsRequest& request);

}  // namespace entente::core

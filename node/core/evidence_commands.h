// What people do with evidence. Each handler converts, plans, appends and shows; the thinking is in
// node/model.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"
#include "node/model/plans.h"

namespace entente::core {

absl::StatusOr<v1::ListEvidenceResponse> ListEvidence(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ListEvidenceRequest& request);
absl::StatusOr<v1::ShowEvidenceResponse> ShowEvidence(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ShowEvidenceRequest& request);
absl::StatusOr<v1::ReleaseEvidenceResponse> ReleaseEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::ReleaseEvidenceRequest& request);

struct Originals;
// What a release of `record` to `added` would make readable for whom, and whether it may.
v1::ReleasePreview PreviewRelease(State& state, const model::PlanContext& context,
                                  const model::Record& record, const sync::Members& added);
void AddOriginals(const Originals& originals, v1::ReleasePreview* preview);

// `uploads` are the files as the service took them in: hashed, chunked and sealed already.
absl::StatusOr<v1::AddEvidenceResponse> AddEvidence(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::AddEvidenceRequest& request,
                                                    const std::vector<UploadedFile>& uploads);

// An item of this body, not erased, that is to be reviewed by then (Unix seconds).
bool IsToBeReviewed(const State& state, const v1::RecordView& item, int64_t by);

}  // namespace entente::core

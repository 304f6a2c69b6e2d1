// What people do with evidence. Each handler converts, plans, appends and shows; the thinking is in
// node/model.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::ListEvidenceResponse> ListEvidence(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ListEvidenceRequest& request);
absl::StatusOr<v1::ShowEvidenceResponse> ShowEvidence(State& state, absl::Time now,
                                                      const Caller& caller,
                                                      const v1::ShowEvidenceRequest& request);
absl::StatusOr<v1::ReleaseEvidenceResponse> ReleaseEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::ReleaseEvidenceRequest& request);

// `uploads` are the files as the service took them in: hashed, chunked and sealed already.
absl::StatusOr<v1::AddEvidenceResponse> AddEvidence(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::AddEvidenceRequest& request,
                                                    const std::vector<UploadedFile>& uploads);

}  // namespace entente::core

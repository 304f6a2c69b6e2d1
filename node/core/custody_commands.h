// The chain of custody as people write it: what was done with an item, what of it was put right and
// who has taken note, whether it is restricted.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::RecordCustodyResponse> RecordCustody(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::RecordCustodyRequest& request);
absl::StatusOr<v1::CorrectEvidenceResponse> CorrectEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::CorrectEvidenceRequest& request);
absl::StatusOr<v1::NoteCorrectionsResponse> NoteCorrections(
    State& state, absl::Time now, const Caller& caller, const v1::NoteCorrectionsRequest& request);
absl::StatusOr<v1::RestrictEvidenceResponse> RestrictEvidence(
    State& state, absl::Time now, const Caller& caller, const v1::RestrictEvidenceRequest& request);

}  // namespace entente::core

// What people do with agreements: propose, sign, reject, show.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::ProposeAgreementResponse> ProposeAgreement(
    State& state, absl::Time now, const Caller& caller, const v1::ProposeAgreementRequest& request);
absl::StatusOr<v1::SignAgreementResponse> SignAgreement(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::SignAgreementRequest& request);
absl::StatusOr<v1::RejectAgreementResponse> RejectAgreement(
    State& state, absl::Time now, const Caller& caller, const v1::RejectAgreementRequest& request);
absl::StatusOr<v1::ShowAgreementResponse> ShowAgreement(State& state, absl::Time now,
                                                        const Caller& caller,
                                                        const v1::ShowAgreementRequest& request);
absl::StatusOr<v1::ListAgreementsResponse> ListAgreements(State& state, absl::Time now,
                                                          const Caller& caller,
                                                          const v1::ListAgreementsRequest& request);

// "SIGNING", "IN_FORCE", "EXPIRED", "REJECTED", "SUPERSEDED", "INVALID".
std::string AgreementStateName(const sync::DecisionChain& chain, const sync::ProposalState& state,
                               absl::Time now);

// The version in force, as it is shown. FailedPrecondition when there is none.
absl::StatusOr<v1::AgreementView> CurrentAgreementView(const State& state, const JitId& jit,
                                                       absl::Time now);

}  // namespace entente::core

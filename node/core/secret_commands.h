// Secrets shared with one other body and exchanged in person. Protocol §6.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::MakeSharedSecretResponse> MakeSharedSecret(
    State& state, absl::Time now, const Caller& caller, const v1::MakeSharedSecretRequest& request);
absl::StatusOr<v1::TakeSharedSecretResponse> TakeSharedSecret(
    State& state, absl::Time now, const Caller& caller, const v1::TakeSharedSecretRequest& request);
absl::StatusOr<v1::DropSharedSecretResponse> DropSharedSecret(
    State& state, absl::Time now, const Caller& caller, const v1::DropSharedSecretRequest& request);

}  // namespace entente::core

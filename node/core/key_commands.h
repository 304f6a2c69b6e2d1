// Commands about this node's own keys: fresh ones, and what is still sealed to older ones.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::KeyStatus> DescribeKeys(const State& state);

absl::StatusOr<v1::RotateKeysResponse> RotateKeys(State& state, absl::Time now, const Caller&,
                                                  const v1::RotateKeysRequest& request);

// What a thief of another body's keys could read, as far as this body knows: it shares what it
// says.
absl::StatusOr<v1::ShowExposureResponse> ShowExposure(State& state, absl::Time now, const Caller&,
                                                      const v1::ShowExposureRequest& request);

}  // namespace entente::core

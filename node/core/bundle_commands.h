// A bundle for a court: the entries of items as they were signed, the agreement they rest on, the
// cards of all bodies concerned, signed by this body. What stands in it and how it is checked:
// node/bundle, protocol §13.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/state.h"

namespace entente::core {

// Writes first into the custody of every item that it was made, so that the bundle says so itself.
// FailedPrecondition [NOT_ARRIVED]: a file that belongs into it is not here; InvalidArgument: no
// purpose, or items of several JITs.
absl::StatusOr<v1::MakeBundleResponse> MakeBundle(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::MakeBundleRequest& request);

}  // namespace entente::core

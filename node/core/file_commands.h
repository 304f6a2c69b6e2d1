// The files of evidence as this node has them: how far they are, which are wanted first, and
// whether what is held is still what it was. Nothing here writes an entry: it is between a body and
// its disk.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/core/engine.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::ListFilesResponse> ListFiles(State& state, absl::Time now, const Caller& caller,
                                                const v1::ListFilesRequest& request);
// NotFound [NO_FILE]: none of that name, or the items have no files.
absl::StatusOr<v1::FetchFilesResponse> FetchFiles(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::FetchFilesRequest& request);
absl::StatusOr<v1::CheckFilesResponse> CheckFiles(State& state, absl::Time now,
                                                  const Caller& caller,
                                                  const v1::CheckFilesRequest& request);

}  // namespace entente::core

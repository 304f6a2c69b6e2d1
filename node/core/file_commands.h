// The files of evidence as this node has them: how far they are, which are wanted first, whether
// what is held is still what it was; and who opens them.
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

// The file behind DownloadFile, if it is here in full. That somebody of this body opened a file of
// another's is written into its custody, for the owner to see.
absl::StatusOr<v1::FileRef> OpenFile(State& state, absl::Time now, const Caller& caller,
                                     const v1::DownloadFileRequest& request);

}  // namespace entente::core

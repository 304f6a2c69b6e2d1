// Records: lines, notes, evidence, tasks, progress, explanations. Each handler converts, plans,
// appends and shows; the thinking is in node/model.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

#define ENTENTE_RECORD_COMMAND(name)                                                          \
  absl::StatusOr<v1::name##Response> name(State& state, absl::Time now, const Caller& caller, \
                                          const v1::name##Request& request)

ENTENTE_RECORD_COMMAND(DraftStrategy);
ENTENTE_RECORD_COMMAND(AddLine);
ENTENTE_RECORD_COMMAND(ListLines);
ENTENTE_RECORD_COMMAND(AddNotes);
ENTENTE_RECORD_COMMAND(ListNotes);
ENTENTE_RECORD_COMMAND(ListEvidence);
ENTENTE_RECORD_COMMAND(ShowEvidence);
ENTENTE_RECORD_COMMAND(ReleaseEvidence);
ENTENTE_RECORD_COMMAND(AssignTask);
ENTENTE_RECORD_COMMAND(AcceptTask);
ENTENTE_RECORD_COMMAND(DeclineTask);
ENTENTE_RECORD_COMMAND(UpdateTask);
ENTENTE_RECORD_COMMAND(CompleteTask);
ENTENTE_RECORD_COMMAND(WithdrawTask);
ENTENTE_RECORD_COMMAND(ListTasks);
ENTENTE_RECORD_COMMAND(ShowTask);
ENTENTE_RECORD_COMMAND(GetProgress);
ENTENTE_RECORD_COMMAND(ExplainRecord);
ENTENTE_RECORD_COMMAND(ShowHistory);
ENTENTE_RECORD_COMMAND(ListChanges);

#undef ENTENTE_RECORD_COMMAND

absl::StatusOr<v1::AddEvidenceResponse> AddEvidence(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::AddEvidenceRequest& request,
                                                    const std::vector<UploadedFile>& uploads);

}  // namespace entente::core

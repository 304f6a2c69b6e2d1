// What all plans about a record that is here begin with: the question whether it may be done, and
// the entry that says it was.
#pragma once

#include "node/model/plans.h"

namespace entente::model {

// About this body and this person, now; facts that only some actions weigh stay empty.
Question QuestionAbout(const PlanContext& context, const Record& record, const Folded& folded,
                       Action action);

// An entry on the record for all its readers, without the change itself. An agreement is in force.
sync::Draft DraftAbout(const PlanContext& context, const Record& record, const Folded& folded);

// The same with an event for its custody.
sync::Draft EventDraft(const PlanContext& context, const Record& record, const Folded& folded,
                       const v1::CustodyEvent& event);

// Why something was done, which all readers of the record will see. InvalidArgument [SCHEMA]:
// nothing was said; [BAD_TEXT].
absl::Status CheckReason(const std::string& reason);

}  // namespace entente::model

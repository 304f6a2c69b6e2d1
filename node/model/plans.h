// What each command writes. Pure: a plan reads the model and returns drafts; the engine appends
// them, and they come back through Model::Apply like everybody else's entries.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "entente/v1/client.pb.h"
#include "node/model/decide.h"
#include "node/model/model.h"
#include "sync/entry_types.h"
#include "sync/erasure_order.h"

namespace entente::model {

struct PlanContext {
  const Model& model;
  absl::Time now;
  std::string user;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  JitId jit;
  Entropy& entropy;
  std::string idempotency_key;
};

struct Plan {
  std::vector<sync::Draft> drafts;
  RecordId primary;
};

// Audiences arrive as parties; this body is always added.
absl::StatusOr<Plan> PlanDraftStrategy(const PlanContext& context, const v1::Strategy& strategy);
absl::StatusOr<Plan> PlanAddLine(const PlanContext& context, const v1::LineOfEnquiry& line,
                                 const sync::Members& audience);
// The idempotency key of the note at `position` of one call.
std::string NoteKey(const std::string& idempotency_key, size_t position);
absl::StatusOr<Plan> PlanAddNotes(const PlanContext& context, const std::vector<std::string>& texts,
                                  const sync::Members& audience);
absl::StatusOr<Plan> PlanAddEvidence(const PlanContext& context, const v1::EvidenceItem& item,
                                     const std::vector<v1::FileRef>& files,
                                     const sync::Members& audience);
absl::StatusOr<Plan> PlanAssignTask(const PlanContext& context, const v1::Task& task,
                                    const sync::Members& audience,
                                    const sync::Members& coordinators, bool with_card);

struct TaskMove {
  std::string to;  // state name
  std::string reason;
  v1::Task fields;  // values of what the step sets
  std::vector<uint32_t> field_numbers;
};
absl::StatusOr<Plan> PlanTaskMove(const PlanContext& context, const Record& task,
                                  const TaskMove& move);

// A release is decided first, so that a dry run shows the same as the act.
Decision DecideRelease(const PlanContext& context, const Record& record,
                       const sync::Members& added);
absl::StatusOr<Plan> PlanRelease(const PlanContext& context, const Record& record,
                                 const sync::Members& added, const std::string& legal_basis,
                                 const std::string& purpose);

// Originals of `record` for one body, each in the log of the two.
absl::StatusOr<Plan> PlanGrants(const PlanContext& context, const Record& record, const PartyId& to,
                                std::vector<v1::Grant> grants);

// What somebody did with an item, for all its readers. Hand-overs are not said so: a release is one
// by itself, and a receipt answers the newest release to this body, whether there is a file or not.
// InvalidArgument: a kind that people do not record, a time to come, a file the item does not have,
// an event to be put right that is not there.
absl::StatusOr<Plan> PlanCustody(const PlanContext& context, const Record& record,
                                 v1::CustodyEvent event);

// This node holds a file in full and has compared its hash: the receipt that answers the hand-over.
// No drafts when there is nothing to answer.
absl::StatusOr<Plan> PlanReceipt(const PlanContext& context, const Record& record,
                                 const v1::FileRef& file);

// A person of this body has opened a file of another body's item: its owner is told. No drafts for
// an own item, when the same person opened the same file within the last hour, or when nothing can
// be written any more.
Plan PlanAccess(const PlanContext& context, const Record& record, const v1::FileRef& file);

// The owner puts facts of an item right: the fields that are set in `item`, and those named in
// `clear`. InvalidArgument: no reason, nothing to change, an unknown field.
absl::StatusOr<Plan> PlanCorrection(const PlanContext& context, const Record& record,
                                    const v1::EvidenceItem& item,
                                    const std::vector<std::string>& clear,
                                    const std::string& reason);
// This body takes note of every correction it has not noted yet. No drafts when there is none.
absl::StatusOr<Plan> PlanNoteCorrections(const PlanContext& context, const Record& record);
// Restricts an item, or lifts that. FailedPrecondition [BAD_STATE]: it is so already.
absl::StatusOr<Plan> PlanRestriction(const PlanContext& context, const Record& record, bool lift,
                                     const std::string& reason);

// The owner has a record erased by all who hold it. `orders` name all its entries, each for those
// who read the log that it is about.
Decision DecideErasure(const PlanContext& context, const Record& record);
absl::StatusOr<Plan> PlanErasure(const PlanContext& context, const Record& record,
                                 const std::string& reason, const sync::ErasureOrders& orders);

// Progress per responsible body, from cards alone.
v1::GetProgressResponse Progress(const Model& model, const JitId* jit, absl::Time now);

}  // namespace entente::model

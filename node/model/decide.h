// Who may do what with which record: the one place where it is decided.
//
// Pure: the same question has the same answer, and Explain asks the same question without acting.
// Across borders only key wraps confer reading; inside a node decide() does, at every call. Rules
// are those of the law-derived access model: agreement in force, audience chosen by the owner,
// handling codes, third-country gate, role capability.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/records.pb.h"
#include "node/model/directory.h"
#include "sync/entry_types.h"

namespace entente::model {

enum class Action {
  kRead,
  kCreate,
  kRelease,
  kAssignTask,
  kMoveTask,
  kRecordCustody,
  kChange,
  kErase
};

// What is asked. Facts that do not apply stay empty.
struct Question {
  Action action = Action::kRead;
  PartyId body;                              // who wants to act or to read
  v1::Role role = v1::ROLE_UNSPECIFIED;      // of the person; unspecified: the body as such
  const v1::Agreement* agreement = nullptr;  // in force; null when there is none
  absl::Time now;
  bool exists = false;  // the record is here
  PartyId owner;
  sync::Members audience;  // of the record, or of what is to be created
  sync::Members added;     // release: who is to be able to read
  v1::HandlingCode handling = v1::HANDLING_CODE_UNSPECIFIED;
  std::string classification;
  bool restricted = false;  // by its owner
  bool erased = false;
  std::string record;  // reference, for the texts
};

struct Step {
  std::string rule;
  bool passed = true;
  std::string detail;
};

struct Decision {
  bool allowed = true;
  std::string code;     // stable, for programs
  std::string because;  // one sentence
  std::string article;
  std::string next;  // what would change it
  std::vector<Step> steps;
};

Decision Decide(const Question& question, const Directory& directory);

// The decision as a status: OK, or PermissionDenied in the three-line form of our errors.
absl::Status ToStatus(const Decision& decision);

}  // namespace entente::model

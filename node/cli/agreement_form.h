// The flags of `entente agreement propose`, and the Agreement they describe.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "entente/v1/records.pb.h"
#include "node/cli/args.h"

namespace entente::cli {

std::vector<Flag> AgreementFlags();

// Adds to `agreement` what the flags say. Bodies are named by code; a person's body stands as its
// code where the party id will be: the node fills both in from its trusted cards.
absl::Status FillAgreement(const Args& args, v1::Agreement* agreement);

// "XA:ANNA:prosecutor" in three; the last two may be missing.
struct BodyPerson {
  std::string code;
  std::string user;
  std::string function;
};
BodyPerson SplitPerson(std::string_view text);

}  // namespace entente::cli

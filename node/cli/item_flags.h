// The facts of an evidence item as flags: for what is new and for what was wrong.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "entente/v1/records.pb.h"
#include "node/cli/args.h"
#include "node/cli/context.h"

namespace entente::cli {

std::vector<Flag> ItemFlags();
// Sets what the command line says and leaves the rest.
absl::Status FillItem(Context& context, v1::EvidenceItem* item);

}  // namespace entente::cli

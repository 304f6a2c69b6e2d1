// What `entente node doctor` shows and how it exits.
#pragma once

#include <string>

#include "entente/v1/client.pb.h"
#include "node/cli/exit_code.h"

namespace entente::cli {

// kDone: advice at most; kFailed: something needs mending; kIntegrity: an alarm.
ExitCode ExitCodeOf(const v1::DiagnoseResponse& response);
std::string FindingsText(const v1::DiagnoseResponse& response);

}  // namespace entente::cli

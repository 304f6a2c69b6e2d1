// Which roles may call which method: one table, asked before every call. A method that is not in it
// is refused, so a new one cannot be forgotten.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "entente/v1/client.pb.h"

namespace entente::model {

// PermissionDenied [ROLE] or [UNKNOWN_METHOD]. `method` is "/entente.v1.TaskService/AcceptTask".
absl::Status Authorize(v1::Role role, std::string_view method);

// Every method of the table, for the test that compares it with the services.
std::vector<std::string_view> AuthorizedMethods();

}  // namespace entente::model

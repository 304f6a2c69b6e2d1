// Ids of audiences and logs: salted, so that nobody outside can guess them from a list of bodies.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"

namespace entente::crypto {

// H("audience", jit, salt, members); `salt` has 16 bytes, `members` are sorted and unique.
absl::StatusOr<AudienceId> ComputeAudienceId(const JitId& jit, std::string_view salt,
                                             const std::vector<PartyId>& members);

// H("log", jit, author's log key, audience, incarnation).
LogId ComputeLogId(const JitId& jit, const PublicKey& log_key, const AudienceId& audience,
                   uint32_t incarnation);

}  // namespace entente::crypto

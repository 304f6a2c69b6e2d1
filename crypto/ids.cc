#include "crypto/ids.h"

#include <algorithm>
#include <string>

#include "crypto/hash.h"

namespace entente::crypto {

absl::StatusOr<AudienceId> ComputeAudienceId(const JitId& jit, std::string_view salt,
                                             const std::vector<PartyId>& members) {
  if (salt.size() != 16) return absl::InvalidArgumentError("an audience salt has 16 bytes");
  if (members.empty()) return absl::InvalidArgumentError("an audience without members");
  if (std::adjacent_find(members.begin(), members.end(), std::greater_equal<>()) != members.end()) {
    return absl::InvalidArgumentError("the members of an audience must be sorted and unique");
  }
  std::string list;
  for (const PartyId& member : members) list.append(member.view());
  return AudienceId::From(H("audience", {jit.view(), salt, list}).view());
}

LogId ComputeLogId(const JitId& jit, const PublicKey& log_key, const AudienceId& audience,
                   uint32_t incarnation) {
  std::string number;
  AppendU32(&number, incarnation);
  return *LogId::From(H("log", {jit.view(), log_key.view(), audience.view(), number}).view());
}

}  // namespace entente::crypto

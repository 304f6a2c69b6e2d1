// What a JIT agreement must contain before anybody can sign it. Sources: Reg. (EU) 2023/969,
// Framework Decision 2002/465/JHA, the statutory minimum content of the model agreement.
#pragma once

#include "absl/status/status.h"
#include "entente/v1/records.pb.h"
#include "node/model/directory.h"

namespace entente::model {

// Each error has a stable code, the article and what to do.
absl::Status CheckAgreement(const v1::Agreement& agreement, const Directory& directory);

// A third-country body may contribute only once a controller for its data is named (R 23(2)).
absl::Status MayContribute(const v1::Agreement& agreement, const PartyId& body);

}  // namespace entente::model

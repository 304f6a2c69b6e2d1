// How people name a record: T-7K3M9Q. Derived from the record's id, never counted: a counter would
// tell whoever sees number 113 that a hundred and twelve others exist.
#pragma once

#include <string>

#include "crypto/bytes.h"
#include "node/model/kinds.h"

namespace entente::model {

// The kind's letter and 30 bits of SHA-256(id) in Crockford's base 32 (no I, L, O, U).
std::string RecordRef(const Kind& kind, const RecordId& id);
// Upper case, with O, I and L read as the digits they are mistaken for.
std::string NormalizeRef(std::string_view typed);

}  // namespace entente::model

// Known answers of every primitive that the formats rest on, from the documents that define them. A
// library that was swapped, miscompiled or left unpatched is noticed before it touches a case.
#pragma once

#include "absl/status/status.h"

namespace entente::crypto {

// Internal, naming the primitive that answered wrongly. Takes well under a millisecond.
absl::Status SelfTest();

}  // namespace entente::crypto

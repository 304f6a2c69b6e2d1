// Fork proofs: an author signed two trees that cannot be one. Protocol §6.
//
// Two signed heads of one log, size a ≤ size b, and the compact ranges [0, a) and [a, b) of the
// second tree. Valid when both heads carry the author's signature and
//   a = b: the roots differ, or
//   a < b: [0, a) and [a, b) fold to the second root, while [0, a) alone does not fold to the
//   first.
// Anybody who knows the author's log key can check it, without a single entry. A proof cannot be
// made from consistent heads, whoever tries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entente/v1/entry.pb.h"
#include "sync/log_book.h"

namespace entente::sync {

// Proves that `theirs`, a note of at most `log`'s own head, contradicts what is held here.
// FailedPrecondition when the two agree, or when the log is not held in full; Unauthenticated when
// the author did not sign `theirs`.
absl::StatusOr<v1::ForkProof> ProveFork(const LogBook& logs, const LogState& log,
                                        std::string_view theirs, const PublicKey& log_key);

// Unauthenticated or InvalidArgument with what does not hold.
absl::StatusOr<Fork> VerifyFork(const v1::ForkProof& proof, const LogId& log,
                                const PublicKey& log_key);

}  // namespace entente::sync

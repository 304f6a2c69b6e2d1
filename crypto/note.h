// Signed heads in the open formats of C2SP: signed-note, tlog-checkpoint, tlog-cosignature. Tools
// that are not ours can verify them.
//
//   entente/v1/<hex log id>          origin
//   <size in decimal>
//   <base64 root>
//
//   — <origin> <base64(key id ‖ Ed25519 signature)>
//   — entente/v1/cosigner/<hex party> <base64(key id ‖ u64 time ‖ signature)>
//
// A head's signature has type 0x01 and covers the three lines; a cosignature has type 0x04 and
// covers "cosignature/v1\ntime <seconds>\n" and the three lines. No extension lines. Names are
// printable ASCII without "+", narrower than the UTF-8 of the specification.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "crypto/signing.h"

namespace entente::crypto {

inline constexpr size_t kNoteBytesMax = 64 * 1024;
inline constexpr size_t kNoteSignaturesMax = 64;

struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Hash root;
};

std::string LogOrigin(const LogId& log);
absl::StatusOr<LogId> LogIdFromOrigin(std::string_view origin);
std::string CosignerName(const PartyId& party);

// The three lines, each ended by a newline.
std::string CheckpointText(const Checkpoint& checkpoint);
absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text);

// Text, empty line, signature line.
std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& log_key);
// Verifies the log's own signature line and passes over those of others. Unauthenticated when there
// is none that holds; InvalidArgument when the note is malformed or of another log.
absl::StatusOr<Checkpoint> VerifyCheckpointNote(std::string_view note, const LogId& log,
                                                const PublicKey& log_key);

// One cosignature line over the text of `note` (a note, or the text alone).
std::string CosignLine(std::string_view note, const PartyId& cosigner, const SigningKey& key,
                       uint64_t unix_seconds);
// The time it states. `note` may be a note or the text alone.
absl::StatusOr<uint64_t> VerifyCosignLine(std::string_view note, std::string_view line,
                                          const PartyId& cosigner, const PublicKey& key);

std::string AppendSignatureLine(std::string_view note, std::string_view line);

}  // namespace entente::crypto

#include "crypto/note.h"

#include <algorithm>
#include <vector>

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

constexpr std::string_view kOriginPrefix = "entente/v1/";
constexpr std::string_view kDash = "\xE2\x80\x94 ";  // em dash and a blank, as signed-note wants
constexpr char kEd25519 = 0x01;
constexpr char kCosignature = 0x04;
constexpr uint64_t kUnixSecondsMax = INT64_MAX;  // tlog-cosignature: 2^63 - 1
constexpr size_t kSignatureLineBytesMax = 1024;  // ours have about 200

// The first four bytes of SHA-256(name ‖ "\n" ‖ type ‖ public key).
std::string KeyHash(std::string_view name, char type, const PublicKey& key) {
  return std::string(
      Sha256({name, "\n", std::string_view(&type, 1), key.view()}).view().substr(0, 4));
}

std::string SignatureLine(std::string_view name, std::string_view blob) {
  return Cat(kDash, name, " ", Base64Encode(blob), "\n");
}

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c > ' ' && c < 0x7F && c != '+'; });
}

// Splits "— name base64\n". The blob's first four bytes are the key hash.
struct Line {
  std::string_view name;
  std::string blob;
};
absl::StatusOr<Line> ParseLine(std::string_view line) {
  if (!line.starts_with(kDash) || !line.ends_with('\n')) {
    return absl::InvalidArgumentError("a malformed signature line");
  }
  line.remove_prefix(kDash.size());
  line.remove_suffix(1);
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos || !IsName(line.substr(0, blank))) {
    return absl::InvalidArgumentError("a signature line without a proper name");
  }
  absl::StatusOr<std::string> blob = Base64Decode(line.substr(blank + 1));
  if (!blob.ok() || blob->size() < 5) {
    return absl::InvalidArgumentError("a signature line without a signature");
  }
  return Line{line.substr(0, blank), *std::move(blob)};
}

// The text of a note: everything up to the empty line, or all of it when there is none.
std::string_view TextOf(std::string_view note) {
  const size_t end = note.find("\n\n");
  return end == std::string_view::npos ? note : note.substr(0, end + 1);
}

absl::StatusOr<uint64_t> ParseDecimal(std::string_view text) {
  if (text.empty() || text.size() > 19 || (text.size() > 1 && text[0] == '0')) {
    return absl::InvalidArgumentError("a checkpoint with a malformed size");
  }
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return absl::InvalidArgumentError("a checkpoint with a malformed size");
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

std::string CosignedMessage(std::string_view text, uint64_t unix_seconds) {
  return Cat("cosignature/v1\ntime ", std::to_string(unix_seconds), "\n", text);
}

}  // namespace

std::string LogOrigin(const LogId& log) { return Cat(kOriginPrefix, log.hex()); }

absl::StatusOr<LogId> LogIdFromOrigin(std::string_view origin) {
  if (!origin.starts_with(kOriginPrefix)) {
    return absl::InvalidArgumentError("not the origin of one of our logs");
  }
  const absl::StatusOr<LogId> log = LogId::FromHex(origin.substr(kOriginPrefix.size()));
  if (log.ok() && LogOrigin(*log) != origin) {
    return absl::InvalidArgumentError("an origin in another spelling");
  }
  return log;
}

std::string CosignerName(const PartyId& party) {
  return Cat(kOriginPrefix, "cosigner/", party.hex());
}

std::string CheckpointText(const Checkpoint& checkpoint) {
  return Cat(checkpoint.origin, "\n", std::to_string(checkpoint.size), "\n",
             Base64Encode(checkpoint.root.view()), "\n");
}

absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos || lines.size() == 3) {
      return absl::InvalidArgumentError("a checkpoint has exactly three lines");
    }
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() != 3 || !IsName(lines[0])) {
    return absl::InvalidArgumentError("a checkpoint has exactly three lines, its origin first");
  }
  const absl::StatusOr<uint64_t> size = ParseDecimal(lines[1]);
  if (!size.ok()) return size.status();
  const absl::StatusOr<std::string> raw = Base64Decode(lines[2]);
  if (!raw.ok()) return raw.status();
  const absl::StatusOr<Hash> root = Hash::From(*raw);
  if (!root.ok()) return root.status();
  return Checkpoint{std::string(lines[0]), *size, *root};
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& log_key) {
  const std::string text = CheckpointText(checkpoint);
  const std::string blob =
      Cat(KeyHash(checkpoint.origin, kEd25519, log_key.public_key()), log_key.Sign(text).view());
  return Cat(text, "\n", SignatureLine(checkpoint.origin, blob));
}

absl::StatusOr<Checkpoint> VerifyCheckpointNote(std::string_view note, const LogId& log,
                                                const PublicKey& log_key) {
  if (note.size() > kNoteBytesMax) return absl::InvalidArgumentError("a note beyond 64 KiB");
  const std::string_view text = TextOf(note);
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(text);
  if (!checkpoint.ok()) return checkpoint;
  const std::string origin = LogOrigin(log);
  if (checkpoint->origin != origin) return absl::InvalidArgumentError("a head of another log");
  if (text.size() == note.size()) return absl::UnauthenticatedError("a note without signatures");
  std::string_view rest = note.substr(text.size() + 1);
  const std::string key_hash = KeyHash(origin, kEd25519, log_key);
  bool verified = false;
  for (size_t count = 0; !rest.empty(); ++count) {
    if (count == kNoteSignaturesMax) return absl::InvalidArgumentError("too many signatures");
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return absl::InvalidArgumentError("a cut signature line");
    const absl::StatusOr<Line> line = ParseLine(rest.substr(0, end + 1));
    if (!line.ok()) return line.status();
    rest.remove_prefix(end + 1);
    if (line->name != origin || line->blob.substr(0, 4) != key_hash) continue;
    if (absl::Status s = Verify(log_key, text, std::string_view(line->blob).substr(4)); !s.ok()) {
      return s;
    }
    verified = true;
  }
  if (!verified) return absl::UnauthenticatedError("no signature by the log's own key");
  return checkpoint;
}

std::string CosignLine(std::string_view note, const PartyId& cosigner, const SigningKey& key,
                       uint64_t unix_seconds) {
  const std::string name = CosignerName(cosigner);
  std::string blob = KeyHash(name, kCosignature, key.public_key());
  AppendU64(&blob, unix_seconds);
  blob.append(key.Sign(CosignedMessage(TextOf(note), unix_seconds)).view());
  return SignatureLine(name, blob);
}

absl::StatusOr<uint64_t> VerifyCosignLine(std::string_view note, std::string_view line,
                                          const PartyId& cosigner, const PublicKey& key) {
  if (line.size() > kSignatureLineBytesMax) {
    return absl::InvalidArgumentError("a signature line beyond its bound");
  }
  const absl::StatusOr<Line> parsed = ParseLine(line);
  if (!parsed.ok()) return parsed.status();
  const std::string name = CosignerName(cosigner);
  const std::string_view blob = parsed->blob;
  if (parsed->name != name || blob.size() != 4 + 8 + Signature::kSize ||
      blob.substr(0, 4) != KeyHash(name, kCosignature, key)) {
    return absl::UnauthenticatedError("a cosignature of another party or key");
  }
  const uint64_t time = *ByteReader(blob.substr(4, 8)).ReadU64();
  if (time > kUnixSecondsMax) return absl::InvalidArgumentError("a cosignature beyond all time");
  if (absl::Status s = Verify(key, CosignedMessage(TextOf(note), time), blob.substr(12)); !s.ok()) {
    return s;
  }
  return time;
}

std::string AppendSignatureLine(std::string_view note, std::string_view line) {
  return Cat(note, line);
}

}  // namespace entente::crypto

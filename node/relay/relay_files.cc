#include "node/relay/relay_files.h"

#include <charconv>

#include "absl/strings/str_split.h"
#include "crypto/bytes.h"
#include "node/store/file_io.h"
#include "node/store/keystore_file.h"

namespace entente::relay {
namespace {

constexpr std::string_view kMagic = "entente-relay-1";
constexpr uint64_t kFileBytesMax = 64 << 10;

std::string PathIn(const std::string& dir, std::string_view name) { return Cat(dir, "/", name); }

absl::Status BadLine(size_t number, std::string_view line) {
  return absl::InvalidArgumentError(
      Cat("relay.conf, line ", std::to_string(number), " is not understood: \"", line,
          "\" [BAD_CONFIG]\n  Next: lines are listen: HOST:PORT, address: HOST:PORT and bytes-max: "
          "NUMBER"));
}

bool ParseNumber(std::string_view text, uint64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string EncodeRelayConfig(const RelayConfig& config) {
  return Cat(kMagic, "\nlisten: ", config.listen, "\naddress: ", config.address,
             "\nbytes-max: ", std::to_string(config.bytes_max), "\n");
}

absl::StatusOr<RelayConfig> ParseRelayConfig(std::string_view text) {
  RelayConfig out;
  const std::vector<std::string> lines = absl::StrSplit(ToAbsl(text), '\n');
  if (lines.front() != kMagic) return BadLine(1, lines.front());
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.empty() || line.front() == '#') continue;
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) return BadLine(i + 1, line);
    const std::string name = line.substr(0, colon);
    const std::string value = line.substr(colon + 2);
    if (name == "listen") {
      out.listen = value;
    } else if (name == "address") {
      out.address = value;
    } else if (name != "bytes-max" || !ParseNumber(value, &out.bytes_max)) {
      return BadLine(i + 1, line);
    }
  }
  if (out.listen.empty()) return BadLine(lines.size(), "no listen: HOST:PORT");
  return out;
}

absl::StatusOr<RelayConfig> ReadRelayConfig(const std::string& data_dir) {
  const std::string path = PathIn(data_dir, kConfigFile);
  if (!store::Exists(path)) {
    return absl::NotFoundError(Cat("there is no relay in \"", data_dir,
                                   "\" [NO_RELAY]\n  The folder has no relay.conf.\n  Next: make "
                                   "one: entente relay init --data DIR --listen HOST:PORT"));
  }
  const absl::StatusOr<std::string> text = store::ReadFile(path, kFileBytesMax);
  if (!text.ok()) return text.status();
  return ParseRelayConfig(*text);
}

absl::StatusOr<crypto::TlsIdentity> ReadRelayIdentity(const std::string& data_dir) {
  const absl::StatusOr<std::string> certificate =
      store::ReadFile(PathIn(data_dir, kTlsCertificateFile), kFileBytesMax);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<crypto::SecretBytes> key = store::ReadSecretFile(PathIn(data_dir, kTlsKeyFile));
  if (!key.ok()) return key.status();
  return crypto::TlsIdentity{*certificate, *std::move(key)};
}

}  // namespace entente::relay

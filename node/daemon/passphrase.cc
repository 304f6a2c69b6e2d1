#include "node/daemon/passphrase.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "crypto/bytes.h"
#include "node/service/errors.h"
#include "node/store/keystore_file.h"

namespace entente::daemon {
namespace {

constexpr uint64_t kFileBytesMax = 4096;

absl::Status Refused(std::string_view what, std::string_view why) {
  return service::Error(absl::StatusCode::kInvalidArgument,
                        {.what = what,
                         .code = "PASSPHRASE",
                         .why = why,
                         .next = "write one line into a file with mode 0600 and say "
                                 "--passphrase-file FILE"});
}

// Reads one line without showing it.
absl::StatusOr<crypto::SecretBytes> AskOnce(const char* question) {
  std::fprintf(stderr, "%s ", question);
  termios shown{};
  tcgetattr(STDIN_FILENO, &shown);
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::string line;
  line.reserve(kFileBytesMax);  // no copies are left behind while it grows
  char c = 0;
  while (line.size() < kFileBytesMax && read(STDIN_FILENO, &c, 1) == 1 && c != '\n') line += c;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  std::fputs("\n", stderr);
  crypto::SecretBytes out(line);
  crypto::WipeMemory(line.data(), line.size());
  return out;
}

absl::StatusOr<crypto::SecretBytes> Ask(bool fresh) {
  if (isatty(STDIN_FILENO) == 0) {
    return Refused("no passphrase for the keystore", "Nobody is here to be asked for it.");
  }
  absl::StatusOr<crypto::SecretBytes> first = AskOnce("Passphrase of the keystore:");
  if (!first.ok() || !fresh) return first;
  const absl::StatusOr<crypto::SecretBytes> second = AskOnce("The same again:");
  if (!second.ok()) return second.status();
  if (first->view() != second->view()) return Refused("the two differ", "Nothing was made.");
  return first;
}

}  // namespace

absl::StatusOr<crypto::SecretBytes> GetPassphrase(const std::string& file, bool fresh) {
  absl::StatusOr<crypto::SecretBytes> passphrase =
      file.empty() ? Ask(fresh) : store::ReadSecretFile(file, kFileBytesMax);
  if (!passphrase.ok()) return passphrase;
  std::string_view text = passphrase->view();
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (fresh && text.size() < kPassphraseBytesMin) {
    return Refused("the passphrase is too short",
                   Cat("It protects every key of the body; it has at least ",
                       std::to_string(kPassphraseBytesMin), " characters."));
  }
  return crypto::SecretBytes(std::string(text));
}

}  // namespace entente::daemon

#include "node/cli/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

namespace fs = std::filesystem;

bool HasFlag(const std::vector<std::string>& words, const std::string& flag) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word == "--" + flag || word.rfind("--" + flag + "=", 0) == 0;
  });
}

std::string ValueOf(const std::vector<std::string>& words, const std::string& flag) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--" + flag && i + 1 < words.size()) return words[i + 1];
    if (words[i].rfind("--" + flag + "=", 0) == 0) return words[i].substr(flag.size() + 3);
  }
  return "";
}

// Replaces this process; returns only when that failed.
absl::Status Become(const std::vector<std::string>& words) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const std::string program = (self.parent_path() / "entented").string();
  std::vector<std::string> all = words;
  all.insert(all.begin(), program);
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  return service::Error(
      absl::StatusCode::kInternal,
      {.what = Cat("the node's program cannot be started: ", program),
       .code = "NO_DAEMON",
       .why = Cat("The system says: ", std::generic_category().message(errno), "."),
       .next = "install entented beside entente"});
}

// The same, with what a person wrote behind `words`.
absl::Status BecomeWith(std::vector<std::string> words, const Context& context) {
  const std::vector<std::string>& rest = context.args.rest();
  words.insert(words.end(), rest.begin(), rest.end());
  return Become(words);
}

void Add(std::vector<std::string>* words, const std::string& flag, const std::string& value) {
  if (value.empty() || HasFlag(*words, flag)) return;
  words->push_back("--" + flag);
  words->push_back(value);
}

}  // namespace

std::vector<std::string> NodeInitWords(std::vector<std::string> words,
                                       const std::string& config_dir, const std::string& home,
                                       Context* ask) {
  if (ask != nullptr) {
    const auto need = [&](const std::string& flag, std::string_view question) {
      if (!HasFlag(words, flag)) Add(&words, flag, ask->Ask(question));
    };
    need("body", "Short code of your body (for example XA):");
    need("name", "Its full name:");
    need("listen", "Where other nodes reach it, HOST:PORT (empty: this machine only):");
    const std::string code = absl::AsciiStrToLower(ValueOf(words, "body"));
    if (!code.empty()) {
      const std::string stem = config_dir + "/" + code;
      std::error_code error;
      fs::create_directories(config_dir, error);
      Add(&words, "data", home + "/.local/share/entente/" + code);
      Add(&words, "user-key", stem + ".key");
      Add(&words, "root-key", stem + ".root");
      Add(&words, "profile", stem + ".profile");
    }
  }
  words.insert(words.begin(), "init");
  return words;
}

absl::Status RunNodeInit(Context& context) {
  const GetEnv& env = context.terminal().env;
  return Become(NodeInitWords(context.args.rest(), ProfileDir(env), env("HOME"),
                              context.terminal().in_is_terminal ? &context : nullptr));
}

absl::Status RunNodeRenew(Context& context) { return BecomeWith({"renew"}, context); }

absl::Status RunNodeRecover(Context& context) { return BecomeWith({"recover"}, context); }

absl::Status RunRelayInit(Context& context) { return BecomeWith({"--relay", "--init"}, context); }

}  // namespace entente::cli

// entented: one country's node, or (with --relay) the way into the blind relay's own program.
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/clock.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "node/daemon/flags.h"
#include "node/daemon/folder_doctor.h"
#include "node/daemon/init.h"
#include "node/daemon/node_process.h"
#include "node/service/errors.h"
#include "node/transport/tls.h"

namespace {

using entente::Cat;
using entente::daemon::Flags;

constexpr char kHelp[] =
    "entented --data DIR [--passphrase-file FILE]   run a node\n"
    "entented init --data DIR --body CODE …         make a node (see: entente node init --help)\n"
    "entented renew --data DIR --root-key FILE …    give a stopped node new keys\n"
    "entented recover --data DIR --root-key FILE …  make a node anew when nothing else is left\n"
    "entented doctor --data DIR …                   look at a stopped node (see: entente node "
    "doctor)\n"
    "entented --relay --data DIR                    run a blind relay\n"
    "entented --relay --init --data DIR …           make one (see: entente relay init --help)\n"
    "\n"
    "Runs in the foreground until SIGTERM or Ctrl-C. Exit codes: 0 stopped, 1 failed, 2 the "
    "command\n"
    "line is wrong.\n";

enum Exit { kStopped = 0, kFailed = 1, kUsage = 2 };

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "entented: %s\n", entente::service::MessageWithCode(status).c_str());
  return absl::IsInvalidArgument(status) ? kUsage : kFailed;
}

void Log(const std::string& line) { std::fprintf(stderr, "entented: %s\n", line.c_str()); }

// The relay's program holds no code that could open anything, so it is not this one.
int BecomeRelay(const std::string& data) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string program = (self.parent_path() / "entente-relay").string();
  execl(program.c_str(), program.c_str(), "--data", data.c_str(), nullptr);
  return Fail(absl::InternalError(Cat("the relay's program cannot be started: ", program)));
}

int RunNode(const Flags& flags, entente::Entropy& entropy) {
  // Signals are waited for here and by no other thread.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  volatile std::sig_atomic_t failed = 0;
  auto node = entente::daemon::NodeProcess::Start(
      {.data_dir = flags.Get("data"),
       .passphrase_file = flags.Get("passphrase-file"),
       .fatal =
           [&failed](const absl::Status& status) {
             Log(Cat("stopping: ", entente::service::MessageWithCode(status)));
             failed = 1;
             kill(getpid(), SIGTERM);
           },
       .log = Log},
      entropy);
  if (!node.ok()) return Fail(node.status());
  Log(Cat((*node)->body(), ": running in ", flags.Get("data")));
  for (const std::string& address : (*node)->listening())
    Log(Cat("other nodes reach it at ", address));
  int signal = 0;
  sigwait(&signals, &signal);
  node->reset();
  return failed != 0 ? kFailed : kStopped;
}

struct Verb {
  std::string_view name;
  absl::Status (*run)(const std::vector<std::string>& words, entente::Entropy& entropy,
                      absl::Time now, std::ostream& out);
};
constexpr Verb kVerbs[] = {{"init", entente::daemon::InitNode},
                           {"renew", entente::daemon::RenewNode},
                           {"recover", entente::daemon::RecoverNode},
                           {"doctor", entente::daemon::DiagnoseOffline}};

int Run(std::vector<std::string> words) {
  entente::transport::ConfigureTls();
  if (absl::Status s = entente::crypto::Init(); !s.ok()) return Fail(s);
  entente::SystemEntropy entropy;
  for (const Verb& verb : kVerbs) {
    if (words.empty() || words.front() != verb.name) continue;
    words.erase(words.begin());
    const absl::Status done = verb.run(words, entropy, absl::Now(), std::cout);
    return done.ok() ? kStopped : Fail(done);
  }
  if (words.size() >= 2 && words[0] == "--relay" && words[1] == "--init") {
    words.erase(words.begin(), words.begin() + 2);
    const absl::Status made = entente::daemon::InitRelay(words, entropy, absl::Now(), std::cout);
    return made.ok() ? kStopped : Fail(made);
  }
  const absl::StatusOr<Flags> flags = Flags::Parse(
      words,
      {{"data"}, {"passphrase-file"}, {"relay", false}, {"help", false}, {"version", false}});
  if (!flags.ok()) return Fail(flags.status());
  if (flags->Has("help")) {
    std::fputs(kHelp, stdout);
    return kStopped;
  }
  if (flags->Has("version")) {
    std::puts("entented 0.1.0");
    return kStopped;
  }
  if (absl::Status s = entente::daemon::NeedFlags(*flags, {"data"}, "entented --help"); !s.ok()) {
    return Fail(s);
  }
  return flags->Has("relay") ? BecomeRelay(flags->Get("data")) : RunNode(*flags, entropy);
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error to report, not an end
  return Run(std::vector<std::string>(argv + 1, argv + argc));
}

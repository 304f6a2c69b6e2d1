// entente-relay: the blind relay. Holds no code that could open what it stores.
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/time/clock.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "node/relay/relay_core.h"
#include "node/relay/relay_files.h"
#include "node/relay/relay_service.h"
#include "node/relay/relay_store.h"
#include "node/service/errors.h"
#include "node/store/file_io.h"
#include "node/transport/tls.h"

namespace {

using entente::Cat;
namespace relay = entente::relay;
namespace store = entente::store;

constexpr char kHelp[] =
    "entente-relay --data DIR   run the blind relay in DIR\n"
    "\n"
    "Runs in the foreground until SIGTERM or Ctrl-C. Make one: entente relay init --data DIR …\n"
    "Exit codes: 0 stopped, 1 failed, 2 the command line is wrong.\n";

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "entente-relay: %s\n", entente::service::MessageWithCode(status).c_str());
  return 1;
}

absl::StatusOr<store::Fd> Lock(const std::string& dir) {
  const std::string path = Cat(dir, "/", relay::kLockFile);
  absl::StatusOr<store::Fd> lock = store::OpenFile(path, O_RDWR | O_CREAT);
  if (lock.ok() && flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        Cat("another relay is using ", dir, " [IN_USE]\n  Next: stop it first"));
  }
  return lock;
}

int Run(const std::string& dir) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  entente::transport::ConfigureTls();
  if (absl::Status s = entente::crypto::InitLibrary(); !s.ok()) return Fail(s);

  const absl::StatusOr<relay::RelayConfig> config = relay::ReadRelayConfig(dir);
  if (!config.ok()) return Fail(config.status());
  const absl::StatusOr<entente::crypto::TlsIdentity> identity = relay::ReadRelayIdentity(dir);
  if (!identity.ok()) return Fail(identity.status());
  const absl::StatusOr<store::Fd> lock = Lock(dir);
  if (!lock.ok()) return Fail(lock.status());
  relay::RelayStore storage(dir);
  relay::Quotas quotas;
  quotas.bytes_total = config->bytes_max;
  absl::StatusOr<relay::RelayCore> core = relay::RelayCore::Open(storage, quotas, absl::Now());
  if (!core.ok()) return Fail(core.status());
  relay::RelayService::Options options;
  options.acceptor.addresses = {config->listen};
  options.address = config->address;
  options.data_dir = dir;
  auto service = relay::RelayService::Start(std::move(options), *identity, *core);
  if (!service.ok()) return Fail(service.status());
  std::fprintf(stderr, "entente-relay: nodes reach it at %s\n", (*service)->address().c_str());
  int signal = 0;
  sigwait(&signals, &signal);
  (*service)->Stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error to report, not an end
  if (argc == 3 && std::strcmp(argv[1], "--data") == 0) return Run(argv[2]);
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  std::fputs(kHelp, stderr);
  return 2;
}

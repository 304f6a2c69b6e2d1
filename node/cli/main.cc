// entente: what people work with at a terminal, and scripts everywhere else.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "node/cli/context.h"

namespace {

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  // gRPC's own words are for programmers; ours say what to do.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  if (const absl::Status ready = entente::crypto::InitLibrary(); !ready.ok()) {
    std::cerr << entente::ToStd(ready.message()) << "\n";
    return entente::cli::kFailed;
  }
  entente::cli::Terminal terminal{std::cout,
                                  std::cerr,
                                  std::cin,
                                  isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0,
                                  isatty(STDERR_FILENO) != 0,
                                  Env};
  return entente::cli::RunCommand(std::vector<std::string>(argv + 1, argv + argc), terminal);
}

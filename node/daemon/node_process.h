// One node, running: opens what lies in its folder, wires engine, driver, transport, relay client
// and client API together, and takes them down in the right order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/entropy.h"

namespace entente::daemon {

class NodeProcess {
 public:
  struct Options {
    std::string data_dir;
    std::string passphrase_file;  // empty: a person is asked
    // A storage error, after which nothing can be trusted: the process should stop, and verify what
    // is there when it starts again. Called once at most, on any thread.
    std::function<void(const absl::Status&)> fatal;
    // One line for the operator's log. Any thread.
    std::function<void(const std::string&)> log;
  };

  static absl::StatusOr<std::unique_ptr<NodeProcess>> Start(Options options, Entropy& entropy);
  ~NodeProcess();  // stops
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  // "XA, Arvenia, National Prosecution Office".
  std::string body() const;
  std::vector<std::string> listening() const;

 private:
  struct Impl;
  explicit NodeProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::daemon

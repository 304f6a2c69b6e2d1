// What the relay's operator asks, on the Unix socket in its folder: admit a node, how it stands.
// Private to node/relay.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entente/v1/client.pb.h"
#include "node/relay/relay_core.h"

namespace entente::relay {

class RelayAdmin {
 public:
  struct Hooks {
    std::function<absl::Status(const AdmittedNode&)> admit;
    std::function<v1::GetRelayStatusResponse()> status;
  };
  // Makes api.sock and api.address in `data_dir`.
  static absl::StatusOr<std::unique_ptr<RelayAdmin>> Start(const std::string& data_dir,
                                                           Hooks hooks);
  ~RelayAdmin();  // stops
  RelayAdmin(const RelayAdmin&) = delete;
  RelayAdmin& operator=(const RelayAdmin&) = delete;

  const std::string& address() const;  // "unix:PATH"

 private:
  struct Impl;
  explicit RelayAdmin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::relay

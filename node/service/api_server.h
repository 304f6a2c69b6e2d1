// The client API on a Unix socket: what the `entente` command and other local programs talk to.
//
// One generic dispatcher serves every method of client.proto: it finds the method in the generated
// descriptors, resolves the session, asks model::Authorize, and hands a core::Command to Backend.
// It knows no rule of its own. Sign-in is sessions.h, files are file_service.h.
//
// Whoever connects must run as the daemon's own user or as root (SO_PEERCRED, besides the socket's
// mode 0600). Message sizes and concurrent file transfers are bounded; idle connections are closed.
//
// Errors reach the caller as a gRPC status of the same code, with a stable code in brackets:
//   "refused: E-7K3M9Q cannot be released to Telmark yet [TRANSFER_NEEDS_CONSENT]\n  why\n  Next:
//   …"
//
// Thread-safe. Example:
//   auto api = ApiServer::Start({.data_dir = dir, .body_code = "XA"}, backend, blobs, entropy);
//   …
//   (*api)->Changed();  // after each step that may have changed a record: wakes long polls
//   (*api)->Stop();     // before the driver stops
// Tests: tests/node/service/dispatcher_test.cc, tests/e2e.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "node/core/engine.h"

namespace entente::store {
class BlobStore;
}

namespace entente::service {

// What the service asks of the node. The daemon implements it over Driver, tests with a fake.
class Backend {
 public:
  virtual ~Backend() = default;

  // Calls `done` exactly once, on any thread, also when the node is stopping (Unavailable). Must
  // not block. `command.call` is the backend's to choose.
  virtual void Submit(core::Command command, std::function<void(core::Answer)> done) = 0;

  // The one read that is no command. May wait for the driver's thread.
  virtual std::vector<core::Engine::User> Users() = 0;
};

class ApiServer {
 public:
  using AuthorizeFn =
      std::function<absl::Status(const core::Caller& caller, std::string_view method)>;

  struct Options {
    std::string data_dir;   // api.sock and api.address are made here
    std::string body_code;  // what WhoAmI answers
    AuthorizeFn authorize;  // model::Authorize

    // A relay has no people who sign in: its socket's file mode is the whole protection. A call
    // without a session then acts as this caller. A node leaves it empty.
    std::optional<core::Caller> without_sign_in;

    std::function<absl::Time()> clock = absl::Now;
    size_t transfers_max = 8;             // uploads and downloads at once
    size_t message_bytes_max = 8u << 20;  // one request; an imported parcel is the largest
  };

  // Listens on DATA/api.sock, or on a shorter path elsewhere when that is too long for a socket,
  // and writes "unix:PATH" to DATA/api.address. Everything in the arguments outlives the server.
  // `blobs` may be null (a relay): then file methods answer Unimplemented.
  // FailedPrecondition when another process already serves this data directory.
  static absl::StatusOr<std::unique_ptr<ApiServer>> Start(Options options, Backend& backend,
                                                          store::BlobStore* blobs,
                                                          Entropy& entropy);
  ~ApiServer();  // stops
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Records may have changed: waiting ListChanges calls look again. Cheap when nobody waits.
  void Changed();

  // Refuses new calls, lets those under way finish for `grace`, then cuts them. Once.
  void Stop(absl::Duration grace = absl::Seconds(2));

  // "unix:/path", as in DATA/api.address.
  const std::string& address() const;

 private:
  struct Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::service

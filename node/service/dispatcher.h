// From bytes to a core::Command and back: every unary method of the client API takes this one road.
//
//   method known → session known → allowed (authorize) → message parses → Backend → bytes
//
// No gRPC here, so that the same road serves any carrier. Thread-safe.
// Tests: tests/node/service/dispatcher_test.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/service/api_server.h"
#include "node/service/long_polls.h"
#include "node/service/sessions.h"
#include "node/service/upload_desk.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace entente::service {

class Dispatcher {
 public:
  // Called exactly once, on any thread. The status carries a stable code (errors.h).
  using Done = std::function<void(const absl::Status&, std::string response)>;

  Dispatcher(const ApiServer::Options& options, Backend& backend, Sessions& sessions,
             UploadDesk& uploads);

  // `method` is "/entente.v1.TaskService/AcceptTask", `token` what SignIn gave.
  void Handle(std::string_view method, std::string_view token, std::string_view request, Done done);

  // Session and authorisation alone: for the streaming file methods.
  absl::StatusOr<core::Caller> Admit(std::string_view method, std::string_view token);

  void Changed() { long_polls_.Changed(); }
  // Answers what waits. Later long polls are answered at once.
  void Stop() { long_polls_.Stop(); }

 private:
  using Message = google::protobuf::Message;
  absl::StatusOr<std::shared_ptr<Message>> Parse(const google::protobuf::MethodDescriptor& method,
                                                 std::string_view bytes) const;
  // True when the method was about signing in, and has been answered.
  bool HandleSession(std::string_view method, const Message& request, const Done& done);
  void Execute(core::Command command, Done done);

  const ApiServer::Options& options_;
  Backend& backend_;
  Sessions& sessions_;
  UploadDesk& uploads_;
  LongPolls long_polls_;
};

}  // namespace entente::service

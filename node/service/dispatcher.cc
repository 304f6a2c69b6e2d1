#include "node/service/dispatcher.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <climits>
#include <utility>

#include "entente/v1/client.pb.h"
#include "node/service/errors.h"

namespace entente::service {
namespace {

namespace pb = google::protobuf;

constexpr std::string_view kBeginSignIn = "/entente.v1.SessionService/BeginSignIn";
constexpr std::string_view kSignIn = "/entente.v1.SessionService/SignIn";
constexpr std::string_view kWhoAmI = "/entente.v1.SessionService/WhoAmI";
constexpr std::string_view kListChanges = "/entente.v1.RecordService/ListChanges";

// Only what client.proto defines: the pool also holds the services that nodes speak among
// themselves, and none of those may be reached from here.
const pb::MethodDescriptor* FindMethod(std::string_view path) {
  if (path.empty() || path.front() != '/') return nullptr;
  std::string name(path.substr(1));
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return nullptr;
  name[slash] = '.';
  const pb::FileDescriptor* client = v1::WhoAmIRequest::descriptor()->file();
  const pb::MethodDescriptor* method = client->pool()->FindMethodByName(name);
  if (method == nullptr || method->file() != client) return nullptr;
  return method->client_streaming() || method->server_streaming() ? nullptr : method;
}

absl::Status UnknownMethod() {
  return Error(absl::StatusCode::kUnimplemented,
               {.what = "this node does not know the method that was called",
                .code = "UNKNOWN_METHOD",
                .why = "The program that called it may be newer than the node.",
                .next = "install the same version of both"});
}

void Reply(const absl::Status& status, const pb::Message* response, const Dispatcher::Done& done) {
  if (!status.ok()) {
    done(absl::Status(status.code(), MessageWithCode(status)), "");
    return;
  }
  std::string bytes;
  if (response == nullptr || !response->SerializeToString(&bytes)) {
    done(Error(absl::StatusCode::kInternal,
               {.what = "the node has no answer to this call", .code = "INTERNAL"}),
         "");
    return;
  }
  done(absl::OkStatus(), std::move(bytes));
}

}  // namespace

Dispatcher::Dispatcher(const ApiServer::Options& options, Backend& backend, Sessions& sessions,
                       UploadDesk& uploads)
    : options_(options),
      backend_(backend),
      sessions_(sessions),
      uploads_(uploads),
      long_polls_(options.clock, backend) {}

void Dispatcher::Handle(std::string_view method, std::string_view token, std::string_view request,
                        Done done) {
  const pb::MethodDescriptor* descriptor = FindMethod(method);
  if (descriptor == nullptr) return Reply(UnknownMethod(), nullptr, done);

  core::Command command;
  const bool signing_in = method == kBeginSignIn || method == kSignIn;
  if (!signing_in) {
    absl::StatusOr<core::Caller> caller = Admit(method, token);
    if (!caller.ok()) return Reply(caller.status(), nullptr, done);
    command.caller = *std::move(caller);
  }
  absl::StatusOr<std::shared_ptr<Message>> message = Parse(*descriptor, request);
  if (!message.ok()) return Reply(message.status(), nullptr, done);
  if (signing_in && HandleSession(method, **message, done)) return;
  if (method == kWhoAmI) {
    v1::WhoAmIResponse response;
    response.set_user(command.caller.user);
    response.set_role(command.caller.role);
    response.set_body_code(options_.body_code);
    return Reply(absl::OkStatus(), &response, done);
  }
  command.method = std::string(method);
  command.request = *std::move(message);
  Execute(std::move(command), std::move(done));
}

absl::StatusOr<core::Caller> Dispatcher::Admit(std::string_view method, std::string_view token) {
  core::Caller caller;
  if (token.empty() && options_.without_sign_in.has_value()) {
    caller = *options_.without_sign_in;
  } else {
    absl::StatusOr<core::Caller> known = sessions_.Resolve(token);
    if (!known.ok()) return known.status();
    caller = *std::move(known);
  }
  if (absl::Status allowed = options_.authorize(caller, method); !allowed.ok()) return allowed;
  return caller;
}

absl::StatusOr<std::shared_ptr<pb::Message>> Dispatcher::Parse(const pb::MethodDescriptor& method,
                                                               std::string_view bytes) const {
  const pb::Message* prototype =
      pb::MessageFactory::generated_factory()->GetPrototype(method.input_type());
  std::shared_ptr<Message> message(prototype->New());
  const bool fits = bytes.size() <= INT_MAX;
  if (!fits || !message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(absl::StatusCode::kInvalidArgument,
                 {.what = "the call cannot be read",
                  .code = "MALFORMED",
                  .why = "The bytes are not the message this method takes, or a text in it is not "
                         "UTF-8.",
                  .next = ""});
  }
  return message;
}

bool Dispatcher::HandleSession(std::string_view method, const Message& request, const Done& done) {
  if (method == kBeginSignIn) {
    const v1::BeginSignInResponse response =
        sessions_.Begin(static_cast<const v1::BeginSignInRequest&>(request));
    Reply(absl::OkStatus(), &response, done);
    return true;
  }
  uploads_.Sweep();
  const absl::StatusOr<v1::SignInResponse> response =
      sessions_.SignIn(static_cast<const v1::SignInRequest&>(request), backend_.Users());
  Reply(response.status(), response.ok() ? &*response : nullptr, done);
  return true;
}

void Dispatcher::Execute(core::Command command, Done done) {
  if (command.method == kListChanges) {
    long_polls_.Submit(std::move(command), [done = std::move(done)](const core::Answer& answer) {
      Reply(answer.status, answer.response.get(), done);
    });
    return;
  }
  const auto add = std::dynamic_pointer_cast<const v1::AddEvidenceRequest>(command.request);
  if (add != nullptr) {
    absl::StatusOr<std::vector<core::UploadedFile>> files =
        uploads_.Take(command.caller.user, *add);
    if (!files.ok()) return Reply(files.status(), nullptr, done);
    command.uploads = *std::move(files);
  }
  backend_.Submit(std::move(command),
                  [this, add, done = std::move(done)](const core::Answer& answer) {
                    if (add != nullptr) uploads_.Release(*add, answer.status.ok());
                    Reply(answer.status, answer.response.get(), done);
                  });
}

}  // namespace entente::service

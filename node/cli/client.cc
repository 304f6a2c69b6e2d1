#include "node/cli/client.h"

#include <grpc/grpc.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <future>
#include <optional>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/keystore.h"
#include "crypto/signing.h"
#include "entente/v1/client.grpc.pb.h"
#include "node/cli/text.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

using google::protobuf::Message;
using service::Error;

constexpr size_t kKeyFileBytesMax = 4096;
constexpr std::string_view kPackage = "/entente.v1.";

absl::Status Unreachable(const Target& target) {
  return Error(absl::StatusCode::kUnavailable,
               {.what = Cat("the node does not answer: ", Clean(target.shown)),
                .code = "UNREACHABLE",
                .why = "It may not be running, or run as another user of this machine.",
                .next = "start it: entented --data DIR, or name another: --node NODE"});
}

absl::StatusOr<std::string> Serialize(const Message& message) {
  std::string bytes;
  if (message.SerializeToString(&bytes)) return bytes;
  return absl::InternalError("the call cannot be written");
}

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

absl::StatusOr<crypto::UserKey> ReadUserKey(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWhole(path, kKeyFileBytesMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<crypto::UserKey> key = crypto::ParseUserKeyFile(*text);
  if (key.ok()) return key;
  return Error(absl::StatusCode::kInvalidArgument,
               {.what = Cat("\"", Clean(path), "\" is not a user key file"),
                .code = "BAD_KEY_FILE",
                .why = "Such a file is made by `entente node init` and `entente user add`.",
                .next = "name the right one: --user-key FILE"});
}

}  // namespace

struct Client::Impl {
  Target target;
  absl::Duration timeout;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<grpc::GenericStub> stub;
  std::optional<crypto::UserKey> key;
  std::string token;  // hex

  void Prepare(grpc::ClientContext& context, absl::Duration within) const {
    if (!token.empty()) context.AddMetadata("entente-session", token);
    if (within < absl::InfiniteDuration()) {
      context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(within));
    }
  }

  absl::Status ToStatus(const grpc::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    const bool from_node = status.error_message().find('[') != std::string::npos;
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !from_node) {
      return Unreachable(target);
    }
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return Error(absl::StatusCode::kDeadlineExceeded,
                   {.what = "the node took too long to answer",
                    .code = "TIMEOUT",
                    .next = "try again, or wait longer: --timeout SECONDS"});
    }
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }

  absl::Status CallOnce(std::string_view method, const Message& request, Message* response) {
    const absl::StatusOr<std::string> bytes = Serialize(request);
    if (!bytes.ok()) return bytes.status();
    const grpc::Slice slice(*bytes);
    const grpc::ByteBuffer out(&slice, 1);
    grpc::ByteBuffer in;
    grpc::ClientContext context;
    Prepare(context, timeout);
    std::promise<grpc::Status> done;
    stub->UnaryCall(&context, Cat(kPackage, method), grpc::StubOptions(), &out, &in,
                    [&done](const grpc::Status& status) { done.set_value(status); });
    const grpc::Status status = done.get_future().get();
    if (!status.ok()) return ToStatus(status);
    if (response->ParseFromString(Flatten(in))) return absl::OkStatus();
    return absl::InternalError("the node's answer cannot be read");
  }

  // Proves possession of the user key; see node/service/sessions.h.
  absl::Status SignIn() {
    v1::BeginSignInRequest begin;
    begin.set_user(key->user);
    v1::BeginSignInResponse challenge;
    token.clear();
    absl::Status status = CallOnce("SessionService/BeginSignIn", begin, &challenge);
    if (!status.ok()) return status;
    v1::SignInRequest request;
    request.set_user(key->user);
    request.set_challenge(challenge.challenge());
    request.set_signature(
        crypto::SignStatement(key->key, crypto::Purpose::hello, JitId(), challenge.challenge())
            .str());
    v1::SignInResponse response;
    status = CallOnce("SessionService/SignIn", request, &response);
    if (status.ok()) token = Hex(response.token());
    return status;
  }
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Target& target,
                                                        absl::Duration timeout) {
  // Never taken back: the last grpc_shutdown of a process waits up to ten seconds for a poller that
  // a large upload leaves behind. The process ends soon anyway.
  grpc_init();
  auto impl = std::make_unique<Impl>();
  impl->target = target;
  impl->timeout = timeout;
  if (!target.key_file.empty()) {
    absl::StatusOr<crypto::UserKey> key = ReadUserKey(target.key_file);
    if (!key.ok()) return key.status();
    impl->key.emplace(*std::move(key));
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // our own node: parcels and long lists
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  impl->channel =
      grpc::CreateCustomChannel(target.address, grpc::InsecureChannelCredentials(), arguments);
  impl->stub = std::make_unique<grpc::GenericStub>(impl->channel);
  if (impl->key.has_value()) {
    if (absl::Status signed_in = impl->SignIn(); !signed_in.ok()) return signed_in;
  }
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

absl::Status Client::Call(std::string_view method, const Message& request, Message* response) {
  const absl::Status status = impl_->CallOnce(method, request, response);
  if (!absl::IsUnauthenticated(status) || !impl_->key.has_value()) return status;
  if (absl::Status signed_in = impl_->SignIn(); !signed_in.ok()) return signed_in;
  return impl_->CallOnce(method, request, response);
}

absl::StatusOr<v1::UploadFileResponse> Client::Upload(FileSource& file, const std::string& name,
                                                      const Progress& progress) {
  grpc::ClientContext context;
  impl_->Prepare(context, absl::InfiniteDuration());
  v1::UploadFileResponse response;
  const auto stub = v1::FileService::NewStub(impl_->channel);
  const auto writer = stub->UploadFile(&context, &response);
  // The node's own reason is better than "the stream broke"; ours is better than "cancelled".
  const auto give_up = [&](const absl::Status& reason) {
    context.TryCancel();
    (void)writer->Finish();
    return reason;
  };

  v1::UploadFileRequest message;
  message.set_name(name);
  message.set_size(file.size());
  bool open = writer->Write(message);
  uint64_t sent = 0;
  while (open) {
    absl::StatusOr<std::string> piece = file.Next();
    if (!piece.ok()) return give_up(piece.status());
    if (piece->empty()) break;
    sent += piece->size();
    message.Clear();
    message.set_data(*std::move(piece));
    open = writer->Write(message);
    if (open && progress) progress(sent, file.size());
  }
  if (open) {
    if (absl::Status same = file.CheckUnchanged(); !same.ok()) return give_up(same);
    writer->WritesDone();
  }
  if (absl::Status status = impl_->ToStatus(writer->Finish()); !status.ok()) return status;
  return response;
}

absl::StatusOr<v1::DownloadFileResponse> Client::Download(const v1::DownloadFileRequest& request,
                                                          const OpenSink& open,
                                                          const Progress& progress) {
  grpc::ClientContext context;
  impl_->Prepare(context, absl::InfiniteDuration());
  const auto stub = v1::FileService::NewStub(impl_->channel);
  const auto reader = stub->DownloadFile(&context, request);
  const auto give_up = [&](const absl::Status& reason) {
    context.TryCancel();
    (void)reader->Finish();
    return reason;
  };

  v1::DownloadFileResponse head;
  if (!reader->Read(&head)) {
    const absl::Status status = impl_->ToStatus(reader->Finish());
    return status.ok() ? absl::InternalError("the node sent no file") : status;
  }
  absl::StatusOr<std::unique_ptr<FileSink>> sink = open(head);
  if (!sink.ok()) return give_up(sink.status());
  v1::DownloadFileResponse message = head;
  do {
    if (absl::Status wrote = (*sink)->Write(message.data()); !wrote.ok()) return give_up(wrote);
    if (progress) progress((*sink)->written(), head.size());
  } while (reader->Read(&message));
  if (absl::Status status = impl_->ToStatus(reader->Finish()); !status.ok()) return status;
  if (absl::Status done = (*sink)->Commit(head.size(), head.sha256()); !done.ok()) return done;
  head.clear_data();
  return head;
}

}  // namespace entente::cli

#include "node/service/api_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <mutex>
#include <utility>

#include "crypto/bytes.h"
#include "node/service/dispatcher.h"
#include "node/service/file_service.h"
#include "node/service/unix_listener.h"
#include "node/store/blob_store.h"
#include "node/store/file_io.h"

namespace entente::service {
namespace {

constexpr int kIdleConnectionMs = 10 * 60 * 1000;
// Room for gRPC's framing around the largest message.
constexpr size_t kFramingBytes = 64u << 10;

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return "";
  std::string bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// One unary call. It lives until OnDone, which gRPC calls only after Finish: the answer may come on
// any thread, also after the caller has gone.
class Call : public grpc::ServerGenericBidiReactor {
 public:
  Call(grpc::GenericCallbackServerContext* context, Dispatcher& dispatcher)
      : dispatcher_(dispatcher), method_(context->method()), token_(TokenOf(*context)) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish({grpc::StatusCode::INVALID_ARGUMENT, "the call has no message [MALFORMED]"});
      return;
    }
    const std::string bytes = BytesOf(request_);
    request_.Clear();
    dispatcher_.Handle(method_, token_, bytes,
                       [this](const absl::Status& status, const std::string& response) {
                         Answer(status, response);
                       });
  }
  void OnDone() override { delete this; }

 private:
  void Answer(const absl::Status& status, const std::string& response) {
    if (!status.ok()) {
      Finish(ToGrpc(status));
      return;
    }
    const grpc::Slice slice(response);
    response_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  Dispatcher& dispatcher_;
  const std::string method_;
  const std::string token_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class GenericService : public grpc::CallbackGenericService {
 public:
  explicit GenericService(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Call(context, dispatcher_);
  }

 private:
  Dispatcher& dispatcher_;
};

}  // namespace

struct ApiServer::Impl {
  Impl(Options given, Backend& backend, store::BlobStore* blobs, Entropy& entropy)
      : options(std::move(given)),
        sessions(options.clock, entropy),
        uploads(options.clock, entropy,
                [blobs](const BlobId& blob) {
                  if (blobs != nullptr) blobs->DiscardUpload(blob).IgnoreError();
                }),
        dispatcher(options, backend, sessions, uploads),
        generic(dispatcher),
        files(options, backend, dispatcher, sessions, uploads, blobs, entropy) {}

  absl::Status Start() {
    absl::StatusOr<std::unique_ptr<UnixListener>> listening =
        UnixListener::Listen(options.data_dir);
    if (!listening.ok()) return listening.status();
    listener = *std::move(listening);
    address = Cat("unix:", listener->path());

    grpc::ServerBuilder builder;
    builder.RegisterService(&files);
    builder.RegisterCallbackGenericService(&generic);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max + kFramingBytes));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleConnectionMs);
    server = builder.BuildAndStart();
    if (server == nullptr) return absl::InternalError("the client API did not start");
    listener->Start([this](int fd) { grpc::AddInsecureChannelFromFd(server.get(), fd); });
    return store::WriteFileAtomically(Cat(options.data_dir, "/api.address"), Cat(address, "\n"));
  }

  void Stop(absl::Duration grace) {
    if (listener != nullptr) listener->Stop();
    dispatcher.Stop();
    if (server != nullptr) {
      server->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
      server->Wait();
    }
    listener.reset();
  }

  const Options options;
  std::string address;
  Sessions sessions;
  UploadDesk uploads;
  Dispatcher dispatcher;
  GenericService generic;
  FileServiceImpl files;
  std::unique_ptr<UnixListener> listener;
  std::unique_ptr<grpc::Server> server;
  std::once_flag stopped;
};

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() { Stop(); }

absl::StatusOr<std::unique_ptr<ApiServer>> ApiServer::Start(Options options, Backend& backend,
                                                            store::BlobStore* blobs,
                                                            Entropy& entropy) {
  auto impl = std::make_unique<Impl>(std::move(options), backend, blobs, entropy);
  const absl::Status started = impl->Start();
  // Built before it is judged, so that a half-started server is stopped like any other.
  std::unique_ptr<ApiServer> server(new ApiServer(std::move(impl)));
  if (!started.ok()) return started;
  return server;
}

void ApiServer::Changed() { impl_->dispatcher.Changed(); }

void ApiServer::Stop(absl::Duration grace) {
  std::call_once(impl_->stopped, [&] { impl_->Stop(grace); });
}

const std::string& ApiServer::address() const { return impl_->address; }

}  // namespace entente::service

#include "node/relay/relay_admin.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <utility>

#include "crypto/words.h"
#include "entente/v1/client.grpc.pb.h"
#include "node/relay/relay_files.h"
#include "node/service/errors.h"
#include "node/service/unix_listener.h"
#include "node/store/file_io.h"
#include "sync/card_book.h"

namespace entente::relay {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), service::MessageWithCode(status)};
}

absl::StatusOr<AdmittedNode> NodeOf(std::string_view signed_card) {
  const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(signed_card);
  if (!card.ok()) {
    return absl::InvalidArgumentError(Cat(ToStd(card.status().message()),
                                          " [NOT_A_CARD]\n  Next: ask the body's operator for: "
                                          "entente node card show"));
  }
  return AdmittedNode{card->party, card->tls_spki, card->card.seq()};
}

class AdminService : public v1::RelayAdminService::CallbackService {
 public:
  explicit AdminService(RelayAdmin::Hooks hooks) : hooks_(std::move(hooks)) {}

  grpc::ServerUnaryReactor* AdmitNode(grpc::CallbackServerContext* context,
                                      const v1::AdmitNodeRequest* request,
                                      v1::AdmitNodeResponse* response) override {
    const absl::StatusOr<AdmittedNode> node = NodeOf(request->signed_card());
    if (node.ok()) response->set_word_string(crypto::WordString(node->party));
    return Reply(context, node.ok() ? hooks_.admit(*node) : node.status());
  }
  grpc::ServerUnaryReactor* GetRelayStatus(grpc::CallbackServerContext* context,
                                           const v1::GetRelayStatusRequest*,
                                           v1::GetRelayStatusResponse* response) override {
    *response = hooks_.status();
    return Reply(context, absl::OkStatus());
  }

 private:
  static grpc::ServerUnaryReactor* Reply(grpc::CallbackServerContext* context,
                                         const absl::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

  const RelayAdmin::Hooks hooks_;
};

}  // namespace

struct RelayAdmin::Impl {
  explicit Impl(Hooks hooks) : service(std::move(hooks)) {}

  AdminService service;
  std::unique_ptr<service::UnixListener> listener;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

absl::StatusOr<std::unique_ptr<RelayAdmin>> RelayAdmin::Start(const std::string& data_dir,
                                                              Hooks hooks) {
  auto impl = std::make_unique<Impl>(std::move(hooks));
  absl::StatusOr<std::unique_ptr<service::UnixListener>> listening =
      service::UnixListener::Listen(data_dir);
  if (!listening.ok()) return listening.status();
  impl->listener = *std::move(listening);
  impl->address = Cat("unix:", impl->listener->path());
  grpc::ServerBuilder builder;
  builder.RegisterService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr) return absl::InternalError("the administration did not start");
  impl->listener->Start(
      [server = impl->server.get()](int fd) { grpc::AddInsecureChannelFromFd(server, fd); });
  const std::string address = impl->address;
  std::unique_ptr<RelayAdmin> admin(new RelayAdmin(std::move(impl)));
  const absl::Status told =
      store::WriteFileAtomically(Cat(data_dir, "/", kSocketAddressFile), Cat(address, "\n"));
  if (!told.ok()) return told;
  return admin;
}

RelayAdmin::RelayAdmin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelayAdmin::~RelayAdmin() {
  impl_->listener->Stop();
  impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  impl_->server->Wait();
}

const std::string& RelayAdmin::address() const { return impl_->address; }

}  // namespace entente::relay

#include "node/transport/tls.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "grpc/support/log.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace entente::transport {
namespace {

namespace ge = grpc::experimental;

// gRPC's own words go to stderr, but for one line that every handshake by address causes.
void FilterLog(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  if (std::strstr(args->message, "No match found for server name") != nullptr) return;
  if (std::strstr(args->message, "SSL_ERROR_SSL") != nullptr ||
      std::strstr(args->message, "Handshake failed") != nullptr) {
    return;  // strangers at the door: counted by the acceptor, not logged one by one
  }
  std::fprintf(stderr, "grpc: %s\n", args->message);
}

absl::StatusOr<Hash> SpkiOf(grpc::string_ref pem) {
  return crypto::SpkiSha256(std::string_view(pem.data(), pem.size()));
}

class Verifier : public ge::ExternalCertificateVerifier {
 public:
  explicit Verifier(PinCheck allows) : allows_(std::move(allows)) {}

  bool Verify(ge::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* status) override {
    const absl::StatusOr<Hash> spki = SpkiOf(request->peer_cert());
    *status = spki.ok() && allows_(*spki)
                  ? grpc::Status::OK
                  : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "this key is not pinned here");
    return true;  // decided at once
  }
  void Cancel(ge::TlsCustomVerificationCheckRequest*) override {}

 private:
  PinCheck allows_;
};

std::shared_ptr<ge::CertificateProviderInterface> Provide(const crypto::TlsIdentity& identity) {
  ge::IdentityKeyCertPair pair;
  pair.private_key = std::string(identity.private_key_pem.view());
  pair.certificate_chain = identity.certificate_pem;
  return std::make_shared<ge::StaticDataCertificateProvider>(
      std::vector<ge::IdentityKeyCertPair>{std::move(pair)});
}

}  // namespace

void ConfigureTls() {
  // The list governs TLS 1.2 alone; a suite that needs a pre-shared key leaves 1.2 with none.
  setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
  gpr_set_log_function(FilterLog);
}

void PinSet::Set(std::map<Hash, PartyId> pins) {
  const std::lock_guard lock(mutex_);
  pins_ = std::move(pins);
}

std::optional<PartyId> PinSet::Find(const Hash& spki) const {
  const std::lock_guard lock(mutex_);
  const auto it = pins_.find(spki);
  if (it == pins_.end()) return std::nullopt;
  return it->second;
}

std::shared_ptr<grpc::ServerCredentials> ServerTls(const crypto::TlsIdentity& identity,
                                                   PinCheck allowed) {
  ge::TlsServerCredentialsOptions options(Provide(identity));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(
      ge::ExternalCertificateVerifier::Create<Verifier>(std::move(allowed)));
  return ge::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ClientTls(const crypto::TlsIdentity& identity,
                                                    const Hash& expected_spki) {
  ge::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Provide(identity));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(ge::ExternalCertificateVerifier::Create<Verifier>(
      [expected_spki](const Hash& spki) { return spki == expected_spki; }));
  return ge::TlsCredentials(options);
}

absl::StatusOr<Hash> PeerSpki(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> pem = context.FindPropertyValues("x509_pem_cert");
  if (pem.empty()) return absl::UnauthenticatedError("a connection without a certificate");
  return SpkiOf(pem.front());
}

grpc::ChannelArguments ChannelDefaults() {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetMaxReceiveMessageSize(kMessageBytesMax);
  args.SetMaxSendMessageSize(kMessageBytesMax);
  return args;
}

}  // namespace entente::transport

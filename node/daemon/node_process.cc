#include "node/daemon/node_process.h"

#include <atomic>
#include <utility>

#include "absl/time/clock.h"
#include "crypto/bytes.h"
#include "crypto/keystore.h"
#include "node/core/doctor.h"
#include "node/core/engine.h"
#include "node/daemon/folder_doctor.h"
#include "node/daemon/key_files.h"
#include "node/daemon/node_files.h"
#include "node/daemon/passphrase.h"
#include "node/driver/driver.h"
#include "node/driver/file_pool.h"
#include "node/model/authorize.h"
#include "node/service/api_server.h"
#include "node/service/errors.h"
#include "node/store/anchor_file.h"
#include "node/store/blob_store.h"
#include "node/store/file_io.h"
#include "node/store/keystore_file.h"
#include "node/store/rocks_kv.h"
#include "node/transport/peer_transport.h"
#include "node/transport/relay_client.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::daemon {
namespace {

constexpr int kFileThreads = 2;

// The client API asks, the driver's thread answers.
class NodeBackend : public service::Backend {
 public:
  NodeBackend(driver::Driver& driver, std::string data_dir)
      : driver_(driver), data_dir_(std::move(data_dir)) {}

  void Submit(core::Command command, std::function<void(core::Answer)> done) override {
    if (command.method == "/entente.v1.NodeService/Diagnose") done = WithFolder(std::move(done));
    driver_.Submit(std::move(command), std::move(done));
  }
  std::vector<core::Engine::User> Users() override {
    std::vector<core::Engine::User> users;
    driver_.Inspect([&](core::Engine& engine) { users = engine.Users(); });
    return users;
  }

 private:
  // The core knows the node, the machine its disk.
  std::function<void(core::Answer)> WithFolder(std::function<void(core::Answer)> done) const {
    return [done = std::move(done), findings = FolderFindings(data_dir_)](core::Answer answer) {
      if (answer.status.ok()) {
        auto& response = dynamic_cast<v1::DiagnoseResponse&>(*answer.response);
        std::vector<v1::Finding> all(response.findings().begin(), response.findings().end());
        all.insert(all.end(), findings.begin(), findings.end());
        core::SortFindings(&all);
        response.clear_findings();
        for (v1::Finding& finding : all) *response.add_findings() = std::move(finding);
      }
      done(std::move(answer));
    };
  }

  driver::Driver& driver_;
  const std::string data_dir_;
};

absl::StatusOr<core::Config> OwnConfig(const store::RocksKv& kv, const PartyId& self,
                                       const NodeConfig& settings) {
  const absl::StatusOr<std::optional<std::string>> row = kv.Get(sync::schema::Card(self));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::DataLossError("the node's own card is missing");
  const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(**row);
  if (!card.ok()) return absl::DataLossError("the node's own card is damaged");
  core::Config config;
  config.card = card->card;
  if (!config.signed_card.ParseFromString(**row)) return absl::DataLossError("own card");
  config.relay_immediate = settings.relay_pace == absl::ZeroDuration();
  if (!config.relay_immediate) config.relay_cadence = settings.relay_pace;
  if (settings.files_below_mib.has_value()) {
    config.files.auto_fetch_bytes = *settings.files_below_mib << 20;
  }
  if (settings.backup_days.has_value()) {
    config.backups_kept = absl::Hours(24) * *settings.backup_days;
  }
  config.files.bytes_per_second_in = settings.files_in_mib << 20;
  config.files.bytes_per_second_out = settings.files_out_mib << 20;
  return config;
}

}  // namespace

struct NodeProcess::Impl {
  Impl(Options given, Entropy& source) : options(std::move(given)), entropy(source) {}

  const Options options;
  Entropy& entropy;
  NodeConfig settings;
  core::Config config;
  std::shared_ptr<const crypto::NodeKeys> keys;
  std::unique_ptr<store::RocksKv> kv;
  std::unique_ptr<store::AnchorFile> anchor;
  std::unique_ptr<store::BlobStore> blobs;
  std::unique_ptr<core::Engine> engine;
  std::unique_ptr<driver::Driver> driver;
  std::unique_ptr<driver::FilePool> pool;
  std::unique_ptr<transport::PeerTransport> peers;
  std::unique_ptr<transport::RelayClient> relays;
  std::unique_ptr<NodeBackend> backend;
  std::unique_ptr<service::ApiServer> api;
  uint64_t last_change = 0;
  std::atomic<service::ApiServer*> told = nullptr;  // who hears of changes, once it is there

  std::string Path(std::string_view name) const { return PathIn(options.data_dir, name); }
  absl::Status OpenStores();
  absl::Status OpenEngine();
  void MakeDriver();
  absl::Status StartTransport();
  absl::Status StartApi();
  void TellTransport();
  void Stop();
};

absl::Status NodeProcess::Impl::OpenStores() {
  const absl::StatusOr<NodeConfig> read = ReadNodeConfig(options.data_dir);
  if (!read.ok()) return read.status();
  settings = *read;
  const absl::StatusOr<crypto::SecretBytes> passphrase =
      GetPassphrase(options.passphrase_file, /*fresh=*/false);
  if (!passphrase.ok()) return passphrase.status();
  absl::StatusOr<crypto::NodeKeys> opened = OpenKeys(options.data_dir, passphrase->view());
  if (!opened.ok()) return opened.status();
  absl::StatusOr<std::unique_ptr<store::RocksKv>> database = store::RocksKv::Open(
      Path(kDatabaseDir), opened->storage, entropy, {.reserve = {}, .create_if_missing = false});
  if (!database.ok()) return database.status();
  kv = *std::move(database);
  opened = SettleKeys(options.data_dir, passphrase->view(), *std::move(opened), *kv, entropy);
  if (!opened.ok()) return opened.status();
  keys = std::make_shared<const crypto::NodeKeys>(*std::move(opened));
  absl::StatusOr<std::unique_ptr<store::AnchorFile>> signing =
      store::AnchorFile::Open(Path(kAnchorFile), entropy);
  if (!signing.ok()) return signing.status();
  anchor = *std::move(signing);
  store::BlobStore::Options blob_options;
  blob_options.is_named = [this](const BlobId& blob) {
    const auto row = kv->Get(sync::schema::Blob(blob));
    return row.ok() && row->has_value();
  };
  absl::StatusOr<std::unique_ptr<store::BlobStore>> files =
      store::BlobStore::Open(Path(kBlobsDir), std::move(blob_options));
  if (!files.ok()) return files.status();
  blobs = *std::move(files);
  return absl::OkStatus();
}

absl::Status NodeProcess::Impl::OpenEngine() {
  absl::StatusOr<core::Config> own = OwnConfig(*kv, keys->party, settings);
  if (!own.ok()) return own.status();
  config = *std::move(own);
  absl::StatusOr<std::unique_ptr<core::Engine>> opened = core::Engine::Open(
      config, keys, *kv, anchor->Load(), anchor->missing(), entropy, absl::Now());
  if (!opened.ok()) return opened.status();
  engine = *std::move(opened);
  return absl::OkStatus();
}

void NodeProcess::Impl::MakeDriver() {
  driver::Driver::Outlets outlets;
  outlets.send_frame = [this](const sync::FrameOut& out) { peers->Send(out.session, out.frame); };
  outlets.close_session = [this](const sync::CloseSession& close) {
    peers->Close(close.session, close.reason);
  };
  outlets.send_parcel = [this](const sync::ParcelOut& out) {
    relays->Deposit(out.peer, out.seq, out.parcel);
  };
  outlets.run_job = [this](sync::FileJob job) { pool->Submit(std::move(job)); };
  outlets.peers_changed = [this] { TellTransport(); };
  outlets.stepped = [this] {
    const uint64_t change = engine->LastChange();
    if (change == last_change) return;
    last_change = change;
    if (service::ApiServer* server = told.load(); server != nullptr) server->Changed();
  };
  outlets.fatal = options.fatal;
  driver = std::make_unique<driver::Driver>(*engine, *kv, *anchor, std::move(outlets));
  pool = std::make_unique<driver::FilePool>(
      *blobs, kFileThreads, [this](sync::Input input) { driver->Post(std::move(input)); },
      [this](std::string_view from, std::string_view to) { return kv->Compact(from, to); });
}

// Runs before the driver starts, and then on its thread.
void NodeProcess::Impl::TellTransport() {
  std::vector<transport::PeerTransport::Target> targets;
  std::vector<transport::RelayClient::Route> routes;
  for (const core::Engine::Peer& peer : engine->Peers()) {
    targets.push_back({peer.party, peer.tls_spki, peer.addresses, peer.dial});
    if (!peer.through_relay) continue;
    transport::RelayClient::Route route{
        peer.party, peer.relays, {peer.deposit_mailbox, peer.deposit_seed}, {}};
    for (const core::Engine::Peer::OwnMailbox& own : peer.own_mailboxes) {
      route.incoming.push_back({own.id, own.deposit_seed});
    }
    routes.push_back(std::move(route));
  }
  peers->SetPeers(std::move(targets));
  relays->SetRoutes(std::move(routes));
}

absl::Status NodeProcess::Impl::StartTransport() {
  transport::PeerTransport::Events events;
  events.opened = [this](const sync::SessionOpened& opened) { driver->Post(opened); };
  events.frame = [this](sync::SessionId session, v1::Frame frame, std::function<void()> release) {
    driver->PostThen(sync::FrameReceived{session, std::move(frame)}, std::move(release));
  };
  events.closed = [this](sync::SessionId session, std::string reason) {
    driver->Post(sync::SessionClosed{session, std::move(reason)});
  };
  transport::PeerTransport::Options peer_options;
  peer_options.listen = settings.listen;
  absl::StatusOr<std::unique_ptr<transport::PeerTransport>> started =
      transport::PeerTransport::Start(std::move(peer_options), keys->tls, entropy,
                                      std::move(events));
  if (!started.ok()) return started.status();
  peers = *std::move(started);

  transport::RelayClient::Events relay_events;
  relay_events.fetched = [this](std::string parcel, std::function<void()> durable) {
    driver->PostThen(sync::ParcelReceived{std::move(parcel)}, std::move(durable));
  };
  relay_events.deposited = [this](const PartyId& peer, uint64_t seq, const absl::Status& status) {
    driver->Post(sync::ParcelDeposited{peer, seq, status});
  };
  relay_events.state = [this](const std::string& address, const absl::Status& status) {
    options.log(status.ok() ? Cat("relay ", address, ": reached")
                            : Cat("relay ", address, ": ", ToStd(status.message())));
  };
  transport::RelayClient::Options relay_options;
  relay_options.cadence = settings.relay_pace;
  relays = std::make_unique<transport::RelayClient>(
      relay_options, keys->tls,
      std::vector<v1::RelayRoute>(config.card.relays().begin(), config.card.relays().end()),
      entropy, std::move(relay_events));
  TellTransport();
  return absl::OkStatus();
}

absl::Status NodeProcess::Impl::StartApi() {
  backend = std::make_unique<NodeBackend>(*driver, options.data_dir);
  service::ApiServer::Options api_options;
  api_options.data_dir = options.data_dir;
  api_options.body_code = config.card.code();
  api_options.authorize = [](const core::Caller& caller, std::string_view method) {
    return model::Authorize(caller.role, method);
  };
  absl::StatusOr<std::unique_ptr<service::ApiServer>> started =
      service::ApiServer::Start(std::move(api_options), *backend, blobs.get(), entropy);
  if (!started.ok()) return started.status();
  api = *std::move(started);
  told = api.get();
  return absl::OkStatus();
}

// Callers first, so that none is left without an answer; then what feeds the driver; then the
// driver, after which nothing is written any more.
void NodeProcess::Impl::Stop() {
  if (api != nullptr) api->Stop();
  if (peers != nullptr) peers->Stop();
  if (relays != nullptr) relays->Stop();
  if (driver != nullptr) driver->Stop();
  told = nullptr;
  pool.reset();
  api.reset();
}

absl::StatusOr<std::unique_ptr<NodeProcess>> NodeProcess::Start(Options options, Entropy& entropy) {
  auto impl = std::make_unique<Impl>(std::move(options), entropy);
  Impl& node = *impl;
  // Built before it is judged, so that what was started is stopped like any other.
  std::unique_ptr<NodeProcess> process(new NodeProcess(std::move(impl)));
  if (absl::Status s = node.OpenStores(); !s.ok()) return s;
  if (node.kv->dropped_tail_bytes() > 0) {
    node.options.log("an unfinished last write was dropped; nobody was told that it had been done");
  }
  if (absl::Status s = node.OpenEngine(); !s.ok()) return s;
  node.MakeDriver();
  if (absl::Status s = node.StartTransport(); !s.ok()) return s;
  node.driver->Start();
  if (absl::Status s = node.StartApi(); !s.ok()) return s;
  return process;
}

NodeProcess::NodeProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeProcess::~NodeProcess() { impl_->Stop(); }

std::string NodeProcess::body() const {
  return Cat(impl_->config.card.code(), ", ", impl_->config.card.name());
}

std::vector<std::string> NodeProcess::listening() const { return impl_->peers->listening(); }

}  // namespace entente::daemon

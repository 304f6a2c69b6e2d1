// What can be said of a node that does not run: `entented doctor`.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/keystore.h"
#include "node/core/doctor.h"
#include "node/core/engine.h"
#include "node/daemon/flags.h"
#include "node/daemon/folder_doctor.h"
#include "node/daemon/node_files.h"
#include "node/daemon/passphrase.h"
#include "node/service/errors.h"
#include "node/store/anchor_file.h"
#include "node/store/keystore_file.h"
#include "node/store/rocks_kv.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::daemon {
namespace {

namespace fs = std::filesystem;
using core::MakeFinding;

// The database's own lock: held by whoever has it open.
bool InUse(const std::string& database) {
  const int fd = open(PathIn(database, "LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool taken = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return taken;
}

class Offline {
 public:
  Offline(std::string data_dir, Entropy& entropy, absl::Time now, v1::DiagnoseResponse* out)
      : data_dir_(std::move(data_dir)), entropy_(entropy), now_(now), out_(out) {}

  void Examine(const std::string& passphrase_file) {
    std::vector<v1::Finding> findings = FolderFindings(data_dir_);
    if (OpenKeys(passphrase_file) && OpenStore() && OpenAnchor()) ExamineState();
    for (v1::Finding& finding : findings_) findings.push_back(std::move(finding));
    core::SortFindings(&findings);
    for (v1::Finding& finding : findings) *out_->add_findings() = std::move(finding);
  }

 private:
  void Add(std::string code, v1::Severity severity, std::string what, const absl::Status& status,
           std::string next) {
    std::string why(ToStd(status.message()));
    why = why.substr(0, why.find('\n'));
    findings_.push_back(
        MakeFinding(std::move(code), severity, std::move(what), std::move(why), std::move(next)));
  }

  bool OpenKeys(const std::string& passphrase_file) {
    const auto sealed = store::ReadSecretFile(PathIn(data_dir_, kKeystoreFile));
    const auto passphrase = sealed.ok() ? GetPassphrase(passphrase_file, /*fresh=*/false)
                                        : absl::StatusOr<crypto::SecretBytes>(sealed.status());
    absl::Status status = passphrase.status();
    if (passphrase.ok()) {
      absl::StatusOr<crypto::NodeKeys> keys =
          crypto::OpenKeystore(sealed->view(), passphrase->view());
      status = keys.status();
      if (keys.ok()) keys_ = std::make_shared<const crypto::NodeKeys>(*std::move(keys));
    }
    if (keys_ == nullptr) {
      Add("KEYSTORE", v1::SEVERITY_PROBLEM, "The node's keystore cannot be opened.", status,
          Cat("entente node doctor --offline --data ", data_dir_, " --passphrase-file FILE"));
    }
    return keys_ != nullptr;
  }

  bool OpenStore() {
    auto opened =
        store::RocksKv::OpenReadOnly(PathIn(data_dir_, kDatabaseDir), keys_->storage, entropy_);
    if (opened.ok()) {
      kv_ = *std::move(opened);
      const absl::StatusOr<std::optional<std::string>> row =
          kv_->Get(sync::schema::Card(keys_->party));
      if (row.ok() && row->has_value()) own_card_ = **row;
      if (!own_card_.empty()) return true;
      opened = row.ok() ? absl::DataLossError("the node's own card is not in it") : row.status();
    }
    Add("STORE", v1::SEVERITY_ALARM, "The node's database cannot be read.", opened.status(),
        Cat("mv ", data_dir_, " ", data_dir_, ".damaged"));
    return false;
  }

  // Reads the anchor as it is: opening it would write it anew.
  bool OpenAnchor() {
    const std::string path = PathIn(data_dir_, kAnchorFile);
    absl::StatusOr<std::vector<sync::AnchorRecord>> anchors = store::AnchorFile::Read(path);
    if (anchors.ok()) {
      anchors_ = *std::move(anchors);
      anchor_missing_ = false;
      return true;
    }
    if (absl::IsNotFound(anchors.status())) {
      findings_.push_back(MakeFinding(
          "ANCHOR_MISSING", v1::SEVERITY_ADVICE,
          "The record of what this node has signed is missing, as after a restored backup.",
          "When it starts it closes its logs for ever and goes on in new ones. That is as it "
          "should be if the machine that ran it before is gone or switched off; if that one still "
          "runs, do not start this one.",
          Cat("entented --data ", data_dir_, " --passphrase-file FILE")));
      return true;
    }
    if (absl::IsDataLoss(anchors.status())) {
      Add("ANCHOR", v1::SEVERITY_ALARM, "The record of what this node has signed is damaged.",
          anchors.status(), Cat("mv ", path, " ", path, ".damaged"));
    } else {
      Add("ANCHOR", v1::SEVERITY_PROBLEM, "The record of what this node has signed cannot be read.",
          anchors.status(), Cat("ls -l ", path));
    }
    return false;
  }

  void ExamineState() {
    core::Config config;
    const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(own_card_);
    if (!card.ok() || !config.signed_card.ParseFromString(own_card_)) {
      return Add("STORE", v1::SEVERITY_ALARM, "The node's own card does not hold.", card.status(),
                 Cat("mv ", data_dir_, " ", data_dir_, ".damaged"));
    }
    config.card = card->card;
    auto engine =
        core::Engine::Open(config, keys_, *kv_, anchors_, anchor_missing_, entropy_, now_);
    if (!engine.ok()) {
      return Add("STORE", v1::SEVERITY_ALARM, "The node's database contradicts itself.",
                 engine.status(), Cat("mv ", data_dir_, " ", data_dir_, ".damaged"));
    }
    core::Command command;
    command.method = "/entente.v1.NodeService/Diagnose";
    command.caller.role = v1::ROLE_NODE_OPERATOR;
    command.request = std::make_shared<v1::DiagnoseRequest>();
    // What the step would write is dropped with the engine.
    const absl::StatusOr<core::Effects> effects = (*engine)->Step(now_, command);
    absl::Status status = effects.status();
    if (status.ok() && effects->answers.empty()) status = absl::InternalError("it says nothing");
    if (status.ok()) status = effects->answers.front().status;
    if (!status.ok()) {
      return Add("STORE", v1::SEVERITY_ALARM, "The node's database cannot be read to its end.",
                 status, Cat("mv ", data_dir_, " ", data_dir_, ".damaged"));
    }
    TellNewLife(effects->writes);
    const auto& found =
        dynamic_cast<const v1::DiagnoseResponse&>(*effects->answers.front().response);
    for (const v1::Finding& finding : found.findings()) {
      if (finding.code() == "RESTORED" && will_begin_anew_) continue;
      findings_.push_back(finding);
    }
  }

  // At start the store is compared with the anchor; a new life shows in the row that counts them.
  void TellNewLife(const sync::WriteBatch& writes) {
    const std::string key = sync::schema::Meta("incarnation");
    const auto before = kv_->Get(key);
    for (const sync::WriteBatch::Write& write : writes.writes()) {
      if (write.key != key || !before.ok() || !before->has_value()) continue;
      will_begin_anew_ = write.value != **before;
    }
    if (!will_begin_anew_ || !fs::exists(PathIn(data_dir_, kAnchorFile))) return;
    findings_.push_back(MakeFinding(
        "BEHIND", v1::SEVERITY_ADVICE,
        "This node has signed more than its database holds: the database has been set back.",
        "When it starts it closes its logs for ever and goes on in new ones; what others hold of "
        "the old ones comes back by itself.",
        Cat("entented --data ", data_dir_, " --passphrase-file FILE")));
  }

  const std::string data_dir_;
  Entropy& entropy_;
  const absl::Time now_;
  v1::DiagnoseResponse* out_;
  std::vector<v1::Finding> findings_;
  std::shared_ptr<const crypto::NodeKeys> keys_;
  std::unique_ptr<store::RocksKv> kv_;
  std::string own_card_;
  std::vector<sync::AnchorRecord> anchors_;
  bool anchor_missing_ = true;
  bool will_begin_anew_ = false;
};

}  // namespace

absl::Status DiagnoseOffline(const std::vector<std::string>& words, Entropy& entropy,
                             absl::Time now, std::ostream& out) {
  const absl::StatusOr<Flags> flags = Flags::Parse(words, {{"data"}, {"passphrase-file"}});
  if (!flags.ok()) return flags.status();
  const std::string data = flags->Get("data");
  const absl::StatusOr<NodeConfig> config = ReadNodeConfig(data);
  if (!config.ok()) return config.status();
  if (InUse(PathIn(data, kDatabaseDir))) {
    return service::Error(absl::StatusCode::kFailedPrecondition,
                          {.what = "this node is running",
                           .code = "NODE_RUNS",
                           .why = "Its database is open; the node itself knows more.",
                           .next = "entente node doctor"});
  }
  v1::DiagnoseResponse response;
  Offline(data, entropy, now, &response).Examine(flags->Get("passphrase-file"));
  out << response.SerializeAsString() << std::flush;
  return absl::OkStatus();
}

}  // namespace entente::daemon

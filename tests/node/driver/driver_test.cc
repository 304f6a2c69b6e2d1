// One thread steps the engine; many bring it work, ask it and end it.
#include "node/driver/driver.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "crypto/tls_identity.h"
#include "gtest/gtest.h"
#include "sync/card_book.h"
#include "sync/schema.h"
#include "tests/node/store/store_test_util.h"
#include "tests/support/event_queue.h"
#include "tests/support/status_testing.h"

namespace entente::driver {
namespace {

v1::NodeCard CardOf(const crypto::NodeKeys& keys, const crypto::PartyRoot& root) {
  v1::NodeCard card;
  card.set_party(keys.party.str());
  card.set_code("XA");
  card.set_name("Arvenia");
  card.set_kind(v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
  card.set_country("XA");
  card.set_seq(1);
  card.set_log_key(keys.log.public_key().str());
  card.set_cosign_key(keys.cosign.public_key().str());
  card.set_statement_key(keys.statement.public_key().str());
  card.set_tls_spki_sha256(crypto::SpkiSha256(keys.tls.certificate_pem)->str());
  card.mutable_box_key()->set_id(keys.box.id().str());
  card.mutable_box_key()->set_public_key(keys.box.public_key().str());
  card.mutable_recovery_box_key()->set_id(root.recovery.id().str());
  card.mutable_recovery_box_key()->set_public_key(root.recovery.public_key().str());
  card.set_max_schema(1);
  return card;
}

class DriverTest : public testing::Test {
 protected:
  // Every thread of this test draws from the system's own generator.
  DriverTest() {
    const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy_);
    keys_ = std::make_shared<crypto::NodeKeys>(*crypto::GenerateNodeKeys(root, "XA", entropy_));
    core::Config config;
    config.card = CardOf(*keys_, root);
    const std::string signed_card = sync::SignCard(config.card, root.root);
    EXPECT_TRUE(config.signed_card.ParseFromString(signed_card));
    store::RocksKv::Options options;
    options.reserve.free_bytes = [this](const std::string&) -> absl::StatusOr<uint64_t> {
      return full_ ? 0 : uint64_t{1} << 40;
    };
    kv_ = *store::RocksKv::Open(dir_ / "db", keys_->storage, entropy_, options);
    sync::WriteBatch rows;
    rows.Put(sync::schema::Card(keys_->party), signed_card);
    EXPECT_OK(kv_->Commit(rows));
    EXPECT_OK(store::AnchorFile::Create(dir_ / "anchor", entropy_));
    anchor_ = *store::AnchorFile::Open(dir_ / "anchor", entropy_);
    engine_ = *core::Engine::Open(config, keys_, *kv_, {}, false, entropy_, absl::Now());
    Driver::Outlets outlets;
    outlets.send_frame = [](const sync::FrameOut&) {};
    outlets.close_session = [this](const sync::CloseSession& close) {
      closed_.Push(close.session);
    };
    outlets.send_parcel = [](const sync::ParcelOut&) {};
    outlets.run_job = [](sync::FileJob) {};
    outlets.peers_changed = [] {};
    outlets.stepped = [this] { ++steps_; };
    outlets.fatal = [this](const absl::Status& status) { fatal_.Push(status); };
    driver_ = std::make_unique<Driver>(*engine_, *kv_, *anchor_, std::move(outlets));
  }

  void Submit(const std::string& method, std::shared_ptr<const google::protobuf::Message> request) {
    core::Command command;
    command.caller = {"otto", v1::ROLE_NODE_OPERATOR};
    command.method = "/entente.v1.NodeService/" + method;
    command.request = std::move(request);
    driver_->Submit(std::move(command),
                    [this](core::Answer answer) { answers_.Push(answer.status); });
  }
  void AddUser(const std::string& name) {
    auto request = std::make_shared<v1::AddUserRequest>();
    request->set_user(name);
    request->set_role(v1::ROLE_MEMBER);
    request->set_public_key(keys_->log.public_key().str());
    Submit("AddUser", request);
  }
  // A session that the engine refuses: the answer shows that the input was stepped.
  static sync::Input Stranger(sync::SessionId id) {
    return sync::Input(sync::SessionOpened{id, PartyId(), Hash(), false});
  }

  SystemEntropy entropy_;
  store::TempDir dir_;
  std::atomic<bool> full_ = false;  // the volume
  std::shared_ptr<crypto::NodeKeys> keys_;
  std::unique_ptr<store::RocksKv> kv_;
  std::unique_ptr<store::AnchorFile> anchor_;
  std::unique_ptr<core::Engine> engine_;
  testing_support::EventQueue<sync::SessionId> closed_;
  testing_support::EventQueue<absl::Status> answers_, fatal_;
  std::atomic<int> steps_ = 0;
  std::unique_ptr<Driver> driver_;
};

TEST_F(DriverTest, AnswersEveryCommandOfManyThreads) {
  driver_->Start();
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this, i] {
      for (int j = 0; j < 25; ++j) AddUser("U" + std::to_string(i) + "x" + std::to_string(j));
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (int i = 0; i < 100; ++i) {
    const auto status = answers_.Pop();
    ASSERT_TRUE(status.has_value());
    EXPECT_OK(*status);
  }
  size_t users = 0;
  driver_->Inspect([&](core::Engine& engine) { users = engine.Users().size(); });
  EXPECT_EQ(users, 100u);
}

TEST_F(DriverTest, InputsAreSteppedInTheOrderTheyCame) {
  driver_->Start();
  for (sync::SessionId id = 1; id <= 300; ++id) driver_->Post(Stranger(id));
  for (sync::SessionId id = 1; id <= 300; ++id) EXPECT_EQ(closed_.Pop(), id);
}

TEST_F(DriverTest, DurableIsSaidAfterTheCommitAndOnce) {
  testing_support::EventQueue<int> durable;
  driver_->Start();
  for (int i = 0; i < 50; ++i) {
    driver_->PostThen(Stranger(static_cast<sync::SessionId>(i + 1)), [&, i] { durable.Push(i); });
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(durable.Pop(), i);
  driver_->Stop();
  EXPECT_TRUE(durable.Empty());
}

TEST_F(DriverTest, InspectionsRunBetweenStepsWhoeverAsks) {
  driver_->Start();
  std::vector<std::thread> askers;
  std::atomic<int> asked = 0;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        driver_->Inspect([&](core::Engine& engine) {
          static_cast<void>(engine.Peers());
          ++asked;
        });
      }
    });
  }
  for (int i = 0; i < 50; ++i) AddUser("U" + std::to_string(i));
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(asked, 200);
  for (int i = 0; i < 50; ++i) EXPECT_OK(*answers_.Pop());
}

TEST_F(DriverTest, StoppingAnswersWhoeverStillWaits) {
  driver_->Start();
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([this, i] {
      for (int j = 0; j < 50; ++j) AddUser("U" + std::to_string(i) + "x" + std::to_string(j));
    });
  }
  driver_->Stop();
  for (std::thread& caller : callers) caller.join();
  for (int i = 0; i < 150; ++i) {
    const auto status = answers_.Pop();
    ASSERT_TRUE(status.has_value());
    EXPECT_TRUE(status->ok() || absl::IsUnavailable(*status)) << *status;
  }
  bool inspected = false;
  driver_->Inspect([&](core::Engine&) { inspected = true; });
  EXPECT_FALSE(inspected);  // and it does not wait for ever
}

TEST_F(DriverTest, OnAFullVolumeTheNodeStillSaysWhatIsWrong) {
  driver_->Start();
  Submit("GetStatus", std::make_shared<v1::GetStatusRequest>());
  EXPECT_OK(*answers_.Pop());  // what the start had to write is written
  full_ = true;
  AddUser("ada");
  EXPECT_TRUE(absl::IsResourceExhausted(*answers_.Pop()));
  Submit("Diagnose", std::make_shared<v1::DiagnoseRequest>());
  EXPECT_OK(*answers_.Pop());
  EXPECT_TRUE(fatal_.Empty());
}

TEST_F(DriverTest, OnAFullVolumeAProofIsLookedAtAsEver) {
  driver_->Start();
  Submit("GetStatus", std::make_shared<v1::GetStatusRequest>());
  EXPECT_OK(*answers_.Pop());
  full_ = true;
  for (const bool made : {true, false}) {
    core::Command command;
    command.caller = {"ada", v1::ROLE_MEMBER};
    command.method =
        std::string("/entente.v1.RecordService/") + (made ? "ProveExistence" : "CheckExistence");
    if (made) command.request = std::make_shared<v1::ProveExistenceRequest>();
    if (!made) command.request = std::make_shared<v1::CheckExistenceRequest>();
    driver_->Submit(std::move(command),
                    [this](core::Answer answer) { answers_.Push(answer.status); });
    const auto status = answers_.Pop();
    ASSERT_TRUE(status.has_value());
    EXPECT_FALSE(status->ok());  // there is nothing to prove
    EXPECT_FALSE(absl::IsResourceExhausted(*status)) << *status;
  }
}

TEST_F(DriverTest, NothingRunsBeforeStart) {
  AddUser("ada");
  EXPECT_TRUE(answers_.Empty());
  driver_->Start();
  EXPECT_OK(*answers_.Pop());
  driver_->Stop();  // the step under way ends first
  EXPECT_GE(steps_, 1);
  EXPECT_TRUE(fatal_.Empty());
}

}  // namespace
}  // namespace entente::driver

// The relay on real sockets, with the client that nodes use: parcels wait until they are durable at
// their owner, and keys that nobody admitted do not get past TLS.
#include "node/relay/relay_service.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "crypto/entropy.h"
#include "crypto/parcel_seal.h"
#include "crypto/tls_identity.h"
#include "gtest/gtest.h"
#include "node/relay/relay_store.h"
#include "node/transport/relay_client.h"
#include "node/transport/tls.h"
#include "tests/node/store/store_test_util.h"
#include "tests/support/event_queue.h"
#include "tests/support/status_testing.h"

namespace entente::relay {
namespace {

using transport::RelayClient;

crypto::TlsIdentity IdentityOf(char letter) {
  return *crypto::TlsIdentityFromSeed(*crypto::Secret32::From(std::string(32, letter)),
                                      std::string(1, letter));
}

struct Fetched {
  std::string parcel;
  std::function<void()> durable;
};

// A node's client at the relay and what it has told.
struct Node {
  Node(char letter, const v1::RelayRoute& relay, Entropy& entropy) : identity(IdentityOf(letter)) {
    RelayClient::Options options;
    options.retry_min = absl::Milliseconds(10);
    options.retry_max = absl::Milliseconds(50);
    RelayClient::Events events;
    events.fetched = [this](std::string parcel, std::function<void()> durable) {
      fetched.Push({std::move(parcel), std::move(durable)});
    };
    events.deposited = [this](const PartyId&, uint64_t seq, const absl::Status& status) {
      deposited.Push({seq, status});
    };
    events.state = [this](const std::string&, const absl::Status& status) { state.Push(status); };
    client = std::make_unique<RelayClient>(options, identity, std::vector{relay}, entropy, events);
  }
  ~Node() { client->Stop(); }

  crypto::TlsIdentity identity;
  testing_support::EventQueue<Fetched> fetched;
  testing_support::EventQueue<std::pair<uint64_t, absl::Status>> deposited;
  testing_support::EventQueue<absl::Status> state;
  std::unique_ptr<RelayClient> client;
};

class RelayServiceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { transport::ConfigureTls(); }

  RelayServiceTest() {
    EXPECT_OK(core_.Admit({owner_, *crypto::SpkiSha256(IdentityOf('o').certificate_pem), 1}));
    EXPECT_OK(core_.Admit({sender_, *crypto::SpkiSha256(IdentityOf('s').certificate_pem), 1}));
    Start();
  }
  ~RelayServiceTest() override { service_->Stop(); }

  void Start() {
    RelayService::Options options;
    options.acceptor.addresses = {listen_};
    options.data_dir = dir_.path();
    auto started = RelayService::Start(options, identity_, core_);
    ASSERT_OK(started);
    service_ = *std::move(started);
    listen_ = service_->address();
    route_.set_address(service_->address());
    route_.set_tls_spki_sha256(service_->spki().str());
  }
  // The way between owner and sender as each sees it.
  RelayClient::Route RouteOf(bool from_sender) const {
    const RelayClient::Mailbox to_owner{*MailboxId::From(std::string(32, 'M')),
                                        std::string(32, 'd')};
    const RelayClient::Mailbox to_sender{*MailboxId::From(std::string(32, 'N')),
                                         std::string(32, 'e')};
    return from_sender ? RelayClient::Route{owner_, {route_}, to_owner, {to_sender}}
                       : RelayClient::Route{sender_, {route_}, to_sender, {to_owner}};
  }
  std::string Parcel(const std::string& text) {
    return *crypto::SealParcel(key_.public_key(), key_.id(), owner_,
                               *MailboxId::From(std::string(32, 'M')), text, entropy_);
  }

  SystemEntropy entropy_;
  store::TempDir dir_;
  RelayStore store_{dir_.path()};
  RelayCore core_ = *RelayCore::Open(store_, Quotas{}, absl::Now());
  const crypto::TlsIdentity identity_ = IdentityOf('r');
  const crypto::BoxKeyPair key_ = crypto::BoxKeyPair::Generate(entropy_);
  const PartyId owner_ = *PartyId::From(std::string(32, 'o'));
  const PartyId sender_ = *PartyId::From(std::string(32, 's'));
  std::string listen_ = "127.0.0.1:0";
  v1::RelayRoute route_;
  std::unique_ptr<RelayService> service_;
};

TEST_F(RelayServiceTest, ParcelsGoThroughInOrderAndWaitUntilTheyAreDurable) {
  Node owner('o', route_, entropy_), sender('s', route_, entropy_);
  owner.client->SetRoutes({RouteOf(false)});
  sender.client->SetRoutes({RouteOf(true)});
  const std::string one = Parcel("one"), two = Parcel("two");
  sender.client->Deposit(owner_, 1, one);
  sender.client->Deposit(owner_, 2, two);
  for (uint64_t seq = 1; seq <= 2; ++seq) {
    const auto left = sender.deposited.Pop();
    ASSERT_TRUE(left.has_value());
    EXPECT_EQ(left->first, seq);
    EXPECT_OK(left->second);
  }
  const auto first = owner.fetched.Pop();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->parcel, one);
  first->durable();
  const auto second = owner.fetched.Pop();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->parcel, two);
  second->durable();
}

TEST_F(RelayServiceTest, WhatWasNotMadeDurableComesAgainAfterARestart) {
  const std::string parcel = Parcel("one");
  {
    Node owner('o', route_, entropy_), sender('s', route_, entropy_);
    owner.client->SetRoutes({RouteOf(false)});
    sender.client->SetRoutes({RouteOf(true)});
    sender.client->Deposit(owner_, 1, parcel);
    EXPECT_TRUE(owner.fetched.Pop().has_value());
  }
  service_.reset();
  Start();
  Node again('o', route_, entropy_);
  again.client->SetRoutes({RouteOf(false)});
  const auto fetched = again.fetched.Pop();
  ASSERT_TRUE(fetched.has_value());
  EXPECT_EQ(fetched->parcel, parcel);
  fetched->durable();
}

// Keys change, and parcels for the new mailbox can come before the way to it is told.
TEST_F(RelayServiceTest, AParcelForAMailboxThatIsNewWaitsUntilTheWayToItIsKnown) {
  Node owner('o', route_, entropy_), sender('s', route_, entropy_);
  owner.client->SetRoutes({RouteOf(false)});
  RelayClient::Route before = RouteOf(true);
  before.outgoing = {*MailboxId::From(std::string(32, 'P')), std::string(32, 'f')};
  sender.client->SetRoutes({before});
  const std::string parcel = Parcel("under new keys");
  sender.client->Deposit(owner_, 1, parcel);
  EXPECT_FALSE(sender.deposited.Pop(std::chrono::seconds(1)).has_value());
  sender.client->SetRoutes({RouteOf(true)});
  const auto left = sender.deposited.Pop();
  ASSERT_TRUE(left.has_value());
  EXPECT_OK(left->second);
  const auto fetched = owner.fetched.Pop();
  ASSERT_TRUE(fetched.has_value());
  EXPECT_EQ(fetched->parcel, parcel);
  fetched->durable();
}

TEST_F(RelayServiceTest, AKeyThatNobodyAdmittedDoesNotGetIn) {
  Node stranger('x', route_, entropy_);
  stranger.client->SetRoutes({RouteOf(false)});
  const auto state = stranger.state.Pop();
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->ok());
  EXPECT_TRUE(stranger.fetched.Empty());
}

TEST_F(RelayServiceTest, ARelayWithAnotherKeyThanTheCardSaysIsNotUsed) {
  v1::RelayRoute wrong = route_;
  wrong.set_tls_spki_sha256(std::string(32, 'w'));
  Node owner('o', wrong, entropy_);
  owner.client->SetRoutes({RouteOf(false)});
  const auto state = owner.state.Pop();
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->ok());
}

}  // namespace
}  // namespace entente::relay

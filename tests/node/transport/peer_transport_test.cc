// Streams between nodes over real sockets: pinned, in order, bounded, and cut when trust ends.
#include "node/transport/peer_transport.h"

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "crypto/entropy.h"
#include "crypto/tls_identity.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "node/transport/frame_guard.h"
#include "node/transport/tls.h"
#include "tests/support/event_queue.h"
#include "tests/support/status_testing.h"

namespace entente::transport {
namespace {

struct Opened {
  sync::SessionOpened what;
};
struct Arrived {
  sync::SessionId session;
  v1::Frame frame;
  PeerTransport::Release release;
};
struct Closed {
  sync::SessionId session;
};
using Event = std::variant<Opened, Arrived, Closed>;

// One node's transport and what it has told.
struct End {
  End(char letter, std::vector<std::string> listen, Entropy& entropy)
      : party(*PartyId::From(std::string(32, letter))),
        identity(*crypto::TlsIdentityFromSeed(*crypto::Secret32::From(std::string(32, letter)),
                                              std::string(1, letter))),
        spki(*crypto::SpkiSha256(identity.certificate_pem)) {
    PeerTransport::Options options;
    options.listen = std::move(listen);
    options.back_off_min = absl::Milliseconds(10);
    options.back_off_max = absl::Milliseconds(50);
    PeerTransport::Events told;
    told.opened = [this](const sync::SessionOpened& what) { events.Push(Opened{what}); };
    told.frame = [this](sync::SessionId session, v1::Frame frame, PeerTransport::Release release) {
      events.Push(Arrived{session, std::move(frame), std::move(release)});
    };
    told.closed = [this](sync::SessionId session, const std::string&) {
      events.Push(Closed{session});
    };
    auto started = PeerTransport::Start(options, identity, entropy, told);
    EXPECT_OK(started);
    transport = *std::move(started);
  }
  PeerTransport::Target AsTarget(bool dial) const {
    return {party, spki, transport->listening(), dial};
  }
  template <class What>
  What Next() {
    auto event = events.Pop();
    if (!event.has_value() || !std::holds_alternative<What>(*event)) {
      ADD_FAILURE() << "another event, or none";
      return What{};
    }
    return std::get<What>(*std::move(event));
  }

  PartyId party;
  crypto::TlsIdentity identity;
  Hash spki;
  testing_support::EventQueue<Event> events;
  std::unique_ptr<PeerTransport> transport;
};

v1::Frame Ping(uint64_t token) {
  v1::Frame frame;
  frame.mutable_ping()->set_token(token);
  return frame;
}

class PeerTransportTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ConfigureTls(); }
  ~PeerTransportTest() override {
    a_.transport->Stop();
    b_.transport->Stop();
  }
  void Meet() {
    b_.transport->SetPeers({a_.AsTarget(false)});
    a_.transport->SetPeers({b_.AsTarget(true)});
    at_a_ = a_.Next<Opened>().what;
    at_b_ = b_.Next<Opened>().what;
  }

  SystemEntropy entropy_;
  End a_{'a', {}, entropy_};
  End b_{'b', {"127.0.0.1:0"}, entropy_};
  sync::SessionOpened at_a_, at_b_;
};

TEST_F(PeerTransportTest, EachEndKnowsWhoTheOtherIs) {
  Meet();
  EXPECT_EQ(at_a_.peer, b_.party);
  EXPECT_EQ(at_b_.peer, a_.party);
  EXPECT_EQ(at_b_.peer_spki, a_.spki);
  EXPECT_TRUE(at_a_.dialled);
  EXPECT_FALSE(at_b_.dialled);
}

TEST_F(PeerTransportTest, FramesArriveInOrderBothWays) {
  Meet();
  for (uint64_t i = 1; i <= 500; ++i) {
    a_.transport->Send(at_a_.session, Ping(i));
    b_.transport->Send(at_b_.session, Ping(1000 + i));
  }
  for (uint64_t i = 1; i <= 500; ++i) {
    const Arrived there = b_.Next<Arrived>(), here = a_.Next<Arrived>();
    ASSERT_EQ(there.frame.ping().token(), i);
    ASSERT_EQ(here.frame.ping().token(), 1000 + i);
    there.release();
    here.release();
  }
}

TEST_F(PeerTransportTest, AKeyThatIsNotPinnedGetsNoSession) {
  End stranger('s', {}, entropy_);
  b_.transport->SetPeers({a_.AsTarget(false)});
  stranger.transport->SetPeers({b_.AsTarget(true)});
  a_.transport->SetPeers({b_.AsTarget(true)});
  EXPECT_EQ(b_.Next<Opened>().what.peer, a_.party);
  a_.Next<Opened>();
  stranger.transport->Stop();
  EXPECT_TRUE(stranger.events.Empty());
  EXPECT_TRUE(b_.events.Empty());
}

TEST_F(PeerTransportTest, AListenerThatIsNotTheOneMeantIsNotTalkedTo) {
  PeerTransport::Target wrong = b_.AsTarget(true);
  wrong.spki = a_.spki;
  b_.transport->SetPeers({a_.AsTarget(false)});
  a_.transport->SetPeers({wrong});
  a_.transport->SetPeers({b_.AsTarget(true)});
  EXPECT_EQ(a_.Next<Opened>().what.peer_spki, b_.spki);
}

TEST_F(PeerTransportTest, WhoIsNoLongerTrustedIsCutAtOnce) {
  Meet();
  b_.transport->SetPeers({});
  EXPECT_EQ(b_.Next<Closed>().session, at_b_.session);
  EXPECT_EQ(a_.Next<Closed>().session, at_a_.session);
}

TEST_F(PeerTransportTest, AClosedSessionIsDialledAgain) {
  Meet();
  a_.transport->Close(at_a_.session, "for a test");
  EXPECT_EQ(a_.Next<Closed>().session, at_a_.session);
  EXPECT_EQ(b_.Next<Closed>().session, at_b_.session);
  EXPECT_NE(a_.Next<Opened>().what.session, at_a_.session);
  b_.Next<Opened>();
}

TEST_F(PeerTransportTest, WhatWasQueuedBeforeACloseStillArrives) {
  Meet();
  for (uint64_t i = 1; i <= 100; ++i) a_.transport->Send(at_a_.session, Ping(i));
  a_.transport->Close(at_a_.session, "done");
  for (uint64_t i = 1; i <= 100; ++i) {
    const Arrived frame = b_.Next<Arrived>();
    ASSERT_EQ(frame.frame.ping().token(), i);
    frame.release();
  }
  b_.Next<Closed>();
}

// Whoever does not read is not read to: the sender's queue fills to its cap and the session ends.
TEST_F(PeerTransportTest, APeerThatNeverReadsCannotFillOurMemory) {
  Meet();
  v1::Frame large;
  large.mutable_chunk()->set_sealed(std::string(1 << 20, 'x'));
  for (int i = 0; i < 200; ++i) {
    a_.transport->Send(at_a_.session, large);
    ASSERT_LE(a_.transport->QueuedBytes(at_a_.session), size_t{66} << 20);
  }
  EXPECT_EQ(a_.Next<Closed>().session, at_a_.session);
}

// A frame of two bytes costs more than two bytes once it waits for the engine.
TEST_F(PeerTransportTest, FramesThatNobodyHasDealtWithAreBoundedInNumber) {
  Meet();
  const size_t most = PeerTransport::Options().receive_frames_max;
  for (size_t i = 0; i < 3 * most; ++i) a_.transport->Send(at_a_.session, Ping(i));
  std::vector<PeerTransport::Release> held;
  for (size_t i = 0; i < most; ++i) held.push_back(b_.Next<Arrived>().release);
  EXPECT_TRUE(b_.events.Empty());
  for (const auto& release : held) release();
  for (size_t i = most; i < 3 * most; ++i) {
    const Arrived frame = b_.Next<Arrived>();
    ASSERT_EQ(frame.frame.ping().token(), i);
    frame.release();
  }
}

// A pinned peer with a program of its own.
class RawPeer {
 public:
  RawPeer(const End& self, const End& other) {
    const auto channel =
        grpc::CreateCustomChannel(other.transport->listening().front(),
                                  ClientTls(self.identity, other.spki), ChannelDefaults());
    call_ = grpc::GenericStub(channel).PrepareCall(&context_, "/entente.v1.PeerService/Exchange",
                                                   &queue_);
    call_->StartCall(this);
    Wait();
  }
  ~RawPeer() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  bool Write(const std::string& message) {
    const grpc::Slice slice(message);
    call_->Write(grpc::ByteBuffer(&slice, 1), this);
    return Wait();
  }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

TEST_F(PeerTransportTest, BytesThatAreNoFrameComeAsAnEmptyOneAndNothingIsReadAfterIt) {
  b_.transport->SetPeers({a_.AsTarget(false)});
  RawPeer raw(a_, b_);
  const sync::SessionOpened session = b_.Next<Opened>().what;
  ASSERT_TRUE(raw.Write(SerializeFrame(Ping(1))));
  EXPECT_EQ(b_.Next<Arrived>().frame.ping().token(), 1u);
  ASSERT_TRUE(raw.Write("this is no frame"));
  const Arrived nonsense = b_.Next<Arrived>();
  EXPECT_EQ(nonsense.frame.ByteSizeLong(), 0u);
  nonsense.release();
  raw.Write(SerializeFrame(Ping(2)));
  b_.transport->Close(session.session, "sent what is no frame");
  EXPECT_EQ(b_.Next<Closed>().session, session.session);
}

TEST_F(PeerTransportTest, AMessageBeyondTheLimitEndsTheSession) {
  b_.transport->SetPeers({a_.AsTarget(false)});
  RawPeer raw(a_, b_);
  const sync::SessionOpened session = b_.Next<Opened>().what;
  raw.Write(std::string(kPeerMessageBytesMax + 1, 'x'));
  EXPECT_EQ(b_.Next<Closed>().session, session.session);
}

TEST(PeerServerSettingsTest, EveryBoundOnWhatComesInIsSet) {
  const auto list = PeerServerSettings(PeerTransport::Options());
  const std::map<std::string, int> settings(list.begin(), list.end());
  EXPECT_EQ(settings, (std::map<std::string, int>{
                          {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, 2 << 20},
                          {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, 2 << 20},
                          {GRPC_ARG_MAX_METADATA_SIZE, 8 << 10},
                          {GRPC_ARG_MAX_CONCURRENT_STREAMS, 4},
                          {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000},
                          {GRPC_ARG_KEEPALIVE_TIME_MS, 30'000},
                          {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000},
                          {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
                          {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000},
                          {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
                          {GRPC_ARG_ALLOW_REUSEPORT, 0},
                          {GRPC_ARG_ENABLE_CHANNELZ, 0},
                      }));
}

}  // namespace
}  // namespace entente::transport

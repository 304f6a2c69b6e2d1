// The door of a node: strangers are few, guests are kept, and a full house sheds the right one.
#include "node/transport/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "crypto/bytes.h"
#include "gtest/gtest.h"
#include "tests/support/event_queue.h"
#include "tests/support/status_testing.h"

namespace entente::transport {
namespace {

// A client's end of a connection.
class Caller {
 public:
  explicit Caller(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::atoi(address.substr(10).c_str())));
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    sockaddr_in own{};
    socklen_t size = sizeof(own);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
    name_ = "ipv4:127.0.0.1:" + std::to_string(ntohs(own.sin_port));
  }
  ~Caller() { close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  const std::string& name() const { return name_; }
  // Waits until the other end has closed.
  bool Closed() const {
    pollfd wait{fd_, POLLIN | POLLRDHUP, 0};
    char byte = 0;
    return poll(&wait, 1, 30'000) == 1 && recv(fd_, &byte, 1, MSG_DONTWAIT) <= 0;
  }
  bool OpenNow() const {
    char byte = 0;
    return recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
  }

 private:
  int fd_;
  std::string name_;
};

class AcceptorTest : public testing::Test {
 protected:
  ~AcceptorTest() override {
    if (acceptor_ != nullptr) acceptor_->Stop();
    while (!taken_.Empty()) close(*taken_.Pop());
  }
  void Start(Acceptor::Options options) {
    options.addresses = {"127.0.0.1:0"};
    auto listening = Acceptor::Listen(std::move(options));
    ASSERT_OK(listening);
    acceptor_ = *std::move(listening);
    acceptor_->Start([this](int fd) { taken_.Push(fd); });
  }
  // A connection that has been accepted.
  std::unique_ptr<Caller> Call() {
    auto caller = std::make_unique<Caller>(acceptor_->addresses()[0]);
    const auto fd = taken_.Pop();
    EXPECT_TRUE(fd.has_value());
    held_.push_back(*fd);
    return caller;
  }
  std::unique_ptr<Acceptor> acceptor_;
  testing_support::EventQueue<int> taken_;
  std::vector<int> held_;  // gRPC's ends
};

TEST_F(AcceptorTest, HandsConnectionsOverAndCountsThem) {
  Start({});
  const auto one = Call(), two = Call();
  EXPECT_EQ(acceptor_->counts().strangers, 2u);
  EXPECT_TRUE(acceptor_->Admit(one->name()));
  EXPECT_EQ(acceptor_->counts().strangers, 1u);
  EXPECT_EQ(acceptor_->counts().admitted, 1u);
  EXPECT_TRUE(acceptor_->Admit(one->name()));
  EXPECT_EQ(acceptor_->counts().admitted, 1u);
}

TEST_F(AcceptorTest, ACrowdOfStrangersLosesItsOldestAndKeepsGuests) {
  Acceptor::Options options;
  options.strangers_max = 3;
  options.strangers_per_source_max = 3;
  Start(options);
  const auto guest = Call();
  ASSERT_TRUE(acceptor_->Admit(guest->name()));
  std::vector<std::unique_ptr<Caller>> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(Call());
  EXPECT_TRUE(crowd[0]->Closed());
  EXPECT_TRUE(crowd[1]->Closed());
  EXPECT_TRUE(crowd[4]->OpenNow());
  EXPECT_TRUE(guest->OpenNow());
  EXPECT_GE(acceptor_->counts().shed, 2u);
}

TEST_F(AcceptorTest, AStrangerThatNeverProvesItselfIsCut) {
  Acceptor::Options options;
  options.admit_within = absl::Milliseconds(50);
  Start(options);
  const auto stranger = Call();
  EXPECT_TRUE(stranger->Closed());
  EXPECT_EQ(acceptor_->counts().late, 1u);
}

TEST_F(AcceptorTest, GuestsHaveALimitToo) {
  Acceptor::Options options;
  options.admitted_max = 1;
  Start(options);
  const auto one = Call(), two = Call();
  EXPECT_TRUE(acceptor_->Admit(one->name()));
  EXPECT_FALSE(acceptor_->Admit(two->name()));
  EXPECT_TRUE(two->Closed());
}

// Else a peer could keep every place for guests with connections that do nothing.
TEST_F(AcceptorTest, AConnectionThatCarriesNothingAnyMoreIsAStrangersAgain) {
  Acceptor::Options options;
  options.admitted_max = 1;
  options.admit_within = absl::Milliseconds(100);
  Start(options);
  const auto one = Call();
  ASSERT_TRUE(acceptor_->Admit(one->name()));
  acceptor_->Release(one->name());
  EXPECT_EQ(acceptor_->counts().admitted, 0u);
  EXPECT_TRUE(one->Closed());
  const auto two = Call();
  EXPECT_TRUE(acceptor_->Admit(two->name()));
}

TEST_F(AcceptorTest, ACutConnectionIsClosedForItsCaller) {
  Start({});
  const auto caller = Call();
  acceptor_->Cut(caller->name());
  EXPECT_TRUE(caller->Closed());
}

TEST_F(AcceptorTest, WhatCannotBeListenedOnIsNamed) {
  Acceptor::Options options;
  options.addresses = {"nonsense"};
  EXPECT_REFUSED(Acceptor::Listen(options), kInvalidArgument, "nonsense");
  Start({});
  options.addresses = {acceptor_->addresses()[0]};
  EXPECT_REFUSED(Acceptor::Listen(options), kFailedPrecondition, "");
}

}  // namespace
}  // namespace entente::transport

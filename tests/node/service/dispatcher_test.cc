// The one road of a call: known method, known session, allowed role, well-formed bytes, then the
// node.
#include "node/service/dispatcher.h"

#include <memory>
#include <string>

#include "crypto/signing.h"
#include "gtest/gtest.h"
#include "node/model/authorize.h"
#include "tests/node/service/fake_backend.h"
#include "tests/support/status_testing.h"

namespace entente::service {
namespace {

constexpr char kListNotes[] = "/entente.v1.RecordService/ListNotes";

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    backend_.users = {{"ada", v1::ROLE_JIT_LEADER, key_.public_key()},
                      {"otto", v1::ROLE_NODE_OPERATOR, key_.public_key()}};
    auto notes = std::make_shared<v1::ListNotesResponse>();
    notes->set_total(7);
    backend_.answers[kListNotes] = notes;
  }
  absl::Status Handle(const std::string& method, const std::string& token,
                      const std::string& request, std::string* response = nullptr) {
    absl::Status out = absl::InternalError("never answered");
    dispatcher_.Handle(method, token, request, [&](const absl::Status& status, std::string bytes) {
      out = status;
      if (response != nullptr) *response = std::move(bytes);
    });
    return out;
  }
  std::string SignIn(const std::string& user) {
    v1::BeginSignInRequest begin;
    begin.set_user(user);
    std::string bytes;
    EXPECT_OK(
        Handle("/entente.v1.SessionService/BeginSignIn", "", begin.SerializeAsString(), &bytes));
    v1::BeginSignInResponse challenge;
    EXPECT_TRUE(challenge.ParseFromString(bytes));
    v1::SignInRequest in;
    in.set_user(user);
    in.set_challenge(challenge.challenge());
    in.set_signature(
        crypto::SignStatement(key_, crypto::Purpose::hello, JitId(), in.challenge()).str());
    EXPECT_OK(Handle("/entente.v1.SessionService/SignIn", "", in.SerializeAsString(), &bytes));
    v1::SignInResponse session;
    EXPECT_TRUE(session.ParseFromString(bytes));
    return session.token();
  }

  SeededEntropy entropy_{1};
  const crypto::SigningKey key_ = crypto::SigningKey::Generate(entropy_);
  FakeBackend backend_;
  ApiServer::Options options_ = [] {
    ApiServer::Options out;
    out.body_code = "XA";
    out.authorize = [](const core::Caller& caller, std::string_view method) {
      return model::Authorize(caller.role, method);
    };
    return out;
  }();
  Sessions sessions_{absl::Now, entropy_};
  UploadDesk uploads_{absl::Now, entropy_, [](const BlobId&) {}};
  Dispatcher dispatcher_{options_, backend_, sessions_, uploads_};
};

TEST_F(DispatcherTest, ASignedInPersonsCallReachesTheNodeUnderTheirName) {
  std::string bytes;
  ASSERT_OK(Handle(kListNotes, SignIn("ada"), "", &bytes));
  v1::ListNotesResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(response.total(), 7u);
  EXPECT_EQ(backend_.asked, std::vector<std::string>{Cat(kListNotes, " by ada")});
}

TEST_F(DispatcherTest, WithoutASessionNothingReachesTheNode) {
  EXPECT_REFUSED(Handle(kListNotes, "", ""), kUnauthenticated, "NOT_SIGNED_IN");
  EXPECT_REFUSED(Handle(kListNotes, "guessed", ""), kUnauthenticated, "NOT_SIGNED_IN");
  EXPECT_TRUE(backend_.asked.empty());
}

TEST_F(DispatcherTest, ARoleThatMayNotIsStoppedHere) {
  EXPECT_REFUSED(Handle(kListNotes, SignIn("otto"), ""), kPermissionDenied, "[ROLE]");
  EXPECT_TRUE(backend_.asked.empty());
}

TEST_F(DispatcherTest, UnknownMethodsAndBytesOfNoFormAreRefused) {
  const std::string token = SignIn("ada");
  for (const char* method : {"/entente.v1.RecordService/Destroy", "/entente.v1.NoService/X",
                             "nonsense", "", "/", "/entente.v1.PeerService/Exchange"}) {
    EXPECT_FALSE(Handle(method, token, "").ok()) << method;
  }
  EXPECT_REFUSED(Handle(kListNotes, token, "\xFF\xFF\xFF"), kInvalidArgument, "");
  EXPECT_TRUE(backend_.asked.empty());
}

TEST_F(DispatcherTest, WhoAmISaysPersonRoleAndBody) {
  std::string bytes;
  ASSERT_OK(Handle("/entente.v1.SessionService/WhoAmI", SignIn("ada"), "", &bytes));
  v1::WhoAmIResponse me;
  ASSERT_TRUE(me.ParseFromString(bytes));
  EXPECT_EQ(me.user(), "ada");
  EXPECT_EQ(me.role(), v1::ROLE_JIT_LEADER);
  EXPECT_EQ(me.body_code(), "XA");
}

}  // namespace
}  // namespace entente::service

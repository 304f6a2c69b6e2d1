// Signing in: possession of a key, once per challenge, and the same answer to every wrong attempt.
#include "node/service/sessions.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::service {
namespace {

class SessionsTest : public testing::Test {
 protected:
  v1::SignInRequest Signed(const std::string& user, const crypto::SigningKey& key) {
    v1::BeginSignInRequest begin;
    begin.set_user(user);
    v1::SignInRequest out;
    out.set_user(user);
    out.set_challenge(sessions_.Begin(begin).challenge());
    out.set_signature(
        crypto::SignStatement(key, crypto::Purpose::hello, JitId(), out.challenge()).str());
    return out;
  }
  std::string SignInAs(const std::string& user) {
    const auto in = sessions_.SignIn(Signed(user, key_), users_);
    EXPECT_OK(in);
    return in.ok() ? in->token() : "";
  }

  SeededEntropy entropy_{1};
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  const crypto::SigningKey key_ = crypto::SigningKey::Generate(entropy_);
  const crypto::SigningKey other_ = crypto::SigningKey::Generate(entropy_);
  Sessions sessions_{[this] { return now_; }, entropy_};
  const std::vector<core::Engine::User> users_ = {{"ada", v1::ROLE_JIT_LEADER, key_.public_key()}};
};

TEST_F(SessionsTest, AKeyOpensASessionWithItsRole) {
  const auto caller = sessions_.Resolve(SignInAs("ada"));
  ASSERT_OK(caller);
  EXPECT_EQ(caller->user, "ada");
  EXPECT_EQ(caller->role, v1::ROLE_JIT_LEADER);
  EXPECT_REFUSED(sessions_.Resolve("made up"), kUnauthenticated, "NOT_SIGNED_IN");
  EXPECT_REFUSED(sessions_.Resolve(""), kUnauthenticated, "NOT_SIGNED_IN");
}

TEST_F(SessionsTest, EveryWrongAttemptReadsAlike) {
  const absl::Status wrong_key = sessions_.SignIn(Signed("ada", other_), users_).status();
  const absl::Status unknown = sessions_.SignIn(Signed("eve", key_), users_).status();
  v1::SignInRequest late = Signed("ada", key_);
  now_ += Sessions::kChallengeLife + absl::Seconds(1);
  const absl::Status expired = sessions_.SignIn(late, users_).status();
  EXPECT_EQ(wrong_key.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(wrong_key, unknown);
  EXPECT_EQ(wrong_key, expired);
}

TEST_F(SessionsTest, AChallengeIsGoodOnceAndForItsUserOnly) {
  const v1::SignInRequest request = Signed("ada", key_);
  EXPECT_OK(sessions_.SignIn(request, users_));
  EXPECT_FALSE(sessions_.SignIn(request, users_).ok());
  v1::SignInRequest borrowed = Signed("eve", key_);
  borrowed.set_user("ada");
  EXPECT_FALSE(sessions_.SignIn(borrowed, users_).ok());
}

TEST_F(SessionsTest, SessionsEndWhenIdleAndAfterHalfADay) {
  const std::string idle = SignInAs("ada"), busy = SignInAs("ada");
  for (absl::Duration t; t < Sessions::kSessionLife; t += absl::Minutes(20)) {
    EXPECT_OK(sessions_.Resolve(busy));
    now_ += absl::Minutes(20);
  }
  now_ += absl::Seconds(1);
  EXPECT_FALSE(sessions_.Resolve(idle).ok());
  EXPECT_FALSE(sessions_.Resolve(busy).ok());
}

TEST_F(SessionsTest, AfterSomeFailuresEverybodyWaitsAndThenMayTryAgain) {
  for (size_t i = 0; i < Sessions::kFailuresPerUser; ++i) {
    EXPECT_REFUSED(sessions_.SignIn(Signed("ada", other_), users_), kUnauthenticated, "");
  }
  EXPECT_REFUSED(sessions_.SignIn(Signed("ada", key_), users_), kResourceExhausted,
                 "TOO_MANY_ATTEMPTS");
  now_ += Sessions::kFailureWindow + absl::Seconds(1);
  EXPECT_OK(sessions_.SignIn(Signed("ada", key_), users_));
}

TEST_F(SessionsTest, AFloodOfChallengesTakesNoMoreThanItsRoom) {
  v1::SignInRequest first = Signed("ada", key_);
  for (size_t i = 0; i < Sessions::kChallengesMax; ++i) Signed("flood", other_);
  EXPECT_FALSE(sessions_.SignIn(first, users_).ok());
  EXPECT_OK(sessions_.SignIn(Signed("ada", key_), users_));
}

}  // namespace
}  // namespace entente::service

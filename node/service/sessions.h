// Who is signed in. A person proves possession of a key; no password exists anywhere.
//
//   BeginSignIn(user)                     → 32 random bytes, good once, for 60 s
//   SignIn(user, challenge, signature)    → a token for up to 12 h, 30 min when idle
//   signature = statement "hello" under the user's key over the challenge, zero JIT id
//
// A wrong key, an unknown user and an old challenge get the same reply after the same work. Failed
// attempts are counted by name and in all; beyond the bound every attempt waits.
// Tokens are kept as hashes: a look-up takes no time that depends on a secret.
//
// Thread-safe; the clock is handed in. Tests: tests/node/service/sessions_test.cc.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/signing.h"
#include "entente/v1/client.pb.h"
#include "node/core/engine.h"

namespace entente::service {

class Sessions {
 public:
  static constexpr absl::Duration kChallengeLife = absl::Seconds(60);
  static constexpr absl::Duration kSessionLife = absl::Hours(12);
  static constexpr absl::Duration kSessionIdle = absl::Minutes(30);
  static constexpr absl::Duration kFailureWindow = absl::Minutes(10);
  static constexpr size_t kFailuresPerUser = 5;
  static constexpr size_t kFailuresInAll = 50;
  static constexpr size_t kChallengesMax = 1024;   // the oldest gives way
  static constexpr size_t kSessionsPerUser = 256;  // the one idle longest gives way

  Sessions(std::function<absl::Time()> clock, Entropy& entropy);

  v1::BeginSignInResponse Begin(const v1::BeginSignInRequest& request);

  // Unauthenticated [SIGN_IN_REFUSED]; ResourceExhausted [TOO_MANY_ATTEMPTS].
  absl::StatusOr<v1::SignInResponse> SignIn(const v1::SignInRequest& request,
                                            const std::vector<core::Engine::User>& users);

  // The caller of a session, and a sign of life for it. Unauthenticated [NOT_SIGNED_IN].
  absl::StatusOr<core::Caller> Resolve(std::string_view token);

 private:
  struct Challenge {
    std::string user;
    absl::Time issued;
  };
  struct Session {
    core::Caller caller;
    absl::Time began;
    absl::Time used;
  };

  bool TakeChallenge(const v1::SignInRequest& request, absl::Time now);
  absl::Status CheckRate(const std::string& user, absl::Time now);
  void CountFailure(const std::string& user, absl::Time now);
  void MakeRoom(const std::string& user, absl::Time now);

  const std::function<absl::Time()> clock_;
  Entropy& entropy_;
  const PublicKey decoy_;  // verified against when the user is unknown

  std::mutex mutex_;
  std::map<Hash, Challenge> challenges_;
  std::deque<Hash> challenge_order_;
  std::map<Hash, Session> sessions_;
  std::map<std::string, std::deque<absl::Time>> failures_;
  std::deque<absl::Time> failures_in_all_;
};

}  // namespace entente::service

#include "node/service/sessions.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "node/service/errors.h"

namespace entente::service {
namespace {

constexpr size_t kRandomBytes = 32;
// Names that nobody has are remembered too, or their attempts would be free; this many at most.
constexpr size_t kNamesCountedMax = 1024;

Hash HashOf(std::string_view secret) { return crypto::H("session", {secret}); }

absl::Status SignInRefused() {
  return Error(absl::StatusCode::kUnauthenticated,
               {.what = "sign-in refused",
                .code = "SIGN_IN_REFUSED",
                .why = "The user name and the key do not fit this node, or the attempt took longer "
                       "than 60 seconds.",
                .next = "check which user key file is used: entente help sign in"});
}

void Forget(std::deque<absl::Time>& times, absl::Time before) {
  while (!times.empty() && times.front() < before) times.pop_front();
}

}  // namespace

Sessions::Sessions(std::function<absl::Time()> clock, Entropy& entropy)
    : clock_(std::move(clock)),
      entropy_(entropy),
      decoy_(crypto::SigningKey::Generate(entropy).public_key()) {}

v1::BeginSignInResponse Sessions::Begin(const v1::BeginSignInRequest& request) {
  const std::lock_guard lock(mutex_);
  const absl::Time now = clock_();
  while (!challenge_order_.empty()) {
    const auto oldest = challenges_.find(challenge_order_.front());
    const bool gone = oldest == challenges_.end();
    const bool stale = !gone && now - oldest->second.issued > kChallengeLife;
    if (!gone && !stale && challenge_order_.size() < kChallengesMax) break;
    if (!gone) challenges_.erase(oldest);
    challenge_order_.pop_front();
  }
  v1::BeginSignInResponse response;
  response.set_challenge(entropy_.Bytes(kRandomBytes));
  const Hash key = HashOf(response.challenge());
  challenges_[key] = {request.user(), now};
  challenge_order_.push_back(key);
  return response;
}

bool Sessions::TakeChallenge(const v1::SignInRequest& request, absl::Time now) {
  const auto found = challenges_.find(HashOf(request.challenge()));
  if (found == challenges_.end()) return false;
  const Challenge challenge = found->second;
  challenges_.erase(found);
  return challenge.user == request.user() && now - challenge.issued <= kChallengeLife;
}

absl::StatusOr<v1::SignInResponse> Sessions::SignIn(const v1::SignInRequest& request,
                                                    const std::vector<core::Engine::User>& users) {
  const std::lock_guard lock(mutex_);
  const absl::Time now = clock_();
  if (absl::Status rate = CheckRate(request.user(), now); !rate.ok()) return rate;

  const bool fresh = TakeChallenge(request, now);
  const auto user = std::find_if(users.begin(), users.end(),
                                 [&](const auto& known) { return known.name == request.user(); });
  const bool known = user != users.end() && user->role != v1::ROLE_UNSPECIFIED;
  const bool signed_well =
      crypto::VerifyStatement(known ? user->key : decoy_, crypto::Purpose::hello, JitId(),
                              request.challenge(), request.signature())
          .ok();
  if (!fresh || !known || !signed_well) {
    CountFailure(request.user(), now);
    return SignInRefused();
  }
  failures_.erase(request.user());
  MakeRoom(request.user(), now);

  v1::SignInResponse response;
  response.set_token(entropy_.Bytes(kRandomBytes));
  response.set_role(user->role);
  sessions_[HashOf(response.token())] = {{user->name, user->role}, now, now};
  return response;
}

absl::StatusOr<core::Caller> Sessions::Resolve(std::string_view token) {
  const std::lock_guard lock(mutex_);
  const absl::Time now = clock_();
  const auto found = sessions_.find(HashOf(token));
  if (found != sessions_.end()) {
    Session& session = found->second;
    if (now - session.began <= kSessionLife && now - session.used <= kSessionIdle) {
      session.used = now;
      return session.caller;
    }
    sessions_.erase(found);
  }
  return Error(absl::StatusCode::kUnauthenticated,
               {.what = "nobody is signed in on this connection",
                .code = "NOT_SIGNED_IN",
                .why = "A session ends after 12 hours, after 30 minutes without use, and when the "
                       "node restarts.",
                .next = "sign in again (the entente command does so by itself)"});
}

absl::Status Sessions::CheckRate(const std::string& user, absl::Time now) {
  Forget(failures_in_all_, now - kFailureWindow);
  bool exceeded = failures_in_all_.size() >= kFailuresInAll;
  if (const auto found = failures_.find(user); found != failures_.end()) {
    Forget(found->second, now - kFailureWindow);
    exceeded = exceeded || found->second.size() >= kFailuresPerUser;
    if (found->second.empty()) failures_.erase(found);
  }
  if (!exceeded) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               {.what = "too many failed attempts to sign in",
                .code = "TOO_MANY_ATTEMPTS",
                .why = "After five failures a name has to wait, so that keys cannot be tried out.",
                .next = "wait ten minutes, then sign in with the right key file"});
}

void Sessions::CountFailure(const std::string& user, absl::Time now) {
  failures_in_all_.push_back(now);
  if (failures_.size() >= kNamesCountedMax && failures_.count(user) == 0) {
    const auto oldest = std::min_element(
        failures_.begin(), failures_.end(),
        [](const auto& a, const auto& b) { return a.second.back() < b.second.back(); });
    failures_.erase(oldest);
  }
  failures_[user].push_back(now);
}

void Sessions::MakeRoom(const std::string& user, absl::Time now) {
  size_t held = 0;
  auto idlest = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const Session& session = it->second;
    if (now - session.began > kSessionLife || now - session.used > kSessionIdle) {
      it = sessions_.erase(it);
      continue;
    }
    if (session.caller.user == user) {
      ++held;
      if (idlest == sessions_.end() || session.used < idlest->second.used) idlest = it;
    }
    ++it;
  }
  if (held >= kSessionsPerUser) sessions_.erase(idlest);
}

}  // namespace entente::service

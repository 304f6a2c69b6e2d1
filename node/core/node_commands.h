// The node itself: status, cards, people.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/state.h"

namespace entente::core {

absl::StatusOr<v1::GetStatusResponse> GetStatus(State& state, absl::Time now, const Caller& caller,
                                                const v1::GetStatusRequest& request);
absl::StatusOr<v1::ShowCardResponse> ShowCard(State& state, absl::Time now, const Caller& caller,
                                              const v1::ShowCardRequest& request);
absl::StatusOr<v1::TrustCardResponse> TrustCard(State& state, absl::Time now, const Caller& caller,
                                                const v1::TrustCardRequest& request);
absl::StatusOr<v1::ListCardsResponse> ListCards(State& state, absl::Time now, const Caller& caller,
                                                const v1::ListCardsRequest& request);
absl::StatusOr<v1::AddUserResponse> AddUser(State& state, absl::Time now, const Caller& caller,
                                            const v1::AddUserRequest& request);
absl::StatusOr<v1::ListUsersResponse> ListUsers(State& state, absl::Time now, const Caller& caller,
                                                const v1::ListUsersRequest& request);

v1::PeerStatus DescribePeer(const State& state, const PartyId& peer);

// Unix seconds; 0 for a time that never was.
int64_t SecondsOrZero(absl::Time time);

}  // namespace entente::core

#include "node/core/secret_commands.h"

namespace entente::core {
namespace {

// The body a secret is shared with: trusted, and not this one.
absl::StatusOr<PartyId> Partner(const State& state, const std::string& code) {
  const absl::StatusOr<PartyId> party = state.BodyByCode(code);
  if (!party.ok()) return party.status();
  if (*party == state.self) {
    return absl::InvalidArgumentError(
        "a secret is shared with another body [SCHEMA]\n  Next: entente secret make XB --out FILE");
  }
  return party;
}

absl::Status MayReplace(const State& state, const PartyId& party, bool replace) {
  if (replace || state.replica.shared_secrets().Held(party) == nullptr) return absl::OkStatus();
  return absl::AlreadyExistsError(
      Cat("a secret is shared with ", state.CodeOf(party),
          " already [SECRET_EXISTS]\n  Next: to exchange a new one, add --replace at both bodies"));
}

}  // namespace

absl::StatusOr<v1::MakeSharedSecretResponse> MakeSharedSecret(
    State& state, absl::Time now, const Caller&, const v1::MakeSharedSecretRequest& request) {
  const absl::StatusOr<PartyId> party = Partner(state, request.body());
  if (!party.ok()) return party.status();
  if (absl::Status s = MayReplace(state, *party, request.replace()); !s.ok()) return s;
  const auto secret = state.entropy.Draw<crypto::Secret32>();
  if (absl::Status s = state.replica.SetSharedSecret(*party, secret, now); !s.ok()) return s;
  v1::MakeSharedSecretResponse response;
  response.set_file(sync::EncodeSecretFile({state.self, *party, secret.Clone()}));
  return response;
}

absl::StatusOr<v1::TakeSharedSecretResponse> TakeSharedSecret(
    State& state, absl::Time now, const Caller&, const v1::TakeSharedSecretRequest& request) {
  const absl::StatusOr<PartyId> party = Partner(state, request.body());
  if (!party.ok()) return party.status();
  const absl::StatusOr<sync::SecretFile> file = sync::ParseSecretFile(request.file());
  if (!file.ok()) {
    return absl::InvalidArgumentError(
        "this file holds no shared secret, or has been altered [NOT_A_SECRET]\n  Next: have the "
        "other body make one: entente secret make");
  }
  if (file->from != *party || file->to != state.self) {
    return absl::InvalidArgumentError(
        Cat("this file was made by ", state.CodeOf(file->from), " for ", state.CodeOf(file->to),
            " [OTHER_BODIES]\n  Next: take the one that ", state.CodeOf(*party), " made for ",
            state.CodeOf(state.self)));
  }
  const crypto::Secret32* held = state.replica.shared_secrets().Held(*party);
  if (held != nullptr && crypto::EqualInConstantTime(held->view(), file->secret.view())) {
    return v1::TakeSharedSecretResponse();
  }
  if (absl::Status s = MayReplace(state, *party, request.replace()); !s.ok()) return s;
  if (absl::Status s = state.replica.SetSharedSecret(*party, file->secret, now); !s.ok()) return s;
  return v1::TakeSharedSecretResponse();
}

absl::StatusOr<v1::DropSharedSecretResponse> DropSharedSecret(
    State& state, absl::Time, const Caller&, const v1::DropSharedSecretRequest& request) {
  const absl::StatusOr<PartyId> party = Partner(state, request.body());
  if (!party.ok()) return party.status();
  if (state.replica.shared_secrets().Held(*party) == nullptr) {
    return absl::NotFoundError(
        Cat("no secret is shared with ", state.CodeOf(*party), " [NO_SHARED_SECRET]"));
  }
  state.replica.DropSharedSecret(*party);
  return v1::DropSharedSecretResponse();
}

}  // namespace entente::core

#include "node/core/membership_commands.h"

#include <string>
#include <utility>

#include "crypto/signing.h"
#include "node/core/agreement_commands.h"

namespace entente::core {
namespace {

// All bodies of the version in force but the one it is about, and those already excluded.
absl::StatusOr<sync::Members> Readers(const State& state, const JitId& jit, const PartyId& about) {
  const std::optional<v1::Agreement> agreement = state.decisions.Current(jit);
  if (!agreement.has_value()) {
    return absl::FailedPreconditionError(
        "no agreement is in force, so there is nobody to leave out [NOT_IN_FORCE]");
  }
  sync::Members readers;
  for (const PartyId& party : Decisions::Bodies(*agreement)) {
    if (party != about && !state.replica.exclusions().IsExcluded(jit, party)) readers.insert(party);
  }
  return readers;
}

sync::Draft Statement(const State& state, const JitId& jit, const Caller& caller,
                      sync::Members readers, crypto::Purpose purpose, std::string payload) {
  sync::Draft draft;
  draft.jit = jit;
  draft.audience = std::move(readers);
  draft.body.set_user(caller.user);
  v1::Statement* statement = draft.body.mutable_statement();
  statement->set_purpose(std::string(crypto::PurposeName(purpose)));
  statement->set_signer_card(state.OwnCard().hash.str());
  statement->set_signature(
      crypto::SignStatement(state.keys->statement, purpose, jit, payload).str());
  statement->set_payload(std::move(payload));
  return draft;
}

absl::Status AppendOne(State& state, absl::Time now, sync::Draft draft) {
  std::vector<sync::Draft> drafts;
  drafts.push_back(std::move(draft));
  return state.Append(now, std::move(drafts));
}

}  // namespace

absl::StatusOr<v1::ExcludeBodyResponse> ExcludeBody(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::ExcludeBodyRequest& request) {
  const absl::StatusOr<JitId> jit = state.JitByText(request.jit());
  if (!jit.ok()) return jit.status();
  const absl::StatusOr<PartyId> party = state.BodyByCode(request.body());
  if (!party.ok()) return party.status();
  absl::StatusOr<sync::Members> readers = Readers(state, *jit, *party);
  if (!readers.ok()) return readers.status();
  absl::StatusOr<std::string> payload =
      state.replica.exclusions().MakeExclusion(*jit, *party, request.reason(), *readers);
  if (!payload.ok()) return payload.status();
  // The lock is anchored with this step: not even a database set back to an older state lets this
  // node write to the excluded body again.
  const Hash lock = sync::Exclusions::LockOf(*jit, *party);
  if (absl::Status s = AppendOne(state, now,
                                 Statement(state, *jit, caller, *std::move(readers),
                                           crypto::Purpose::exclude, *std::move(payload)));
      !s.ok()) {
    return s;
  }
  state.fresh_locks.push_back({*LogId::From(lock.view()), kExclusionLock, 1, lock});
  state.replica.AddStopLock(lock);
  v1::ExcludeBodyResponse response;
  const absl::StatusOr<v1::AgreementView> view = CurrentAgreementView(state, *jit, now);
  if (!view.ok()) return view.status();
  *response.mutable_agreement() = *view;
  return response;
}

absl::StatusOr<v1::SuspendBodyResponse> SuspendBody(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::SuspendBodyRequest& request) {
  const absl::StatusOr<JitId> jit = state.JitByText(request.jit());
  if (!jit.ok()) return jit.status();
  const absl::StatusOr<PartyId> party = state.BodyByCode(request.body());
  if (!party.ok()) return party.status();
  absl::StatusOr<sync::Members> readers = Readers(state, *jit, *party);
  if (!readers.ok()) return readers.status();
  absl::StatusOr<std::string> payload =
      state.replica.exclusions().MakeSuspension(*jit, *party, request.reason(), request.lift());
  if (!payload.ok()) return payload.status();
  if (absl::Status s = AppendOne(state, now,
                                 Statement(state, *jit, caller, *std::move(readers),
                                           crypto::Purpose::suspend, *std::move(payload)));
      !s.ok()) {
    return s;
  }
  v1::SuspendBodyResponse response;
  const absl::StatusOr<v1::AgreementView> view = CurrentAgreementView(state, *jit, now);
  if (!view.ok()) return view.status();
  *response.mutable_agreement() = *view;
  return response;
}

void FillStandings(const State& state, const JitId& jit, v1::AgreementView* view) {
  const auto add = [&state](const std::set<PartyId>& parties, auto* out) {
    for (const PartyId& party : parties) *out->Add() = state.CodeOf(party);
  };
  for (const sync::Standing& standing : state.replica.exclusions().StandingsIn(jit)) {
    v1::BodyStanding* shown = view->add_standings();
    shown->set_code(state.CodeOf(standing.party));
    shown->set_excluded(standing.excluded);
    shown->set_reason(standing.reason);
    add(standing.signed_by, shown->mutable_signed_by());
    add(standing.waiting_for, shown->mutable_waiting_for());
    add(standing.suspended_by, shown->mutable_suspended_by());
  }
}

}  // namespace entente::core

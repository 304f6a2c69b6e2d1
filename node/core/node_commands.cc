#include "node/core/node_commands.h"

#include "crypto/words.h"
#include "node/core/agreement_commands.h"
#include "node/core/key_commands.h"
#include "sync/schema.h"

namespace entente::core {
namespace {

constexpr std::string_view kVersion = "0.1.0";

v1::CardSummary Summarize(const State& state, const sync::TrustedCard& card) {
  v1::CardSummary out;
  out.set_code(card.card.code());
  out.set_name(card.card.name());
  out.set_kind(card.card.kind());
  out.set_word_string(crypto::WordString(card.party));
  for (const std::string& address : card.card.addresses()) out.add_addresses(address);
  for (const v1::RelayRoute& relay : card.card.relays()) out.add_relays(relay.address());
  out.set_seq(card.card.seq());
  out.set_signed_card(state.replica.PortableCard(card.party).SerializeAsString());
  out.set_own(card.party == state.self);
  out.set_relay_only(card.card.relay_only());
  out.set_disputed(state.replica.cards().ForkOf(card.party) != nullptr);
  out.set_compromised_since(card.card.compromised_since());
  const sync::SharedSecrets& secrets = state.replica.shared_secrets();
  if (secrets.Held(card.party) != nullptr) {
    out.set_shared_secret(secrets.InUse(card.party) != nullptr ? "in use" : "waiting");
  }
  return out;
}

}  // namespace

int64_t SecondsOrZero(absl::Time time) {
  return time == absl::InfinitePast() ? 0 : absl::ToUnixSeconds(time);
}

v1::PeerStatus DescribePeer(const State& state, const PartyId& peer) {
  const sync::TrustedCard& card = *state.replica.cards().Find(peer);
  v1::PeerStatus out;
  out.set_code(card.card.code());
  out.set_name(card.card.name());
  out.set_connected(state.replica.Connected(peer));
  switch (state.replica.RouteTo(peer)) {
    case sync::Route::kDirect:
      out.set_route("direct");
      break;
    case sync::Route::kRelay:
      out.set_route("relay");
      break;
    case sync::Route::kNone:
      out.set_route("none");
      out.set_last_problem("no way to reach it: neither an address nor a common relay");
      break;
  }
  if (state.replica.cards().ForkOf(peer) != nullptr) {
    out.set_last_problem("two different cards of it with one number exist");
  }
  out.set_last_contact(SecondsOrZero(state.replica.LastContact(peer)));
  out.set_waiting(state.replica.WaitingFor(peer));
  out.set_unreadable(state.replica.key_repair().Owed(peer));
  if (out.unreadable() > 0) {
    out.set_last_problem(Cat("cannot read ", std::to_string(out.unreadable()),
                             " parts of shared records yet; they are handed over again"));
  }
  return out;
}

absl::StatusOr<v1::GetStatusResponse> GetStatus(State& state, absl::Time now, const Caller&,
                                                const v1::GetStatusRequest&) {
  v1::GetStatusResponse out;
  const sync::TrustedCard& own = state.OwnCard();
  out.set_body_code(own.card.code());
  out.set_body_name(own.card.name());
  out.set_word_string(crypto::WordString(own.party));
  for (const std::string& address : own.card.addresses()) out.add_listening(address);
  for (const auto& [party, card] : state.replica.cards().all()) {
    if (party == state.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    *out.add_peers() = DescribePeer(state, party);
  }
  uint64_t entries = 0;
  uint64_t unreadable = 0;
  for (const auto& [id, log] : state.replica.logs().all()) {
    entries += log.size;
    unreadable += log.locked_epochs.size();
  }
  out.set_entries(entries);
  out.set_unreadable_here(unreadable);
  out.set_records(state.model.size());
  out.set_only_here(state.replica.OnlyHere());
  for (const auto& [id, jit] : state.decisions.all()) {
    v1::JitStatus* status = out.add_jits();
    status->set_jit(id.hex());
    const sync::ProposalState* shown = jit.agreement.Current();
    for (const auto& [hash, proposal] : jit.agreement.all()) {
      if (shown == nullptr) shown = &proposal;
    }
    if (shown == nullptr) continue;
    v1::Agreement agreement;
    agreement.ParseFromString(shown->proposal.text());
    status->set_code_name(agreement.code_name());
    status->set_period_to(agreement.period_to());
    status->set_state(AgreementStateName(jit.agreement, *shown, now));
  }
  out.set_version(std::string(kVersion));
  const absl::StatusOr<v1::KeyStatus> keys = DescribeKeys(state);
  if (!keys.ok()) return keys.status();
  *out.mutable_keys() = *keys;
  for (const std::string& warning : state.warnings) out.add_warnings(warning);
  for (const auto& [party, fork] : state.replica.cards().forks()) {
    out.add_warnings(
        party == state.self
            ? "Two different cards of this body with one number exist: somebody else may be using "
              "its root key. Tell the other bodies by telephone."
            : Cat(state.CodeOf(party),
                  " has issued two different cards with one number: somebody "
                  "else may be using its root key. No newer card of it is "
                  "taken. Meet its people before you trust one again."));
  }
  if (unreadable > 0) {
    out.add_warnings(
        Cat("Parts of what others share cannot be read here yet (", std::to_string(unreadable),
            "). The other readers have been asked to hand them over again; that happens by "
            "itself."));
  }
  return out;
}

absl::StatusOr<v1::ShowCardResponse> ShowCard(State& state, absl::Time, const Caller&,
                                              const v1::ShowCardRequest& request) {
  v1::ShowCardResponse out;
  const sync::TrustedCard* card =
      request.code().empty() ? &state.OwnCard() : state.replica.cards().FindByCode(request.code());
  if (card == nullptr) {
    return absl::NotFoundError(Cat("no card of \"", model::CleanForDisplay(request.code()),
                                   "\" here [UNKNOWN_PARTY]\n  Next: entente card list"));
  }
  *out.mutable_card() = Summarize(state, *card);
  return out;
}

absl::StatusOr<v1::TrustCardResponse> TrustCard(State& state, absl::Time now, const Caller&,
                                                const v1::TrustCardRequest& request) {
  const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(request.signed_card());
  if (!card.ok()) {
    return absl::InvalidArgumentError(Cat(ToStd(card.status().message()),
                                          " [NOT_A_CARD]\n  Next: ask for the card again: entente "
                                          "card show > FILE"));
  }
  if (!request.word_string().empty() &&
      crypto::NormalizeWords(request.word_string()) != crypto::WordString(card->party)) {
    return absl::PermissionDeniedError(Cat(
        "refused: the words do not match this card of ", card->card.code(),
        " [WORDS_DIFFER]\n  It may have been exchanged on its way.\n  Next: do not use it; ask ",
        card->card.code(), " for its card on another way"));
  }
  const bool known = state.replica.cards().Find(card->party) != nullptr;
  const absl::StatusOr<bool> already = state.replica.TrustCard(request.signed_card(), now);
  if (!already.ok()) return already.status();
  state.RefreshDirectory();
  // A proposal may have waited for this very card.
  for (const auto& [id, jit] : state.decisions.all()) {
    state.decisions.Evaluate(*state.decisions.Find(id));
  }
  v1::TrustCardResponse out;
  *out.mutable_card() = Summarize(state, *state.replica.cards().Find(card->party));
  out.set_already_trusted(*already);
  out.set_renewed(known && !*already);
  return out;
}

absl::StatusOr<v1::ListCardsResponse> ListCards(State& state, absl::Time, const Caller&,
                                                const v1::ListCardsRequest&) {
  v1::ListCardsResponse out;
  for (const auto& [party, card] : state.replica.cards().all()) {
    *out.add_cards() = Summarize(state, card);
  }
  return out;
}

absl::StatusOr<v1::AddUserResponse> AddUser(State& state, absl::Time, const Caller&,
                                            const v1::AddUserRequest& request) {
  if (absl::Status s = model::CheckText(request.user(), 100, false);
      !s.ok() || request.user().empty()) {
    return absl::InvalidArgumentError(
        Cat("the person's name ", s.ok() ? "is empty" : ToStd(s.message()), " [BAD_TEXT]"));
  }
  const absl::StatusOr<PublicKey> key = PublicKey::From(request.public_key());
  if (!key.ok() || !crypto::CheckPublicKey(*key).ok()) {
    return absl::InvalidArgumentError("the person's key is malformed [BAD_KEY]");
  }
  if (request.role() == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(request.role())) {
    return absl::InvalidArgumentError("a person needs a role: --role MEMBER [SCHEMA]");
  }
  if (state.users.contains(request.user())) {
    return absl::AlreadyExistsError(
        Cat("\"", request.user(), "\" is already a person of this node [USER_EXISTS]"));
  }
  state.users[request.user()] = {request.user(), request.role(), *key};
  v1::UserRow row;
  row.set_role(request.role());
  row.set_public_key(key->str());
  state.overlay.Put(sync::schema::User(request.user()), row.SerializeAsString());
  return v1::AddUserResponse();
}

absl::StatusOr<v1::ListUsersResponse> ListUsers(State& state, absl::Time, const Caller&,
                                                const v1::ListUsersRequest&) {
  v1::ListUsersResponse out;
  for (const auto& [name, user] : state.users) {
    v1::UserSummary* item = out.add_users();
    item->set_user(name);
    item->set_role(user.role);
  }
  return out;
}

}  // namespace entente::core

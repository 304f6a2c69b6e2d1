// What the checks of node/core/doctor.cc need, read off the state.
#include <algorithm>

#include "node/core/doctor.h"
#include "node/core/evidence_commands.h"
#include "node/core/state.h"

namespace entente::core {
namespace {

DoctorFacts::Road RoadTo(const State& state, const PartyId& peer) {
  switch (state.replica.RouteTo(peer)) {
    case sync::Route::kDirect:
      return DoctorFacts::Road::kDirect;
    case sync::Route::kRelay:
      return DoctorFacts::Road::kRelay;
    case sync::Route::kNone:
      break;
  }
  return DoctorFacts::Road::kNone;
}

absl::Time KeysSince(const State& state, const PartyId& party) {
  const std::optional<sync::ReadingKey> newest = state.replica.box_keys().NewestOf(party);
  return newest.has_value() ? absl::FromUnixSeconds(newest->created) : absl::InfiniteFuture();
}

absl::Time NewestStampOf(const State& state, const PartyId& party) {
  absl::Time newest = absl::InfinitePast();
  for (const auto& [jit, decided] : state.decisions.all()) {
    newest = std::max(newest, state.replica.observations().LastFrom(jit, party));
  }
  return newest;
}

std::vector<std::string> Codes(const State& state, const std::set<PartyId>& parties) {
  std::vector<std::string> out;
  out.reserve(parties.size());
  for (const PartyId& party : parties) out.push_back(state.CodeOf(party));
  std::sort(out.begin(), out.end());
  return out;
}

void GatherPeers(const State& state, DoctorFacts* facts) {
  std::set<PartyId> sharing;
  for (const auto& [id, log] : state.replica.logs().all()) {
    sharing.insert(log.members.begin(), log.members.end());
  }
  for (const auto& [party, card] : state.replica.cards().all()) {
    if (party == state.self || card.card.kind() == v1::BODY_KIND_RELAY) continue;
    DoctorFacts::Peer peer;
    peer.code = card.card.code();
    peer.road = RoadTo(state, party);
    peer.connected = state.replica.Connected(party);
    peer.agrees = state.replica.InSync(party);
    peer.relay_only = card.card.relay_only();
    peer.last_contact = state.replica.LastContact(party);
    peer.newest_stamp = NewestStampOf(state, party);
    // Its word may have come round by others.
    if (peer.last_contact == absl::InfinitePast()) peer.last_contact = peer.newest_stamp;
    peer.keys_since = KeysSince(state, party);
    peer.waiting = state.replica.WaitingFor(party);
    peer.shares_a_jit = sharing.contains(party);
    facts->peers.push_back(std::move(peer));
  }
  for (const sync::Refusals::Item& item : state.replica.refusals().All()) {
    facts->refusals.push_back({item.peer.is_zero() ? "relay" : state.CodeOf(item.peer),
                               item.row.by_peer(), static_cast<v1::RefusalCode>(item.row.code()),
                               absl::FromUnixSeconds(item.row.last_time()), item.row.count()});
  }
}

// A theft is told by the card that followed it, which later ones do not repeat.
void GatherKeys(const State& state, DoctorFacts* facts) {
  const sync::BoxKeys& keys = state.replica.box_keys();
  facts->own_keys_since = keys.newest_since();
  facts->next_rotation = keys.next_rotation();
  std::set<PartyId> partners;
  for (const auto& [id, log] : state.replica.logs().all()) {
    partners.insert(log.members.begin(), log.members.end());
  }
  partners.erase(state.self);
  std::erase_if(partners, [&](const PartyId& party) {
    return state.replica.cards().Find(party) == nullptr || keys.KnowsNewest(party);
  });
  facts->behind = Codes(state, partners);
  for (const auto& [party, fork] : state.replica.cards().forks()) {
    facts->disputed.push_back(state.CodeOf(party));
  }
  for (const auto& [party, newest] : state.replica.cards().all()) {
    for (const sync::TrustedCard* card : state.replica.cards().ChainOf(party)) {
      if (card->card.compromised_since() == 0) continue;
      facts->thefts.push_back({state.CodeOf(party),
                               absl::FromUnixSeconds(card->card.compromised_since()),
                               absl::FromUnixSeconds(card->card.issued())});
    }
  }
}

// Whether nobody writes on with the keys that signed it: the danger is past, the proof stays.
bool IsOver(const State& state, const sync::LogState& log) {
  if (log.author == state.self) return !state.replica.cloned();
  const sync::CardBook& cards = state.replica.cards();
  const sync::TrustedCard* card = cards.FindOf(log.author, log.author_card.view());
  return (card != nullptr && cards.IsRevoked(*card)) ||
         state.replica.exclusions().IsExcluded(log.jit, log.author);
}

void GatherLogs(const State& state, DoctorFacts* facts) {
  for (const auto& [id, log] : state.replica.logs().all()) {
    if (!log.locked_epochs.empty()) facts->locked_authors.insert(state.CodeOf(log.author));
    if (!log.fork.has_value()) continue;
    facts->forks.push_back({state.CodeOf(log.author), log.author == state.self, log.size,
                            std::min(log.size, state.replica.EffectSize(id)), IsOver(state, log)});
  }
}

void GatherJits(const State& state, DoctorFacts* facts) {
  for (const auto& [id, jit] : state.decisions.all()) {
    DoctorFacts::Jit fact;
    const sync::ProposalState* current = jit.agreement.Current();
    const sync::ProposalState* shown = current;
    for (const auto& [hash, proposal] : jit.agreement.all()) {
      if (!proposal.validity.ok() || proposal.InForce() || proposal.AnyRefused()) continue;
      if (shown == nullptr) shown = &proposal;
      if (proposal.proposal.prev() != jit.agreement.NextPrev().view()) continue;
      for (const auto& [party, signer] : proposal.signers) {
        if (!signer.is_signed && !signer.excluded) fact.waiting_for.push_back(state.CodeOf(party));
      }
    }
    if (shown == nullptr) continue;
    v1::Agreement agreement;
    agreement.ParseFromString(shown->proposal.text());
    fact.name = model::CleanForDisplay(agreement.code_name());
    fact.in_force = current != nullptr;
    fact.period_to = absl::FromUnixSeconds(agreement.period_to());
    for (const sync::Standing& standing : state.replica.exclusions().StandingsIn(id)) {
      facts->standings.push_back({fact.name, state.CodeOf(standing.party), standing.excluded,
                                  Codes(state, standing.signed_by),
                                  Codes(state, standing.waiting_for),
                                  Codes(state, standing.suspended_by)});
    }
    std::sort(fact.waiting_for.begin(), fact.waiting_for.end());
    facts->jits.push_back(std::move(fact));
  }
}

void GatherEvidence(const State& state, absl::Time now, DoctorFacts* facts) {
  for (const model::Record* record : state.model.List(nullptr, model::kEvidenceKind)) {
    const v1::RecordView view = state.model.View(*record, now);
    if (IsToBeReviewed(state, view, absl::ToUnixSeconds(now))) ++facts->to_be_reviewed;
    if (view.owner() != facts->self || !view.has_erasure() || view.erasure().complete()) continue;
    DoctorFacts::Erasure erasure{view.ref(), absl::FromUnixSeconds(view.erasure().time()), {}};
    for (const v1::ErasureAnswer& answer : view.erasure().bodies()) {
      if (answer.state() != "confirmed") erasure.waiting_for.push_back(answer.body());
    }
    facts->erasures.push_back(std::move(erasure));
  }
}

}  // namespace

DoctorFacts GatherFacts(const State& state, absl::Time now) {
  DoctorFacts facts;
  facts.self = state.OwnCard().card.code();
  facts.incarnation = state.replica.incarnation();
  facts.cloned = state.replica.cloned();
  facts.newest_own_stamp = NewestStampOf(state, state.self);
  facts.only_here = state.replica.OnlyHere();
  GatherKeys(state, &facts);
  GatherPeers(state, &facts);
  GatherLogs(state, &facts);
  GatherJits(state, &facts);
  GatherEvidence(state, now, &facts);
  return facts;
}

absl::StatusOr<v1::DiagnoseResponse> Diagnose(State& state, absl::Time now, const Caller&,
                                              const v1::DiagnoseRequest&) {
  v1::DiagnoseResponse out;
  for (v1::Finding& finding : Examine(GatherFacts(state, now), now)) {
    *out.add_findings() = std::move(finding);
  }
  return out;
}

}  // namespace entente::core

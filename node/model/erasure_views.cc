#include "node/model/erasure_views.h"

#include <algorithm>
#include <map>
#include <string>

#include "sync/hlc.h"

namespace entente::model {
namespace {

v1::ErasureAnswer AnswerOf(const Erasure& erasure, const PartyId& party, const Reached& reached) {
  v1::ErasureAnswer out;
  std::set<Hash> asked;
  bool told = true;
  for (const ErasureAct& act : erasure.acts) {
    if (!act.audience.contains(party)) continue;
    asked.insert(act.orders.begin(), act.orders.end());
    told = told && reached(act.ref, party);
  }
  for (const Destruction& destruction : erasure.destroyed) {
    if (destruction.author != party) continue;
    for (const std::string& order : destruction.destroyed.orders()) {
      if (const auto id = Hash::From(order); id.ok()) asked.erase(*id);
    }
    const v1::Destroyed& said = destruction.destroyed;
    out.set_entries(out.entries() + said.entries());
    out.set_files(out.files() + said.files());
    out.set_time(std::max(out.time(), said.destroyed_at()));
    out.set_backups_expire(std::max(out.backups_expire(), said.backups_expire()));
    out.set_statement(destruction.statement.SerializeAsString());
  }
  out.set_state(asked.empty() ? "confirmed" : told ? "notified" : "not reached");
  return out;
}

}  // namespace

v1::ErasureView ViewErasure(const Folded& folded, const Directory& directory,
                            const Reached& reached) {
  const Erasure& erasure = *folded.erasure;
  v1::ErasureView view;
  view.set_time(absl::ToUnixSeconds(sync::TimeFromHlc(erasure.hlc)));
  view.set_actor(erasure.user);
  view.set_basis(erasure.basis);
  for (const v1::SignedErasureOrder& order : erasure.orders) {
    view.add_orders(order.SerializeAsString());
  }
  view.set_complete(true);
  std::map<std::string, v1::ErasureAnswer> by_code;
  for (const PartyId& party : folded.audience) {
    v1::ErasureAnswer answer = AnswerOf(erasure, party, reached);
    answer.set_body(directory.CodeOf(party));
    view.set_complete(view.complete() && answer.state() == "confirmed");
    by_code[answer.body()] = std::move(answer);
  }
  for (auto& [code, answer] : by_code) *view.add_bodies() = std::move(answer);
  return view;
}

}  // namespace entente::model

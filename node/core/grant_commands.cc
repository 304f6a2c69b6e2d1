#include "node/core/grant_commands.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "node/core/carry.h"
#include "node/core/evidence_commands.h"

namespace entente::core {
namespace {

struct Own {
  const model::RecordEntry* entry = nullptr;
  v1::EntryBody body;
};

// The own entries of a record by their time. Grants themselves are never handed on: they hold keys.
std::vector<Own> OwnEntries(const State& state, const model::Record& record, uint32_t* not_own) {
  std::vector<Own> out;
  for (const model::RecordEntry& entry : record.entries()) {
    Own own{&entry, {}};
    if (entry.author != state.self) {
      *not_own += 1;
    } else if (own.body.ParseFromString(entry.body_bytes) && !own.body.has_grant()) {
      out.push_back(std::move(own));
    }
  }
  std::sort(out.begin(), out.end(), [](const Own& a, const Own& b) {
    return std::pair(a.body.hlc(), a.entry->ref) < std::pair(b.body.hlc(), b.entry->ref);
  });
  return out;
}

absl::Status CheckNumbers(const std::vector<uint64_t>& numbers, size_t count) {
  for (const uint64_t number : numbers) {
    if (number == 0 || number > count) {
      return absl::InvalidArgumentError(Cat("there is no entry ", std::to_string(number),
                                            "; this record has ", std::to_string(count),
                                            " of this body's own [NO_ENTRY]\n  Next: see them with "
                                            "--dry-run"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Originals> PlanOriginals(State& state, const model::PlanContext& context,
                                        const model::Record& record, const sync::Members& to,
                                        const std::vector<uint64_t>& numbers,
                                        const std::string& basis, bool with_drafts) {
  Originals out;
  const std::vector<Own> own = OwnEntries(state, record, &out.not_own);
  if (absl::Status s = CheckNumbers(numbers, own.size()); !s.ok()) return s;
  std::map<PartyId, std::vector<sync::EntryRef>> gets;
  for (size_t i = 0; i < own.size(); ++i) {
    const uint64_t number = i + 1;
    if (!numbers.empty() && std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
      continue;
    }
    bool wanted = false;
    for (const PartyId& party : to) {
      if (own[i].entry->audience->contains(party)) continue;  // has it from the log itself
      gets[party].push_back(own[i].entry->ref);
      wanted = true;
    }
    if (!wanted) continue;
    v1::OriginalView view =
        state.model.ViewOriginal(record, own[i].body, own[i].entry->ref, state.self);
    view.set_number(number);
    out.shown.push_back(std::move(view));
  }
  if (!with_drafts) return out;
  for (const auto& [party, refs] : gets) {
    absl::StatusOr<std::vector<v1::Grant>> grants = state.replica.MakeGrants(refs, basis);
    if (!grants.ok()) return grants.status();
    absl::StatusOr<model::Plan> plan =
        model::PlanGrants(context, record, party, *std::move(grants));
    if (!plan.ok()) return plan.status();
    std::move(plan->drafts.begin(), plan->drafts.end(), std::back_inserter(out.drafts));
  }
  return out;
}

absl::StatusOr<v1::GrantRecordResponse> GrantRecord(State& state, absl::Time now,
                                                    const Caller& caller,
                                                    const v1::GrantRecordRequest& request) {
  const auto record = state.model.Resolve(request.record());
  if (!record.ok()) return record.status();
  const auto to = state.BodiesByCode(ToVector(request.to()));
  if (!to.ok()) return to.status();
  if (to->empty() || to->contains(state.self)) {
    return absl::InvalidArgumentError(
        "a record is handed on to another body [SCHEMA]\n  Next: entente record grant REF --to XC "
        "--basis …");
  }
  if (request.basis().empty()) {
    return absl::InvalidArgumentError(
        "handing on what was signed needs a basis, which stays with it [SCHEMA]\n  Next: --basis "
        "\"…\"");
  }
  v1::GrantRecordResponse response;
  if (state.model.ByIdempotencyKey(request.idempotency_key()).has_value()) {
    response.set_done(true);
    return response;
  }
  model::PlanContext context{state.model,
                             now,
                             caller.user,
                             caller.role,
                             (*record)->jit(),
                             state.entropy,
                             request.idempotency_key()};
  *response.mutable_preview() = PreviewRelease(state, context, **record, *to);
  std::vector<sync::Draft> drafts;
  const bool widens = response.preview().becomes_readable_for_size() > 0;
  if (widens && state.kinds.Find((*record)->kind())->record_class() == v1::RECORD_CLASS_TWO_SIDED) {
    return absl::InvalidArgumentError(
        "work between two bodies is not released to a third; only its readers can be given its "
        "entries as signed [WRONG_KIND]");
  }
  if (widens && !request.dry_run()) {
    // The snapshot comes first: it is the legal act, and what the originals are held against.
    absl::StatusOr<model::Plan> plan =
        model::PlanRelease(context, **record, *to, request.basis(), request.basis());
    if (!plan.ok()) return plan.status();
    drafts = std::move(plan->drafts);
    context.idempotency_key.clear();
  }
  absl::StatusOr<Originals> originals = PlanOriginals(
      state, context, **record, *to, {request.numbers().begin(), request.numbers().end()},
      request.basis(), !request.dry_run());
  if (!originals.ok()) return originals.status();
  AddOriginals(*originals, response.mutable_preview());
  if (request.dry_run()) return response;
  std::move(originals->drafts.begin(), originals->drafts.end(), std::back_inserter(drafts));
  if (drafts.empty()) {
    return absl::FailedPreconditionError(
        "the body has every one of these entries already [NOTHING_TO_DO]");
  }
  if (absl::Status s = state.Append(now, std::move(drafts)); !s.ok()) return s;
  response.set_done(true);
  return response;
}

absl::StatusOr<v1::ShowOriginalsResponse> ShowOriginals(State& state, absl::Time, const Caller&,
                                                        const v1::ShowOriginalsRequest& request) {
  const auto record = state.model.Resolve(request.record());
  if (!record.ok()) return record.status();
  v1::ShowOriginalsResponse response;
  for (const model::HandedOn& handed : state.model.Fold(**record).originals) {
    v1::OriginalView view = state.model.ViewOriginal(**record, handed.original.body,
                                                     handed.original.ref, handed.author);
    view.set_number(static_cast<uint64_t>(response.originals_size()) + 1);
    view.set_log_size(handed.original.log_size);
    *response.add_originals() = std::move(view);
  }
  return response;
}

}  // namespace entente::core

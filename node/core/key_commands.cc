#include "node/core/key_commands.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/entry_header.h"
#include "sync/entry_codec.h"
#include "sync/hlc.h"

namespace entente::core {
namespace {

// What a thief of one body's keys could read: every entry of an epoch that is sealed to a key which
// that body used at the time of the theft, or before; its first one if that time is earlier still.
class Exposure {
 public:
  Exposure(State& state, const PartyId& body, absl::Time since)
      : state_(state), body_(body), since_(since) {
    const auto chain = state.replica.cards().ChainOf(body);
    if (!chain.empty()) {
      since_ = std::max(since_, absl::FromUnixSeconds(chain.front()->card.issued()));
    }
  }

  absl::Status Look(const sync::LogState& log) {
    v1::ExposedLog found;
    uint64_t epoch_first = 0;
    bool exposed = false;
    const absl::Status read = state_.replica.logs().ReadRange(
        log, 0, log.size, [&](uint64_t index, const sync::StoredEntry& entry) {
          if (entry.type == crypto::kEpoch) {
            epoch_first = index + 1;
            exposed = SealedToStolenKey(entry.body);
            if (exposed) found.set_until(0);
            return true;
          }
          const auto opened =
              sync::OpenEntry(log, index, entry, epoch_first, state_.replica.epoch_keys());
          if (opened.ok()) Count(*opened, exposed, &found);
          if (exposed) found.set_entries(found.entries() + 1);
          return true;
        });
    if (!read.ok()) return read;
    if (found.entries() == 0) return absl::OkStatus();
    found.set_author_code(state_.CodeOf(log.author));
    for (const PartyId& member : log.members) found.add_audience(state_.CodeOf(member));
    for (const RecordId& id : touched_) {
      v1::ExposedRecord& record = records_[id];
      record.set_goes_on(record.goes_on() || exposed);
    }
    touched_.clear();
    logs_.push_back(std::move(found));
    return absl::OkStatus();
  }

  v1::ShowExposureResponse Take() {
    v1::ShowExposureResponse out;
    for (auto& [id, record] : records_) *out.add_records() = std::move(record);
    for (v1::ExposedLog& log : logs_) *out.add_logs() = std::move(log);
    return out;
  }

 private:
  bool SealedToStolenKey(const std::string& body) const {
    v1::Epoch epoch;
    if (!epoch.ParseFromString(body)) return false;
    return std::any_of(epoch.slots().begin(), epoch.slots().end(), [this](const v1::Slot& slot) {
      if (slot.party() != body_.view()) return false;
      const sync::TrustedCard* card = state_.replica.cards().Find(body_);
      if (card != nullptr && slot.key_id() == card->card.recovery_box_key().id()) return false;
      const std::optional<absl::Time> announced =
          state_.replica.box_keys().AnnouncedAt(body_, slot.key_id());
      // One that is no longer known here may have been theirs: the list is rather too long.
      return !announced.has_value() || *announced <= since_;
    });
  }

  void Count(const sync::OpenedEntry& entry, bool exposed, v1::ExposedLog* log) {
    const int64_t when = absl::ToUnixSeconds(sync::TimeFromHlc(entry.body.hlc()));
    if (!exposed) {
      if (log->until() == 0 && log->entries() > 0) log->set_until(when);
      return;
    }
    const absl::StatusOr<RecordId> id = RecordId::From(entry.body.record_id());
    const model::Record* record = id.ok() ? state_.model.Find(*id) : nullptr;
    if (record == nullptr) return;
    v1::ExposedRecord& found = records_[*id];
    if (found.changes() == 0) {
      found.set_ref(state_.model.RefOf(*record));
      const model::Kind* kind = state_.kinds.Find(entry.body.kind());
      found.set_kind(kind == nullptr ? "" : kind->name());
      found.set_owner_code(state_.CodeOf(entry.author));
      found.set_first_change(when);
    }
    found.set_first_change(std::min(found.first_change(), when));
    found.set_last_change(std::max(found.last_change(), when));
    found.set_changes(found.changes() + 1);
    touched_.insert(*id);
  }

  State& state_;
  PartyId body_;
  absl::Time since_;
  std::map<RecordId, v1::ExposedRecord> records_;
  std::vector<v1::ExposedLog> logs_;
  std::set<RecordId> touched_;  // in the log that is being looked at
};

}  // namespace

absl::StatusOr<v1::KeyStatus> DescribeKeys(const State& state) {
  const sync::Replica& replica = state.replica;
  const sync::BoxKeys& keys = replica.box_keys();
  v1::KeyStatus out;
  out.set_reading_key_since(absl::ToUnixSeconds(keys.newest_since()));
  out.set_next_rotation(absl::ToUnixSeconds(keys.next_rotation()));
  out.set_old_keys_held(static_cast<uint32_t>(keys.held().size() - 1));
  const absl::StatusOr<uint64_t> own = replica.RekeyDebt(/*own=*/true);
  const absl::StatusOr<uint64_t> others = replica.RekeyDebt(/*own=*/false);
  if (!own.ok()) return own.status();
  if (!others.ok()) return others.status();
  out.set_rekey_debt(*own);
  out.set_rekey_debt_of_others(*others);
  std::set<PartyId> partners;
  for (const auto& [id, log] : replica.logs().all()) {
    partners.insert(log.members.begin(), log.members.end());
  }
  for (const PartyId& party : partners) {
    if (party != state.self && replica.cards().Find(party) != nullptr && !keys.KnowsNewest(party)) {
      out.add_behind(state.CodeOf(party));
    }
  }
  for (const auto& [party, fork] : replica.cards().forks()) out.add_disputed(state.CodeOf(party));
  return out;
}

absl::StatusOr<v1::RotateKeysResponse> RotateKeys(State& state, absl::Time now, const Caller&,
                                                  const v1::RotateKeysRequest& request) {
  if (absl::Status s = state.replica.RotateBoxKey(now, request.emergency()); !s.ok()) return s;
  const absl::StatusOr<v1::KeyStatus> keys = DescribeKeys(state);
  if (!keys.ok()) return keys.status();
  v1::RotateKeysResponse out;
  *out.mutable_keys() = *keys;
  return out;
}

absl::StatusOr<v1::ShowExposureResponse> ShowExposure(State& state, absl::Time now, const Caller&,
                                                      const v1::ShowExposureRequest& request) {
  const absl::StatusOr<PartyId> body = state.BodyByCode(request.body());
  if (!body.ok()) return body.status();
  std::optional<JitId> jit;
  if (!request.jit().empty()) {
    const absl::StatusOr<JitId> named = state.JitByText(request.jit());
    if (!named.ok()) return named.status();
    jit = *named;
  }
  const absl::Time since = absl::FromUnixSeconds(request.since());
  if (request.since() <= 0 || since > now) {
    return absl::InvalidArgumentError(
        "say since when the keys may have been in other hands, a time that has passed [BAD_DATE]\n "
        " "
        "Next: entente node exposure --body XB --since 2026-03-01");
  }
  Exposure exposure(state, *body, since);
  for (const auto& [id, log] : state.replica.logs().all()) {
    if (!log.members.contains(*body) || (jit.has_value() && log.jit != *jit)) continue;
    if (absl::Status s = exposure.Look(log); !s.ok()) return s;
  }
  return exposure.Take();
}

}  // namespace entente::core

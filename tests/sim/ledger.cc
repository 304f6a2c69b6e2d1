#include "tests/sim/ledger.h"

#include <algorithm>

#include "entente/v1/storage.pb.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

size_t Ledger::Keep(const std::string& owner, Codes may_know) {
  may_know.insert(owner);
  secrets_.push_back(
      {Cat("canary-", std::to_string(secrets_.size()), "-", Hex(world_.entropy().Bytes(12))), owner,
       std::move(may_know)});
  return secrets_.size() - 1;
}

namespace {

// Whether a node reads all of these own entries.
bool Reads(const Node& node, const Rows& entries) {
  const auto& rows = node.disk.kv.rows();
  return std::all_of(entries.begin(), entries.end(), [&](const auto& entry) {
    const std::string_view key = entry.first;
    if (!rows.contains(key)) return false;
    const auto log = rows.find(Cat("l", key.substr(1, 32)));
    v1::LogRow row;
    return log != rows.end() && row.ParseFromString(log->second) &&
           row.opened() > *ByteReader(key.substr(33)).ReadU64();
  });
}

}  // namespace

void Ledger::Stopped(Node& node, const std::string& gone, const Rows& statement) {
  stops_[{node.code(), gone}] = {{}, statement, false};
  MeasureStop(node.code(), gone);
}

void Ledger::NoteWhoForgotAStop() {
  for (auto& [pair, stop] : stops_) {
    if (stop.forgotten || Reads(world_.node(pair.first), stop.statement)) continue;
    stop.forgotten = true;
    world_.counters().Hit("forgot whom it left out");
    AwaitStop(pair.first, pair.second);
  }
}

void Ledger::AwaitStop(const std::string& writer, const std::string& gone) {
  world_.After(absl::Minutes(1), [this, writer, gone] {
    const auto it = stops_.find({writer, gone});
    if (it == stops_.end() || !it->second.forgotten) return;
    if (!Reads(world_.node(writer), it->second.statement)) return AwaitStop(writer, gone);
    it->second.forgotten = false;
    MeasureStop(writer, gone);
  });
}

void Ledger::MeasureStop(const std::string& writer, const std::string& gone) {
  const Node& node = world_.node(writer);
  const PartyId party = world_.node(gone).who.party;
  std::map<LogId, uint64_t>& sizes = stops_[{writer, gone}].sizes;
  // Of a log of an earlier life others may hold more than the node has got back.
  for (const auto& holder : world_.nodes()) {
    const auto& rows = holder->disk.kv.rows();
    for (auto it = rows.lower_bound("l"); it != rows.end() && it->first[0] == 'l'; ++it) {
      v1::LogRow row;
      if (!row.ParseFromString(it->second) || row.author() != node.who.party.view()) continue;
      const auto& members = row.members();
      if (std::find(members.begin(), members.end(), party.view()) == members.end()) continue;
      uint64_t& size = sizes[*LogId::From(std::string_view(it->first).substr(1))];
      size = std::max<uint64_t>(size, row.size());
    }
  }
}

void Ledger::Lifted(const std::string& node, const std::string& gone) {
  stops_.erase({node, gone});
}

bool Ledger::LeftOut(const std::string& code) const {
  return std::any_of(stops_.begin(), stops_.end(),
                     [&](const auto& stop) { return stop.first.second == code; });
}

void Ledger::Erasing(const std::string& id) {
  for (Promise& promise : promises_) {
    if (promise.id == id) promise.erasing = true;
  }
}

void Ledger::Erased(Promise order, std::set<BlobId> files) {
  erased_.push_back({order.owner, RecordId::FromHex(order.id)->str(), order.ref, promises_.size(),
                     std::move(files)});
  order.erasing = true;  // what was written with it is the gaps
  promises_.push_back(std::move(order));
}

void Ledger::ExcuseWhatNobodyHolds() {
  for (Promise& promise : promises_) {
    if (promise.lost_with_disk) continue;
    for (const auto& [key, body] : promise.rows) {
      const bool held = std::any_of(world_.nodes().begin(), world_.nodes().end(),
                                    [&key = key](const auto& other) {
                                      return !other->hostile && other->disk.kv.rows().contains(key);
                                    });
      if (!held) promise.lost_with_disk = true;
    }
  }
}

void Ledger::NoteWhatOwnersLack() {
  for (Promise& promise : promises_) {
    const auto& rows = world_.node(promise.owner).disk.kv.rows();
    promise.set_back =
        promise.set_back || std::any_of(promise.rows.begin(), promise.rows.end(),
                                        [&](const auto& row) { return !rows.contains(row.first); });
  }
}

void Ledger::Renewed(const Node& node) {
  const auto& rows = node.disk.kv.rows();
  for (auto it = rows.lower_bound("l"); it != rows.end() && it->first[0] == 'l'; ++it) {
    v1::LogRow row;
    if (!row.ParseFromString(it->second) || row.author() != node.who.party.view()) continue;
    ends_.emplace(*LogId::From(std::string_view(it->first).substr(1)), row.size());
  }
  for (const std::string& card : node.who.card.revokes()) given_up_.insert(*Hash::From(card));
  for (Promise& promise : promises_) {
    if (promise.owner != node.code()) continue;
    promise.lost_with_disk =
        promise.lost_with_disk ||
        std::any_of(promise.rows.begin(), promise.rows.end(),
                    [&](const auto& row) { return !rows.contains(row.first); });
  }
}

uint64_t Ledger::EndOf(const LogId& log, const Hash& author_card) const {
  if (!given_up_.contains(author_card)) return UINT64_MAX;
  const auto it = ends_.find(log);
  return it == ends_.end() ? 0 : it->second;
}

void Ledger::LastRound() {
  std::map<LogId, uint64_t>& sizes = before_last_round_.emplace();
  for (const auto& node : world_.nodes()) {
    const auto& rows = node->disk.kv.rows();
    for (auto row = rows.lower_bound("l"); row != rows.end() && row->first[0] == 'l'; ++row) {
      v1::LogRow log;
      if (!log.ParseFromString(row->second)) continue;
      uint64_t& size = sizes[*LogId::From(std::string_view(row->first).substr(1))];
      size = std::max(size, log.size());
    }
  }
}

uint64_t Ledger::HadTime(const LogId& log) const {
  if (!before_last_round_.has_value()) return UINT64_MAX;
  const auto it = before_last_round_->find(log);
  return it == before_last_round_->end() ? 0 : it->second;
}

}  // namespace entente::sim

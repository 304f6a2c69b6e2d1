#include "tests/sim/checkers/everything.h"

#include "crypto/body_seal.h"
#include "crypto/key_tree.h"
#include "entente/v1/storage.pb.h"
#include "sync/entry_codec.h"

namespace entente::sim {

std::optional<SeenEntry> ReadEntryRow(std::string_view row) {
  if (row.size() < 37) return std::nullopt;
  SeenEntry out;
  ByteReader reader(row);
  out.type = *reader.ReadU8();
  out.epoch = *reader.ReadU32();
  out.leaf = *Hash::From(row.substr(5, 32));
  out.body = std::string(row.substr(37));
  return out;
}

Everything::Everything(World& world) : world_(world) {
  for (const auto& node : world.nodes()) ReadLogs(*node);
  OpenAll();
}

std::string Everything::CodeOf(const PartyId& party) const {
  const Node* node = world_.Find(party);
  return node == nullptr ? "?" : node->code();
}

Codes Everything::CodesOf(const std::set<PartyId>& parties) const {
  Codes out;
  for (const PartyId& party : parties) out.insert(CodeOf(party));
  return out;
}

void Everything::ReadLogs(const Node& node) {
  for (const auto& [key, value] : node.disk.kv.rows()) {
    if (key[0] == 'l') {
      v1::LogRow row;
      if (!row.ParseFromString(value)) continue;
      SeenLog& log = logs_[*LogId::From(std::string_view(key).substr(1))];
      log.id = *LogId::From(std::string_view(key).substr(1));
      log.jit = *JitId::From(row.jit_id());
      log.author = *PartyId::From(row.author());
      log.author_card = *Hash::From(row.author_card());
      for (const std::string& member : row.members()) log.members.insert(*PartyId::From(member));
    } else if (key[0] == 'k') {
      ByteReader reader(std::string_view(key).substr(33));
      if (value.size() != 32) continue;
      Seed& known = seeds_[{*LogId::From(std::string_view(key).substr(1, 32)), *reader.ReadU32()}];
      known.key = value;
      known.holders.insert(node.code());
    }
  }
  for (auto it = node.disk.kv.rows().lower_bound("e");
       it != node.disk.kv.rows().end() && it->first[0] == 'e'; ++it) {
    const std::string_view key = it->first;
    ByteReader reader(key.substr(33));
    const uint64_t index = *reader.ReadU64();
    std::optional<SeenEntry> entry = ReadEntryRow(it->second);
    if (!entry.has_value()) continue;
    SeenLog& log = logs_[*LogId::From(key.substr(1, 32))];
    const auto [held, fresh] = log.entries.try_emplace(index, *std::move(entry));
    if (!fresh && held->second.body != std::string_view(it->second).substr(37)) {
      log.branches.insert(index);
    }
  }
}

void Everything::OpenAll() {
  for (auto& [id, log] : logs_) {
    uint64_t first = 0;
    std::unique_ptr<crypto::EntryKeys> keys;
    for (auto& [index, entry] : log.entries) {
      if (entry.type == crypto::kEpoch) {
        first = index + 1;
        const auto seed = seeds_.find({id, entry.epoch});
        keys = seed == seeds_.end()
                   ? nullptr
                   : std::make_unique<crypto::EntryKeys>(*crypto::Secret32::From(seed->second.key));
        continue;
      }
      if (keys == nullptr || index < first || index - first >= crypto::kTreeLeaves) continue;
      const absl::StatusOr<std::string> plain = crypto::OpenBody(
          keys->Key(static_cast<uint32_t>(index - first)),
          sync::HeaderOf(id, index, entry.type, entry.epoch, entry.body), entry.body);
      if (!plain.ok()) continue;
      entry.plain = *plain;
      v1::EntryBody body;
      if (body.ParseFromString(entry.plain)) entry.text = std::move(body);
    }
  }
}

}  // namespace entente::sim

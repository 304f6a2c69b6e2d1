#include "tests/sim/checkers/everything.h"

#include <algorithm>

#include "crypto/body_seal.h"
#include "crypto/key_tree.h"
#include "entente/v1/storage.pb.h"
#include "sync/entry_codec.h"

namespace entente::sim {

namespace {

// A row of what is held of an epoch: the seed alone, or depth, prefix and key of each part.
std::vector<crypto::TreeNode> ReadKeyRow(std::string_view row) {
  std::vector<crypto::TreeNode> out;
  if (row.size() == crypto::Secret32::kSize) {
    out.push_back({{0, 0}, *crypto::Secret32::From(row)});
    return out;
  }
  ByteReader reader(row);
  while (!reader.done()) {
    const auto depth = reader.ReadU8();
    const auto prefix = reader.ReadU32();
    const auto key = reader.ReadBytes(crypto::Secret32::kSize);
    if (!depth.ok() || !prefix.ok() || !key.ok()) break;
    out.push_back({{*depth, *prefix}, *crypto::Secret32::From(*key)});
  }
  return out;
}

const crypto::TreeNode* FindAbove(const std::vector<crypto::TreeNode>& nodes, uint32_t leaf) {
  const auto it = std::find_if(nodes.begin(), nodes.end(),
                               [&](const auto& node) { return node.position.Covers(leaf); });
  return it == nodes.end() ? nullptr : &*it;
}

}  // namespace

const crypto::TreeNode* Everything::Seed::Above(uint32_t leaf) const {
  for (const auto& [code, nodes] : holders) {
    if (const crypto::TreeNode* node = FindAbove(nodes, leaf)) return node;
  }
  return nullptr;
}

const crypto::TreeNode* Everything::Seed::AboveAt(const std::string& code, uint32_t leaf) const {
  const auto nodes = holders.find(code);
  return nodes == holders.end() ? nullptr : FindAbove(nodes->second, leaf);
}

uint64_t SeenLog::FirstOf(uint32_t epoch) const {
  for (const auto& [index, entry] : entries) {
    if (entry.type == crypto::kEpoch && entry.epoch == epoch) return index + 1;
  }
  return UINT64_MAX;
}

bool IsErased(std::string_view row) { return !row.empty() && (row[0] & 0x80) != 0; }

std::optional<SeenEntry> ReadEntryRow(std::string_view row) {
  if (row.size() < 37) return std::nullopt;
  SeenEntry out;
  ByteReader reader(row);
  out.type = *reader.ReadU8();
  out.epoch = *reader.ReadU32();
  out.leaf = *Hash::From(row.substr(5, 32));
  out.erased = IsErased(row);
  out.type &= 0x7f;
  if (!out.erased) out.body = std::string(row.substr(37));
  return out;
}

Everything::Everything(World& world) : world_(world) {
  for (const auto& node : world.nodes()) ReadLogs(*node);
  OpenAll();
}

bool Everything::HasKey(const std::string& code, const SeenLog& log, uint64_t index,
                        uint32_t epoch) const {
  const auto seed = seeds_.find({log.id, epoch});
  const uint64_t first = log.FirstOf(epoch);
  return seed != seeds_.end() && index >= first &&
         seed->second.AboveAt(code, static_cast<uint32_t>(index - first)) != nullptr;
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
      Seed& known = seeds_[{*LogId::From(std::string_view(key).substr(1, 32)), *reader.ReadU32()}];
      known.holders[node.code()] = ReadKeyRow(value);
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
    const auto [held, fresh] = log.entries.try_emplace(index, *entry);
    if (fresh) continue;
    SeenEntry& known = held->second;
    const bool differs =
        known.erased || entry->erased ? known.leaf != entry->leaf : known.body != entry->body;
    if (differs) log.branches.insert(index);
    if (known.erased && !entry->erased) known = *std::move(entry);
  }
}

void Everything::OpenAll() {
  for (auto& [id, log] : logs_) {
    uint64_t first = 0;
    const Seed* seed = nullptr;
    const crypto::TreeNode* above = nullptr;  // of the last entry: the next one is below it as well
    std::unique_ptr<crypto::EntryKeys> keys;
    for (auto& [index, entry] : log.entries) {
      if (entry.type == crypto::kEpoch) {
        first = index + 1;
        const auto it = seeds_.find({id, entry.epoch});
        seed = it == seeds_.end() ? nullptr : &it->second;
        above = nullptr;
        continue;
      }
      if (seed == nullptr || entry.erased || index < first ||
          index - first >= crypto::kTreeLeaves) {
        continue;
      }
      const auto leaf = static_cast<uint32_t>(index - first);
      if (above == nullptr || !above->position.Covers(leaf)) {
        above = seed->Above(leaf);
        if (above == nullptr) continue;
        keys = std::make_unique<crypto::EntryKeys>(*above);
      }
      const absl::StatusOr<std::string> plain = crypto::OpenBody(
          keys->Key(leaf), sync::HeaderOf(id, index, entry.type, entry.epoch, entry.body),
          entry.body);
      if (!plain.ok()) continue;
      entry.plain = *plain;
      v1::EntryBody body;
      if (body.ParseFromString(entry.plain)) entry.text = std::move(body);
    }
  }
}

}  // namespace entente::sim

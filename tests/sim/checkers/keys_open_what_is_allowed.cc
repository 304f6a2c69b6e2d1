#include <map>
#include <vector>

#include "crypto/body_seal.h"
#include "crypto/box.h"
#include "crypto/key_tree.h"
#include "crypto/slot.h"
#include "sync/entry_codec.h"
#include "sync/schema.h"
#include "tests/sim/checkers/checker.h"
#include "tests/sim/world/held_keys.h"

namespace entente::sim {
namespace {

// Every slot of every epoch anywhere, tried with all private keys that the node holds and that of
// its offline root: what opens names the node, and what names a key that is held opens. Keys are
// destroyed in time, and a disk that was set back lacks some: their slots open nothing any more.
using Keys = std::map<const Node*, std::vector<crypto::BoxKeyPair>>;

std::string TrySlots(Inspection& in, const Keys& keys, const SeenLog& log, const SeenEntry& entry) {
  v1::Epoch epoch;
  if (!epoch.ParseFromString(entry.body)) return "";
  for (const v1::Slot& slot : epoch.slots()) {
    for (const auto& node : in.world.nodes()) {
      const bool named = slot.party() == node->who.party.view();
      const Node* author = in.world.Find(log.author);
      bool opens = node->who.root.recovery.Open(slot.box()).ok();
      bool held = slot.key_id() == node->who.root.recovery.id().view();
      for (const crypto::BoxKeyPair& key : keys.at(node.get())) {
        opens = opens || key.Open(slot.box()).ok();
        held = held || slot.key_id() == key.id().view();
      }
      if (author == nullptr || author->hostile) continue;  // it may put anything anywhere
      if (opens && !named) return Cat(node->code(), " opens a slot of another body");
      if (named && !held) in.world.counters().Hit("slot of a key that is gone");
      if (named && held && !opens) {
        return Cat(node->code(), " cannot open its own slot in a log of ", author->code());
      }
      in.world.counters().Hit("key pairs tried");
    }
  }
  return "";
}

// What a node holds of seeds is for its audiences and opens what it says.
std::string TrySeeds(Inspection& in) {
  for (const auto& [place, seed] : in.all.seeds()) {
    const auto log = in.all.logs().find(place.first);
    const Codes members =
        log == in.all.logs().end() ? Codes() : in.all.CodesOf(log->second.members);
    for (const auto& [code, nodes] : seed.holders) {
      if (!nodes.empty() && !members.contains(code)) {
        return Cat(code, " holds a key of a log that it is not in the audience of");
      }
    }
  }
  return "";
}

// Everybody in a record's audience can read it, with keys of its own.
std::string TryReaders(Inspection& in) {
  for (const Promise& promise : in.ledger.promises()) {
    for (const auto& [key, value] : promise.rows) {
      const std::optional<SeenEntry> entry = ReadEntryRow(value);
      const LogId id = *LogId::From(std::string_view(key).substr(1, 32));
      const auto log = in.all.logs().find(id);
      if (!entry.has_value() || entry->type == crypto::kEpoch || log == in.all.logs().end()) {
        continue;
      }
      ByteReader place(std::string_view(key).substr(33));
      const uint64_t index = *place.ReadU64();
      const auto held = log->second.entries.find(index);
      if (held == log->second.entries.end() || held->second.erased) continue;
      for (const auto& node : in.world.nodes()) {
        const bool may = log->second.members.contains(node->who.party);
        const bool can = in.all.HasKey(node->code(), log->second, index, entry->epoch);
        const auto row = node->disk.kv.rows().find(key);
        const bool has = row != node->disk.kv.rows().end() && !IsErased(row->second);
        if (can && !may) return Cat(node->code(), " can open ", promise.ref, " and may not");
        if (may && has && !can && !node->hostile && !in.world.node(promise.owner).hostile) {
          return Cat(node->code(), " may read ", promise.ref, ", has it, and cannot");
        }
        in.world.counters().Hit("node and record pairs");
      }
    }
  }
  return "";
}

// Seeds of one log open nothing in another: a sample of all pairs, drawn from the seed.
std::string TryAcross(Inspection& in) {
  std::vector<std::pair<const SeenLog*, uint64_t>> sealed;
  for (const auto& [id, log] : in.all.logs()) {
    for (const auto& [index, entry] : log.entries) {
      if (entry.type == crypto::kSealed) sealed.emplace_back(&log, index);
    }
  }
  if (sealed.empty()) return "";
  for (const auto& [place, seed] : in.all.seeds()) {
    for (int i = 0; i < 8; ++i) {
      const auto& [log, index] = sealed[in.world.Pick(sealed.size())];
      const SeenEntry& entry = log->entries.at(index);
      if (log->id == place.first && entry.epoch == place.second) continue;
      const auto leaf = static_cast<uint32_t>(in.world.Pick(64));
      const crypto::TreeNode* above = seed.Above(leaf);
      if (above == nullptr || entry.erased) continue;
      if (crypto::OpenBody(crypto::EntryKeys(*above).Key(leaf),
                           sync::HeaderOf(log->id, index, entry.type, entry.epoch, entry.body),
                           entry.body)
              .ok()) {
        return "a key of one log opens an entry of another";
      }
      in.world.counters().Hit("key pairs tried");
    }
  }
  return "";
}

}  // namespace

std::string KeysOpenWhatIsAllowed(Inspection& in) {
  constexpr size_t kEpochsMax = 40;  // a slot costs two scalar multiplications per node
  size_t epochs = 0;
  Keys keys;
  for (const auto& node : in.world.nodes()) keys.emplace(node.get(), HeldKeys(*node));
  for (const auto& [id, log] : in.all.logs()) {
    for (const auto& [index, entry] : log.entries) {
      if (entry.type != crypto::kEpoch || ++epochs > kEpochsMax) continue;
      if (std::string problem = TrySlots(in, keys, log, entry); !problem.empty()) return problem;
    }
  }
  for (const auto& one : {&TrySeeds, &TryReaders, &TryAcross}) {
    if (std::string problem = one(in); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace entente::sim

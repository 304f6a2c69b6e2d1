#include "sync/epoch.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "crypto/box.h"
#include "crypto/ids.h"
#include "crypto/slot.h"
#include "sync/limits.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// Seeds kept in memory; the rest is read from the store when needed.
constexpr size_t kOpenEpochsMax = 4096;

absl::Status Incomplete(std::string_view what) {
  return absl::InvalidArgumentError(Cat("an epoch is incomplete: ", what));
}

absl::StatusOr<crypto::SlotContext> ContextOf(const LogState& log, uint32_t epoch,
                                              const PartyId& party, std::string_view key_id) {
  const absl::StatusOr<KeyId> id = KeyId::From(key_id);
  if (!id.ok()) return Incomplete("a slot names no key");
  return crypto::SlotContext{log.id, epoch, party, *id, log.author_card};
}

// The secret that a member's slots in a log of this node's own are sealed with, if any. With one
// member's slots in this form the own ones take it too: a slot that X25519 alone protects would
// give away the same seed.
const crypto::Secret32* SecretFor(const Context& context, const LogState& log,
                                  const PartyId& member) {
  if (context.secrets == nullptr) return nullptr;
  if (member != context.self) return context.secrets->InUse(member);
  const bool any = std::any_of(log.members.begin(), log.members.end(), [&](const PartyId& other) {
    return other != context.self && context.secrets->InUse(other) != nullptr;
  });
  return any ? &context.secrets->Own() : nullptr;
}

absl::Status AddSlot(const Context& context, const LogState& log, const PartyId& party,
                     const v1::BoxKey& key, const crypto::Secret32& seed, v1::Epoch* epoch) {
  const absl::StatusOr<crypto::SlotContext> slot_context =
      ContextOf(log, epoch->epoch(), party, key.id());
  if (!slot_context.ok()) return slot_context.status();
  const absl::StatusOr<BoxPublicKey> public_key = BoxPublicKey::From(key.public_key());
  if (!public_key.ok()) return public_key.status();
  const crypto::Secret32* shared = SecretFor(context, log, party);
  absl::StatusOr<std::string> box =
      shared == nullptr
          ? crypto::SealSlot(*slot_context, seed, *public_key)
          : crypto::SealSecretSlot(*slot_context, seed, *public_key, *shared, context.entropy);
  if (!box.ok()) return box.status();
  v1::Slot* slot = epoch->add_slots();
  slot->set_party(party.str());
  slot->set_key_id(key.id());
  slot->set_alg(shared == nullptr ? v1::SLOT_ALGORITHM_X25519 : v1::SLOT_ALGORITHM_X25519_PSK);
  slot->set_box(*std::move(box));
  return absl::OkStatus();
}

bool FormIsKnown(const v1::Slot& slot) {
  switch (slot.alg()) {
    case v1::SLOT_ALGORITHM_X25519:
      return slot.box().size() == crypto::kSlotBytes;
    case v1::SLOT_ALGORITHM_X25519_PSK:
      return slot.box().size() == crypto::kSecretSlotBytes;
    default:
      return false;
  }
}

absl::Status AreAudience(const Members& members, std::string_view salt, const LogState& log,
                         const PublicKey& author_log_key) {
  if (!members.contains(log.author)) return Incomplete("its author has no slot");
  const absl::StatusOr<AudienceId> audience = crypto::ComputeAudienceId(
      log.jit, salt, std::vector<PartyId>(members.begin(), members.end()));
  if (!audience.ok()) return audience.status();
  if (*audience != log.audience ||
      crypto::ComputeLogId(log.jit, author_log_key, *audience, log.incarnation) != log.id) {
    return Incomplete("its slots are not those of the log's audience");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Members> CheckEpoch(const v1::Epoch& epoch, const LogState& log,
                                   const PublicKey& author_log_key) {
  if (epoch.seed_commit().size() != 32) return Incomplete("no commitment to its seed");
  if (epoch.depth() != crypto::kTreeDepth) return Incomplete("another depth of key tree");
  if (epoch.audience_salt().size() != kAudienceSaltBytes) return Incomplete("no audience salt");
  if (epoch.slots_size() > static_cast<int>(2 * kMembersMax)) return Incomplete("too many slots");
  std::map<PartyId, std::set<std::string>> keys;
  std::map<PartyId, v1::SlotAlgorithm> forms;
  for (const v1::Slot& slot : epoch.slots()) {
    const absl::StatusOr<PartyId> party = PartyId::From(slot.party());
    if (!party.ok()) return Incomplete("a slot names no party");
    if (!FormIsKnown(slot)) return Incomplete("a slot has a form this version does not know");
    // A recovery slot of a weaker form would be the way around the other.
    if (forms.emplace(*party, slot.alg()).first->second != slot.alg()) {
      return Incomplete("a member's two slots have two forms");
    }
    if (!keys[*party].insert(slot.key_id()).second) return Incomplete("a slot stands twice");
  }
  Members members;
  for (const auto& [party, ids] : keys) {
    if (ids.size() != 2) return Incomplete("a member lacks its reading or recovery slot");
    members.insert(party);
  }
  if (absl::Status s = AreAudience(members, epoch.audience_salt(), log, author_log_key); !s.ok()) {
    return s;
  }
  return members;
}

absl::StatusOr<Members> CheckMembers(const google::protobuf::RepeatedPtrField<std::string>& parties,
                                     std::string_view salt, const LogState& log,
                                     const PublicKey& author_log_key) {
  if (parties.size() > static_cast<int>(kMembersMax)) return Incomplete("too many members");
  Members members;
  for (const std::string& raw : parties) {
    const absl::StatusOr<PartyId> party = PartyId::From(raw);
    if (!party.ok() || !members.insert(*party).second) return Incomplete("no list of members");
  }
  if (absl::Status s = AreAudience(members, salt, log, author_log_key); !s.ok()) return s;
  return members;
}

absl::StatusOr<std::string> MakeEpoch(const Context& context, const LogState& log,
                                      uint64_t first_index, crypto::Secret32* seed) {
  *seed = *crypto::Secret32::From(context.entropy.Bytes(32));
  v1::Epoch epoch;
  epoch.set_epoch(log.epoch + 1);
  epoch.set_seed_commit(crypto::SeedCommit(log.id, epoch.epoch(), *seed).str());
  epoch.set_depth(crypto::kTreeDepth);
  epoch.set_first_index(first_index);
  epoch.set_audience_salt(log.salt);
  for (const PartyId& member : log.members) {
    const TrustedCard* card = context.cards.Find(member);
    if (card == nullptr) {
      return absl::FailedPreconditionError(
          "a body of this audience has no trusted card here; trust its card first "
          "[CARD_NOT_TRUSTED]");
    }
    const std::optional<ReadingKey> newest = context.box_keys->NewestOf(member);
    v1::BoxKey reading;
    reading.set_id(newest->id.str());
    reading.set_public_key(newest->key.str());
    for (const v1::BoxKey& key : {reading, card->card.recovery_box_key()}) {
      if (absl::Status s = AddSlot(context, log, member, key, *seed, &epoch); !s.ok()) return s;
    }
  }
  return epoch.SerializeAsString();
}

bool EpochStillCurrent(const Context& context, const LogState& log, const v1::Epoch& epoch) {
  std::map<std::pair<std::string, std::string>, v1::SlotAlgorithm> sealed_to;
  for (const v1::Slot& slot : epoch.slots()) {
    sealed_to[{slot.party(), slot.key_id()}] = slot.alg();
  }
  for (const PartyId& member : log.members) {
    const std::optional<ReadingKey> newest = context.box_keys->NewestOf(member);
    if (!newest.has_value()) return false;
    const auto slot = sealed_to.find({member.str(), newest->id.str()});
    if (slot == sealed_to.end()) return false;
    // Which secrets others hold is known to them alone.
    if (log.author != context.self) continue;
    const bool secret = SecretFor(context, log, member) != nullptr;
    if (secret != (slot->second == v1::SLOT_ALGORITHM_X25519_PSK)) return false;
  }
  return true;
}

absl::StatusOr<bool> NewestEpochIsBehind(const Context& context, const LogState& log) {
  if (log.epoch == 0) return false;
  const absl::StatusOr<StoredEntry> stored = context.logs.Read(log, log.epoch_first - 1);
  if (!stored.ok()) return stored.status();
  // Whoever was away when it was erased cannot learn its keys from it: its author begins another.
  if (stored->erased.has_value()) return log.author == context.self;
  v1::Epoch epoch;
  return !epoch.ParseFromString(stored->body) || !EpochStillCurrent(context, log, epoch);
}

absl::Status EpochKeys::Learn(const LogState& log, const v1::Epoch& epoch) {
  for (const v1::Slot& slot : epoch.slots()) {
    if (slot.party() != context_.self.view()) continue;
    const crypto::BoxKeyPair* box = context_.box_keys->Find(slot.key_id());
    if (box == nullptr) continue;
    const absl::StatusOr<crypto::SlotContext> slot_context =
        ContextOf(log, epoch.epoch(), context_.self, slot.key_id());
    if (!slot_context.ok()) return slot_context.status();
    const crypto::Secret32* shared = nullptr;
    if (slot.alg() == v1::SLOT_ALGORITHM_X25519_PSK) {
      if (context_.secrets == nullptr)
        return absl::NotFoundError("no shared secrets are held here");
      shared = log.author == context_.self ? &context_.secrets->Own()
                                           : context_.secrets->Held(log.author);
      if (shared == nullptr) {
        return absl::NotFoundError("an epoch is sealed with a shared secret not held here");
      }
    }
    absl::StatusOr<crypto::Secret32> seed =
        shared == nullptr ? crypto::OpenSlot(*slot_context, *box, slot.box())
                          : crypto::OpenSecretSlot(*slot_context, *box, *shared, slot.box());
    if (!seed.ok()) return absl::DataLossError("this node's slot of an epoch does not open");
    if (crypto::SeedCommit(log.id, epoch.epoch(), *seed).view() != epoch.seed_commit()) {
      return absl::DataLossError("this node's slot holds another seed than the epoch commits to");
    }
    Keep(log.id, epoch.epoch(), *seed);
    return absl::OkStatus();
  }
  return absl::NotFoundError("an epoch has no slot for a key this node holds");
}

void EpochKeys::Keep(const LogId& log, uint32_t epoch, const crypto::Secret32& seed) {
  Parts parts;
  parts.emplace_back(seed);
  Store(log, epoch, parts);
  if (open_.size() >= kOpenEpochsMax) open_.clear();
  open_[{log, epoch}] = std::move(parts);
}

absl::Status EpochKeys::KeepParts(const LogId& log, uint32_t epoch,
                                  const std::vector<crypto::TreeNode>& parts) {
  const absl::StatusOr<Parts*> held = Open(log, epoch);
  if (!held.ok()) return held.status();
  for (const crypto::TreeNode& part : parts) {
    const uint32_t first = part.position.first_leaf();
    const bool known = std::any_of((*held)->begin(), (*held)->end(), [&](const auto& keys) {
      return keys.root().depth <= part.position.depth && keys.root().Covers(first);
    });
    if (!known) (*held)->emplace_back(part);
  }
  Store(log, epoch, **held);
  return absl::OkStatus();
}

absl::Status EpochKeys::Puncture(const LogId& log, uint32_t epoch,
                                 const std::set<uint32_t>& leaves) {
  const absl::StatusOr<std::vector<crypto::TreeNode>> held = Held(log, epoch);
  if (!held.ok()) return held.status();
  Parts parts;
  for (const crypto::TreeNode& node : crypto::Puncture(*held, leaves)) parts.emplace_back(node);
  Store(log, epoch, parts);
  open_[{log, epoch}] = std::move(parts);
  return absl::OkStatus();
}

void EpochKeys::Store(const LogId& log, uint32_t epoch, const Parts& parts) {
  std::string row;
  for (const crypto::EntryKeys& part : parts) {
    AppendU8(&row, static_cast<uint8_t>(part.root().depth));
    AppendU32(&row, part.root().prefix);
    row.append(part.root_key().view());
  }
  // A whole epoch is the common case, and its row is the seed alone.
  const bool whole = parts.size() == 1 && parts.front().root().depth == 0;
  context_.store.Put(schema::EpochSeed(log, epoch), whole ? row.substr(5) : row);
  crypto::WipeMemory(row.data(), row.size());
}

absl::StatusOr<EpochKeys::Parts*> EpochKeys::Open(const LogId& log, uint32_t epoch) {
  const auto it = open_.find({log, epoch});
  if (it != open_.end()) return &it->second;
  const auto row = context_.store.Get(schema::EpochSeed(log, epoch));
  if (!row.ok()) return row.status();
  Parts parts;
  const absl::Status damaged = absl::DataLossError("a stored epoch key is damaged");
  if (row->has_value() && (*row)->size() == crypto::Secret32::kSize) {
    parts.emplace_back(*crypto::Secret32::From(**row));
  } else if (row->has_value()) {
    ByteReader reader(**row);
    while (!reader.done()) {
      const absl::StatusOr<uint8_t> depth = reader.ReadU8();
      const absl::StatusOr<uint32_t> prefix = reader.ReadU32();
      const absl::StatusOr<std::string_view> raw = reader.ReadBytes(crypto::Secret32::kSize);
      if (!depth.ok() || !prefix.ok() || !raw.ok()) return damaged;
      crypto::TreeNode node{{*depth, *prefix}, *crypto::Secret32::From(*raw)};
      if (!node.position.valid()) return damaged;
      parts.emplace_back(node);
    }
  }
  if (open_.size() >= kOpenEpochsMax) open_.clear();
  return &open_.emplace(std::pair{log, epoch}, std::move(parts)).first->second;
}

absl::StatusOr<std::vector<crypto::TreeNode>> EpochKeys::Held(const LogId& log, uint32_t epoch) {
  const absl::StatusOr<Parts*> parts = Open(log, epoch);
  if (!parts.ok()) return parts.status();
  std::vector<crypto::TreeNode> out;
  for (const crypto::EntryKeys& part : **parts) {
    out.push_back({part.root(), part.root_key().Clone()});
  }
  return out;
}

absl::StatusOr<bool> EpochKeys::ErasedEpochIsOpen(const LogState& log, uint32_t epoch) {
  if (epoch >= log.epoch) return false;
  const absl::StatusOr<uint64_t> begin = context_.logs.EpochEntry(log, epoch);
  if (absl::IsNotFound(begin.status())) return false;
  if (!begin.ok()) return begin.status();
  const absl::StatusOr<StoredEntry> entry = context_.logs.Read(log, *begin);
  if (!entry.ok()) return entry.status();
  if (!entry->erased.has_value()) return false;
  bool open = true;
  const absl::Status read = context_.logs.ReadRange(
      log, *begin + 1, log.size, [&](uint64_t index, const StoredEntry& stored) {
        if (stored.epoch != epoch) return false;
        open = stored.erased.has_value() ||
               EntryKey(log.id, epoch, static_cast<uint32_t>(index - *begin - 1)).ok();
        return open;
      });
  if (!read.ok()) return read;
  return open;
}

absl::StatusOr<crypto::Secret32> EpochKeys::EntryKey(const LogId& log, uint32_t epoch,
                                                     uint32_t leaf) {
  const absl::StatusOr<Parts*> parts = Open(log, epoch);
  if (!parts.ok()) return parts.status();
  for (crypto::EntryKeys& part : **parts) {
    if (part.root().Covers(leaf)) return part.Key(leaf);
  }
  return absl::NotFoundError("the entry is locked here");
}

}  // namespace entente::sync

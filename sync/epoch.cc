#include "sync/epoch.h"

#include <map>
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

absl::Status AddSlot(const LogState& log, const PartyId& party, const v1::BoxKey& key,
                     const crypto::Secret32& seed, v1::Epoch* epoch) {
  const absl::StatusOr<crypto::SlotContext> slot_context =
      ContextOf(log, epoch->epoch(), party, key.id());
  if (!slot_context.ok()) return slot_context.status();
  const absl::StatusOr<BoxPublicKey> public_key = BoxPublicKey::From(key.public_key());
  if (!public_key.ok()) return public_key.status();
  absl::StatusOr<std::string> box = crypto::SealSlot(*slot_context, seed, *public_key);
  if (!box.ok()) return box.status();
  v1::Slot* slot = epoch->add_slots();
  slot->set_party(party.str());
  slot->set_key_id(key.id());
  slot->set_alg(v1::SLOT_ALGORITHM_X25519);
  slot->set_box(*std::move(box));
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
  for (const v1::Slot& slot : epoch.slots()) {
    const absl::StatusOr<PartyId> party = PartyId::From(slot.party());
    if (!party.ok()) return Incomplete("a slot names no party");
    if (slot.alg() != v1::SLOT_ALGORITHM_X25519 || slot.box().size() != crypto::kSlotBytes) {
      return Incomplete("a slot has a form this version does not know");
    }
    if (!keys[*party].insert(slot.key_id()).second) return Incomplete("a slot stands twice");
  }
  Members members;
  for (const auto& [party, ids] : keys) {
    if (ids.size() != 2) return Incomplete("a member lacks its reading or recovery slot");
    members.insert(party);
  }
  if (!members.contains(log.author)) return Incomplete("its author has no slot");
  const absl::StatusOr<AudienceId> audience = crypto::ComputeAudienceId(
      log.jit, epoch.audience_salt(), std::vector<PartyId>(members.begin(), members.end()));
  if (!audience.ok()) return audience.status();
  if (*audience != log.audience ||
      crypto::ComputeLogId(log.jit, author_log_key, *audience, log.incarnation) != log.id) {
    return Incomplete("its slots are not those of the log's audience");
  }
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
    for (const v1::BoxKey& key : {card->card.box_key(), card->card.recovery_box_key()}) {
      if (absl::Status s = AddSlot(log, member, key, *seed, &epoch); !s.ok()) return s;
    }
  }
  return epoch.SerializeAsString();
}

bool EpochStillCurrent(const Context& context, const LogState& log, const v1::Epoch& epoch) {
  std::set<std::pair<std::string, std::string>> sealed_to;
  for (const v1::Slot& slot : epoch.slots()) sealed_to.insert({slot.party(), slot.key_id()});
  for (const PartyId& member : log.members) {
    const TrustedCard* card = context.cards.Find(member);
    if (card == nullptr) return false;
    if (!sealed_to.contains({member.str(), card->card.box_key().id()})) return false;
  }
  return true;
}

absl::Status EpochKeys::Learn(const LogState& log, const v1::Epoch& epoch) {
  const crypto::BoxKeyPair& box = context_.keys->box;
  for (const v1::Slot& slot : epoch.slots()) {
    if (slot.party() != context_.self.view() || slot.key_id() != box.id().view()) continue;
    const absl::StatusOr<crypto::SlotContext> slot_context =
        ContextOf(log, epoch.epoch(), context_.self, slot.key_id());
    if (!slot_context.ok()) return slot_context.status();
    absl::StatusOr<crypto::Secret32> seed = crypto::OpenSlot(*slot_context, box, slot.box());
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
  context_.store.Put(schema::EpochSeed(log, epoch), std::string(seed.view()));
  if (open_.size() >= kOpenEpochsMax) open_.clear();
  open_[{log, epoch}] = std::make_unique<crypto::EntryKeys>(seed);
}

absl::StatusOr<crypto::Secret32> EpochKeys::EntryKey(const LogId& log, uint32_t epoch,
                                                     uint32_t leaf) {
  auto it = open_.find({log, epoch});
  if (it == open_.end()) {
    const auto row = context_.store.Get(schema::EpochSeed(log, epoch));
    if (!row.ok()) return row.status();
    if (!row->has_value()) return absl::NotFoundError("the epoch is locked here");
    const absl::StatusOr<crypto::Secret32> seed = crypto::Secret32::From(**row);
    if (!seed.ok()) return absl::DataLossError("a stored epoch key is damaged");
    if (open_.size() >= kOpenEpochsMax) open_.clear();
    it = open_.emplace(std::pair{log, epoch}, std::make_unique<crypto::EntryKeys>(*seed)).first;
  }
  return it->second->Key(leaf);
}

}  // namespace entente::sync

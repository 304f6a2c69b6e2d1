#include "sync/admission.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/ids.h"
#include "crypto/note.h"
#include "sync/entry_codec.h"
#include "sync/erasure_order.h"
#include "sync/limits.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// nonce, commitment, tag and the smallest padded text.
constexpr size_t kSealedBytesMin = 24 + 32 + 16 + 256;

bool Refuse(v1::RefusalCode code, std::string detail, Refusal* refusal) {
  refusal->code = code;
  refusal->detail = std::move(detail);
  return false;
}

void DescribeErased(const StoredEntry& entry, uint32_t order, const Members& members,
                    v1::BatchEntry* out) {
  out->set_erased_hash(entry.erased->hash.str());
  out->set_erased_size(entry.erased->size);
  out->set_erased_by(order);
  if (entry.type != crypto::kEpoch) return;
  for (const PartyId& member : members) out->add_members(member.str());
}

}  // namespace

struct Admission::Parsed {
  struct Item {
    uint8_t type;
    uint32_t epoch;
    Hash leaf;
    std::optional<v1::Epoch> opened_epoch;
    std::optional<ErasedBody> erased;
    uint32_t order = 0;  // number in the batch, of an erased one
  };
  uint64_t skip = 0;  // entries of the batch that are already held
  std::vector<Item> items;
  std::map<uint32_t, ErasureOrder> orders;  // those that the items rest on
  uint32_t epoch = 0;
  uint64_t epoch_first = 0;
  Members members;
  // Under which the members are the log's audience; what a head says may be wrong.
  std::string salt;
};

v1::Head DescribeLog(const LogState& log) {
  v1::Head head;
  head.set_log_id(log.id.str());
  head.set_size(log.size);
  head.set_root(log.Root().str());
  head.set_jit_id(log.jit.str());
  head.set_author(log.author.str());
  head.set_author_card(log.author_card.str());
  head.set_incarnation(log.incarnation);
  head.set_audience_salt(log.salt);
  head.set_audience_id(log.audience.str());
  return head;
}

absl::StatusOr<v1::Batch> BuildBatch(const LogBook& logs, const LogState& log, uint64_t from,
                                     size_t budget, uint64_t end) {
  v1::Batch batch;
  *batch.mutable_head() = DescribeLog(log);
  batch.set_from(from);
  batch.set_head_note(log.head_note);
  size_t bytes = 0;
  std::map<Hash, uint32_t> orders;
  absl::Status missing;
  const absl::Status read =
      logs.ReadRange(log, from, std::min(end, log.size), [&](uint64_t, const StoredEntry& entry) {
        if (batch.entries_size() > 0 && bytes + entry.body.size() > budget) return false;
        if (entry.erased.has_value() && !orders.contains(entry.erased->order)) {
          const absl::StatusOr<v1::OrderRow> row = logs.ReadOrder(entry.erased->order);
          missing = row.status();
          if (!row.ok()) return false;
          const size_t size = row->order().ByteSizeLong();
          if (batch.entries_size() > 0 &&
              (batch.orders_size() == kOrdersPerBatch || bytes + size > budget)) {
            return false;
          }
          orders.emplace(entry.erased->order, static_cast<uint32_t>(batch.orders_size()));
          *batch.add_orders() = row->order();
          bytes += size;
        }
        v1::BatchEntry* out = batch.add_entries();
        out->set_type(entry.type);
        out->set_body(entry.body);
        if (entry.erased.has_value()) {
          DescribeErased(entry, orders.at(entry.erased->order), log.members, out);
        }
        bytes += entry.body.size() + 8;
        return batch.entries_size() < static_cast<int>(kBatchEntriesMax);
      });
  if (!read.ok()) return read;
  if (!missing.ok()) return missing;
  const absl::StatusOr<crypto::CompactRange> edge =
      logs.EdgeToHead(log, from + static_cast<uint64_t>(batch.entries_size()));
  if (!edge.ok()) return edge.status();
  for (const Hash& hash : edge->hashes()) batch.add_edge(hash.str());
  return batch;
}

LogState* Admission::Meet(const v1::Head& head, const PartyId& sender, Refusal* refusal) {
  const absl::StatusOr<LogId> id = LogId::From(head.log_id());
  const absl::StatusOr<JitId> jit = JitId::From(head.jit_id());
  const absl::StatusOr<PartyId> author = PartyId::From(head.author());
  const absl::StatusOr<AudienceId> audience = AudienceId::From(head.audience_id());
  if (!id.ok() || !jit.ok() || !author.ok() || !audience.ok()) {
    Refuse(v1::REFUSAL_CODE_MALFORMED, "a head with malformed ids", refusal);
    return nullptr;
  }
  if (LogState* known = context_.logs.Find(*id)) {
    // Outside its audience a log does not exist, whoever asks or offers.
    if (!known->members.empty() && !known->members.contains(sender)) {
      Refuse(v1::REFUSAL_CODE_NOT_HERE, "offered by a body outside its audience", refusal);
      return nullptr;
    }
    return known;
  }
  const TrustedCard* card = context_.cards.FindOf(*author, head.author_card());
  if (card == nullptr) {
    Refuse(v1::REFUSAL_CODE_UNTRUSTED_CARD, "a log under a card that is not trusted here", refusal);
    return nullptr;
  }
  if (!context_.revocations->MayMeet(*id, *card)) {
    Refuse(v1::REFUSAL_CODE_REVOKED_CARD, "a log under a card that its author has revoked",
           refusal);
    return nullptr;
  }
  if (crypto::ComputeLogId(*jit, card->log_key, *audience, head.incarnation()) != *id) {
    Refuse(v1::REFUSAL_CODE_BAD_PROOF, "a log id that does not follow from its parts", refusal);
    return nullptr;
  }
  if (head.audience_salt().size() != kAudienceSaltBytes) {
    Refuse(v1::REFUSAL_CODE_MALFORMED, "a head without its audience's salt", refusal);
    return nullptr;
  }
  // What this node signs under its present keys begins here and nowhere else. Who named it first
  // would decide what the node writes into.
  if (*author == context_.self && head.incarnation() == context_.incarnation &&
      card->hash == context_.cards.Find(context_.self)->hash) {
    Refuse(v1::REFUSAL_CODE_FROZEN,
           "a log of this node's own that it has not begun: a copy of this node may be running "
           "elsewhere",
           refusal);
    return nullptr;
  }
  MakeRoom(sender);
  if (context_.logs.all().size() >= kLogsPerJit) {
    Refuse(v1::REFUSAL_CODE_BUDGET, "more logs than this node keeps", refusal);
    return nullptr;
  }
  LogState log;
  log.id = *id;
  log.jit = *jit;
  log.author = *author;
  log.author_card = card->hash;
  log.incarnation = head.incarnation();
  log.audience = *audience;
  log.salt = head.audience_salt();
  // An own log of an earlier life comes back from others: it is adopted, never written again.
  log.frozen = *author == context_.self;
  announced_[sender].insert(log.id);
  return &context_.logs.Add(std::move(log));
}

// Anybody can name logs that do not exist. Those of which nothing has come make room for the next
// ones of the same peer, so that it cannot fill this node up and keep real logs out.
void Admission::MakeRoom(const PartyId& sender) {
  std::set<LogId>& announced = announced_[sender];
  if (announced.size() < kAnnouncedLogsMax) return;
  for (const LogId& id : announced) {
    const LogState* log = context_.logs.Find(id);
    if (log != nullptr && log->size == 0) context_.logs.Drop(id);
  }
  announced.clear();
}

absl::StatusOr<bool> Admission::Admit(const v1::Batch& batch, const PartyId& sender,
                                      Admitted* admitted, Refusal* refusal) {
  LogState* log = Meet(batch.head(), sender, refusal);
  if (log == nullptr) return false;
  admitted->log = log;
  admitted->from = admitted->to = log->size;
  admitted->complete = log->size == log->head_size;
  const uint64_t end = batch.from() + static_cast<uint64_t>(batch.entries_size());
  if (batch.from() > log->size || end <= log->size) return true;
  if (end > context_.exclusions->FinalSize(*log)) {
    return Refuse(v1::REFUSAL_CODE_AFTER_EXCLUSION,
                  "entries of an excluded body behind the end of its log", refusal);
  }
  if (end > context_.revocations->FinalSize(*log)) {
    return Refuse(v1::REFUSAL_CODE_REVOKED_CARD,
                  "entries signed with keys that their author has given up", refusal);
  }
  if (log->author == context_.self && !log->frozen) {
    refusal->other_tree = true;
    NoticeClone(batch, *log);
    return Refuse(v1::REFUSAL_CODE_FROZEN,
                  "entries of this node's own log that it does not have: a copy of this node may "
                  "be running elsewhere",
                  refusal);
  }
  Parsed parsed;
  crypto::CompactRange edge = crypto::CompactRange::Empty(end);
  if (!Parse(batch, *log, &parsed, refusal)) return false;
  if (!parsed.members.contains(context_.self) || !parsed.members.contains(sender)) {
    return Refuse(v1::REFUSAL_CODE_BAD_AUDIENCE, "a log whose audience does not hold both of us",
                  refusal);
  }
  if (!VerifyRoot(batch, *log, parsed, &edge, refusal)) return false;
  if (absl::Status s = Keep(batch, *log, parsed, std::move(edge)); !s.ok()) return s;
  admitted->to = log->size;
  admitted->complete = log->size == log->head_size;
  return true;
}

// What this node signs it has, and its anchor remembers. A longer head under its present keys was
// signed by another one, or by this machine before it was set back together with its anchor file.
void Admission::NoticeClone(const v1::Batch& batch, const LogState& log) {
  if (context_.cloned || log.incarnation != context_.incarnation) return;
  const absl::StatusOr<crypto::Checkpoint> head =
      crypto::VerifyCheckpointNote(batch.head_note(), log.id, context_.keys->log.public_key());
  if (!head.ok() || head->size <= log.size) return;
  context_.cloned = true;
  context_.store.Put(schema::Meta("cloned"), context_.cards.Find(context_.self)->hash.str());
}

bool Admission::Parse(const v1::Batch& batch, const LogState& log, Parsed* parsed,
                      Refusal* refusal) {
  if (batch.entries_size() > static_cast<int>(kBatchEntriesMax)) {
    return Refuse(v1::REFUSAL_CODE_TOO_BIG, "a batch of more than 4096 entries", refusal);
  }
  const TrustedCard* card = context_.cards.FindByHash(log.author_card);
  if (card == nullptr || card->party != log.author) {
    return Refuse(v1::REFUSAL_CODE_UNTRUSTED_CARD, "its author's card is not trusted here",
                  refusal);
  }
  parsed->skip = log.size - batch.from();
  parsed->epoch = log.epoch;
  parsed->epoch_first = log.epoch_first;
  parsed->members = log.members;
  parsed->salt = log.members.empty() ? batch.head().audience_salt() : log.salt;
  uint64_t index = log.size;
  for (int i = static_cast<int>(parsed->skip); i < batch.entries_size(); ++i, ++index) {
    const v1::BatchEntry& entry = batch.entries(i);
    const size_t size =
        entry.erased_hash().empty() ? entry.body().size() : size_t{entry.erased_size()};
    if (size > kEntryBytesMax) {
      return Refuse(v1::REFUSAL_CODE_TOO_BIG, "an entry beyond 256 KiB", refusal);
    }
    const bool sealed = entry.type() == crypto::kSealed && parsed->epoch > 0 &&
                        index - parsed->epoch_first < crypto::kTreeLeaves &&
                        size >= kSealedBytesMin;
    if (!sealed && entry.type() != crypto::kEpoch) {
      return Refuse(v1::REFUSAL_CODE_MALFORMED, "an entry of no known form or without an epoch",
                    refusal);
    }
    const bool parses = entry.erased_hash().empty()
                            ? ParseBody(entry, log, index, parsed, refusal)
                            : ParseErased(entry, log, index, parsed, refusal);
    if (!parses) return false;
  }
  return CheckOrders(batch, log, parsed, refusal);
}

bool Admission::ParseBody(const v1::BatchEntry& entry, const LogState& log, uint64_t index,
                          Parsed* parsed, Refusal* refusal) {
  Parsed::Item item;
  item.type = static_cast<uint8_t>(entry.type());
  if (entry.type() == crypto::kEpoch) {
    v1::Epoch epoch;
    if (!epoch.ParseFromString(entry.body()) || epoch.epoch() != parsed->epoch + 1 ||
        epoch.first_index() != index + 1) {
      return Refuse(v1::REFUSAL_CODE_EPOCH_INCOMPLETE, "an epoch out of its place", refusal);
    }
    const absl::StatusOr<Members> members =
        CheckEpoch(epoch, log, context_.cards.FindByHash(log.author_card)->log_key);
    if (!members.ok()) {
      return Refuse(v1::REFUSAL_CODE_EPOCH_INCOMPLETE,
                    std::string(ToStd(members.status().message())), refusal);
    }
    parsed->members = *members;
    parsed->salt = epoch.audience_salt();
    parsed->epoch = epoch.epoch();
    parsed->epoch_first = epoch.first_index();
    item.opened_epoch = std::move(epoch);
  }
  item.epoch = parsed->epoch;
  item.leaf = crypto::LeafHash(HeaderOf(log.id, index, item.type, item.epoch, entry.body()));
  parsed->items.push_back(std::move(item));
  return true;
}

// What the header says of a body that is gone is proven by the root; whose the log is by its id.
bool Admission::ParseErased(const v1::BatchEntry& entry, const LogState& log, uint64_t index,
                            Parsed* parsed, Refusal* refusal) {
  const absl::StatusOr<Hash> hash = Hash::From(entry.erased_hash());
  if (!hash.ok() || !entry.body().empty()) {
    return Refuse(v1::REFUSAL_CODE_MALFORMED, "an erased entry of no known form", refusal);
  }
  Parsed::Item item;
  item.type = static_cast<uint8_t>(entry.type());
  item.order = entry.erased_by();
  if (entry.type() == crypto::kEpoch) {
    const absl::StatusOr<Members> members = CheckMembers(
        entry.members(), parsed->salt, log, context_.cards.FindByHash(log.author_card)->log_key);
    if (!members.ok()) {
      return Refuse(v1::REFUSAL_CODE_EPOCH_INCOMPLETE,
                    std::string(ToStd(members.status().message())), refusal);
    }
    parsed->members = *members;
    ++parsed->epoch;
    parsed->epoch_first = index + 1;
  }
  item.epoch = parsed->epoch;
  item.erased = ErasedBody{entry.erased_size(), *hash, Hash()};
  StoredEntry stored;
  stored.type = item.type;
  stored.epoch = item.epoch;
  stored.erased = item.erased;
  item.leaf = crypto::LeafHash(HeaderOf(log.id, index, stored));
  parsed->items.push_back(std::move(item));
  return true;
}

// Somebody who reads this log has answered for every gap in it.
bool Admission::CheckOrders(const v1::Batch& batch, const LogState& log, Parsed* parsed,
                            Refusal* refusal) {
  if (batch.orders_size() > kOrdersPerBatch) {
    return Refuse(v1::REFUSAL_CODE_TOO_BIG, "a batch that rests on too many orders", refusal);
  }
  uint64_t index = log.size;
  for (Parsed::Item& item : parsed->items) {
    const uint64_t at = index++;
    if (!item.erased.has_value()) continue;
    auto order = parsed->orders.find(item.order);
    if (order == parsed->orders.end()) {
      if (item.order >= static_cast<uint32_t>(batch.orders_size())) {
        return Refuse(v1::REFUSAL_CODE_BAD_PROOF, "a missing body without an order to erase it",
                      refusal);
      }
      absl::StatusOr<ErasureOrder> checked =
          CheckErasureOrder(batch.orders(static_cast<int>(item.order)), log.jit, context_.cards);
      if (!checked.ok()) {
        return Refuse(v1::REFUSAL_CODE_BAD_PROOF, std::string(ToStd(checked.status().message())),
                      refusal);
      }
      order = parsed->orders.emplace(item.order, *std::move(checked)).first;
    }
    if (!order->second.AnswersFor(log.id, at, parsed->members)) {
      return Refuse(v1::REFUSAL_CODE_BAD_PROOF, "a missing body that its order does not name",
                    refusal);
    }
    item.erased->order = order->second.id;
  }
  return true;
}

bool Admission::VerifyRoot(const v1::Batch& batch, const LogState& log, const Parsed& parsed,
                           crypto::CompactRange* edge, Refusal* refusal) {
  const TrustedCard* card = context_.cards.FindByHash(log.author_card);
  const absl::StatusOr<crypto::Checkpoint> head =
      crypto::VerifyCheckpointNote(batch.head_note(), log.id, card->log_key);
  if (!head.ok()) {
    return Refuse(v1::REFUSAL_CODE_BAD_PROOF, "a head that its author did not sign", refusal);
  }
  if (log.fork.has_value() && head->size > log.fork->longer) {
    return Refuse(v1::REFUSAL_CODE_FORK, "a new head of a log that its author has forked", refusal);
  }
  const uint64_t end = log.size + parsed.items.size();
  if (head->size < end) {
    return Refuse(v1::REFUSAL_CODE_BAD_PROOF, "more entries than the head covers", refusal);
  }
  std::vector<Hash> hashes;
  for (const std::string& raw : batch.edge()) {
    const absl::StatusOr<Hash> hash = Hash::From(raw);
    if (!hash.ok()) return Refuse(v1::REFUSAL_CODE_MALFORMED, "a malformed edge hash", refusal);
    hashes.push_back(*hash);
  }
  absl::StatusOr<crypto::CompactRange> given =
      crypto::CompactRange::From(end, head->size, std::move(hashes));
  if (!given.ok()) {
    return Refuse(v1::REFUSAL_CODE_BAD_PROOF, "an edge of the wrong length", refusal);
  }
  crypto::CompactRange tree = log.range;
  for (const Parsed::Item& item : parsed.items) tree.Append(item.leaf);
  if (!tree.AppendRange(*given).ok() || *tree.Root() != head->root) {
    refusal->other_tree = true;
    return Refuse(v1::REFUSAL_CODE_BAD_PROOF, "entries that do not add up to the signed root",
                  refusal);
  }
  *edge = *std::move(given);
  return true;
}

absl::Status Admission::Keep(const v1::Batch& batch, LogState& log, const Parsed& parsed,
                             crypto::CompactRange edge) {
  log.members = parsed.members;
  log.salt = parsed.salt;
  for (size_t i = 0; i < parsed.items.size(); ++i) {
    const Parsed::Item& item = parsed.items[i];
    const std::string& body = batch.entries(static_cast<int>(parsed.skip + i)).body();
    if (item.type == crypto::kEpoch) {
      log.epoch = item.epoch;
      log.epoch_first = log.size + 1;
      const bool learned =
          item.opened_epoch.has_value() && keys_.Learn(log, *item.opened_epoch).ok();
      if (!learned) log.locked_epochs.push_back(log.epoch);
    }
    const absl::Status appended =
        item.erased.has_value()
            ? context_.logs.AppendErased(log, item.type, item.epoch, item.leaf, *item.erased)
            : context_.logs.Append(log, item.type, item.epoch, item.leaf, body);
    if (!appended.ok()) return appended;
  }
  for (const auto& [number, order] : parsed.orders) {
    if (absl::Status s = context_.logs.KeepOrder(order.id, order.as_signed); !s.ok()) return s;
  }
  log.head_note = batch.head_note();
  log.head_size = edge.end();  // the size that the verified head states
  log.head_edge = std::move(edge);
  return absl::OkStatus();
}

}  // namespace entente::sync

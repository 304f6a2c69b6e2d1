#include "sync/log_book.h"

#include <utility>

#include "crypto/hash.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// Roots of perfect subtrees are stored at levels 8, 16, 24: reading one level costs 256 children.
constexpr uint32_t kLevelStep = 8;
constexpr uint64_t kTileLeaves = uint64_t{1} << kLevelStep;

constexpr size_t kEntryRowHead = 1 + 4 + Hash::kSize;

std::string EncodeEntry(uint8_t type, uint32_t epoch, const Hash& leaf, std::string_view body) {
  std::string row;
  row.reserve(kEntryRowHead + body.size());
  AppendU8(&row, type);
  AppendU32(&row, epoch);
  row.append(leaf.view());
  row.append(body);
  return row;
}

constexpr uint8_t kErasedType = 0x80;
constexpr size_t kErasedRow = kEntryRowHead + 4 + 2 * Hash::kSize;

std::string EncodeErased(uint8_t type, uint32_t epoch, const Hash& leaf, const ErasedBody& erased) {
  std::string rest;
  AppendU32(&rest, erased.size);
  rest.append(erased.hash.view());
  rest.append(erased.order.view());
  return EncodeEntry(type | kErasedType, epoch, leaf, rest);
}

absl::StatusOr<Hash> LeafOf(std::string_view row) {
  if (row.size() < kEntryRowHead) return absl::DataLossError("a stored entry is too short");
  return Hash::From(row.substr(kEntryRowHead - Hash::kSize, Hash::kSize));
}

absl::StatusOr<StoredEntry> DecodeEntry(std::string_view row) {
  const absl::StatusOr<Hash> leaf = LeafOf(row);
  if (!leaf.ok()) return leaf.status();
  StoredEntry out;
  ByteReader reader(row);
  out.type = *reader.ReadU8();
  out.epoch = *reader.ReadU32();
  out.leaf = *leaf;
  if ((out.type & kErasedType) == 0) {
    out.body = std::string(row.substr(kEntryRowHead));
    return out;
  }
  if (row.size() != kErasedRow) return absl::DataLossError("a stored entry is damaged");
  out.type &= static_cast<uint8_t>(~kErasedType);
  static_cast<void>(reader.ReadBytes(Hash::kSize));
  ErasedBody& erased = out.erased.emplace();
  erased.size = *reader.ReadU32();
  erased.hash = *Hash::From(*reader.ReadBytes(Hash::kSize));
  erased.order = *Hash::From(*reader.ReadBytes(Hash::kSize));
  return out;
}

// The tree of one log, read from the store.
class LogTree : public crypto::MerkleSource {
 public:
  LogTree(const KvReader& store, const LogId& log) : store_(store), log_(log) {}

  absl::StatusOr<Hash> Node(uint32_t level, uint64_t index) const override {
    if (level > 0 && level % kLevelStep == 0) {
      const auto row = store_.Get(schema::TreeNode(log_, level, index));
      if (!row.ok()) return row.status();
      if (row->has_value()) return Hash::From(**row);
    }
    if (level == 0) {
      const auto row = store_.Get(schema::Entry(log_, index));
      if (!row.ok()) return row.status();
      if (!row->has_value()) return absl::DataLossError("an entry of a log is missing");
      return LeafOf(**row);
    }
    const absl::StatusOr<Hash> left = Node(level - 1, index * 2);
    if (!left.ok()) return left;
    const absl::StatusOr<Hash> right = Node(level - 1, index * 2 + 1);
    if (!right.ok()) return right;
    return crypto::NodeHash(*left, *right);
  }

 private:
  const KvReader& store_;
  const LogId& log_;
};

template <class Repeated>
void StoreRange(const crypto::CompactRange& range, Repeated* out) {
  for (const Hash& hash : range.hashes()) out->Add(hash.str());
}

template <class Repeated>
absl::StatusOr<crypto::CompactRange> LoadRange(uint64_t begin, uint64_t end, const Repeated& in) {
  std::vector<Hash> hashes;
  for (const std::string& raw : in) {
    absl::StatusOr<Hash> hash = Hash::From(raw);
    if (!hash.ok()) return hash.status();
    hashes.push_back(*hash);
  }
  return crypto::CompactRange::From(begin, end, std::move(hashes));
}

absl::StatusOr<LogState> DecodeRow(std::string_view key, std::string_view value) {
  v1::LogRow row;
  if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::DataLossError("a stored log row does not parse");
  }
  const auto id = LogId::From(key.substr(1));
  const auto jit = JitId::From(row.jit_id());
  const auto author = PartyId::From(row.author());
  const auto card = Hash::From(row.author_card());
  const auto audience = AudienceId::From(row.audience_id());
  auto range = LoadRange(0, row.size(), row.range());
  const uint64_t tile_begin = row.size() / kTileLeaves * kTileLeaves;
  auto tile = LoadRange(tile_begin, row.size(), row.tile());
  auto edge = LoadRange(row.size(), row.head_size(), row.head_edge());
  for (const absl::Status& s : {id.status(), jit.status(), author.status(), card.status(),
                                audience.status(), range.status(), tile.status(), edge.status()}) {
    if (!s.ok())
      return absl::DataLossError(Cat("a stored log row is damaged: ", ToStd(s.message())));
  }
  LogState log;
  log.id = *id;
  log.jit = *jit;
  log.author = *author;
  log.author_card = *card;
  log.incarnation = row.incarnation();
  log.audience = *audience;
  log.salt = row.audience_salt();
  for (const std::string& raw : row.members()) {
    const auto member = PartyId::From(raw);
    if (!member.ok()) return absl::DataLossError("a stored log row names a malformed party");
    log.members.insert(*member);
  }
  log.size = row.size();
  log.range = *std::move(range);
  log.tile = *std::move(tile);
  log.epoch = row.epoch();
  log.epoch_first = row.epoch_first();
  log.head_note = row.head_note();
  log.head_size = row.head_size();
  log.head_edge = *std::move(edge);
  log.opened = row.opened();
  log.locked_epochs.assign(row.locked_epochs().begin(), row.locked_epochs().end());
  log.epoch_started = row.epoch_started();
  log.frozen = row.frozen();
  return log;
}

}  // namespace

Hash LogState::Root() const { return *range.Root(); }

absl::Status LogBook::Load() {
  absl::Status failure;
  absl::Status scan = store_.Scan("l", "m", [&](std::string_view key, std::string_view value) {
    absl::StatusOr<LogState> log = DecodeRow(key, value);
    if (!log.ok()) {
      failure = log.status();
      return false;
    }
    const LogId id = log->id;
    logs_.insert_or_assign(id, *std::move(log));
    return true;
  });
  if (!scan.ok()) return scan;
  if (!failure.ok()) return failure;
  return store_.Scan("r", "s", [&](std::string_view key, std::string_view value) {
    if (key.size() != 1 + LogId::kSize + PartyId::kSize) return true;
    const auto log = LogId::From(key.substr(1, 32));
    const auto party = PartyId::From(key.substr(33));
    v1::ReceiptRow row;
    if (!log.ok() || !party.ok() ||
        !row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return true;
    }
    if (LogState* state = Find(*log)) {
      state->receipts[*party] = {row.size(), row.cosignature(), row.opened()};
    }
    return true;
  });
}

LogState* LogBook::Find(const LogId& id) {
  const auto it = logs_.find(id);
  return it == logs_.end() ? nullptr : &it->second;
}

const LogState* LogBook::Find(const LogId& id) const {
  const auto it = logs_.find(id);
  return it == logs_.end() ? nullptr : &it->second;
}

LogState& LogBook::Add(LogState state) {
  const LogId id = state.id;
  last_ranges_.erase(id);
  return logs_.insert_or_assign(id, std::move(state)).first->second;
}

absl::Status LogBook::Append(LogState& log, uint8_t type, uint32_t epoch, const Hash& leaf,
                             std::string_view body) {
  return Grow(log, leaf, EncodeEntry(type, epoch, leaf, body));
}

absl::Status LogBook::AppendErased(LogState& log, uint8_t type, uint32_t epoch, const Hash& leaf,
                                   const ErasedBody& erased) {
  return Grow(log, leaf, EncodeErased(type, epoch, leaf, erased));
}

void LogBook::Erase(const LogState& log, uint64_t index, const StoredEntry& stored,
                    const Hash& order) {
  if (stored.erased.has_value()) return;
  const ErasedBody erased{static_cast<uint32_t>(stored.body.size()), crypto::Sha256(stored.body),
                          order};
  store_.Put(schema::Entry(log.id, index),
             EncodeErased(stored.type, stored.epoch, stored.leaf, erased));
}

absl::Status LogBook::KeepOrder(const Hash& id, const v1::SignedErasureOrder& order) {
  const auto known = store_.Get(schema::Order(id));
  if (!known.ok() || known->has_value()) return known.status();
  v1::OrderRow row;
  *row.mutable_order() = order;
  SaveOrder(id, row);
  return absl::OkStatus();
}

void LogBook::SaveOrder(const Hash& id, const v1::OrderRow& row) {
  store_.Put(schema::Order(id), row.SerializeAsString());
}

absl::StatusOr<v1::OrderRow> LogBook::ReadOrder(const Hash& id) const {
  const auto stored = store_.Get(schema::Order(id));
  if (!stored.ok()) return stored.status();
  v1::OrderRow row;
  if (!stored->has_value() || !row.ParseFromString(**stored)) {
    return absl::DataLossError("an order to erase is missing or damaged");
  }
  return row;
}

absl::Status LogBook::Grow(LogState& log, const Hash& leaf, std::string row) {
  store_.Put(schema::Entry(log.id, log.size), std::move(row));
  log.range.Append(leaf);
  log.tile.Append(leaf);
  ++log.size;
  uint64_t index = log.size;
  if (index % kTileLeaves != 0) return absl::OkStatus();
  // A tile is full: its single hash becomes a stored node, and so on up the levels.
  Hash node = log.tile.hashes().front();
  log.tile = crypto::CompactRange::Empty(log.size);
  const LogTree tree(store_, log.id);
  for (uint32_t level = kLevelStep; index % kTileLeaves == 0; level += kLevelStep) {
    index /= kTileLeaves;
    if (level > kLevelStep) {
      const absl::StatusOr<Hash> computed = tree.Node(level, index - 1);
      if (!computed.ok()) return computed.status();
      node = *computed;
    }
    store_.Put(schema::TreeNode(log.id, level, index - 1), node.str());
  }
  return absl::OkStatus();
}

void LogBook::Drop(const LogId& id) {
  logs_.erase(id);
  last_ranges_.erase(id);
}

void LogBook::Save(const LogState& log) {
  v1::LogRow row;
  row.set_jit_id(log.jit.str());
  row.set_author(log.author.str());
  row.set_author_card(log.author_card.str());
  row.set_incarnation(log.incarnation);
  row.set_audience_id(log.audience.str());
  row.set_audience_salt(log.salt);
  for (const PartyId& member : log.members) row.add_members(member.str());
  row.set_size(log.size);
  StoreRange(log.range, row.mutable_range());
  StoreRange(log.tile, row.mutable_tile());
  row.set_epoch(log.epoch);
  row.set_epoch_first(log.epoch_first);
  row.set_head_note(log.head_note);
  row.set_head_size(log.head_size);
  StoreRange(log.head_edge, row.mutable_head_edge());
  row.set_opened(log.opened);
  row.mutable_locked_epochs()->Add(log.locked_epochs.begin(), log.locked_epochs.end());
  row.set_epoch_started(log.epoch_started);
  row.set_frozen(log.frozen);
  store_.Put(schema::Log(log.id), row.SerializeAsString());
}

void LogBook::SaveReceipt(const LogState& log, const PartyId& party, const Receipt& receipt) {
  v1::ReceiptRow row;
  row.set_size(receipt.size);
  row.set_cosignature(receipt.cosignature);
  row.set_opened(receipt.opened);
  store_.Put(schema::Receipt(log.id, party), row.SerializeAsString());
}

absl::StatusOr<StoredEntry> LogBook::Read(const LogState& log, uint64_t index) const {
  const auto row = store_.Get(schema::Entry(log.id, index));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::DataLossError("an entry of a log is missing");
  return DecodeEntry(**row);
}

absl::Status LogBook::ReadRange(
    const LogState& log, uint64_t from, uint64_t to,
    const std::function<bool(uint64_t, const StoredEntry&)>& visit) const {
  absl::Status failure;
  uint64_t next = from;
  const absl::Status scan = store_.Scan(schema::Entry(log.id, from), schema::Entry(log.id, to),
                                        [&](std::string_view, std::string_view value) {
                                          absl::StatusOr<StoredEntry> entry = DecodeEntry(value);
                                          if (!entry.ok()) {
                                            failure = entry.status();
                                            return false;
                                          }
                                          return visit(next++, *entry);
                                        });
  return scan.ok() ? failure : scan;
}

absl::StatusOr<uint64_t> LogBook::EpochEntry(const LogState& log, uint32_t epoch) const {
  // Epochs only grow along a log, and each begins with its own entry.
  uint64_t low = 0;
  uint64_t high = log.size;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const absl::StatusOr<StoredEntry> entry = Read(log, middle);
    if (!entry.ok()) return entry.status();
    (entry->epoch < epoch ? low : high) = entry->epoch < epoch ? middle + 1 : middle;
  }
  if (low == log.size) return absl::NotFoundError("this epoch is not held here");
  const absl::StatusOr<StoredEntry> entry = Read(log, low);
  if (!entry.ok()) return entry.status();
  if (entry->type != crypto::kEpoch || entry->epoch != epoch) {
    return absl::NotFoundError("this epoch is not held here");
  }
  return low;
}

absl::StatusOr<crypto::CompactRange> LogBook::RangeAt(const LogState& log, uint64_t size) const {
  if (size == log.size) return log.range;
  const LogTree tree(store_, log.id);
  const auto before = last_ranges_.find(log.id);
  if (before == last_ranges_.end() || before->second.end() > size) {
    absl::StatusOr<crypto::CompactRange> range = crypto::RangeFrom(tree, 0, size);
    if (range.ok()) last_ranges_.insert_or_assign(log.id, *range);
    return range;
  }
  const absl::StatusOr<crypto::CompactRange> more =
      crypto::RangeFrom(tree, before->second.end(), size);
  if (!more.ok()) return more.status();
  if (absl::Status s = before->second.AppendRange(*more); !s.ok()) return s;
  return before->second;
}

absl::StatusOr<std::vector<Hash>> LogBook::Inclusion(const LogState& log, uint64_t index,
                                                     uint64_t size) const {
  return crypto::InclusionProof(LogTree(store_, log.id), index, size);
}

absl::StatusOr<std::vector<Hash>> LogBook::Consistency(const LogState& log, uint64_t from,
                                                       uint64_t to) const {
  return crypto::ConsistencyProof(LogTree(store_, log.id), from, to);
}

absl::StatusOr<crypto::CompactRange> LogBook::EdgeToHead(const LogState& log, uint64_t from) const {
  const LogTree tree(store_, log.id);
  absl::StatusOr<crypto::CompactRange> held = crypto::RangeFrom(tree, from, log.size);
  if (!held.ok()) return held;
  if (absl::Status s = held->AppendRange(log.head_edge); !s.ok()) return s;
  return held;
}

}  // namespace entente::sync

#include "sync/grants.h"

#include <algorithm>
#include <map>
#include <utility>

#include "crypto/body_seal.h"
#include "crypto/hash.h"
#include "crypto/key_tree.h"
#include "crypto/note.h"
#include "sync/entry_codec.h"

namespace entente::sync {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(Cat("a grant that is malformed: ", what));
}
absl::Status NotAsSigned(std::string_view what) {
  return absl::UnauthenticatedError(Cat("a grant whose entries are not as signed: ", what));
}

// Adds the keys of `leaves` of one epoch, and of no other.
absl::Status AddKeys(EpochKeys& keys, const LogState& log, uint32_t epoch, uint64_t first_index,
                     const std::set<uint32_t>& leaves, v1::Grant* grant) {
  const absl::StatusOr<std::vector<crypto::TreeNode>> held = keys.Held(log.id, epoch);
  if (!held.ok()) return held.status();
  for (crypto::TreePosition position : crypto::CoverLeaves(leaves)) {
    const uint32_t first = position.first_leaf();
    const auto above = std::find_if(held->begin(), held->end(), [&](const crypto::TreeNode& node) {
      return node.position.depth <= position.depth && node.position.Covers(first);
    });
    if (above == held->end()) {
      return absl::FailedPreconditionError(
          "an entry to be handed on cannot be read here itself [LOCKED]");
    }
    const uint32_t below = position.depth - above->position.depth;
    v1::TreeKey* key = grant->add_keys();
    key->set_epoch(epoch);
    key->set_depth(position.depth);
    key->set_prefix(position.prefix);
    key->set_first_index(first_index);
    key->set_key(std::string(
        crypto::Subtree(above->key, below, position.prefix & ((1u << below) - 1)).view()));
  }
  return absl::OkStatus();
}

struct Key {
  uint32_t epoch = 0;
  uint64_t first_index = 0;
  crypto::EntryKeys keys;
};

absl::StatusOr<std::vector<Key>> ParseKeys(const v1::Grant& grant, uint64_t* leaves) {
  std::vector<Key> out;
  for (const v1::TreeKey& item : grant.keys()) {
    const crypto::TreePosition position{item.depth(), item.prefix()};
    absl::StatusOr<crypto::Secret32> key = crypto::Secret32::From(item.key());
    if (!position.valid() || !key.ok()) return Malformed("a key of no place in the tree");
    *leaves += uint64_t{1} << (crypto::kTreeDepth - position.depth);
    out.push_back({item.epoch(), item.first_index(),
                   crypto::EntryKeys(crypto::TreeNode{position, *std::move(key)})});
  }
  return out;
}

absl::StatusOr<Original> Open(const v1::Proven& proven, const ProvenHeader& header,
                              std::vector<Key>& keys) {
  for (Key& key : keys) {
    if (key.epoch != header.epoch || header.index < key.first_index) continue;
    const uint64_t leaf = header.index - key.first_index;
    if (leaf >= crypto::kTreeLeaves || !key.keys.root().Covers(static_cast<uint32_t>(leaf))) {
      continue;
    }
    absl::StatusOr<std::string> plain = crypto::OpenBody(
        key.keys.Key(static_cast<uint32_t>(leaf)),
        HeaderOf(header.log, header.index, crypto::kSealed, header.epoch, proven.body()),
        proven.body());
    if (!plain.ok()) return NotAsSigned("a key that its author did not seal with");
    Original out;
    if (!out.body.ParseFromString(*plain)) return NotAsSigned("bytes that are no entry");
    out.ref = {header.log, header.index, header.leaf};
    out.body_bytes = *std::move(plain);
    return out;
  }
  return Malformed("an entry without a key");
}

}  // namespace

absl::StatusOr<v1::Proven> Prove(const LogBook& logs, const LogState& log, uint64_t index,
                                 uint64_t size, bool with_body) {
  const absl::StatusOr<StoredEntry> stored = logs.Read(log, index);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<std::vector<Hash>> path = logs.Inclusion(log, index, size);
  if (!path.ok()) return path.status();
  v1::Proven out;
  if (with_body && stored->erased.has_value()) {
    return absl::FailedPreconditionError("an entry that has been erased [ERASED]");
  }
  out.set_header(HeaderOf(log.id, index, *stored).Encode());
  if (with_body) out.set_body(stored->body);
  for (const Hash& hash : *path) out.add_path(hash.str());
  return out;
}

absl::StatusOr<ProvenHeader> VerifyProven(const v1::Proven& proven, uint64_t size,
                                          const Hash& root) {
  const std::string& raw = proven.header();
  if (raw.size() != crypto::kHeaderBytes) return Malformed("a header of another length");
  ByteReader reader(raw);
  crypto::EntryHeader header;
  header.version = *reader.ReadU8();
  header.type = *reader.ReadU8();
  static_cast<void>(reader.ReadU16());
  header.epoch = *reader.ReadU32();
  header.index = *reader.ReadU64();
  header.body_size = *reader.ReadU32();
  header.log_id = *LogId::From(*reader.ReadBytes(LogId::kSize));
  header.body_hash = *Hash::From(*reader.ReadBytes(Hash::kSize));
  if (header.version != 1 || header.type != crypto::kSealed || header.Encode() != raw) {
    return Malformed("a header of another form");
  }
  std::vector<Hash> path;
  for (const std::string& item : proven.path()) {
    const absl::StatusOr<Hash> hash = Hash::From(item);
    if (!hash.ok()) return Malformed("a path that is none");
    path.push_back(*hash);
  }
  ProvenHeader out{header.log_id, header.index, header.epoch, crypto::LeafHash(header)};
  if (!crypto::VerifyInclusion(out.leaf, out.index, size, path, root).ok()) {
    return NotAsSigned("an entry that is not under the signed head");
  }
  return out;
}

absl::StatusOr<std::vector<v1::Grant>> MakeGrants(const LogBook& logs, EpochKeys& keys,
                                                  const LogState& log,
                                                  const std::set<uint64_t>& indexes,
                                                  std::string_view basis, size_t bytes_max) {
  if (log.head_size != log.size || log.head_note.empty()) {
    return absl::FailedPreconditionError(
        "the log of an entry to be handed on is not whole here [INCOMPLETE]");
  }
  std::vector<v1::Grant> out;
  std::map<std::pair<uint32_t, uint64_t>, std::set<uint32_t>> leaves;  // of the newest Grant
  size_t bytes = 0;
  const auto close = [&]() -> absl::Status {
    for (const auto& [epoch, chosen] : leaves) {
      if (absl::Status s = AddKeys(keys, log, epoch.first, epoch.second, chosen, &out.back());
          !s.ok()) {
        return s;
      }
    }
    leaves.clear();
    return absl::OkStatus();
  };
  for (const uint64_t index : indexes) {
    const absl::StatusOr<StoredEntry> stored = logs.Read(log, index);
    if (!stored.ok()) return stored.status();
    if (stored->type != crypto::kSealed) return absl::InvalidArgumentError("no sealed entry");
    const absl::StatusOr<uint64_t> begin = logs.EpochEntry(log, stored->epoch);
    if (!begin.ok()) return begin.status();
    absl::StatusOr<v1::Proven> proven = Prove(logs, log, index, log.size, /*with_body=*/true);
    if (!proven.ok()) return proven.status();
    const size_t size = proven->ByteSizeLong() + 64;
    if (size > bytes_max) {
      return absl::InvalidArgumentError(
          "an entry too long to be handed on as it was signed; release the record without it "
          "[TOO_BIG]");
    }
    if (out.empty() || bytes + size > bytes_max || out.back().entries_size() == kGrantEntriesMax) {
      if (absl::Status s = close(); !s.ok()) return s;
      out.emplace_back();
      out.back().set_log_id(log.id.str());
      out.back().set_head_note(log.head_note);
      out.back().set_basis(std::string(basis));
      bytes = log.head_note.size() + basis.size();
    }
    bytes += size;
    leaves[{stored->epoch, *begin + 1}].insert(static_cast<uint32_t>(index - *begin - 1));
    *out.back().add_entries() = *std::move(proven);
  }
  if (absl::Status s = close(); !s.ok()) return s;
  return out;
}

absl::StatusOr<std::vector<Original>> VerifyGrant(const v1::Grant& grant,
                                                  const PublicKey& author_log_key) {
  const absl::StatusOr<LogId> log = LogId::From(grant.log_id());
  if (!log.ok() || grant.entries().empty() || grant.entries_size() > kGrantEntriesMax ||
      grant.keys_size() > kGrantEntriesMax) {
    return Malformed("no log, or no entries, or too many");
  }
  const absl::StatusOr<crypto::Checkpoint> head =
      crypto::VerifyCheckpointNote(grant.head_note(), *log, author_log_key);
  if (!head.ok()) return NotAsSigned("a head that its author did not sign");
  uint64_t leaves = 0;
  absl::StatusOr<std::vector<Key>> keys = ParseKeys(grant, &leaves);
  if (!keys.ok()) return keys.status();
  if (leaves != static_cast<uint64_t>(grant.entries_size())) {
    return Malformed("keys for more or for less than its entries");
  }
  std::vector<Original> out;
  std::set<uint64_t> seen;
  for (const v1::Proven& proven : grant.entries()) {
    const absl::StatusOr<ProvenHeader> header = VerifyProven(proven, head->size, head->root);
    if (!header.ok()) return header.status();
    if (header->log != *log) return NotAsSigned("an entry of another log");
    if (!seen.insert(header->index).second) return Malformed("an entry that stands twice");
    absl::StatusOr<Original> original = Open(proven, *header, *keys);
    if (!original.ok()) return original.status();
    original->log_size = head->size;
    out.push_back(*std::move(original));
  }
  return out;
}

}  // namespace entente::sync

#include "sync/entry_codec.h"

#include <utility>

#include "crypto/body_seal.h"
#include "crypto/hash.h"

namespace entente::sync {

v1::Ref ToProto(const EntryRef& ref) {
  v1::Ref out;
  out.set_log_id(ref.log.str());
  out.set_index(ref.index);
  out.set_leaf(ref.leaf.str());
  return out;
}

crypto::EntryHeader HeaderOf(const LogId& log, uint64_t index, uint8_t type, uint32_t epoch,
                             std::string_view body) {
  crypto::EntryHeader header;
  header.type = type;
  header.epoch = epoch;
  header.index = index;
  header.body_size = static_cast<uint32_t>(body.size());
  header.log_id = log;
  header.body_hash = crypto::Sha256(body);
  return header;
}

crypto::EntryHeader HeaderOf(const LogId& log, uint64_t index, const StoredEntry& stored) {
  if (!stored.erased.has_value()) {
    return HeaderOf(log, index, stored.type, stored.epoch, stored.body);
  }
  crypto::EntryHeader header = HeaderOf(log, index, stored.type, stored.epoch, "");
  header.body_size = stored.erased->size;
  header.body_hash = stored.erased->hash;
  return header;
}

absl::StatusOr<OpenedEntry> OpenEntry(const LogState& log, uint64_t index,
                                      const StoredEntry& stored, uint64_t epoch_first,
                                      EpochKeys& keys) {
  const uint64_t leaf = index - epoch_first;
  if (index < epoch_first || leaf >= crypto::kTreeLeaves) {
    return absl::DataLossError("an entry stands outside its epoch");
  }
  const absl::StatusOr<crypto::Secret32> key =
      keys.EntryKey(log.id, stored.epoch, static_cast<uint32_t>(leaf));
  if (!key.ok()) return key.status();
  return OpenEntryUnder(*key, log, index, stored);
}

absl::StatusOr<OpenedEntry> OpenEntryUnder(const crypto::Secret32& key, const LogState& log,
                                           uint64_t index, const StoredEntry& stored) {
  if (stored.erased.has_value()) return absl::NotFoundError("the entry's body is erased");
  const crypto::EntryHeader header =
      HeaderOf(log.id, index, stored.type, stored.epoch, stored.body);
  absl::StatusOr<std::string> plain = crypto::OpenBody(key, header, stored.body);
  if (!plain.ok()) return plain.status();
  OpenedEntry out;
  if (!out.body.ParseFromString(*plain)) {
    return absl::DataLossError("an entry opens to bytes that are no entry");
  }
  out.jit = log.jit;
  out.author = log.author;
  out.ref = {log.id, index, stored.leaf};
  out.audience = log.members;
  out.body_bytes = *std::move(plain);
  return out;
}

}  // namespace entente::sync

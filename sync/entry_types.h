// Entries on their way in and out of the logs, as the layers above see them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "crypto/bytes.h"
#include "entente/v1/entry.pb.h"

namespace entente::sync {

// Sorted, unique party ids. An audience is this set plus a JIT and a salt.
using Members = std::set<PartyId>;

// Where an entry stands. `leaf` is its RFC 6962 leaf hash: the entry's lasting name.
struct EntryRef {
  LogId log;
  uint64_t index = 0;
  Hash leaf;
  auto operator<=>(const EntryRef&) const = default;
};

v1::Ref ToProto(const EntryRef& ref);

// An entry that was verified against a signed head, stored, decrypted and decoded.
struct OpenedEntry {
  JitId jit;
  PartyId author;
  EntryRef ref;
  Members audience;
  std::string body_bytes;  // the EntryBody exactly as its author encoded it
  v1::EntryBody body;
};

// Something this node wants to write. The replica fills in hlc and the epoch, seals and signs.
// All drafts of one step become durable together or not at all.
struct Draft {
  JitId jit;
  Members audience;  // must contain this node's own party
  v1::EntryBody body;
};

}  // namespace entente::sync

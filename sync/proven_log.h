// Entries of a log for somebody who has no node: everything that shows whose log it is, who its
// readers are, that the entries stand in it as they were signed, and which other bodies have signed
// for having received them. Protocol §13.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "entente/v1/bundle.pb.h"
#include "sync/card_book.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"
#include "sync/log_book.h"

namespace entente::sync {

// The sealed entries at `indexes`, under the newest head, with every receipt held for the log.
// Errors as MakeGrants.
absl::StatusOr<v1::BundleLog> ProveLog(const LogBook& logs, EpochKeys& keys, const LogState& log,
                                       const std::set<uint64_t>& indexes);

// Somebody else's signature: it held the first `size` entries at `time`, by its own clock.
struct Cosigned {
  uint64_t size = 0;
  int64_t time = 0;  // Unix seconds
};

struct ProvenLog {
  LogId id;
  PartyId author;
  Hash card;  // under which the log is signed
  Members audience;
  uint64_t size = 0;  // of the head
  Hash root;
  std::string head_note;
  std::vector<OpenedEntry> entries;  // ascending
  std::map<PartyId, Cosigned> receipts;
  std::vector<std::string> cosignatures;  // of receipts over this very head
  std::optional<uint64_t> effect_size;    // said by whoever made the proof
  std::string effect_code;
};

// Checks all of it with the cards of `cards` alone: that author, JIT and readers give the id of the
// log, the head, every entry, every receipt. InvalidArgument (malformed, or a body without a card)
// or Unauthenticated (not as signed), naming the log's author.
absl::StatusOr<ProvenLog> VerifyProvenLog(const v1::BundleLog& log, const JitId& jit,
                                          const CardBook& cards);

}  // namespace entente::sync

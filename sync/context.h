// What the parts of a replica share: who this node is and what it stands on.
#pragma once

#include <algorithm>
#include <memory>

#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "sync/box_keys.h"
#include "sync/card_book.h"
#include "sync/exclusion.h"
#include "sync/kv.h"
#include "sync/log_book.h"
#include "sync/revocation.h"
#include "sync/shared_secrets.h"

namespace entente::sync {

struct Context {
  PartyId self;
  std::shared_ptr<const crypto::NodeKeys> keys;
  CardBook& cards;
  OverlayKv& store;
  LogBook& logs;
  Entropy& entropy;
  uint32_t incarnation = 0;  // of the logs this node writes
  // Somebody else signs with this node's keys: nothing more is written under its present card.
  bool cloned = false;
  const Exclusions* exclusions = nullptr;
  BoxKeys* box_keys = nullptr;
  const Revocations* revocations = nullptr;
  const SharedSecrets* secrets = nullptr;  // null: none are used

  // Entries [0, n) of a log count, and no more are taken; UINT64_MAX unless its author is excluded
  // or has given up the keys it was signed with.
  uint64_t FinalSize(const LogState& log) const {
    return std::min(exclusions->FinalSize(log), revocations->FinalSize(log));
  }
  // Whether `peer` may hear of `log` at all: in its audience, and not left out of the JIT.
  bool Shares(const LogState& log, const PartyId& peer) const {
    return log.members.contains(peer) && !exclusions->IsExcluded(log.jit, peer);
  }
};

}  // namespace entente::sync

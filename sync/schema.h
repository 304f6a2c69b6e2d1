// Where things stand in a node's key-value store. One letter per table, then fixed-width fields in
// big-endian order, so that a scan walks a log by index.
//
// clang-format off
//   c party              SignedCard       the newest card of each trusted body, the own one included
//   o party number       SignedCard       earlier cards, for what was made under them
//   d party              CardForkRow      two cards with one number
//   l log                LogRow           one per log held
//   e log index          type epoch leaf body    one per entry; erased: type + 128, and in place of
//                                                the body its size, its hash and the order's
//   t log level index    hash             perfect subtrees at levels 8, 16, 24 … of a log's tree
//   k log epoch          seed, or parts   what this node could open (values are sealed at rest)
//   r log party          ReceiptRow       that party's cosignature over the log
//   x party              ParcelLinkRow    sequence numbers of parcels to and from a party
//   h party              ContactRow       when that party was last heard
//   b blob               BlobRow          files named by opened entries
//   u name               UserRow          people who may sign in here
//   f party direction n  RefusalRow       typed refusals, both directions
//   s party              SharedSecretRow  a secret shared with that body
//   a jit day            AnchorRow        what opens the own Anchor of that day
//   p log                ForkProof        an author's two contradicting heads
//   w key id             OwnBoxKeyRow     keys that others seal to, and when they were given up
//   z order              OrderRow         orders to erase, by SHA-256; for ever
//   y party              PeerBoxKeysRow   the same of peers, and what they know of ours
//   m name               meta: "incarnation", "version", "receipts" (key they are signed with),
//                                         "cloned" (card under which another node signs as well)
// clang-format on
#pragma once

#include <string>
#include <string_view>

#include "crypto/bytes.h"

namespace entente::sync::schema {

inline std::string Card(const PartyId& party) { return Cat("c", party.view()); }
inline std::string EarlierCard(const PartyId& party, uint32_t seq) {
  std::string key = Cat("o", party.view());
  AppendU32(&key, seq);
  return key;
}
inline std::string CardFork(const PartyId& party) { return Cat("d", party.view()); }
inline std::string Log(const LogId& log) { return Cat("l", log.view()); }
inline std::string Entry(const LogId& log, uint64_t index) {
  std::string key = Cat("e", log.view());
  AppendU64(&key, index);
  return key;
}
inline std::string TreeNode(const LogId& log, uint32_t level, uint64_t index) {
  std::string key = Cat("t", log.view());
  AppendU8(&key, static_cast<uint8_t>(level));
  AppendU64(&key, index);
  return key;
}
inline std::string EpochSeed(const LogId& log, uint32_t epoch) {
  std::string key = Cat("k", log.view());
  AppendU32(&key, epoch);
  return key;
}
inline std::string Receipt(const LogId& log, const PartyId& party) {
  return Cat("r", log.view(), party.view());
}
inline std::string ParcelLink(const PartyId& party) { return Cat("x", party.view()); }
inline std::string Contact(const PartyId& party) { return Cat("h", party.view()); }
inline std::string Blob(const BlobId& blob) { return Cat("b", blob.view()); }
inline std::string User(std::string_view name) { return Cat("u", name); }
inline std::string Refusal(const PartyId& party, bool by_peer, uint32_t code) {
  std::string key = Cat("f", party.view());
  AppendU8(&key, by_peer ? 1 : 0);
  AppendU32(&key, code);
  return key;
}
inline std::string Fork(const LogId& log) { return Cat("p", log.view()); }
inline std::string OwnBoxKey(const KeyId& key) { return Cat("w", key.view()); }
inline std::string PeerBoxKeys(const PartyId& party) { return Cat("y", party.view()); }
inline std::string SharedSecret(const PartyId& party) { return Cat("s", party.view()); }
inline std::string Order(const Hash& order) { return Cat("z", order.view()); }
inline std::string Anchor(const JitId& jit, uint32_t day) {
  std::string key = Cat("a", jit.view());
  AppendU32(&key, day);
  return key;
}
inline std::string Meta(std::string_view name) { return Cat("m", name); }

// The end of a table: a key behind every key that starts with `prefix`.
inline std::string After(std::string prefix) {
  while (!prefix.empty()) {
    if (static_cast<uint8_t>(prefix.back()) != 0xFF) {
      prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

}  // namespace entente::sync::schema

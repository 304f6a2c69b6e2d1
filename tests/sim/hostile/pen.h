// Writes logs by hand, with the keys of a real body: what its node would never write, and what
// anybody could write who holds those keys.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/merkle.h"
#include "entente/v1/entry.pb.h"
#include "entente/v1/peer.pb.h"
#include "tests/sim/world/identity.h"

namespace entente::sim {

// A log as its writer has it. Everything is open to be made wrong.
struct PenLog {
  LogId id;
  JitId jit;
  std::vector<const Identity*> members;  // the author first
  std::vector<PartyId> strangers;        // members that do not exist
  Hash author_card;
  uint32_t incarnation = 0;
  std::string salt;
  AudienceId audience;
  std::string seed;  // of the newest epoch
  uint32_t epoch = 0;
  uint64_t epoch_first = 0;
  std::vector<uint32_t> types;
  std::vector<std::string> bodies;
  std::vector<Hash> leaves;

  uint64_t size() const { return leaves.size(); }
};

class Pen {
 public:
  Pen(const Identity& self, Entropy& entropy) : self_(self), entropy_(entropy) {}

  // Its owner announced this key: what is sealed to it from now on is sealed to this one.
  void Heard(const PartyId& owner, const BoxPublicKey& key) {
    newest_.insert_or_assign(owner, key);
  }
  BoxPublicKey KeyOf(const Identity& member) const;

  // An empty log of `self` for these members, under an incarnation that no real log has.
  PenLog Begin(const JitId& jit, const std::vector<const Identity*>& readers,
               const std::vector<PartyId>& strangers = {});
  // A complete epoch; `change` may spoil it before it is written.
  void Epoch(PenLog& log, const std::function<void(v1::Epoch&)>& change = nullptr);
  void Seal(PenLog& log, const v1::EntryBody& body);
  void Raw(PenLog& log, uint32_t type, std::string bytes);
  // The Create of a note.
  v1::EntryBody Note(const JitId& jit, const std::string& text, const std::string& agreement,
                     absl::Time when);
  v1::EntryBody StatementOf(const JitId& jit, const std::string& purpose,
                            const std::string& payload, absl::Time when);

  std::string SignedHead(const PenLog& log, uint64_t size) const;
  v1::Head Head(const PenLog& log, uint64_t size) const;
  // Entries [from, to) under the head of `head` entries.
  v1::Batch Part(const PenLog& log, uint64_t from, uint64_t to, uint64_t head) const;
  v1::Batch Whole(const PenLog& log) const { return Part(log, 0, log.size(), log.size()); }

 private:
  Hash RootAt(const PenLog& log, uint64_t size) const;

  const Identity& self_;
  Entropy& entropy_;
  uint32_t next_incarnation_ = 0;
  std::map<PartyId, BoxPublicKey> newest_;
};

}  // namespace entente::sim

// The view that nobody has in life: every log of every disk put together and opened with every key
// that any node holds. What the checkers measure the nodes against.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/key_tree.h"
#include "entente/v1/entry.pb.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

struct SeenEntry {
  uint8_t type = 0;
  uint32_t epoch = 0;
  Hash leaf;
  bool erased = false;  // wherever it is held
  std::string body;
  std::string plain;  // sealed entries that some key opened: the EntryBody's bytes
  std::optional<v1::EntryBody> text;
};

struct SeenLog {
  LogId id;
  JitId jit;
  PartyId author;
  Hash author_card;
  std::set<PartyId> members;
  std::map<uint64_t, SeenEntry> entries;
  std::set<uint64_t> branches;  // indexes at which two disks differ

  // Index of the first entry under an epoch; UINT64_MAX when its Epoch entry is nowhere.
  uint64_t FirstOf(uint32_t epoch) const;
};

class Everything {
 public:
  explicit Everything(World& world);

  const std::map<LogId, SeenLog>& logs() const { return logs_; }
  // What is held of one epoch's key tree, and by which nodes: the seed, or what is left of the
  // tree.
  struct Seed {
    std::map<std::string, std::vector<crypto::TreeNode>> holders;

    // Of any holder, or of this one; null: nobody's opens that place of the epoch.
    const crypto::TreeNode* Above(uint32_t leaf) const;
    const crypto::TreeNode* AboveAt(const std::string& code, uint32_t leaf) const;
  };
  const std::map<std::pair<LogId, uint32_t>, Seed>& seeds() const { return seeds_; }
  // Whether a node holds a key for that entry, with or without its body.
  bool HasKey(const std::string& code, const SeenLog& log, uint64_t index, uint32_t epoch) const;
  std::string CodeOf(const PartyId& party) const;
  Codes CodesOf(const std::set<PartyId>& parties) const;

 private:
  void ReadLogs(const Node& node);
  void OpenAll();

  World& world_;
  std::map<LogId, SeenLog> logs_;
  std::map<std::pair<LogId, uint32_t>, Seed> seeds_;
};

// The parts of an entry's row in a node's database.
std::optional<SeenEntry> ReadEntryRow(std::string_view row);
bool IsErased(std::string_view row);

}  // namespace entente::sim

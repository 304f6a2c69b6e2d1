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
#include "entente/v1/entry.pb.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

struct SeenEntry {
  uint8_t type = 0;
  uint32_t epoch = 0;
  Hash leaf;
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
};

class Everything {
 public:
  explicit Everything(World& world);

  const std::map<LogId, SeenLog>& logs() const { return logs_; }
  // Every seed any node holds, and the nodes that hold it.
  struct Seed {
    std::string key;
    std::set<std::string> holders;
  };
  const std::map<std::pair<LogId, uint32_t>, Seed>& seeds() const { return seeds_; }
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

}  // namespace entente::sim

// What the world promised and to whom: written down when somebody acts, from what he asked for, and
// never from what the product says later. The checkers compare the two.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/world/node.h"

namespace entente::sim {

class World;

using Codes = std::set<std::string>;

// A text that only some may know, from the moment somebody tried to write it.
struct Secret {
  std::string canary;
  std::string owner;
  Codes may_know;
};

// A record that somebody was told is safe.
struct Promise {
  std::string owner;
  std::string id;  // hex, when the answer said so
  std::string ref;
  Codes audience;
  Rows rows;                    // the entries it went into
  bool lost_with_disk = false;  // its only copy was on a disk that died: nobody promised that
  bool set_back = false;        // its owner's database once went back behind it
  bool erasing = false;         // its owner has asked for it to be erased
};

// An erasure that its owner was told is ordered.
struct ErasedRecord {
  std::string owner;
  std::string id;  // raw
  std::string ref;
  size_t order;  // place in promises() of the Erase itself
  std::set<BlobId> files;
};

// A body has signed that another is left out.
struct Stop {
  std::map<LogId, uint64_t> sizes;  // of the writer's logs that the other is in, at that time
  Rows statement;                   // the entries that say so
  bool forgotten = false;           // the writer was set back behind them, and nobody told it yet
};

class Ledger {
 public:
  explicit Ledger(World& world) : world_(world) {}

  // A new text that `may_know` may know; its place in secrets().
  size_t Keep(const std::string& owner, Codes may_know);
  void MayKnow(size_t secret, const std::string& code) { secrets_[secret].may_know.insert(code); }
  void Acknowledged(Promise promise) { promises_.push_back(std::move(promise)); }
  // Every promise about the record, once its owner asks for it to be erased.
  void Erasing(const std::string& id);
  void Erased(Promise order, std::set<BlobId> files);
  // `node` signed the exclusion of `gone`, or suspended it: its logs with `gone` end here.
  void Stopped(Node& node, const std::string& gone, const Rows& statement = {});
  void Lifted(const std::string& node, const std::string& gone);

  // A database went back, or somebody who may have had the last copy turned: what no honest node
  // holds now is excused, and nothing else.
  void ExcuseWhatNobodyHolds();

  // What owners lack after a database went back: others give it back, but not to whom they left
  // out.
  void NoteWhatOwnersLack();

  // A node that was set back cannot know what it signed since. It counts again from the moment it
  // reads its own statement, which others give back.
  void NoteWhoForgotAStop();

  // `node` has new keys: its old logs end with what it holds of them now, and what others may hold
  // beyond is given up.
  void Renewed(const Node& node);
  // Where a log ends because its author was renewed; UINT64_MAX for all others.
  uint64_t EndOf(const LogId& log, const Hash& author_card) const;

  // The last round of rest begins: what is written from here on may still be on its way at the end.
  void LastRound();
  // Entries of a log that have had a round's time to arrive; all of them before LastRound.
  uint64_t HadTime(const LogId& log) const;

  const std::vector<Secret>& secrets() const { return secrets_; }
  const std::vector<Promise>& promises() const { return promises_; }
  const std::vector<ErasedRecord>& erased() const { return erased_; }
  // By writer and party left out.
  const std::map<std::pair<std::string, std::string>, Stop>& stops() const { return stops_; }
  // Somebody has stopped writing to it: it misses things, and others refuse things of it.
  bool LeftOut(const std::string& code) const;
  // Agreement versions that were proposed, to be checked against what came into force.
  uint64_t proposals = 0;

 private:
  void MeasureStop(const std::string& writer, const std::string& gone);
  void AwaitStop(const std::string& writer, const std::string& gone);

  World& world_;
  std::vector<Secret> secrets_;
  std::vector<Promise> promises_;
  std::vector<ErasedRecord> erased_;
  std::map<std::pair<std::string, std::string>, Stop> stops_;
  std::set<Hash> given_up_;         // cards
  std::map<LogId, uint64_t> ends_;  // of logs under them
  std::optional<std::map<LogId, uint64_t>> before_last_round_;
};

}  // namespace entente::sim

// One node: the production engine between a disk, a clock and a network that belong to the seed.
//
// A step's effects are carried out in the driver's order: commit, answers, anchor, frames and
// parcels, file jobs, wake-up. Power can fail between any two; a commit can fail, take long, or
// never have happened.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/core/engine.h"
#include "tests/sim/world/clock.h"
#include "tests/sim/world/disk.h"
#include "tests/sim/world/entropy.h"
#include "tests/sim/world/identity.h"

namespace entente::sim {

class World;

// An answer, and the entries that its step wrote into the node's own logs: key and sealed body.
using Rows = std::map<std::string, std::string>;
using OnAnswer = std::function<void(const core::Answer&, const Rows&)>;

class Node {
 public:
  Node(World& world, Identity identity, size_t index);

  const std::string& code() const { return who.plan.code; }
  bool up() const { return engine_ != nullptr; }
  // Answers at once: neither paused nor on a slow disk.
  bool ready() const;
  absl::Time LocalTime() const;

  // New keys under the same root, while it is off. False: its disk is in no state for that.
  bool Renew(bool keep_tls);

  // Fills the disk of a new node: its own card and those it trusts.
  void Install(const std::vector<const Identity*>& trusted);
  // Opens the engine; a disk that does not read sends the operator to work instead.
  void Boot();
  // Power off. Comes back after `away`.
  void Crash(absl::Duration away);
  // Stays off until somebody boots it.
  void PowerOff();
  // Stopped and continued: inputs wait.
  void Pause(absl::Duration how_long);
  // The database is replaced: by the one it was founded or renewed with, or by the last backup.
  void LoseStore(bool keep_anchor);
  void RestoreBackup(bool keep_anchor);
  void MakeBackup();
  // It may have come back without reading keys that others still seal to, or without theirs.
  bool forgot_keys() const { return forgot_keys_; }

  void Step(const core::Input& input);
  void Give(sync::Input input) { Step(core::Input(std::move(input))); }
  void Expect(uint64_t call, OnAnswer done) { calls_[call] = std::move(done); }
  const std::vector<core::Engine::Peer>& peers() const { return peers_; }

  Identity who;
  const size_t index;
  std::string user = "prosecutor";
  v1::Role role = v1::ROLE_JIT_LEADER;
  NodeClock clock;
  Disk disk;
  bool hostile = false;      // no promise is kept to it
  bool home = false;         // switched off on purpose, for a scripted absence
  bool speaks_next = false;  // of the next version
  uint64_t boots = 0;
  absl::Time disk_full_until = absl::InfinitePast();
  absl::Duration disk_delay = absl::ZeroDuration();
  std::string heard;  // every byte that peers and relays ever handed over, with its time

 private:
  void StepOnce(const core::Input& input);
  void Reseed(const core::Input& input);
  void CarryOut(core::Effects& effects, int stop_after);
  void Answer(const core::Effects& effects);
  void Stop(absl::Duration away);
  void BootAgain(absl::Duration after);
  void RefreshPeers();
  void ScheduleWake(absl::Time local);
  void ReplaceStore(DiskKv::Rows rows, bool keep_anchor);

  World& world_;
  StepEntropy entropy_;
  std::unique_ptr<core::Engine> engine_;
  std::map<uint64_t, OnAnswer> calls_;
  std::deque<core::Input> waiting_;  // while paused or the disk is slow
  absl::Time busy_until_ = absl::InfinitePast();
  int restless_ = 0;  // wake-ups in a row without any time in between
  uint64_t wake_token_ = 0;
  std::unordered_map<uint64_t, uint64_t> used_seeds_;
  std::vector<core::Engine::Peer> peers_;
  DiskKv::Rows fresh_rows_;
  bool forgot_keys_ = false;
};

}  // namespace entente::sim

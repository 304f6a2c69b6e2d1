// A whole federation in one thread: the production engine of every node, a network, disks and a
// clock that belong to one seed. Nothing here waits or reads the real time; the same seed gives the
// same run to the byte.
//
// Faults are switches in FaultOptions; each seed draws which are on (a swarm), so that rare pairs
// meet. A crash drops everything that was not committed, at a boundary between two effects chosen
// by the seed: before the commit, after it, after the answers, after the anchor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "node/core/engine.h"
#include "sync/kv.h"

namespace entente::sim {

struct FaultOptions {
  double crash_per_step = 0;  // probability of losing power at a step's effects
  double cut_per_frame = 0;   // probability that a stream breaks at a frame
  double partition_rate = 0;  // per simulated minute and pair
  absl::Duration delay_max = absl::Milliseconds(5);
  double parcel_loss = 0;
  double parcel_duplicate = 0;
  double parcel_reorder = 0;
  absl::Duration clock_skew_max = absl::ZeroDuration();
  double rollback_on_restart = 0;  // a crashed node comes back from an older copy of its disk
  double chunk_damage = 0;         // a chunk arrives altered
};

struct Counters {
  std::map<std::string, uint64_t> fired;
  void Hit(const std::string& what) { ++fired[what]; }
};

// What a node keeps through a crash.
struct Disk {
  sync::MemoryKv kv;
  std::map<LogId, sync::AnchorRecord> anchors;
  bool anchor_exists = false;
  struct Blob {
    uint64_t count = 0;
    std::map<uint64_t, std::string> chunks;
  };
  std::map<BlobId, Blob> blobs;
};

class World;

class SimNode {
 public:
  SimNode(World& world, std::string code, size_t index);

  void Boot();
  void Crash();
  bool up() const { return engine_ != nullptr; }
  core::Engine* engine() { return engine_.get(); }
  absl::Time LocalTime() const;

  // One input; carries its effects out in order, or loses power in between.
  void Step(const core::Input& input);

  World& world_;
  std::string code_;
  size_t index_;
  std::shared_ptr<crypto::NodeKeys> keys_;
  crypto::PartyRoot root_;
  PartyId party_;
  Hash spki_;
  v1::NodeCard card_;
  v1::SignedCard signed_card_;
  std::string user_ = "prosecutor";
  v1::Role role_ = v1::ROLE_JIT_LEADER;
  Disk disk_;
  std::unique_ptr<Disk> old_disk_;
  std::unique_ptr<core::Engine> engine_;
  absl::Duration skew_;
  uint64_t boots_ = 0;
  std::string received_;  // every byte peers and relay ever handed over
  uint64_t scheduled_wake_ = 0;
  std::map<uint64_t, std::function<void(const core::Answer&)>> calls_;
};

class World {
 public:
  struct Setup {
    uint64_t seed = 1;
    FaultOptions faults;
    std::vector<std::string> codes = {"XA", "XB", "XC", "EJ"};
    std::set<std::string> relay_only = {"XC"};
  };

  explicit World(Setup setup);
  ~World();

  // Runs events until `until` or until nothing is left to do.
  void RunUntil(absl::Time until);
  void RunFor(absl::Duration d) { RunUntil(now_ + d); }
  void At(absl::Time when, std::function<void()> what);
  void After(absl::Duration d, std::function<void()> what) { At(now_ + d, std::move(what)); }

  // A client call; `done` is called with the answer unless the node loses power first.
  void Call(SimNode& node, const std::string& method,
            std::shared_ptr<const google::protobuf::Message> request,
            std::function<void(const core::Answer&)> done,
            std::vector<core::UploadedFile> uploads = {});
  // The same, run to completion with all faults off; fails the run when it is refused.
  std::shared_ptr<google::protobuf::Message> MustCall(
      SimNode& node, const std::string& method,
      std::shared_ptr<const google::protobuf::Message> request);

  SimNode& node(const std::string& code);
  std::vector<std::unique_ptr<SimNode>>& nodes() { return nodes_; }
  absl::Time now() const { return now_; }
  Entropy& entropy() { return entropy_; }
  Counters& counters() { return counters_; }
  FaultOptions& faults() { return faults_; }
  bool Chance(double p);
  uint64_t Pick(uint64_t n);
  void StopFaults();
  const std::string& relay_bytes() const { return relay_bytes_; }
  uint64_t deliveries() const { return deliveries_; }
  std::string TraceHash() const;
  void Trace(std::string_view what);

  // Makes a file of `text`, sealed and kept on the node's disk, ready to be named by evidence.
  core::UploadedFile Upload(SimNode& node, const std::string& name, const std::string& text);

 private:
  friend class SimNode;
  struct Session {
    SimNode* a;
    SimNode* b;
    sync::SessionId a_id, b_id;
    absl::Time a_free, b_free;  // frames keep their order
  };

  void Connect();
  void TryConnect(SimNode& a, SimNode& b);
  void Deliver(SimNode& from, const sync::FrameOut& frame);
  void CloseSession(sync::SessionId id);
  void DropSessionsOf(SimNode& node);
  void Deposit(SimNode& from, const sync::ParcelOut& parcel);
  // Hands the parcel over until the addressee has committed it; only then the relay forgets it.
  void Fetch(SimNode& to, const std::string& parcel);
  void RunFileJob(SimNode& node, const sync::FileJob& job);
  void ScheduleWake(SimNode& node, absl::Time when);
  void MakeNodes(const Setup& setup);

  FaultOptions faults_;
  SeededEntropy entropy_;
  std::mt19937_64 dice_;
  absl::Time now_;
  uint64_t next_event_ = 0;
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> events_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<sync::SessionId, std::shared_ptr<Session>> sessions_;
  sync::SessionId next_session_ = 1;
  std::set<std::pair<size_t, size_t>> partitioned_;
  uint64_t next_call_ = 1;
  std::string relay_bytes_;
  uint64_t deliveries_ = 0;
  std::string trace_;
  Counters counters_;
};

}  // namespace entente::sim

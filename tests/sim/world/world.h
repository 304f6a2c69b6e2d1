// A whole federation in one thread: the production engine of every node, a network, relays, disks
// and clocks that belong to one seed. Nothing here waits or reads the real time; the same seed
// gives the same run to the byte, libsodium's own randomness included.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "crypto/hash.h"
#include "tests/sim/counters.h"
#include "tests/sim/faults.h"
#include "tests/sim/world/events.h"
#include "tests/sim/world/network.h"
#include "tests/sim/world/node.h"
#include "tests/sim/world/relay.h"

namespace entente::sim {

class World {
 public:
  struct Setup {
    uint64_t seed = 1;
    Faults faults;
    std::vector<BodyPlan> bodies = {{"XA"}, {"XB"}, {.code = "XC", .relay_only = true}, {"EJ"}};
    absl::Duration relay_cadence = absl::ZeroDuration();
    sync::Pace pace;
    std::string will_turn;    // its people hand nothing over when it has turned
    bool two_worlds = false;  // nothing is drawn: what one step does changes no other
  };
  // Told before and after a node's database goes back, and of its power.
  struct Listener {
    std::function<void()> after_loss = [] {};
    std::function<void(Node&)> renewed = [](Node&) {};
  };

  explicit World(Setup setup);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void RunUntil(absl::Time until) { events_.RunUntil(until); }
  void RunFor(absl::Duration d) { RunUntil(now() + d); }
  void At(absl::Time when, std::function<void()> what) { events_.At(when, std::move(what)); }
  void After(absl::Duration d, std::function<void()> what) { At(now() + d, std::move(what)); }

  // A client call; `done` is called with the answer unless the node loses power first.
  void Call(Node& node, const std::string& method,
            std::shared_ptr<const google::protobuf::Message> request, OnAnswer done,
            std::vector<core::UploadedFile> uploads = {});
  // The same, at once; null and `problem` when it is refused or the node is off.
  std::shared_ptr<google::protobuf::Message> Ask(
      Node& node, const std::string& method,
      std::shared_ptr<const google::protobuf::Message> request, std::string* problem);
  template <class Response>
  std::shared_ptr<Response> Ask(Node& node, const std::string& method,
                                std::shared_ptr<const google::protobuf::Message> request,
                                std::string* problem = nullptr) {
    return std::dynamic_pointer_cast<Response>(Ask(node, method, std::move(request), problem));
  }

  const Setup& setup() const { return setup_; }
  Node& node(const std::string& code);
  Node* Find(const PartyId& party);
  std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }
  Network& network() { return network_; }
  Relays& relays() { return relays_; }
  absl::Time now() const { return events_.now(); }
  Entropy& entropy() { return entropy_; }
  Counters& counters() { return counters_; }
  Faults& faults() { return setup_.faults; }
  Listener& listener() { return listener_; }
  bool Chance(double p);
  uint64_t Pick(uint64_t n) { return n == 0 ? 0 : dice_() % n; }
  uint64_t SeedFor(std::string_view text) const;
  void UseEntropy(Entropy& entropy) { current_->target = &entropy; }

  // Faults end: links mend, clocks are set right, disks have room, everybody comes back.
  void StopFaults();
  void Isolate(Node& node, bool away);
  bool isolated(const Node& node) const { return isolated_.contains(node.index); }

  // Makes a file of `text`, sealed and kept on the node's disk, ready to be named by evidence.
  core::UploadedFile Upload(Node& node, const std::string& name, const std::string& text);
  void RunFileJob(Node& node, const sync::FileJob& job);

  // ---- what is noticed while it happens
  void SawHead(const Node& node, const sync::AnchorRecord& record);
  void SawFrame(const Node& from, const Node& to, const v1::Frame& frame);
  void Delivered(const Node& from, Node& to, std::string_view bytes);
  void CountDelivery() { ++deliveries_; }
  void AfterLoss() { listener_.after_loss(); }
  void Renewed(Node& node) {
    KeysGivenUpInHaste();
    listener_.renewed(node);
  }
  // Somebody has; what is sealed to them opens nothing soon.
  void KeysGivenUpInHaste() { haste_ = now(); }
  absl::Time last_haste() const { return haste_; }
  // The first promise that was broken while the run was under way.
  void Broken(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }
  const std::string& broken() const { return broken_; }
  uint64_t deliveries() const { return deliveries_; }
  uint64_t delivered_bytes() const { return delivered_bytes_; }
  void Trace(std::string_view what, size_t node, std::string_view bytes);
  std::string TraceHash();

 private:
  struct Current : Entropy {  // where libsodium draws from just now
    void Fill(std::span<uint8_t> out) override { target->Fill(out); }
    Entropy* target = nullptr;
  };

  Setup setup_;
  SeededEntropy entropy_;
  std::unique_ptr<Current> current_;
  std::mt19937_64 dice_;
  Events events_;
  Network network_;
  Relays relays_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::set<size_t> isolated_;
  Listener listener_;
  absl::Time haste_ = absl::InfinitePast();
  uint64_t next_call_ = 1;
  uint64_t deliveries_ = 0;
  uint64_t delivered_bytes_ = 0;
  std::map<std::pair<LogId, uint64_t>, Hash> heads_;
  crypto::Sha256Stream trace_;
  Counters counters_;
  std::string broken_;
};

}  // namespace entente::sim

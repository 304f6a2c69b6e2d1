// A whole node with an agreement in force, and a member of that agreement who holds real keys and
// seals, signs and sends whatever it likes: what stands behind the signatures gets fuzzed.
//
// The node is the production engine on a store in memory. It must take every input without failing,
// and start again from what it has stored; both are checked here. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "crypto/merkle.h"
#include "entente/v1/entry.pb.h"
#include "entente/v1/peer.pb.h"
#include "node/core/engine.h"
#include "sync/effects.h"
#include "sync/kv.h"

namespace entente::fuzz {

// The member's own log for everybody, with one open epoch.
class HostileLog {
 public:
  HostileLog(const crypto::NodeKeys& keys, const Hash& card, const JitId& jit,
             std::vector<v1::NodeCard> members);
  HostileLog(const HostileLog& other);
  HostileLog& operator=(HostileLog&&) = default;

  v1::Epoch HonestEpoch() const;  // the next one
  // Appends an entry and signs the head; the batch carries this entry alone.
  v1::Frame Append(uint8_t type, std::string body);
  v1::Frame AppendEpoch();
  // `plain` sealed under the key that members have for this place.
  v1::Frame AppendSealed(std::string_view plain);

  const LogId& id() const { return id_; }

 private:
  const crypto::NodeKeys* keys_;
  Hash card_;
  JitId jit_;
  std::shared_ptr<const std::vector<v1::NodeCard>> members_;
  AudienceId audience_;
  LogId id_;
  crypto::Secret32 seed_;
  uint32_t epoch_ = 0;
  uint64_t epoch_first_ = 0;
  crypto::CompactRange range_ = crypto::CompactRange::Empty(0);
};

class Victim {
 public:
  Victim();
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // Aborts when the engine says that it cannot go on, or cannot open again.
  core::Effects Step(const core::Input& input);
  // A frame from the member over a greeted stream. False when the node refused something.
  bool Feed(v1::Frame frame);
  // A batch of the member's own log; what is refused is taken back there, so that the next fits.
  void Offer(const std::function<v1::Frame(HostileLog&)>& make);
  // Back to the agreed state, after opening once more what hostile inputs left behind. Cheap
  // enough for every few dozen inputs, so that what one input did does not add up for ever.
  void StartOver();
  // StartOver when it is time.
  void MaybeStartOver() {
    if (++inputs_ % kInputsPerLife == 0) StartOver();
  }
  // A stream on which nothing has been said; the node's Hello is answered by `Greet`.
  sync::SessionId OpenSession();
  void Greet();

  HostileLog& log() { return *log_; }
  const crypto::NodeKeys& member_keys() const { return *member_keys_; }
  const crypto::NodeKeys& own_keys() const { return *keys_; }
  const v1::NodeCard& own_card() const { return config_.card; }
  const PartyId& member() const { return member_keys_->party; }
  const std::string& member_card() const { return member_signed_card_; }
  Hash member_card_hash() const;
  const JitId& jit() const { return jit_; }
  absl::Time now() const { return now_; }
  sync::SessionId session() const { return session_; }
  std::string session_nonce() const { return nonce_; }  // the node's
  // Plaintexts of real entries the member once wrote, one of each shape.
  const std::vector<std::string>& entries() const { return entries_; }
  // What the member's node says when it greets, and a parcel's inside.
  std::string HelloBytes() const;
  std::string ProofBytes() const;

 private:
  static constexpr uint64_t kInputsPerLife = 64;
  void Boot();

  SeededEntropy entropy_{2};
  absl::Time now_;
  core::Config config_;
  std::shared_ptr<crypto::NodeKeys> keys_, member_keys_;
  std::string member_signed_card_;
  Hash spki_, member_spki_;
  JitId jit_;
  sync::MemoryKv disk_, agreed_;
  std::vector<sync::AnchorRecord> anchors_, agreed_anchors_;
  std::unique_ptr<core::Engine> engine_;
  std::unique_ptr<HostileLog> log_, agreed_log_;
  sync::SessionId session_ = 1000;
  bool greeted_ = false;
  bool refused_ = false;
  std::string nonce_;
  uint64_t inputs_ = 0;
  std::vector<std::string> entries_;
};

}  // namespace entente::fuzz

// A few replicas that talk through a wire the test controls: every frame passes `on_frame`, which
// may look at it, alter it or drop it. Steps are committed as the driver commits them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "sync/renewal.h"
#include "sync/replica.h"

namespace entente::sync {

struct Body {
  Body(std::string its_code, crypto::PartyRoot its_root)
      : code(std::move(its_code)), root(std::move(its_root)) {}

  std::string code;
  crypto::PartyRoot root;
  std::shared_ptr<crypto::NodeKeys> keys;
  PartyId party;
  Hash spki;
  v1::NodeCard card;
  std::string signed_card;

  MemoryKv disk;
  std::vector<AnchorRecord> anchors;
  std::unique_ptr<OverlayKv> overlay;
  std::unique_ptr<Replica> replica;
  std::vector<OpenedEntry> opened;
  std::vector<std::string> erased;  // ids of records, in the order they went
  std::vector<EraseJob> erase_jobs;
  std::vector<ParcelOut> parcels;  // sealed and not yet carried anywhere

  // Texts of the opened entries of one author, in the order they came.
  std::vector<std::string> TextsOf(const Body& author) const;
};

class Federation {
 public:
  // Bodies whose code starts with "R" are reached through a relay alone. Nobody trusts anybody yet.
  explicit Federation(const std::vector<std::string>& codes, uint64_t seed = 1);

  Body& operator[](const std::string& code) { return *bodies_.at(code); }
  void TrustAll();
  void Trust(Body& who, const Body& whom);
  // A fresh process on the same disk.
  void Start(Body& body, bool anchor_missing = false);
  // A fresh process on an empty disk, with the keys and the trust that the body had.
  void LoseDatabase(Body& body, bool anchor_missing = false);

  // New keys under the same root, as for a stopped node, and a fresh process with them.
  struct Renewing {
    bool keep_tls = false;
    std::optional<absl::Time> compromised_since = std::nullopt;
  };
  void Renew(Body& body, const Renewing& how);
  // A fresh node on an empty disk, made from the root key and the cards that `others` hold. It
  // trusts everybody, and everybody its new card.
  void Recover(Body& body, const std::vector<std::string>& others);

  SessionId Connect(Body& a, Body& b);
  void Disconnect(Body& a);
  // Carries frames until nobody has anything to say.
  void Settle();
  // What `from` has packed for `to` arrives there. The first refusal, if any.
  absl::Status Carry(Body& from, Body& to);
  // Lets time pass and timers run.
  void Pass(absl::Duration time);
  absl::Status Write(Body& author, const std::vector<std::string>& audience,
                     const std::string& text);
  void Feed(Body& body, const Input& input);
  // A Batch with everything `author` holds of the log of `audience`.
  // The same for an entry that is made by hand.
  absl::StatusOr<EntryRef> WriteBody(Body& author, const std::vector<std::string>& audience,
                                     v1::EntryBody body);
  v1::Batch WholeLog(Body& author, const std::vector<std::string>& audience);
  const LogState* FindLog(const Body& holder, const Body& author,
                          const std::vector<std::string>& audience) const;

  Members MembersOf(const std::vector<std::string>& codes) const;

  // Called for every frame before it is delivered; false drops it.
  std::function<bool(Body& from, Body& to, v1::Frame& frame)> on_frame;

  absl::Status erase_answer;  // what becomes of every job to remove traces
  bool erase_at_once = true;  // or not at all
  BoxKeyTerms box_key_terms;  // of bodies that are started from now on
  // Whether an agreement is in force at a body; of bodies that are started from now on.
  std::function<bool(const Body&)> agreement_in_force = [](const Body&) { return true; };
  // Who reads the log of all parties; nobody while no agreement is in force.
  std::vector<std::string> all_parties;
  std::set<PartyId> signers;  // of the agreement that is taken to be in force
  absl::Time now;
  SeededEntropy entropy;
  const JitId jit = *JitId::From(std::string(32, 'J'));

 private:
  struct Wire {
    Body* from;
    Body* to;
    SessionId id;  // the receiver's name for the session
    v1::Frame frame;
  };
  void MakeBody(const std::string& code);
  void Become(Body& body, crypto::NodeKeys fresh, const Renewal& renewal);
  void Finish(Body& body);

  std::map<std::string, std::unique_ptr<Body>> bodies_;
  std::map<std::pair<Body*, SessionId>, std::pair<Body*, SessionId>> sessions_;
  std::deque<Wire> wire_;
  SessionId next_session_ = 1;
};

}  // namespace entente::sync

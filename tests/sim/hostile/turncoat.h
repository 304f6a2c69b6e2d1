// A body whose node has turned: it holds real keys, it was a party to the agreement, and from some
// moment on it says whatever a behaviour makes it say, to whomever.
//
// A behaviour is data: a name, the row of the fault list, what is sent, and what every honest node
// must answer. What the victim stored, showed and said is compared before and after.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entente/v1/client.pb.h"
#include "tests/sim/acts.h"
#include "tests/sim/hostile/pen.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world/world.h"

namespace entente::sim {

class Turncoat;

enum class Must {
  kRefuse,    // with the typed reason; nothing is stored
  kIgnore,    // nothing is stored
  kHangUp,    // the session ends; nothing is stored
  kLock,      // stored and forwarded, not opened
  kNoEffect,  // stored; no view ever shows it, or anything else otherwise than before
  kTake,      // lawful, if strange: taken as it is
  kAnything,  // what becomes of it shows at the end of the run
};

struct Behaviour {
  std::string_view name;
  std::string_view list;
  Must must;
  v1::RefusalCode code;  // of kRefuse
  void (*act)(Turncoat&);
};

std::span<const Behaviour> EntryBehaviours();
std::span<const Behaviour> EpochBehaviours();
std::span<const Behaviour> MembershipBehaviours();
std::span<const Behaviour> ProtocolBehaviours();
std::span<const Behaviour> ForkBehaviours();
std::span<const Behaviour> ParcelBehaviours();
std::span<const Behaviour> RecordBehaviours();
std::vector<const Behaviour*> AllBehaviours();

class Turncoat {
 public:
  Turncoat(World& world, Ledger& ledger, Acts& acts, Node& self);

  // Its engine stops; `how_many` behaviours follow until `until`.
  void Turn(absl::Time until, int how_many);
  void Do(const Behaviour& behaviour);

  // ---- for behaviours
  struct Heard {
    std::vector<v1::Frame> frames;
    bool closed = false;
  };
  Node& victim() { return *victim_; }
  // Another honest body; the victim itself when there is none.
  Node& third() { return *third_; }
  Node& self() { return self_; }
  World& world() { return world_; }
  Pen& pen() { return pen_; }
  const JitId& jit() const { return jit_; }
  const std::string& agreement() const { return agreement_; }
  const v1::AgreementView& in_force() const { return in_force_; }
  absl::Time now() const { return world_.now(); }
  // A text that the victim and the third may read, and that must not be shown.
  std::string Text();
  // A log for the victim and the third with an epoch and `notes` honest notes.
  PenLog Log(int notes = 1);
  v1::EntryBody Note() { return pen_.Note(jit_, Text(), agreement_, now()); }
  void Say(const v1::Frame& frame);
  void Say(const v1::Batch& batch);
  void SayTo(Node& other, const v1::Batch& batch);
  void Parcel(const std::string& bytes);
  // What came so far was preparation: only what follows is judged.
  void Mark();
  // There was nothing here that it could be done to.
  void NothingToDo() { idle_ = true; }
  // Records of others that a node shows.
  std::vector<v1::RecordView> RecordsOfOthers(Node& node);
  // The greeting, for behaviours that are about it; the others have been greeted.
  void Greet(const std::function<void(v1::Hello&)>& change,
             const std::function<void(v1::HelloProof&)>& spoil = nullptr);

 private:
  struct Session {
    sync::SessionId id = 0;
    std::string own_nonce;
    std::string peer_nonce;
    std::shared_ptr<Heard> heard = std::make_shared<Heard>();
  };
  bool Choose();
  // Writes to everybody while it still may, in a log that it goes on with when it may not.
  void WriteEarly();
  bool LeftOutAtVictim();
  static void WriteOn(Turncoat& self);
  Session OpenTo(Node& node);
  bool GreetOn(Session& session, Node& node, const std::function<void(v1::Hello&)>& change,
               const std::function<void(v1::HelloProof&)>& spoil);
  std::string Judge(const Behaviour& behaviour);
  std::set<std::string> ForeignRows(const Node& node) const;
  bool Shows(Node& node, const std::string& text);
  // What the victim shows, by what it is about.
  std::map<std::string, std::string> Shown();
  std::string WhatChanged();

  World& world_;
  Ledger& ledger_;
  Acts& acts_;
  Node& self_;
  Pen pen_;
  JitId jit_;
  std::string agreement_;  // the proposal of the version in force
  v1::AgreementView in_force_;
  Node* victim_ = nullptr;
  Node* third_ = nullptr;
  Session session_;
  std::vector<std::string> texts_;
  std::set<std::string> before_;
  std::map<std::string, std::string> shown_before_;
  std::optional<PenLog> early_;
  bool judges_views_ = false;
  bool idle_ = false;
};

}  // namespace entente::sim

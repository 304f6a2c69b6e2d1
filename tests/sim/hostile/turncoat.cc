#include "tests/sim/hostile/turncoat.h"

#include <algorithm>
#include <utility>

#include "crypto/signing.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/storage.pb.h"
#include "tests/sim/checkers/everything.h"
#include "tests/sim/operators.h"
#include "tests/sim/pictures.h"
#include "tests/sim/world/held_keys.h"

namespace entente::sim {

namespace {

// What `node` says that it has refused.
std::string WordsOf(World& world, Node& node) {
  const auto status = world.Ask<v1::GetSyncStatusResponse>(
      node, "/entente.v1.SyncService/GetSyncStatus", std::make_shared<v1::GetSyncStatusRequest>());
  std::string out;
  if (status == nullptr) return out;
  for (const v1::RefusalView& refusal : status->refusals()) {
    out += Cat("\n  ", refusal.peer(), ": ", refusal.code(), " ", refusal.detail());
  }
  return out;
}

}  // namespace

std::vector<const Behaviour*> AllBehaviours() {
  std::vector<const Behaviour*> out;
  for (const auto& family :
       {EntryBehaviours(), EpochBehaviours(), MembershipBehaviours(), ProtocolBehaviours(),
        ForkBehaviours(), ParcelBehaviours(), RecordBehaviours()}) {
    for (const Behaviour& behaviour : family) out.push_back(&behaviour);
  }
  return out;
}

Turncoat::Turncoat(World& world, Ledger& ledger, Acts& acts, Node& self)
    : world_(world), ledger_(ledger), acts_(acts), self_(self), pen_(self.who, world.entropy()) {}

void Turncoat::Turn(absl::Time until, int how_many) {
  for (auto it = self_.disk.kv.rows().lower_bound("l");
       it != self_.disk.kv.rows().end() && it->first[0] == 'l'; ++it) {
    v1::LogRow row;
    if (row.ParseFromString(it->second)) jit_ = *JitId::From(row.jit_id());
  }
  self_.hostile = true;
  ledger_.ExcuseWhatNobodyHolds();  // it gives nothing back
  self_.PowerOff();
  WriteEarly();
  const std::vector<const Behaviour*> all = AllBehaviours();
  const absl::Duration span = until - world_.now();
  const uint64_t first = world_.Pick(all.size());
  for (int i = 0; i < how_many; ++i) {
    const Behaviour* one = all[(first + static_cast<uint64_t>(i)) % all.size()];
    world_.After(span * (static_cast<double>(i + 1) / (how_many + 1)), [this, one] { Do(*one); });
  }
}

// A victim that answers at once: up, not paused, with a fast disk; and one more.
bool Turncoat::Choose() {
  std::vector<Node*> ready;
  for (auto& node : world_.nodes()) {
    if (!node->hostile && node->ready() && acts_.parties().contains(node->code()) &&
        acts_.InForceAt(*node) && !HoldsOldCard(world_, *node, self_)) {
      ready.push_back(node.get());
    }
  }
  if (ready.empty()) return false;
  // The greeting tells it which keys they have announced by now.
  for (const Node* node : ready) {
    pen_.Heard(node->who.party, HeldKeys(*node).front().public_key());
  }
  const uint64_t pick = world_.Pick(ready.size());
  victim_ = ready[pick];
  third_ = ready[(pick + 1) % ready.size()];
  agreement_.clear();
  const auto list = world_.Ask<v1::ListAgreementsResponse>(
      *victim_, "/entente.v1.AgreementService/ListAgreements",
      std::make_shared<v1::ListAgreementsRequest>());
  if (list == nullptr) return false;
  for (const v1::AgreementView& view : list->agreements()) {
    if (view.state() != "IN_FORCE") continue;
    agreement_ = *Unhex(view.proposal());
    in_force_ = view;
  }
  return !agreement_.empty();
}

void Turncoat::WriteEarly() {
  if (!Choose()) return;
  std::vector<const Identity*> readers;
  for (const std::string& code : acts_.parties()) {
    if (code != self_.code()) readers.push_back(&world_.node(code).who);
  }
  early_ = pen_.Begin(jit_, readers);
  pen_.Epoch(*early_);
  pen_.Seal(*early_, Note());
  const Faults faults = std::exchange(world_.faults(), Faults{});
  for (auto& node : world_.nodes()) {
    if (!node->hostile && node->ready() && acts_.parties().contains(node->code())) {
      SayTo(*node, pen_.Whole(*early_));
    }
  }
  world_.faults() = faults;
}

bool Turncoat::LeftOutAtVictim() {
  const auto agreements = AgreementsShown(world_, *victim_);
  return std::any_of(agreements.begin(), agreements.end(), [this](const auto& item) {
    return item.second.find(Cat("without ", self_.code())) != std::string::npos;
  });
}

void Turncoat::WriteOn(Turncoat& self) {
  PenLog log = self.early_.has_value() ? *self.early_ : self.Log(0);
  self.pen_.Seal(log, self.Note());
  self.Say(
      self.pen_.Part(log, self.early_.has_value() ? log.size() - 1 : 0, log.size(), log.size()));
}

std::string Turncoat::Text() {
  const size_t secret = ledger_.Keep(self_.code(), {victim_->code(), third_->code()});
  texts_.push_back(ledger_.secrets()[secret].canary);
  return texts_.back();
}

PenLog Turncoat::Log(int notes) {
  std::vector<const Identity*> readers = {&victim_->who};
  if (third_ != victim_) readers.push_back(&third_->who);
  PenLog log = pen_.Begin(jit_, readers);
  pen_.Epoch(log);
  for (int i = 0; i < notes; ++i) pen_.Seal(log, Note());
  return log;
}

Turncoat::Session Turncoat::OpenTo(Node& node) {
  Session session;
  const auto heard = session.heard;
  session.id = world_.network().OpenFor(node, self_.who.party, self_.who.spki,
                                        [heard](const v1::Frame* frame) {
                                          if (frame == nullptr) {
                                            heard->closed = true;
                                          } else {
                                            heard->frames.push_back(*frame);
                                          }
                                        });
  return session;
}

bool Turncoat::GreetOn(Session& session, Node& node, const std::function<void(v1::Hello&)>& change,
                       const std::function<void(v1::HelloProof&)>& spoil) {
  std::string peer_nonce;
  for (const v1::Frame& frame : session.heard->frames) {
    if (frame.has_hello()) peer_nonce = frame.hello().nonce();
  }
  session.peer_nonce = peer_nonce;
  session.own_nonce = world_.entropy().Bytes(32);
  v1::Frame frame;
  v1::Hello& hello = *frame.mutable_hello();
  hello.set_version_min(1);
  hello.set_version_max(1);
  hello.set_signed_card(self_.who.signed_card.SerializeAsString());
  hello.set_nonce(session.own_nonce);
  hello.set_batch_bytes_max(1 << 20);
  if (change != nullptr) change(hello);
  world_.network().Say(node, session.id, frame);
  v1::Frame proof;
  proof.mutable_hello_proof()->set_signature(
      crypto::SignStatement(
          self_.who.keys->statement, crypto::Purpose::hello, JitId(),
          Cat(session.own_nonce, peer_nonce, self_.who.spki.view(), node.who.spki.view()))
          .str());
  if (spoil != nullptr) spoil(*proof.mutable_hello_proof());
  world_.network().Say(node, session.id, proof);
  return !session.heard->closed && node.up();
}

void Turncoat::Greet(const std::function<void(v1::Hello&)>& change,
                     const std::function<void(v1::HelloProof&)>& spoil) {
  static_cast<void>(GreetOn(session_, *victim_, change, spoil));
}

void Turncoat::Say(const v1::Frame& frame) { world_.network().Say(*victim_, session_.id, frame); }

void Turncoat::Say(const v1::Batch& batch) {
  v1::Frame frame;
  *frame.mutable_batch() = batch;
  Say(frame);
}

void Turncoat::SayTo(Node& other, const v1::Batch& batch) {
  Session session = OpenTo(other);
  if (session.id == 0 || !GreetOn(session, other, nullptr, nullptr)) return;
  v1::Frame frame;
  *frame.mutable_batch() = batch;
  world_.network().Say(other, session.id, frame);
  world_.network().Close(session.id);
  other.Give(sync::SessionClosed{session.id, "done"});
}

void Turncoat::Parcel(const std::string& bytes) {
  victim_->heard += bytes;
  victim_->Give(sync::ParcelReceived{bytes});
}

// Rows of entries, logs and keys that are not the victim's own doing.
std::set<std::string> Turncoat::ForeignRows(const Node& node) const {
  std::set<std::string> own;
  std::set<std::string> out;
  for (const auto& [key, value] : node.disk.kv.rows()) {
    if (key[0] != 'l') continue;
    v1::LogRow row;
    if (row.ParseFromString(value) && row.author() == node.who.party.view()) {
      own.insert(key.substr(1));
    }
  }
  for (const auto& [key, value] : node.disk.kv.rows()) {
    const bool of_log = key[0] == 'l' || key[0] == 'e' || key[0] == 'k';
    if (of_log && !own.contains(key.substr(1, 32))) out.insert(key);
  }
  return out;
}

bool Turncoat::Shows(Node& node, const std::string& text) {
  const auto notes = world_.Ask<v1::ListNotesResponse>(node, "/entente.v1.RecordService/ListNotes",
                                                       std::make_shared<v1::ListNotesRequest>());
  return notes != nullptr &&
         std::any_of(notes->records().begin(), notes->records().end(),
                     [&](const v1::RecordView& view) { return view.note().text() == text; });
}

std::vector<v1::RecordView> Turncoat::RecordsOfOthers(Node& node) {
  std::vector<v1::RecordView> out;
  for (auto& [id, view] : RecordsShown(world_, node)) {
    if (view.owner() != self_.code()) out.push_back(std::move(view));
  }
  return out;
}

std::map<std::string, std::string> Turncoat::Shown() {
  std::map<std::string, std::string> out = AgreementsShown(world_, *victim_);
  for (const auto& [id, view] : RecordsShown(world_, *victim_)) {
    out.emplace(Cat("record ", view.ref()), view.ShortDebugString());
  }
  return out;
}

// New is lawful only what nobody sees at first: a proposal that waits for signatures.
std::string Turncoat::WhatChanged() {
  const std::map<std::string, std::string> now = Shown();
  for (const auto& [what, was] : shown_before_) {
    const auto it = now.find(what);
    if (it == now.end()) return Cat(what, " is no longer shown");
    if (it->second != was) return Cat(what, " is shown otherwise than before");
  }
  for (const auto& [what, is] : now) {
    if (!shown_before_.contains(what) && is != "SIGNING") return Cat(what, " is shown: ", is);
  }
  return "";
}

void Turncoat::Do(const Behaviour& drawn) {
  static const Behaviour kWriteOn = {"writes on after its exclusion", "B8", Must::kRefuse,
                                     v1::REFUSAL_CODE_AFTER_EXCLUSION, WriteOn};
  if (!Choose()) return;
  const Behaviour& behaviour = LeftOutAtVictim() ? kWriteOn : drawn;
  texts_.clear();
  idle_ = false;
  const uint64_t boots = victim_->boots;
  const Faults faults = std::exchange(world_.faults(), Faults{});
  session_ = OpenTo(*victim_);
  const bool greets = behaviour.must != Must::kHangUp;
  if (greets) Greet(nullptr);
  judges_views_ = behaviour.must == Must::kNoEffect;
  Mark();
  if (!greets || !session_.heard->closed) behaviour.act(*this);
  std::string problem;
  if (victim_->ready() && victim_->boots == boots) problem = Judge(behaviour);
  if (!session_.heard->closed) {
    world_.network().Close(session_.id);
    victim_->Give(sync::SessionClosed{session_.id, "done"});
  }
  world_.faults() = faults;
  if (!problem.empty()) {
    return world_.Broken(
        Cat("hostile \"", behaviour.name, "\" against ", victim_->code(), ": ", problem));
  }
  if (!idle_) world_.counters().Hit(Cat("hostile: ", behaviour.name));
}

void Turncoat::Mark() {
  before_ = ForeignRows(*victim_);
  texts_.clear();
  if (judges_views_) shown_before_ = Shown();
  if (session_.peer_nonce.empty()) return;  // not greeted yet: its greeting is still to be read
  session_.heard->frames.clear();
}

std::string Turncoat::Judge(const Behaviour& behaviour) {
  std::set<std::string> fresh;
  for (const std::string& key : ForeignRows(*victim_)) {
    if (!before_.contains(key)) fresh.insert(key);
  }
  const bool stored = !fresh.empty();
  const bool opened =
      std::any_of(fresh.begin(), fresh.end(), [](const std::string& key) { return key[0] == 'k'; });
  bool shown = false;
  for (const std::string& text : texts_) shown = shown || Shows(*victim_, text);
  std::string codes;
  for (const v1::Frame& frame : session_.heard->frames) {
    if (frame.has_refused()) {
      codes += Cat(codes.empty() ? "" : " ", v1::RefusalCode_Name(frame.refused().code()));
    }
  }
  const std::string expected = v1::RefusalCode_Name(behaviour.code);
  switch (behaviour.must) {
    case Must::kRefuse:
      if (stored) return "something of it was stored";
      if (codes.find(expected) == std::string::npos) {
        return Cat("expected ", expected, ", got \"", codes, "\"");
      }
      return "";
    case Must::kIgnore:
      return stored ? "something of it was stored" : "";
    case Must::kHangUp:
      if (stored) return "something of it was stored";
      return session_.heard->closed ? "" : "the session goes on";
    case Must::kLock:
      if (!stored) return Cat("it was not even stored: ", codes);
      return opened || shown ? "it was opened" : "";
    case Must::kNoEffect:
      return shown ? "a view shows it" : WhatChanged();
    case Must::kAnything:
      return "";
    case Must::kTake:
      if (!stored) return Cat("it was refused: ", codes, WordsOf(world_, *victim_));
      return shown || texts_.empty() ? "" : "no view shows it";
  }
  return "";
}

}  // namespace entente::sim

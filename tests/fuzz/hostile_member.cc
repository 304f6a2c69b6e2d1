#include "tests/fuzz/hostile_member.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "crypto/body_seal.h"
#include "crypto/entry_header.h"
#include "crypto/hash.h"
#include "crypto/ids.h"
#include "crypto/key_tree.h"
#include "crypto/note.h"
#include "crypto/slot.h"
#include "crypto/tls_identity.h"
#include "sync/replica.h"
#include "tests/fuzz/targets.h"
#include "tests/sim/opening.h"

namespace entente::fuzz {
namespace {

constexpr uint32_t kIncarnation = 7;  // beside the logs that the member really wrote
const std::string kSalt(16, 's');

template <class T>
T Must(absl::StatusOr<T> value, const char* what) {
  if (!value.ok()) std::fprintf(stderr, "fuzz: %s\n", value.status().ToString().c_str());
  Promise(value.ok(), what);
  return *std::move(value);
}

Hash HashOfCard(const std::string& signed_card) {
  return Must(sync::VerifyCard(signed_card), "a card").hash;
}

}  // namespace

HostileLog::HostileLog(const crypto::NodeKeys& keys, const Hash& card, const JitId& jit,
                       std::vector<v1::NodeCard> members)
    : keys_(&keys),
      card_(card),
      jit_(jit),
      members_(std::make_shared<const std::vector<v1::NodeCard>>(std::move(members))),
      seed_(*crypto::Secret32::From(std::string(32, 'e'))) {
  std::set<PartyId> parties;
  for (const v1::NodeCard& member : *members_) parties.insert(*PartyId::From(member.party()));
  audience_ = *crypto::ComputeAudienceId(jit, kSalt, {parties.begin(), parties.end()});
  id_ = crypto::ComputeLogId(jit, keys.log.public_key(), audience_, kIncarnation);
}

HostileLog::HostileLog(const HostileLog& other)
    : keys_(other.keys_),
      card_(other.card_),
      jit_(other.jit_),
      members_(other.members_),
      audience_(other.audience_),
      id_(other.id_),
      seed_(other.seed_.Clone()),
      epoch_(other.epoch_),
      epoch_first_(other.epoch_first_),
      range_(other.range_) {}

v1::Epoch HostileLog::HonestEpoch() const {
  v1::Epoch epoch;
  epoch.set_epoch(epoch_ + 1);
  epoch.set_seed_commit(crypto::SeedCommit(id_, epoch_ + 1, seed_).str());
  epoch.set_depth(crypto::kTreeDepth);
  epoch.set_first_index(range_.end() + 1);
  epoch.set_audience_salt(kSalt);
  for (const v1::NodeCard& member : *members_) {
    for (const v1::BoxKey& key : {member.box_key(), member.recovery_box_key()}) {
      const crypto::SlotContext context{id_, epoch_ + 1, *PartyId::From(member.party()),
                                        *KeyId::From(key.id()), card_};
      v1::Slot* slot = epoch.add_slots();
      slot->set_party(member.party());
      slot->set_key_id(key.id());
      slot->set_alg(v1::SLOT_ALGORITHM_X25519);
      slot->set_box(
          Must(crypto::SealSlot(context, seed_, *BoxPublicKey::From(key.public_key())), "a slot"));
    }
  }
  return epoch;
}

v1::Frame HostileLog::Append(uint8_t type, std::string body) {
  const uint64_t index = range_.end();
  if (type == crypto::kEpoch) ++epoch_, epoch_first_ = index + 1;
  const crypto::EntryHeader header{
      1, type, epoch_, index, static_cast<uint32_t>(body.size()), id_, crypto::Sha256(body)};
  range_.Append(crypto::LeafHash(header));
  v1::Frame frame;
  v1::Batch* batch = frame.mutable_batch();
  v1::Head* head = batch->mutable_head();
  head->set_log_id(id_.str());
  head->set_size(range_.end());
  head->set_root(range_.Root()->str());
  head->set_jit_id(jit_.str());
  head->set_author(keys_->party.str());
  head->set_author_card(card_.str());
  head->set_incarnation(kIncarnation);
  head->set_audience_salt(kSalt);
  head->set_audience_id(audience_.str());
  batch->set_from(index);
  batch->set_head_note(
      crypto::SignCheckpoint({crypto::LogOrigin(id_), range_.end(), *range_.Root()}, keys_->log));
  v1::BatchEntry* entry = batch->add_entries();
  entry->set_type(type);
  entry->set_body(std::move(body));
  return frame;
}

v1::Frame HostileLog::AppendEpoch() {
  return Append(crypto::kEpoch, HonestEpoch().SerializeAsString());
}

v1::Frame HostileLog::AppendSealed(std::string_view plain) {
  const uint64_t index = range_.end();
  crypto::EntryHeader header{1, crypto::kSealed, epoch_, index, 0, id_, Hash()};
  const crypto::Secret32 key =
      crypto::Subtree(seed_, crypto::kTreeDepth, static_cast<uint32_t>(index - epoch_first_));
  SeededEntropy entropy(index);
  return Append(crypto::kSealed, Must(crypto::SealBody(key, header, plain, entropy), "a seal"));
}

Victim::Victim() {
  sim::World world{sim::World::Setup{}};
  sim::Ledger ledger(world);
  sim::Acts acts(world, ledger);
  Promise(sim::OpenJit(world, acts), "an agreement in force");
  for (int i = 0; i < 20; ++i) {
    acts.Any();
    world.RunFor(absl::Minutes(1));
  }
  world.RunFor(absl::Minutes(10));
  sim::Node& own = world.node("XB");
  sim::Node& member = world.node("XA");
  now_ = world.now();
  config_.card = own.who.card;
  config_.signed_card = own.who.signed_card;
  config_.relay_immediate = false;  // parcels to others are not what is looked at
  keys_ = own.who.keys;
  member_keys_ = member.who.keys;
  member_signed_card_ = member.who.signed_card.SerializeAsString();
  spki_ = own.who.spki;
  member_spki_ = member.who.spki;
  agreed_.rows() = own.disk.kv.rows();
  agreed_anchors_ = own.disk.AnchorList();
  std::vector<v1::NodeCard> cards;
  for (const auto& node : world.nodes()) cards.push_back(node->who.card);

  // What the member wrote so far, opened as this node opens it: one entry of each shape.
  sync::OverlayKv overlay(agreed_);
  sync::ReplicaOptions options;
  options.self = keys_->party;
  options.keys = keys_;
  options.agreement_in_force = [](const JitId&) { return true; };
  options.agreements.current = [](const JitId&) { return Hash(); };
  options.agreements.signers = [](const JitId&, const Hash&) { return std::set<PartyId>(); };
  sync::Replica replica(std::move(options), overlay, entropy_);
  Promise(replica.Load({}, false).ok() && replica.ReplayAll(now_).ok(), "the agreed state");
  std::map<std::pair<int, uint32_t>, std::string> shapes;
  for (const sync::OpenedEntry& entry : replica.TakeOpened()) {
    jit_ = entry.jit;
    shapes[{entry.body.change_case(), entry.body.kind()}] = entry.body_bytes;
  }
  for (auto& [shape, bytes] : shapes) entries_.push_back(std::move(bytes));

  agreed_log_ = std::make_unique<HostileLog>(*member_keys_, HashOfCard(member_signed_card_), jit_,
                                             std::move(cards));
  disk_.rows() = agreed_.rows();
  anchors_ = agreed_anchors_;
  Boot();
  log_ = std::make_unique<HostileLog>(*agreed_log_);
  Feed(log_->AppendEpoch());
  Feed(log_->AppendSealed(entries_.front()));
  agreed_.rows() = disk_.rows();
  agreed_anchors_ = anchors_;
  agreed_log_ = std::make_unique<HostileLog>(*log_);
}

void Victim::Boot() {
  engine_ = Must(
      core::Engine::Open(config_, keys_, disk_, anchors_, /*anchor_missing=*/false, entropy_, now_),
      "a node that does not start any more");
  greeted_ = false;
  Step(core::Input(sync::Input(sync::Tick{})));
}

core::Effects Victim::Step(const core::Input& input) {
  core::Effects effects = Must(engine_->Step(now_, input), "a node that was stopped by its input");
  Promise(disk_.Commit(effects.writes).ok(), "a commit");
  engine_->Committed();
  for (const sync::AnchorRecord& record : effects.anchors) anchors_.push_back(record);
  for (const sync::FrameOut& out : effects.frames) {
    if (out.session == session_ && out.frame.has_hello()) nonce_ = out.frame.hello().nonce();
    refused_ = refused_ || out.frame.has_refused();
  }
  for (const sync::CloseSession& close : effects.closes) {
    if (close.session == session_) greeted_ = false;
  }
  return effects;
}

sync::SessionId Victim::OpenSession() {
  ++session_;
  Step(core::Input(
      sync::Input(sync::SessionOpened{session_, member_keys_->party, member_spki_, false})));
  return session_;
}

std::string Victim::HelloBytes() const {
  v1::Frame frame;
  v1::Hello* hello = frame.mutable_hello();
  hello->set_version_min(1);
  hello->set_version_max(1);
  hello->set_signed_card(member_signed_card_);
  hello->set_nonce(std::string(32, 'n'));
  return frame.SerializeAsString();
}

std::string Victim::ProofBytes() const {
  v1::Frame frame;
  const std::string payload = Cat(std::string(32, 'n'), nonce_, member_spki_.view(), spki_.view());
  frame.mutable_hello_proof()->set_signature(
      crypto::SignStatement(member_keys_->statement, crypto::Purpose::hello, JitId(), payload)
          .str());
  return frame.SerializeAsString();
}

void Victim::Greet() {
  OpenSession();
  for (const auto make : {&Victim::HelloBytes, &Victim::ProofBytes}) {
    v1::Frame frame;
    frame.ParseFromString((this->*make)());
    Step(core::Input(sync::Input(sync::FrameReceived{session_, frame})));
  }
  greeted_ = true;
}

bool Victim::Feed(v1::Frame frame) {
  if (!greeted_) Greet();
  refused_ = false;
  Step(core::Input(sync::Input(sync::FrameReceived{session_, std::move(frame)})));
  return !refused_;
}

void Victim::Offer(const std::function<v1::Frame(HostileLog&)>& make) {
  HostileLog before(*log_);
  if (!Feed(make(*log_))) *log_ = std::move(before);
  MaybeStartOver();
}

void Victim::StartOver() {
  Boot();
  disk_.rows() = agreed_.rows();
  anchors_ = agreed_anchors_;
  log_ = std::make_unique<HostileLog>(*agreed_log_);
  Boot();
}

Hash Victim::member_card_hash() const { return HashOfCard(member_signed_card_); }

}  // namespace entente::fuzz

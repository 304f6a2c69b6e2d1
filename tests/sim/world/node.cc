#include "tests/sim/world/node.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "crypto/tls_identity.h"
#include "sync/renewal.h"
#include "sync/schema.h"
#include "tests/sim/world/fail.h"
#include "tests/sim/world/world.h"

namespace entente::sim {
namespace {

// Between two effects, or 5: power stays on.
enum Stop { kBeforeCommit = 0, kAfterCommit, kAfterAnswers, kAfterAnchor, kAfterFrames, kNever };

constexpr int kRestlessMax = 20'000;

// A backup may be of the time before a body had heard what another one did.
constexpr absl::Duration kNewsTravels = absl::Hours(24 * 3);

// What makes two inputs the same: their kind and all they say. Two that come at one moment must not
// be taken for each other, or their order would show in the randomness of both.
std::string Fingerprint(const core::Input& input) {
  if (const auto* command = std::get_if<core::Command>(&input)) {
    return Cat("c", command->method, command->request->SerializeAsString());
  }
  const auto& given = std::get<sync::Input>(input);
  const std::string kind(1, static_cast<char>('0' + given.index()));
  const auto chunk = [&](const BlobId& blob, uint64_t index, const PartyId& peer) {
    return Cat(kind, blob.view(), std::to_string(index), " ", peer.view());
  };
  if (const auto* frame = std::get_if<sync::FrameReceived>(&given)) {
    return Cat(kind, std::to_string(frame->session), " ", frame->frame.SerializeAsString());
  }
  if (const auto* parcel = std::get_if<sync::ParcelReceived>(&given)) {
    return Cat(kind, parcel->parcel);
  }
  if (const auto* opened = std::get_if<sync::SessionOpened>(&given)) {
    return Cat(kind, opened->peer.view());
  }
  if (const auto* closed = std::get_if<sync::SessionClosed>(&given)) {
    return Cat(kind, std::to_string(closed->session));
  }
  if (const auto* deposited = std::get_if<sync::ParcelDeposited>(&given)) {
    return Cat(kind, std::to_string(deposited->seq), " ", deposited->peer.view());
  }
  if (const auto* read = std::get_if<sync::ChunkRead>(&given)) {
    return chunk(read->blob, read->index, read->requester);
  }
  if (const auto* written = std::get_if<sync::ChunkWritten>(&given)) {
    return chunk(written->blob, written->index, written->sender);
  }
  if (const auto* verified = std::get_if<sync::BlobVerified>(&given)) {
    return chunk(verified->blob, 0, PartyId());
  }
  if (const auto* checked = std::get_if<sync::ChunksChecked>(&given)) {
    return chunk(checked->blob, checked->checked, PartyId());
  }
  return kind;
}

bool IsTick(const core::Input& input) {
  const auto* given = std::get_if<sync::Input>(&input);
  return given != nullptr && std::holds_alternative<sync::Tick>(*given);
}

}  // namespace

Node::Node(World& world, Identity identity, size_t number)
    : who(std::move(identity)), index(number), world_(world), entropy_(number) {
  if (who.card.kind() == v1::BODY_KIND_EUROJUST) role = v1::ROLE_COORDINATOR;
}

bool Node::ready() const {
  return up() && waiting_.empty() && world_.now() >= busy_until_ &&
         disk_delay == absl::ZeroDuration() && world_.now() >= disk_full_until && !disk.kv.rotten();
}

absl::Time Node::LocalTime() const { return clock.At(world_.now()); }

void Node::Install(const std::vector<const Identity*>& trusted) {
  for (const Identity* other : trusted) {
    fresh_rows_[sync::schema::Card(other->party)] = other->signed_card.SerializeAsString();
  }
  disk.kv.Replace(fresh_rows_);
  disk.anchor_exists = true;
}

bool Node::Renew(bool keep_tls) {
  if (up() || disk.kv.rotten() || world_.now() < disk_full_until) return false;
  entropy_.Restart(world_.SeedFor(Cat("renewal", code(), std::to_string(boots))));
  world_.UseEntropy(entropy_);
  absl::StatusOr<crypto::NodeKeys> fresh =
      crypto::RenewNodeKeys(*who.keys, code(), keep_tls, entropy_);
  if (!fresh.ok()) Fail("keys cannot be made");
  const absl::StatusOr<sync::Renewal> renewal =
      sync::PlanRenewal(disk.kv, *who.keys, *fresh, who.root.root, LocalTime(), std::nullopt);
  if (!renewal.ok()) Fail(Cat(code(), " is not renewed: ", ToStd(renewal.status().message())));
  static_cast<void>(disk.kv.Commit(renewal->rows));
  // The command ends when all is on the platter. A backup of before would not fit the new keys.
  fresh_rows_ = disk.kv.rows();
  disk.kv.Replace(fresh_rows_);
  MakeBackup();
  who.spki = *crypto::SpkiSha256(fresh->tls.certificate_pem);
  who.keys = std::make_shared<crypto::NodeKeys>(*std::move(fresh));
  who.signed_card.ParseFromString(renewal->signed_card);
  who.card.ParseFromString(who.signed_card.card());
  return true;
}

void Node::Boot() {
  if (up() || home || hostile) return;
  if (world_.now() < disk_full_until) {
    world_.counters().Hit("disk full: start refused");
    return BootAgain(absl::Minutes(10));
  }
  core::Config config;
  config.card = who.card;
  config.signed_card = who.signed_card;
  config.relay_immediate = world_.setup().relay_cadence == absl::ZeroDuration();
  if (!config.relay_immediate) config.relay_cadence = world_.setup().relay_cadence;
  config.pace = world_.setup().pace;
  entropy_.Restart(world_.SeedFor(Cat("boot", code(), std::to_string(boots))));
  world_.UseEntropy(entropy_);
  absl::StatusOr<std::unique_ptr<core::Engine>> engine = core::Engine::Open(
      config, who.keys, disk.kv, disk.AnchorList(), !disk.anchor_exists, entropy_, LocalTime());
  if (!engine.ok()) {
    if (!disk.kv.rotten()) {
      Fail(Cat(code(), " does not open: ", ToStd(engine.status().message())));
    }
    // Named, not served: the operator takes the last backup or starts from an empty database.
    world_.counters().Hit("damaged database: start refused");
    RestoreBackup(/*keep_anchor=*/true);
    return BootAgain(absl::Hours(1));
  }
  engine_ = *std::move(engine);
  ++boots;
  busy_until_ = absl::InfinitePast();
  world_.Trace("boot", index, "");
  Give(sync::Tick{});
  if (!up()) return;
  RefreshPeers();
  world_.network().Booted(*this);
}

void Node::RefreshPeers() { peers_ = engine_->Peers(); }

void Node::BootAgain(absl::Duration after) {
  world_.After(after, [this] { Boot(); });
}

void Node::PowerOff() {
  if (!up()) return;
  world_.Trace("off", index, "");
  engine_.reset();
  calls_.clear();
  waiting_.clear();
  world_.network().Dropped(*this);
}

void Node::Crash(absl::Duration away) {
  if (!up()) return;
  PowerOff();
  if (world_.Chance(world_.faults().lost_tail)) {
    if (disk.kv.LoseTail(1 + world_.Pick(5)) > 0) world_.counters().Hit("lost tail");
    world_.AfterLoss();
  }
  BootAgain(away);
}

void Node::Stop(absl::Duration away) {
  PowerOff();
  BootAgain(away);
}

void Node::Pause(absl::Duration how_long) {
  if (up()) busy_until_ = std::max(busy_until_, world_.now() + how_long);
}

void Node::MakeBackup() {
  disk.backup = disk.kv.rows();
  disk.backup_made = world_.now();
}

void Node::LoseStore(bool keep_anchor) {
  forgot_keys_ = true;
  ReplaceStore(fresh_rows_, keep_anchor);
}

void Node::RestoreBackup(bool keep_anchor) {
  if (!disk.backup.has_value()) return LoseStore(keep_anchor);
  forgot_keys_ = forgot_keys_ || world_.now() - disk.backup_made > sync::BoxKeyTerms().keep ||
                 world_.last_haste() + kNewsTravels >= disk.backup_made;
  ReplaceStore(*disk.backup, keep_anchor);
}

void Node::ReplaceStore(DiskKv::Rows rows, bool keep_anchor) {
  PowerOff();
  disk.kv.Replace(std::move(rows));
  if (!keep_anchor) {
    disk.anchors.clear();
    disk.anchor_exists = false;
  }
  world_.AfterLoss();
}

void Node::Reseed(const core::Input& input) {
  const std::string text =
      Cat(Fingerprint(input), std::to_string(absl::ToUnixNanos(LocalTime())), code());
  uint64_t seed = world_.SeedFor(text);
  // While a clock stands still the same may come in any number of times.
  if (const uint64_t before = used_seeds_[seed]++; before > 0) {
    seed = world_.SeedFor(Cat(text, "again", std::to_string(before)));
  }
  entropy_.Restart(seed);
  world_.UseEntropy(entropy_);
}

void Node::Step(const core::Input& input) {
  if (!up()) return;
  if (world_.now() < busy_until_ || !waiting_.empty()) {
    waiting_.push_back(input);
    if (waiting_.size() > 1) return;
    world_.At(busy_until_, [this, boot = boots] {
      if (!up() || boots != boot) return;
      std::deque<core::Input> late = std::exchange(waiting_, {});
      for (const core::Input& one : late) Step(one);
    });
    return;
  }
  // What is due by the clock is done with chance of its own, not with that of whatever happens to
  // arrive at the same nanosecond.
  if (world_.setup().two_worlds && !IsTick(input)) {
    StepOnce(sync::Tick{});
    if (!up()) return;
  }
  StepOnce(input);
}

void Node::StepOnce(const core::Input& input) {
  Reseed(input);
  absl::StatusOr<core::Effects> effects = engine_->Step(LocalTime(), input);
  if (!effects.ok()) {
    if (!disk.kv.rotten()) {
      return world_.Broken(Cat(code(), " cannot step: ", ToStd(effects.status().message())));
    }
    world_.counters().Hit("damaged database: stopped");
    return Stop(absl::Minutes(1));
  }
  const Faults& faults = world_.faults();
  const int stop = world_.Chance(faults.crash) ? static_cast<int>(world_.Pick(5)) : kNever;
  CarryOut(*effects, stop);
}

void Node::CarryOut(core::Effects& effects, int stop) {
  const Faults& faults = world_.faults();
  Counters& count = world_.counters();
  const auto away = [this] { return absl::Seconds(1 + static_cast<int64_t>(world_.Pick(30))); };
  if (stop != kNever) count.Hit("crash");
  if (stop == kBeforeCommit) return Crash(away());
  if (!effects.writes.empty()) {
    if (world_.now() < disk_full_until) {
      count.Hit("disk full: commit refused");
      return Stop(absl::Minutes(10));
    }
    if (world_.Chance(faults.torn_commit)) {
      count.Hit("torn commit");
      if (world_.Pick(2) == 0) static_cast<void>(disk.kv.Commit(effects.writes));
      return Crash(away());
    }
    if (world_.Chance(faults.sync_error)) {
      count.Hit("sync error");
      if (world_.Pick(2) == 0) static_cast<void>(disk.kv.Commit(effects.writes));
      return Stop(away());
    }
    static_cast<void>(disk.kv.Commit(effects.writes));
  }
  engine_->Committed();
  if (disk_delay > absl::ZeroDuration() && !effects.writes.empty()) {
    busy_until_ = std::max(busy_until_, world_.now() + disk_delay);
  }
  if (stop == kAfterCommit) return Crash(away());
  Answer(effects);
  if (stop == kAfterAnswers) return Crash(away());
  for (const sync::AnchorRecord& record : effects.anchors) {
    disk.Anchor(record);
    world_.SawHead(*this, record);
  }
  if (stop == kAfterAnchor) return Crash(away());
  for (const sync::FrameOut& frame : effects.frames) world_.network().Send(*this, frame);
  if (stop == kAfterFrames) return Crash(away());
  for (const sync::ParcelOut& parcel : effects.parcels) world_.relays().Deposit(*this, parcel);
  for (const sync::CloseSession& close : effects.closes) world_.network().Close(close.session);
  for (const sync::FileJob& job : effects.file_jobs) world_.RunFileJob(*this, job);
  if (effects.peers_changed) {
    RefreshPeers();
    world_.network().Booted(*this);
  }
  ScheduleWake(effects.wake_up);
}

void Node::Answer(const core::Effects& effects) {
  if (effects.answers.empty()) return;
  Rows rows;
  for (const sync::WriteBatch::Write& write : effects.writes.writes()) {
    if (write.key[0] == 'e' && write.value.has_value()) rows[write.key] = *write.value;
  }
  for (const core::Answer& answer : effects.answers) {
    const auto it = calls_.find(answer.call);
    if (it == calls_.end()) continue;
    const OnAnswer done = std::move(it->second);
    calls_.erase(it);
    done(answer, rows);
  }
}

void Node::ScheduleWake(absl::Time local) {
  const uint64_t token = ++wake_token_;
  if (local == absl::InfiniteFuture()) return;
  absl::Duration wait = std::max(local - LocalTime(), absl::ZeroDuration());
  restless_ = wait < absl::Milliseconds(1) ? restless_ + 1 : 0;
  // By a clock that stands still just before it, nothing ever becomes due.
  if (clock.stopped() && restless_ > kRestlessMax / 2) {
    --restless_;
    wait = absl::Seconds(1);
  }
  if (restless_ > kRestlessMax) return world_.Broken(Cat(code(), " never comes to rest"));
  // No two nodes wake at one nanosecond: which of them is first would be chance.
  world_.After(wait + absl::Nanoseconds(1 + 17 * index), [this, token, boot = boots] {
    if (wake_token_ == token && boots == boot) Give(sync::Tick{});
  });
}

}  // namespace entente::sim

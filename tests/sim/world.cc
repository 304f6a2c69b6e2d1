#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::sim {
namespace {

// Before the first step of every run: a day in the middle of a JIT's life.
const absl::Time kStart = absl::FromCivil(absl::CivilDay(2026, 3, 2), absl::UTCTimeZone());

// Nodes that are not connected try again this often.
constexpr absl::Duration kRedial = absl::Seconds(2);

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "simulator: %s\n", what.c_str());
  std::abort();
}

}  // namespace

SimNode::SimNode(World& world, std::string code, size_t index)
    : world_(world),
      code_(std::move(code)),
      index_(index),
      root_(crypto::GeneratePartyRoot(world.entropy())) {}

absl::Time SimNode::LocalTime() const { return world_.now() + skew_; }

void SimNode::Boot() {
  core::Config config;
  config.card = card_;
  config.signed_card = signed_card_;
  config.relay_immediate = true;
  std::vector<sync::AnchorRecord> anchors;
  for (const auto& [log, record] : disk_.anchors) anchors.push_back(record);
  absl::StatusOr<std::unique_ptr<core::Engine>> engine = core::Engine::Open(
      config, keys_, disk_.kv, anchors, !disk_.anchor_exists, world_.entropy(), LocalTime());
  if (!engine.ok()) Fail(Cat(code_, " does not open: ", ToStd(engine.status().message())));
  engine_ = *std::move(engine);
  ++boots_;
  world_.Trace(Cat("boot ", code_));
  Step(core::Input(sync::Input(sync::Tick{})));
}

void SimNode::Crash() {
  if (!up()) return;
  world_.counters_.Hit("crash");
  world_.Trace(Cat("crash ", code_));
  engine_.reset();
  calls_.clear();
  world_.DropSessionsOf(*this);
  world_.After(absl::Seconds(1 + static_cast<int64_t>(world_.Pick(20))), [this] {
    if (up()) return;
    if (old_disk_ != nullptr && world_.Chance(world_.faults().rollback_on_restart)) {
      // The database comes back from a copy; the anchor file is excluded from copies.
      disk_.kv.rows() = old_disk_->kv.rows();
      world_.counters_.Hit("rollback");
    }
    Boot();
  });
}

void SimNode::Step(const core::Input& input) {
  if (!up()) return;
  absl::StatusOr<core::Effects> effects = engine_->Step(LocalTime(), input);
  if (!effects.ok()) Fail(Cat(code_, " cannot step: ", ToStd(effects.status().message())));
  const uint64_t boundary = world_.Chance(world_.faults().crash_per_step) ? world_.Pick(4) : 99;
  if (boundary == 0) return Crash();
  if (!effects->writes.empty()) {
    if (world_.faults().rollback_on_restart > 0 && world_.Pick(200) == 0) {
      old_disk_ = std::make_unique<Disk>(disk_);
    }
    if (!disk_.kv.Commit(effects->writes).ok()) Fail("commit");
  }
  engine_->Committed();
  if (boundary == 1) return Crash();
  for (const core::Answer& answer : effects->answers) {
    const auto it = calls_.find(answer.call);
    if (it == calls_.end()) continue;
    auto done = std::move(it->second);
    calls_.erase(it);
    done(answer);
  }
  if (boundary == 2) return Crash();
  for (const sync::AnchorRecord& record : effects->anchors) {
    sync::AnchorRecord& held = disk_.anchors[record.log];
    if (record.size >= held.size) held = record;
    disk_.anchor_exists = true;
  }
  if (boundary == 3) return Crash();
  for (const sync::FrameOut& frame : effects->frames) world_.Deliver(*this, frame);
  for (const sync::ParcelOut& parcel : effects->parcels) world_.Deposit(*this, parcel);
  for (const sync::CloseSession& close : effects->closes) {
    world_.CloseSession(close.session);
  }
  for (const sync::FileJob& job : effects->file_jobs) world_.RunFileJob(*this, job);
  world_.ScheduleWake(*this, effects->wake_up);
}

World::World(Setup setup)
    : faults_(setup.faults), entropy_(setup.seed), dice_(setup.seed), now_(kStart) {
  crypto::InstallSeededRandombytes(&entropy_);
  MakeNodes(setup);
  for (auto& node : nodes_) node->Boot();
  Connect();
}

World::~World() { crypto::InstallSeededRandombytes(nullptr); }

void World::MakeNodes(const Setup& setup) {
  for (const std::string& code : setup.codes) {
    nodes_.push_back(std::make_unique<SimNode>(*this, code, nodes_.size()));
    SimNode& node = *nodes_.back();
    absl::StatusOr<crypto::NodeKeys> keys = crypto::GenerateNodeKeys(node.root_, code, entropy_);
    if (!keys.ok()) Fail("keys");
    node.party_ = keys->party;
    if (code == "EJ") node.role_ = v1::ROLE_COORDINATOR;
    node.spki_ = *crypto::SpkiSha256(keys->tls.certificate_pem);
    node.keys_ = std::make_shared<crypto::NodeKeys>(*std::move(keys));
    v1::NodeCard& card = node.card_;
    card.set_party(node.party_.str());
    card.set_code(code);
    card.set_name(Cat("Authority of ", code));
    card.set_kind(code == "EJ" ? v1::BODY_KIND_EUROJUST : v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
    card.set_country(code == "EJ" ? "" : code);
    card.set_seq(1);
    card.set_issued(absl::ToUnixSeconds(now_));
    card.set_log_key(node.keys_->log.public_key().str());
    card.set_cosign_key(node.keys_->cosign.public_key().str());
    card.set_statement_key(node.keys_->statement.public_key().str());
    card.set_tls_spki_sha256(node.spki_.str());
    card.mutable_box_key()->set_id(node.keys_->box.id().str());
    card.mutable_box_key()->set_public_key(node.keys_->box.public_key().str());
    card.mutable_recovery_box_key()->set_id(node.root_.recovery.id().str());
    card.mutable_recovery_box_key()->set_public_key(node.root_.recovery.public_key().str());
    if (!setup.relay_only.contains(code)) card.add_addresses(Cat("127.0.0.1:", code));
    card.set_relay_only(setup.relay_only.contains(code));
    card.add_relays()->set_address("relay:1");
    card.mutable_relays(0)->set_tls_spki_sha256(std::string(32, 'r'));
    card.set_max_schema(1);
    const std::string signed_card = sync::SignCard(card, node.root_.root);
    if (!node.signed_card_.ParseFromString(signed_card)) Fail("card");
  }
  for (auto& node : nodes_) {
    sync::WriteBatch rows;
    for (auto& other : nodes_) {
      rows.Put(sync::schema::Card(other->party_), other->signed_card_.SerializeAsString());
    }
    if (!node->disk_.kv.Commit(rows).ok()) Fail("cards");
    node->disk_.anchor_exists = true;
    const double skew = absl::ToDoubleSeconds(faults_.clock_skew_max);
    node->skew_ = absl::Seconds(skew * (static_cast<double>(Pick(2001)) / 1000.0 - 1.0));
  }
}

SimNode& World::node(const std::string& code) {
  for (auto& node : nodes_) {
    if (node->code_ == code) return *node;
  }
  Fail(Cat("no node ", code));
}

bool World::Chance(double p) {
  if (p <= 0) return false;
  return static_cast<double>(dice_() >> 11) / 9007199254740992.0 < p;
}

uint64_t World::Pick(uint64_t n) { return n == 0 ? 0 : dice_() % n; }

void World::StopFaults() {
  faults_ = FaultOptions{};
  partitioned_.clear();
}

void World::Trace(std::string_view what) {
  trace_ = crypto::Sha256({trace_, absl::FormatTime(now_), what}).str();
}

std::string World::TraceHash() const { return Hex(trace_); }

void World::At(absl::Time when, std::function<void()> what) {
  events_.emplace(std::pair{std::max(when, now_), next_event_++}, std::move(what));
}

void World::RunUntil(absl::Time until) {
  while (!events_.empty() && events_.begin()->first.first <= until) {
    auto first = events_.extract(events_.begin());
    now_ = first.key().first;
    first.mapped()();
  }
  now_ = until;
}

void World::ScheduleWake(SimNode& node, absl::Time when) {
  const uint64_t token = ++node.scheduled_wake_;
  if (when == absl::InfiniteFuture()) return;
  At(when - node.skew_ + absl::Nanoseconds(1), [&node, token] {
    if (node.scheduled_wake_ == token && node.up()) {
      node.Step(core::Input(sync::Input(sync::Tick{})));
    }
  });
}

void World::Connect() {
  for (auto& a : nodes_) {
    for (auto& b : nodes_) {
      if (a->index_ < b->index_) TryConnect(*a, *b);
    }
    if (a->up() && Chance(faults_.partition_rate)) {
      const size_t other = Pick(nodes_.size());
      const std::pair<size_t, size_t> pair = std::minmax(a->index_, other);
      if (a->index_ != other && partitioned_.insert(pair).second) {
        counters_.Hit("partition");
        for (const auto& [id, session] : std::map(sessions_)) {
          if (std::pair<size_t, size_t>(std::minmax(session->a->index_, session->b->index_)) ==
              pair) {
            CloseSession(session->a_id);
          }
        }
        After(absl::Seconds(10 + static_cast<int64_t>(Pick(600))),
              [this, pair] { partitioned_.erase(pair); });
      }
    }
  }
  After(kRedial, [this] { Connect(); });
}

void World::TryConnect(SimNode& a, SimNode& b) {
  if (!a.up() || !b.up() || partitioned_.contains(std::minmax(a.index_, b.index_))) return;
  if (a.card_.relay_only() || b.card_.relay_only()) return;
  for (const auto& [id, session] : sessions_) {
    if ((session->a == &a && session->b == &b) || (session->a == &b && session->b == &a)) return;
  }
  auto session = std::make_shared<Session>();
  session->a = &a;
  session->b = &b;
  session->a_id = next_session_++;
  session->b_id = next_session_++;
  session->a_free = session->b_free = now_;
  sessions_[session->a_id] = session;
  sessions_[session->b_id] = session;
  a.Step(core::Input(sync::Input(sync::SessionOpened{session->a_id, b.party_, b.spki_, true})));
  b.Step(core::Input(sync::Input(sync::SessionOpened{session->b_id, a.party_, a.spki_, false})));
}

void World::Deliver(SimNode& from, const sync::FrameOut& out) {
  const auto it = sessions_.find(out.session);
  if (it == sessions_.end()) return;
  const std::shared_ptr<Session> session = it->second;
  const bool to_b = session->a == &from;
  SimNode& to = to_b ? *session->b : *session->a;
  const sync::SessionId to_id = to_b ? session->b_id : session->a_id;
  if (Chance(faults_.cut_per_frame)) {
    counters_.Hit("cut");
    CloseSession(out.session);
    return;
  }
  absl::Time& free = to_b ? session->b_free : session->a_free;
  const absl::Duration delay = absl::Microseconds(
      50 + Pick(static_cast<uint64_t>(absl::ToInt64Microseconds(faults_.delay_max))));
  free = std::max(free, now_ + delay);
  At(free, [this, session, &to, to_id, frame = out.frame]() mutable {
    if (!sessions_.contains(to_id) || !to.up()) return;
    ++deliveries_;
    to.received_ += frame.SerializeAsString();
    if (frame.has_chunk() && Chance(faults_.chunk_damage)) {
      counters_.Hit("chunk damage");
      frame.mutable_chunk()->mutable_sealed()->front() ^= 1;
    }
    to.Step(core::Input(sync::Input(sync::FrameReceived{to_id, std::move(frame)})));
  });
}

void World::CloseSession(sync::SessionId id) {
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return;
  const std::shared_ptr<Session> session = it->second;
  sessions_.erase(session->a_id);
  sessions_.erase(session->b_id);
  // Both ends notice, each in its own time; never from inside the step that closed it.
  After(absl::Microseconds(1), [session] {
    session->a->Step(core::Input(sync::Input(sync::SessionClosed{session->a_id, "cut"})));
  });
  After(absl::Milliseconds(1), [session] {
    session->b->Step(core::Input(sync::Input(sync::SessionClosed{session->b_id, "cut"})));
  });
}

void World::DropSessionsOf(SimNode& node) {
  for (const auto& [id, session] : std::map(sessions_)) {
    if (session->a == &node || session->b == &node) CloseSession(id);
  }
}

void World::Deposit(SimNode& from, const sync::ParcelOut& out) {
  relay_bytes_ += out.parcel;
  SimNode* to = nullptr;
  for (auto& node : nodes_) {
    if (node->party_ == out.peer) to = node.get();
  }
  if (to == nullptr) return;
  const PartyId peer = out.peer;
  After(absl::Milliseconds(2), [&from, peer, seq = out.seq] {
    from.Step(core::Input(sync::Input(sync::ParcelDeposited{peer, seq, absl::OkStatus()})));
  });
  if (Chance(faults_.parcel_loss)) {
    counters_.Hit("parcel loss");
    return;
  }
  int copies = 1;
  if (Chance(faults_.parcel_duplicate)) {
    counters_.Hit("parcel duplicate");
    copies = 2;
  }
  for (int i = 0; i < copies; ++i) {
    absl::Duration delay = absl::Milliseconds(20 + static_cast<int64_t>(Pick(50)));
    if (Chance(faults_.parcel_reorder)) {
      counters_.Hit("parcel reorder");
      delay += absl::Seconds(static_cast<int64_t>(Pick(60)));
    }
    After(delay, [this, to, parcel = out.parcel] { Fetch(*to, parcel); });
  }
}

void World::Fetch(SimNode& to, const std::string& parcel) {
  if (to.up()) {
    ++deliveries_;
    to.received_ += parcel;
    const uint64_t boots = to.boots_;
    to.Step(core::Input(sync::Input(sync::ParcelReceived{parcel})));
    const bool committed = to.up() && to.boots_ == boots;
    if (committed) return;
  }
  After(absl::Seconds(5), [this, &to, parcel] { Fetch(to, parcel); });
}

void World::RunFileJob(SimNode& node, const sync::FileJob& job) {
  const uint64_t boots = node.boots_;
  const auto answer = [this, &node, boots](sync::Input input) {
    After(absl::Microseconds(200), [&node, boots, input = std::move(input)] {
      if (node.boots_ == boots) node.Step(core::Input(input));
    });
  };
  if (const auto* read = std::get_if<sync::ReadChunkJob>(&job)) {
    sync::ChunkRead out{read->blob, read->index, read->requester, absl::OkStatus(), 0, "", {}};
    const auto it = node.disk_.blobs.find(read->blob);
    if (it == node.disk_.blobs.end() || !it->second.chunks.contains(read->index)) {
      out.status = absl::NotFoundError("no such chunk");
    } else {
      std::vector<Hash> leaves;
      for (const auto& [i, sealed] : it->second.chunks) leaves.push_back(crypto::ChunkLeaf(sealed));
      const crypto::VectorMerkleSource tree(leaves);
      out.count = it->second.count;
      out.sealed = it->second.chunks.at(read->index);
      out.path = *crypto::InclusionProof(tree, read->index, it->second.count);
    }
    answer(sync::Input(std::move(out)));
  } else if (const auto* write = std::get_if<sync::WriteChunkJob>(&job)) {
    sync::ChunkWritten out{write->blob, write->index, write->sender, absl::OkStatus()};
    const absl::StatusOr<Hash> root = Hash::From(write->blob.view());
    if (crypto::VerifyInclusion(crypto::ChunkLeaf(write->sealed), write->index, write->count,
                                write->path, *root)
            .ok()) {
      node.disk_.blobs[write->blob].count = write->count;
      node.disk_.blobs[write->blob].chunks[write->index] = write->sealed;
    } else {
      out.status = absl::DataLossError("not of this blob");
    }
    answer(sync::Input(std::move(out)));
  } else if (const auto* verify = std::get_if<sync::VerifyBlobJob>(&job)) {
    const BlobId blob = *BlobId::From(verify->file.blob_id());
    sync::BlobVerified out{blob, absl::OkStatus()};
    const Disk::Blob& held = node.disk_.blobs[blob];
    absl::StatusOr<crypto::FileOpener> opener = crypto::FileOpener::Create(
        *crypto::Secret32::From(verify->file.file_key()), verify->file.plain_size(),
        verify->file.chunk_bytes(), verify->file.commit());
    crypto::Sha256Stream sha;
    if (!opener.ok() || held.chunks.size() != held.count || held.count == 0) {
      out.status = opener.ok() ? absl::NotFoundError("chunks are missing") : opener.status();
    } else {
      for (const auto& [i, sealed] : held.chunks) {
        absl::StatusOr<std::string> plain = opener->OpenChunk(i, sealed);
        if (!plain.ok()) out.status = plain.status();
        if (plain.ok()) sha.Update(*plain);
      }
      if (out.status.ok() && sha.Finish().view() != verify->file.plain_sha256()) {
        out.status = absl::DataLossError("another file than promised");
      }
    }
    answer(sync::Input(std::move(out)));
  }
}

core::UploadedFile World::Upload(SimNode& node, const std::string& name, const std::string& text) {
  const crypto::Secret32 key = entropy_.Draw<crypto::Secret32>();
  const crypto::FileSealer sealer(key, text.size());
  std::vector<Hash> leaves;
  Disk::Blob blob;
  blob.count = sealer.chunk_count();
  for (uint64_t i = 0; i < blob.count; ++i) {
    const std::string plain = text.substr(i * crypto::kChunkBytes, crypto::kChunkBytes);
    blob.chunks[i] = *sealer.SealChunk(i, plain);
    leaves.push_back(crypto::ChunkLeaf(blob.chunks[i]));
  }
  const crypto::VectorMerkleSource tree(leaves);
  const Hash root = *crypto::RangeFrom(tree, 0, blob.count)->Root();
  core::UploadedFile out;
  out.upload_id = entropy_.Bytes(16);
  out.file.set_blob_id(root.str());
  out.file.set_chunk_bytes(crypto::kChunkBytes);
  out.file.set_chunk_count(blob.count);
  out.file.set_plain_size(text.size());
  out.file.set_plain_sha256(crypto::Sha256(text).str());
  out.file.set_file_key(std::string(key.view()));
  out.file.set_commit(sealer.commit().str());
  out.file.set_name(name);
  node.disk_.blobs[*BlobId::From(root.view())] = std::move(blob);
  return out;
}

void World::Call(SimNode& node, const std::string& method,
                 std::shared_ptr<const google::protobuf::Message> request,
                 std::function<void(const core::Answer&)> done,
                 std::vector<core::UploadedFile> uploads) {
  if (!node.up()) return;
  core::Command command;
  command.call = next_call_++;
  command.caller = {node.user_, node.role_};
  command.method = method;
  command.request = std::move(request);
  command.uploads = std::move(uploads);
  node.calls_[command.call] = std::move(done);
  node.Step(core::Input(std::move(command)));
}

std::shared_ptr<google::protobuf::Message> World::MustCall(
    SimNode& node, const std::string& method,
    std::shared_ptr<const google::protobuf::Message> request) {
  std::shared_ptr<google::protobuf::Message> response;
  std::string problem = "no answer";
  Call(node, method, std::move(request), [&](const core::Answer& answer) {
    response = answer.response;
    problem = std::string(ToStd(answer.status.message()));
  });
  if (response == nullptr) Fail(Cat(node.code_, " ", method, ": ", problem));
  return response;
}

}  // namespace entente::sim

#include "sync/blob_sync.h"

#include <algorithm>
#include <utility>

#include "sync/limits.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// Files fetched at once: enough to hide round trips, few enough to bound memory.
constexpr size_t kFetchesMax = 4;
// How long a rate of transfer is measured, and shown after the last chunk.
constexpr absl::Duration kMeasure = absl::Seconds(2);
// How long a slow source is waited for at most, and how long a file rests at most before those who
// have failed are asked once more.
constexpr absl::Duration kPatienceMax = absl::Minutes(5);
constexpr absl::Duration kRestMax = absl::Minutes(5);
constexpr size_t kSealedChunkMax = (1 << 20) + 16;
constexpr int kPathMax = 64;
// Progress is written down every so many chunks; a restart repeats at most these.
constexpr uint64_t kSaveEvery = 32;

bool WellFormed(const v1::FileRef& file) {
  return file.blob_id().size() == 32 && file.plain_sha256().size() == 32 &&
         file.file_key().size() == 32 && file.commit().size() == 32 && file.chunk_count() > 0 &&
         file.chunk_count() <= kFileChunksMax && file.chunk_bytes() == (1u << 20);
}

}  // namespace

absl::Status BlobSync::Load() {
  return context_.store.Scan("b", "c", [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<BlobId> id = BlobId::From(key.substr(1));
    v1::BlobRow row;
    if (id.ok() && row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      Blob& blob = blobs_[*id];
      blob.row = std::move(row);
      Requeue(*id, blob);
    }
    return true;
  });
}

void BlobSync::Learn(const OpenedEntry& entry) {
  for (const v1::FileRef& file : entry.body.files()) {
    if (!WellFormed(file)) continue;
    const BlobId id = *BlobId::From(file.blob_id());
    Blob& blob = blobs_[id];
    if (blob.row.file().blob_id().empty()) {
      *blob.row.mutable_file() = file;
      Save(id, blob);
    }
    Naming& naming = blob.named_by[entry.body.record_id()];
    for (const PartyId& member : entry.audience) naming.allowed[member].insert(entry.jit);
    naming.authors.insert(entry.author);
    files_of_[entry.body.record_id()].insert(id);
    Requeue(id, blob);
  }
}

std::vector<BlobId> BlobSync::Forget(const std::string& record) {
  const auto named = files_of_.find(record);
  if (named == files_of_.end()) return {};
  std::vector<BlobId> gone;
  for (const BlobId& id : named->second) {
    Blob& blob = blobs_[id];
    blob.named_by.erase(record);
    if (!blob.named_by.empty()) continue;
    gone.push_back(id);
    if (blob.place.has_value()) queue_.erase(*blob.place);
    Stop(id);
    resting_.erase(id);
    checks_.erase(id);
    std::erase(check_order_, id);
    blobs_.erase(id);
    context_.store.Delete(schema::Blob(id));
  }
  files_of_.erase(named);
  return gone;
}

void BlobSync::AddLocal(const v1::FileRef& file) {
  const BlobId id = *BlobId::From(file.blob_id());
  Blob& blob = blobs_[id];
  *blob.row.mutable_file() = file;
  blob.row.set_next_chunk(file.chunk_count());
  blob.row.set_complete(true);
  blob.row.set_verified(true);
  Save(id, blob);
  Requeue(id, blob);
  hooks_.run(AdoptUploadJob{id});
}

void BlobSync::Save(const BlobId& id, const Blob& blob) {
  context_.store.Put(schema::Blob(id), blob.row.SerializeAsString());
}

bool BlobSync::Allows(const Blob& blob, const PartyId& party) const {
  return std::any_of(blob.named_by.begin(), blob.named_by.end(), [&](const auto& named) {
    const auto jits = named.second.allowed.find(party);
    return jits != named.second.allowed.end() &&
           std::any_of(jits->second.begin(), jits->second.end(), [&](const JitId& jit) {
             return !context_.exclusions->IsExcluded(jit, party);
           });
  });
}

bool BlobSync::IsAuthor(const Blob& blob, const PartyId& party) {
  return std::any_of(blob.named_by.begin(), blob.named_by.end(),
                     [&](const auto& named) { return named.second.authors.contains(party); });
}

// Something of it is missing here and wanted, whether or not anybody has it.
bool BlobSync::Lacks(const Blob& blob) const {
  const v1::BlobRow& row = blob.row;
  if (row.wish() == v1::FILE_WISH_PAUSE || blob.verifying || row.damaged()) return false;
  if (row.damaged_chunks_size() > 0) return true;
  return !row.verified() && (row.wish() == v1::FILE_WISH_FETCH ||
                             row.file().plain_size() <= options_.auto_fetch_bytes);
}

void BlobSync::Requeue(const BlobId& id, Blob& blob) {
  if (blob.place.has_value()) queue_.erase(*blob.place);
  blob.place.reset();
  if (!Lacks(blob)) {
    Stop(id);
    resting_.erase(id);
    return;
  }
  blob.place = Place(-blob.row.priority(), blob.row.wish() == v1::FILE_WISH_FETCH ? 0 : 1,
                     blob.row.file().plain_size(), id);
  queue_.insert(*blob.place);
}

Link* BlobSync::LinkOf(const PartyId& peer) const {
  Link* found = nullptr;
  for (Link* link : hooks_.links()) {
    if (link->peer == peer && (found == nullptr || found->by_parcel())) found = link;
  }
  return found;
}

bool BlobSync::HasIt(const BlobId& id, const Blob& blob, const PartyId& peer) const {
  return IsAuthor(blob, peer) || blob.delivered.contains(peer) || ReceivedBy(id, peer);
}

// A stream before a parcel, then the author, then who is known to have it, and nobody who just said
// it has nothing. Several at once only over streams.
std::vector<Link*> BlobSync::SourcesFor(const BlobId& id, const Blob& blob) const {
  std::vector<std::pair<int, Link*>> ranked;
  const std::vector<Link*> links = hooks_.links();
  for (Link* link : links) {
    if (!Allows(blob, link->peer) || blob.failed.contains(link->peer)) continue;
    const bool nearer = std::any_of(links.begin(), links.end(), [&](const Link* other) {
      return other->peer == link->peer && !other->by_parcel();
    });
    if (link->by_parcel() && nearer) continue;
    const int rank = (link->by_parcel() ? 0 : 4) + (IsAuthor(blob, link->peer) ? 2 : 0) +
                     (HasIt(id, blob, link->peer) ? 1 : 0);
    ranked.emplace_back(rank, link);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Link*> out;
  for (const auto& [rank, link] : ranked) {
    if (out.empty() || (!link->by_parcel() && out.size() < kFileSourcesMax)) out.push_back(link);
  }
  return out;
}

void BlobSync::DropSource(const BlobId& id, const PartyId& source, bool failed) {
  const auto it = active_.find(id);
  if (it == active_.end() || it->second.deadlines.erase(source) == 0) return;
  it->second.fetch.GiveUp(source);
  if (failed) {
    blobs_[id].failed.insert(source);
    blobs_[id].delivered.erase(source);
  }
  if (it->second.deadlines.empty()) Stop(id);
}

absl::Duration BlobSync::PatienceWith(const Blob& blob, const Link& link) const {
  return link.by_parcel() ? options_.answer_by_parcel : blob.patience;
}

void BlobSync::DropLateSources(absl::Time now) {
  // Somebody who has the file is on the line, while it is on its way by parcel: slowly, or not at
  // all when the node that was asked went down before it answered.
  const auto nearer = [this](const BlobId& id, const PartyId& source) {
    const Link* from = LinkOf(source);
    if (from == nullptr || !from->by_parcel()) return false;
    const Blob& blob = blobs_[id];
    const std::vector<Link*> links = hooks_.links();
    return std::any_of(links.begin(), links.end(), [&](const Link* link) {
      return !link->by_parcel() && Allows(blob, link->peer) && !blob.failed.contains(link->peer) &&
             HasIt(id, blob, link->peer);
    });
  };
  std::vector<std::tuple<BlobId, PartyId, bool>> drop;
  for (const auto& [id, active] : active_) {
    for (const auto& [source, deadline] : active.deadlines) {
      const bool late = now >= deadline;
      if (late || nearer(id, source)) drop.emplace_back(id, source, late);
    }
  }
  for (const auto& [id, source, late] : drop) {
    // A line so slow that answers come after their time: asked again and again at one pace it would
    // carry nothing but answers that nobody waits for any more.
    if (late) blobs_[id].patience = std::min(2 * blobs_[id].patience, kPatienceMax);
    DropSource(id, source, late);
  }
}

// More urgent files than those that are fetched take their places.
void BlobSync::MakeWay() {
  std::vector<std::pair<int32_t, BlobId>> running;  // least urgent last
  for (const auto& [id, active] : active_) running.emplace_back(-blobs_[id].row.priority(), id);
  std::sort(running.begin(), running.end());
  auto waiting = queue_.begin();
  while (running.size() >= kFetchesMax && waiting != queue_.end()) {
    const auto& [urgency, small, size, id] = *waiting;
    if (urgency >= running.back().first) return;
    if (!active_.contains(id) && !SourcesFor(id, blobs_[id]).empty()) {
      Stop(running.back().second);
      running.pop_back();
    }
    ++waiting;
  }
}

// Everybody has failed once: starts over after a rest. False while it lasts, or when nobody is
// there.
bool BlobSync::NextRound(const BlobId& id, Blob& blob, absl::Time now) {
  if (blob.failed.empty()) return false;
  const auto [resting, fresh] = resting_.emplace(id, now + blob.rest);
  if (fresh) blob.rest = std::min(2 * blob.rest, kRestMax);
  if (now < resting->second) return false;
  blob.failed.clear();
  return !SourcesFor(id, blob).empty();
}

void BlobSync::Start(const BlobId& id, Blob& blob, absl::Time now) {
  const bool mends = blob.row.damaged_chunks_size() > 0;
  if (!mends && blob.row.next_chunk() >= blob.row.file().chunk_count()) {
    blob.verifying = true;
    hooks_.run(VerifyBlobJob{blob.row.file()});
    Requeue(id, blob);
    return;
  }
  if (SourcesFor(id, blob).empty() && !NextRound(id, blob, now)) return;
  resting_.erase(id);
  FileFetch fetch = mends ? FileFetch(std::vector<uint64_t>(blob.row.damaged_chunks().begin(),
                                                            blob.row.damaged_chunks().end()))
                          : FileFetch(blob.row.next_chunk(), blob.row.file().chunk_count());
  active_.emplace(id, Active{std::move(fetch), {}, mends, now, 0, 0});
}

void BlobSync::Fetch(absl::Time now) {
  now_seen_ = now;
  DropLateSources(now);
  if (!queue_.empty()) {
    MakeWay();
    for (auto it = queue_.begin(); it != queue_.end() && active_.size() < kFetchesMax;) {
      const BlobId id = std::get<BlobId>(*it++);  // starting may take it out of the queue
      Blob& blob = blobs_[id];
      if (active_.contains(id) || !Allows(blob, context_.self) || blob.verifying) continue;
      Start(id, blob, now);
    }
  }
  std::vector<Place> running;  // the most urgent asks first
  for (const auto& [id, active] : active_) running.push_back(*blobs_[id].place);
  std::sort(running.begin(), running.end());
  for (const Place& place : running) {
    const BlobId& id = std::get<BlobId>(place);
    AskAll(id, active_.at(id), now);
    if (active_.at(id).deadlines.empty()) Stop(id);
  }
  ReadMore(now);
  CheckMore();
}

void BlobSync::AskAll(const BlobId& id, Active& active, absl::Time now) {
  const Blob& blob = blobs_[id];
  const std::vector<Link*> sources = SourcesFor(id, blob);
  for (Link* link : sources) {
    if (!active.deadlines.contains(link->peer) && active.deadlines.size() >= kFileSourcesMax) {
      continue;
    }
    const absl::Duration patience = PatienceWith(blob, *link);
    if (!in_.Ready(now)) {
      // Whoever waits for our own cap is not late.
      const auto own = active.deadlines.find(link->peer);
      if (own != active.deadlines.end())
        own->second = std::max(own->second, in_.ready() + patience);
      continue;
    }
    const bool tried = link != sources.front() && !HasIt(id, blob, link->peer);
    const uint64_t window = link->by_parcel() ? kChunksInFlightByParcel
                            : tried           ? 1
                                              : kChunksInFlight;
    const FileFetch::Range range = active.fetch.Ask(link->peer, window);
    if (range.count == 0) {
      // Who has nothing to deliver cannot be late.
      if (!active.fetch.Busy(link->peer)) active.deadlines.erase(link->peer);
      continue;
    }
    v1::Frame frame;
    v1::WantChunks* want = frame.mutable_want_chunks();
    want->set_blob_id(id.str());
    want->set_from(range.from);
    want->set_count(static_cast<uint32_t>(range.count));
    active.deadlines[link->peer] = now + patience;
    in_.Spend(range.count * blob.row.file().chunk_bytes(), now);
    hooks_.send(*link, std::move(frame));
  }
}

void BlobSync::OnChunk(Link& link, const v1::Chunk& chunk, absl::Time now) {
  const absl::StatusOr<BlobId> id = BlobId::From(chunk.blob_id());
  const auto it = id.ok() ? active_.find(*id) : active_.end();
  // Only what was asked for: an unasked chunk costs its sender's bandwidth, not our disk.
  if (it == active_.end() || !it->second.deadlines.contains(link.peer) ||
      chunk.count() != blobs_[*id].row.file().chunk_count() ||
      chunk.sealed().size() > kSealedChunkMax || chunk.path_size() > kPathMax) {
    return;
  }
  WriteChunkJob job{*id, chunk.index(), chunk.count(), chunk.sealed(), {}, link.peer};
  for (const std::string& raw : chunk.path()) {
    const absl::StatusOr<Hash> hash = Hash::From(raw);
    if (!hash.ok()) return;
    job.path.push_back(*hash);
  }
  if (!it->second.fetch.Came(link.peer, chunk.index())) return;
  it->second.deadlines[link.peer] = now + PatienceWith(blobs_[*id], link);
  hooks_.run(std::move(job));
}

void BlobSync::Measure(Active& active, uint64_t bytes, absl::Time now) {
  active.bytes += bytes;
  const absl::Duration passed = now - active.measured;
  if (passed < kMeasure) return;
  active.rate =
      static_cast<uint64_t>(static_cast<double>(active.bytes) / absl::ToDoubleSeconds(passed));
  active.bytes = 0;
  active.measured = now;
}

void BlobSync::OnChunkWritten(const ChunkWritten& written, absl::Time now) {
  const auto it = active_.find(written.blob);
  if (it == active_.end()) {
    // It was being written while its record was erased.
    if (!blobs_.contains(written.blob)) hooks_.run(EraseJob{0, {written.blob}, {}});
    return;
  }
  Active& active = it->second;
  Blob& blob = blobs_[written.blob];
  if (!written.status.ok()) {
    refusals_.Record(
        written.sender, false,
        absl::IsDataLoss(written.status) ? v1::REFUSAL_CODE_BAD_PROOF : v1::REFUSAL_CODE_STORAGE,
        absl::IsDataLoss(written.status) ? "a chunk that does not belong to its file"
                                         : "a chunk could not be stored here",
        now);
    active.fetch.NotKept(written.sender, written.index);
    DropSource(written.blob, written.sender, /*failed=*/true);
    Fetch(now);
    return;
  }
  blob.delivered.insert(written.sender);
  blob.rest = kFirstRest;
  active.fetch.Kept(written.sender, written.index);
  Measure(active, blob.row.file().chunk_bytes(), now);
  const bool mends = active.mends;
  const bool done = active.fetch.done();
  if (mends) {
    MendedOne(written.blob, blob, written.index);
  } else {
    const uint64_t before = blob.row.next_chunk();
    const uint64_t next = active.fetch.first_missing();
    blob.row.set_next_chunk(next);
    if (done) blob.row.set_complete(true);
    if (done || next / kSaveEvery != before / kSaveEvery) Save(written.blob, blob);
  }
  if (done) {
    blob.verifying = !mends;
    Requeue(written.blob, blob);
    if (!mends) hooks_.run(VerifyBlobJob{blob.row.file()});
  }
  Fetch(now);
}

void BlobSync::OnBlobVerified(const BlobVerified& verified, absl::Time now) {
  const auto it = blobs_.find(verified.blob);
  if (it == blobs_.end()) return;
  Blob& blob = it->second;
  blob.verifying = false;
  if (verified.status.ok()) {
    blob.patience = kChunkTimeout;
    blob.row.set_verified(true);
    Save(verified.blob, blob);
    Requeue(verified.blob, blob);
    hooks_.verified(blob.row.file());
    return;
  }
  if (absl::IsDataLoss(verified.status)) {
    // Every chunk belongs to the blob id, so the author sealed something else than it promised.
    blob.row.set_damaged(true);
    Save(verified.blob, blob);
    Requeue(verified.blob, blob);
    std::set<PartyId> authors;
    for (const auto& [record, naming] : blob.named_by) {
      authors.insert(naming.authors.begin(), naming.authors.end());
    }
    for (const PartyId& author : authors) {
      refusals_.Record(author, false, v1::REFUSAL_CODE_BAD_PROOF,
                       "a file whose content is not what its entry promises", now);
    }
    return;
  }
  Refetch(verified.blob, blob);  // the chunks were not all there after all
}

// The file, or all that was fetched of it, is not here any more. What was here in full is wanted
// here, however large it is.
void BlobSync::Refetch(const BlobId& id, Blob& blob) {
  if (blob.row.verified() && blob.row.wish() == v1::FILE_WISH_AUTOMATIC) {
    blob.row.set_wish(v1::FILE_WISH_FETCH);
  }
  blob.row.set_next_chunk(0);
  blob.row.set_complete(false);
  blob.row.set_verified(false);
  blob.row.clear_damaged_chunks();
  Stop(id);
  Save(id, blob);
  Requeue(id, blob);
}

bool BlobSync::OnRefused(Link& link, const v1::Refused& refused) {
  const absl::StatusOr<BlobId> id = BlobId::From(refused.subject());
  const auto it = id.ok() ? active_.find(*id) : active_.end();
  if (it == active_.end() || !it->second.deadlines.contains(link.peer)) return false;
  const bool tried =
      refused.code() == v1::REFUSAL_CODE_NOT_HERE && !HasIt(*id, blobs_[*id], link.peer);
  DropSource(*id, link.peer, /*failed=*/true);
  return tried;
}

void BlobSync::OnLinkGone(const PartyId& peer) {
  std::vector<BlobId> served;
  for (const auto& [id, active] : active_) {
    if (active.deadlines.contains(peer)) served.push_back(id);
  }
  for (const BlobId& id : served) DropSource(id, peer, /*failed=*/false);
  for (auto& [id, blob] : blobs_) {
    blob.failed.erase(peer);
    blob.delivered.erase(peer);
  }
  reads_.erase(peer);
}

void BlobSync::OnReceived(const PartyId& peer, const v1::Cosign& cosign) {
  for (const std::string& raw : cosign.received_blobs()) {
    const absl::StatusOr<BlobId> id = BlobId::From(raw);
    const auto it = id.ok() ? blobs_.find(*id) : blobs_.end();
    if (it == blobs_.end()) continue;
    const bool may_have =
        std::any_of(it->second.named_by.begin(), it->second.named_by.end(),
                    [&](const auto& named) { return named.second.allowed.contains(peer); });
    if (!may_have) continue;
    const auto& known = it->second.row.received_by();
    if (std::find(known.begin(), known.end(), peer.view()) != known.end()) continue;
    it->second.row.add_received_by(peer.str());
    Save(*id, it->second);
  }
}

void BlobSync::ClockSetBack(absl::Time now) {
  for (auto& [id, active] : active_) {
    for (auto& [source, deadline] : active.deadlines) {
      deadline = std::min(deadline, now + kChunkTimeout);
    }
    active.measured = std::min(active.measured, now);
  }
  for (auto& [id, until] : resting_) until = std::min(until, now + kRestMax);
  in_.ClockSetBack(now);
  out_.ClockSetBack(now);
}

absl::Time BlobSync::NextTimeout() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [id, active] : active_) {
    for (const auto& [source, deadline] : active.deadlines) next = std::min(next, deadline);
  }
  for (const auto& [id, until] : resting_) {
    if (until > now_seen_) next = std::min(next, until);
  }
  // A date that has come needs no waking: what waits then goes with the next step.
  if (!queue_.empty() && in_.ready() > now_seen_) next = std::min(next, in_.ready());
  if (!reads_.empty() && out_.ready() > now_seen_) next = std::min(next, out_.ready());
  return next;
}

absl::Status BlobSync::Wish(const BlobId& blob, v1::FileWish wish, int32_t priority) {
  const auto it = blobs_.find(blob);
  if (it == blobs_.end()) return absl::NotFoundError("no such file here [NO_FILE]");
  it->second.row.set_wish(wish);
  it->second.row.set_priority(priority);
  Save(blob, it->second);
  Requeue(blob, it->second);
  return absl::OkStatus();
}

BlobSync::Progress BlobSync::ProgressOf(const BlobId& blob, absl::Time now) const {
  using State = Progress::State;
  Progress out;
  const auto it = blobs_.find(blob);
  if (it == blobs_.end()) return out;
  const Blob& held = it->second;
  const v1::BlobRow& row = held.row;
  out.chunks_here = row.verified() ? row.file().chunk_count() : row.next_chunk();
  if (const auto check = checks_.find(blob); check != checks_.end()) {
    out.checked = check->second.checked;
    out.to_check = check->second.total;
  }
  if (row.damaged()) {
    out.state = State::kDamaged;
  } else if (const auto active = active_.find(blob); active != active_.end()) {
    out.state = State::kFetching;
    for (const auto& [source, deadline] : active->second.deadlines) out.sources.push_back(source);
    if (now - active->second.measured < 5 * kMeasure) out.bytes_per_second = active->second.rate;
  } else if (row.damaged_chunks_size() > 0) {
    out.state = State::kDamaged;
  } else if (row.verified()) {
    out.state = State::kHere;
  } else if (held.verifying) {
    out.state = State::kVerifying;
  } else if (row.wish() == v1::FILE_WISH_PAUSE) {
    out.state = State::kPaused;
  } else if (!Lacks(held)) {
    out.state = State::kOnRequest;
  }
  return out;
}

const v1::BlobRow* BlobSync::Find(const BlobId& blob) const {
  const auto it = blobs_.find(blob);
  return it == blobs_.end() ? nullptr : &it->second.row;
}

bool BlobSync::ReceivedBy(const BlobId& blob, const PartyId& party) const {
  const v1::BlobRow* row = Find(blob);
  if (row == nullptr) return false;
  return std::find(row->received_by().begin(), row->received_by().end(), party.view()) !=
         row->received_by().end();
}

std::vector<std::string> BlobSync::ReceivedFrom(const PartyId& author) const {
  std::vector<std::string> out;
  for (const auto& [id, blob] : blobs_) {
    if (blob.row.verified() && IsAuthor(blob, author)) out.push_back(id.str());
    if (out.size() >= 1024) break;
  }
  return out;
}

}  // namespace entente::sync

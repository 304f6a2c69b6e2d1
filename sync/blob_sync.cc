#include "sync/blob_sync.h"

#include <algorithm>
#include <utility>

#include "sync/limits.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

// Files fetched at once: enough to hide round trips, few enough to bound memory.
constexpr size_t kFetchesMax = 4;
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
      blobs_[*id].row = std::move(row);
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
    for (const PartyId& member : entry.audience) blob.allowed[member].insert(entry.jit);
    blob.authors.insert(entry.author);
  }
}

void BlobSync::AddLocal(const v1::FileRef& file) {
  const BlobId id = *BlobId::From(file.blob_id());
  Blob& blob = blobs_[id];
  *blob.row.mutable_file() = file;
  blob.row.set_next_chunk(file.chunk_count());
  blob.row.set_complete(true);
  blob.row.set_verified(true);
  Save(id, blob);
  hooks_.run(AdoptUploadJob{id});
}

void BlobSync::Save(const BlobId& id, const Blob& blob) {
  context_.store.Put(schema::Blob(id), blob.row.SerializeAsString());
}

bool BlobSync::Wanted(const Blob& blob) const {
  return !blob.row.verified() && !blob.row.damaged() && !blob.verifying &&
         Allows(blob, context_.self) && blob.row.file().plain_size() <= auto_fetch_bytes_;
}

bool BlobSync::Allows(const Blob& blob, const PartyId& party) const {
  const auto jits = blob.allowed.find(party);
  return jits != blob.allowed.end() &&
         std::any_of(jits->second.begin(), jits->second.end(), [&](const JitId& jit) {
           return !context_.exclusions->IsExcluded(jit, party);
         });
}

Link* BlobSync::LinkOf(const PartyId& peer) const {
  Link* found = nullptr;
  for (Link* link : hooks_.links()) {
    if (link->peer == peer && (found == nullptr || found->by_parcel())) found = link;
  }
  return found;
}

// The author first, a stream before a parcel, and nobody who just said it has nothing.
Link* BlobSync::SourceFor(const Blob& blob) const {
  Link* best = nullptr;
  int best_rank = 0;
  for (Link* link : hooks_.links()) {
    if (!Allows(blob, link->peer) || blob.failed.contains(link->peer)) continue;
    const int rank = 1 + (blob.authors.contains(link->peer) ? 1 : 0) + (link->by_parcel() ? 0 : 2);
    if (rank > best_rank) {
      best = link;
      best_rank = rank;
    }
  }
  return best;
}

void BlobSync::Fetch(absl::Time now) {
  // Somebody who has the file is on the line, while it is on its way by parcel: slowly, or not at
  // all when the node that was asked went down before it answered.
  const auto nearer = [this](const BlobId& id, const Blob& blob) {
    const Link* from = LinkOf(blob.source);
    if (from == nullptr || !from->by_parcel()) return false;
    const std::vector<Link*> links = hooks_.links();
    return std::any_of(links.begin(), links.end(), [&](const Link* link) {
      return !link->by_parcel() && Allows(blob, link->peer) && !blob.failed.contains(link->peer) &&
             (blob.authors.contains(link->peer) || ReceivedBy(id, link->peer));
    });
  };
  for (auto& [id, blob] : blobs_) {
    if (!blob.fetching) continue;
    const bool late = now >= blob.deadline;
    if (!late && !nearer(id, blob)) continue;
    if (late) blob.failed.insert(blob.source);
    blob.fetching = false;
    --active_;
  }
  for (auto& [id, blob] : blobs_) {
    if (active_ >= kFetchesMax) return;
    if (blob.fetching || !Wanted(blob)) continue;
    if (blob.row.next_chunk() >= blob.row.file().chunk_count()) {
      blob.verifying = true;
      hooks_.run(VerifyBlobJob{blob.row.file()});
      continue;
    }
    Link* link = SourceFor(blob);
    if (link == nullptr && !blob.failed.empty()) {
      blob.failed.clear();  // everybody failed once: start over at the next occasion
      continue;
    }
    if (link == nullptr) continue;
    blob.fetching = true;
    blob.source = link->peer;
    blob.asked_to = blob.row.next_chunk();
    blob.arrived.clear();
    ++active_;
    Ask(id, blob, *link, now);
  }
}

void BlobSync::Ask(const BlobId& id, Blob& blob, Link& link, absl::Time now) {
  const uint64_t window = link.by_parcel() ? kChunksInFlightByParcel : kChunksInFlight;
  const uint64_t end = std::min(blob.row.next_chunk() + window, blob.row.file().chunk_count());
  blob.deadline = now + (link.by_parcel() ? answer_by_parcel_ : kChunkTimeout);
  if (blob.asked_to >= end) return;
  // Ask in halves of the window: one frame for several chunks, and the road never runs dry.
  if (end - blob.asked_to < window / 2 && end < blob.row.file().chunk_count()) return;
  v1::Frame frame;
  v1::WantChunks* want = frame.mutable_want_chunks();
  want->set_blob_id(id.str());
  want->set_from(blob.asked_to);
  want->set_count(static_cast<uint32_t>(end - blob.asked_to));
  blob.asked_to = end;
  hooks_.send(link, std::move(frame));
}

void BlobSync::OnWantChunks(Link& link, const v1::WantChunks& want, absl::Time now) {
  const absl::StatusOr<BlobId> id = BlobId::From(want.blob_id());
  const auto it = id.ok() ? blobs_.find(*id) : blobs_.end();
  const bool known = it != blobs_.end() && it->second.row.complete() &&
                     Allows(it->second, link.peer) &&
                     want.from() < it->second.row.file().chunk_count();
  if (!known || want.count() > kChunksInFlightByParcel) {
    v1::Frame frame;
    frame.mutable_refused()->set_code(v1::REFUSAL_CODE_NOT_HERE);
    frame.mutable_refused()->set_subject(want.blob_id().substr(0, 64));
    frame.mutable_refused()->set_position(want.from());
    refusals_.Record(link.peer, false, v1::REFUSAL_CODE_NOT_HERE,
                     "asked for a file that is not here or not for it", now);
    hooks_.send(link, std::move(frame));
    return;
  }
  const uint64_t end = std::min(want.from() + want.count(), it->second.row.file().chunk_count());
  for (uint64_t i = want.from(); i < end; ++i) hooks_.run(ReadChunkJob{*id, i, link.peer});
}

void BlobSync::OnChunkRead(const ChunkRead& read, absl::Time now) {
  Link* link = LinkOf(read.requester);
  if (link == nullptr) return;
  v1::Frame frame;
  if (!read.status.ok()) {
    refusals_.Record(read.requester, false, v1::REFUSAL_CODE_STORAGE,
                     "a chunk of a file could not be read here", now);
    frame.mutable_refused()->set_code(v1::REFUSAL_CODE_STORAGE);
    frame.mutable_refused()->set_subject(read.blob.str());
    frame.mutable_refused()->set_position(read.index);
  } else {
    v1::Chunk* chunk = frame.mutable_chunk();
    chunk->set_blob_id(read.blob.str());
    chunk->set_index(read.index);
    chunk->set_count(read.count);
    chunk->set_sealed(read.sealed);
    for (const Hash& hash : read.path) chunk->add_path(hash.str());
  }
  hooks_.send(*link, std::move(frame));
}

void BlobSync::OnChunk(Link& link, const v1::Chunk& chunk, absl::Time now) {
  const absl::StatusOr<BlobId> id = BlobId::From(chunk.blob_id());
  const auto it = id.ok() ? blobs_.find(*id) : blobs_.end();
  // Only what was asked for: an unasked chunk costs its sender's bandwidth, not our disk.
  if (it == blobs_.end() || !it->second.fetching || it->second.source != link.peer ||
      chunk.index() >= it->second.asked_to || chunk.index() < it->second.row.next_chunk() ||
      chunk.count() != it->second.row.file().chunk_count() ||
      chunk.sealed().size() > kSealedChunkMax || chunk.path_size() > kPathMax) {
    return;
  }
  WriteChunkJob job{*id, chunk.index(), chunk.count(), chunk.sealed(), {}, link.peer};
  for (const std::string& raw : chunk.path()) {
    const absl::StatusOr<Hash> hash = Hash::From(raw);
    if (!hash.ok()) return;
    job.path.push_back(*hash);
  }
  it->second.deadline = now + (link.by_parcel() ? answer_by_parcel_ : kChunkTimeout);
  hooks_.run(std::move(job));
}

void BlobSync::OnChunkWritten(const ChunkWritten& written, absl::Time now) {
  const auto it = blobs_.find(written.blob);
  if (it == blobs_.end() || !it->second.fetching) return;
  Blob& blob = it->second;
  if (!written.status.ok()) {
    refusals_.Record(
        written.sender, false,
        absl::IsDataLoss(written.status) ? v1::REFUSAL_CODE_BAD_PROOF : v1::REFUSAL_CODE_STORAGE,
        absl::IsDataLoss(written.status) ? "a chunk that does not belong to its file"
                                         : "a chunk could not be stored here",
        now);
    blob.fetching = false;
    blob.failed.insert(written.sender);
    --active_;
    Fetch(now);
    return;
  }
  blob.arrived.insert(written.index);
  const uint64_t before = blob.row.next_chunk();
  uint64_t next = before;
  while (blob.arrived.erase(next) > 0) ++next;
  blob.row.set_next_chunk(next);
  const bool all = next >= blob.row.file().chunk_count();
  if (all) {
    blob.row.set_complete(true);
    blob.fetching = false;
    blob.verifying = true;
    --active_;
    hooks_.run(VerifyBlobJob{blob.row.file()});
  }
  if (all || next / kSaveEvery != before / kSaveEvery) Save(written.blob, blob);
  if (all) {
    Fetch(now);
  } else if (Link* link = LinkOf(blob.source)) {
    Ask(written.blob, blob, *link, now);
  }
}

void BlobSync::OnBlobVerified(const BlobVerified& verified, absl::Time now) {
  const auto it = blobs_.find(verified.blob);
  if (it == blobs_.end()) return;
  Blob& blob = it->second;
  blob.verifying = false;
  if (verified.status.ok()) {
    blob.row.set_verified(true);
    Save(verified.blob, blob);
    hooks_.verified(blob.row.file());
    return;
  }
  if (absl::IsDataLoss(verified.status)) {
    // Every chunk belongs to the blob id, so the author sealed something else than it promised.
    blob.row.set_damaged(true);
    Save(verified.blob, blob);
    for (const PartyId& author : blob.authors) {
      refusals_.Record(author, false, v1::REFUSAL_CODE_BAD_PROOF,
                       "a file whose content is not what its entry promises", now);
    }
    return;
  }
  // The chunks were not all there after all: fetch again from the start.
  blob.row.set_next_chunk(0);
  blob.row.set_complete(false);
  Save(verified.blob, blob);
}

void BlobSync::OnRefused(Link& link, const std::string& subject) {
  const absl::StatusOr<BlobId> id = BlobId::From(subject);
  const auto it = id.ok() ? blobs_.find(*id) : blobs_.end();
  if (it == blobs_.end() || !it->second.fetching || it->second.source != link.peer) return;
  it->second.fetching = false;
  it->second.failed.insert(link.peer);
  --active_;
}

void BlobSync::OnLinkGone(const PartyId& peer) {
  for (auto& [id, blob] : blobs_) {
    if (blob.fetching && blob.source == peer) {
      blob.fetching = false;
      --active_;
    }
    blob.failed.erase(peer);
  }
}

void BlobSync::OnReceived(const PartyId& peer, const v1::Cosign& cosign) {
  for (const std::string& raw : cosign.received_blobs()) {
    const absl::StatusOr<BlobId> id = BlobId::From(raw);
    const auto it = id.ok() ? blobs_.find(*id) : blobs_.end();
    if (it == blobs_.end() || !it->second.allowed.contains(peer)) continue;
    const auto& known = it->second.row.received_by();
    if (std::find(known.begin(), known.end(), peer.view()) != known.end()) continue;
    it->second.row.add_received_by(peer.str());
    Save(*id, it->second);
  }
}

void BlobSync::ClockSetBack(absl::Time now) {
  for (auto& [id, blob] : blobs_) blob.deadline = std::min(blob.deadline, now + kChunkTimeout);
}

absl::Time BlobSync::NextTimeout() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [id, blob] : blobs_) {
    if (blob.fetching) next = std::min(next, blob.deadline);
  }
  return next;
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
    if (blob.row.verified() && blob.authors.contains(author)) out.push_back(id.str());
    if (out.size() >= 1024) break;
  }
  return out;
}

}  // namespace entente::sync

// What is held of files: handed out at the pace that was agreed, read again, and mended.
#include <algorithm>
#include <utility>

#include "sync/blob_sync.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

// Chunks of one file that are remembered as damaged; of more, the whole file is fetched again.
constexpr int kDamagedMax = 4096;

}  // namespace

// ---- for others

void BlobSync::OnWantChunks(Link& link, const v1::WantChunks& want, absl::Time now) {
  const auto refuse = [&](v1::RefusalCode code, const std::string& why) {
    v1::Frame frame;
    frame.mutable_refused()->set_code(code);
    frame.mutable_refused()->set_subject(want.blob_id().substr(0, 64));
    frame.mutable_refused()->set_position(want.from());
    if (!why.empty()) refusals_.Record(link.peer, false, code, why, now);
    hooks_.send(link, std::move(frame));
  };
  const absl::StatusOr<BlobId> id = BlobId::From(want.blob_id());
  const auto it = id.ok() ? blobs_.find(*id) : blobs_.end();
  const bool may = it != blobs_.end() && Allows(it->second, link.peer) &&
                   want.from() < it->second.row.file().chunk_count();
  if (!may || want.count() > kChunksInFlightByParcel) {
    return refuse(v1::REFUSAL_CODE_NOT_HERE, "asked for a file that is not here or not for it");
  }
  // No fault of a body that may have it and tries us: the same answer, and nothing noted.
  if (!it->second.row.complete()) return refuse(v1::REFUSAL_CODE_NOT_HERE, "");
  if (want.count() == 0) return;
  const auto before = reads_.find(link.peer);
  if (before != reads_.end() && before->second.size() + want.count() > kReadsWaitingMax) {
    return refuse(v1::REFUSAL_CODE_BUDGET, "asked for more chunks than it takes");
  }
  std::deque<ReadChunkJob>& waiting = reads_[link.peer];  // never left empty
  const uint64_t end = std::min(want.from() + want.count(), it->second.row.file().chunk_count());
  for (uint64_t i = want.from(); i < end; ++i) waiting.push_back({*id, i, link.peer});
  ReadMore(now);
}

// Peers take turns, so that one that asks for much does not hold up the others.
void BlobSync::ReadMore(absl::Time now) {
  while (!reads_.empty() && out_.Ready(now)) {
    auto turn = reads_.upper_bound(last_read_);
    for (size_t tried = 0;; ++tried) {
      if (tried > reads_.size()) return;
      if (turn == reads_.end()) turn = reads_.begin();
      const Link* link = LinkOf(turn->first);
      const bool by_parcel = link != nullptr && link->by_parcel();
      const size_t at_once = by_parcel ? kChunksInFlightByParcel : kReadsPerPeer;
      if (reading_[turn->first] < at_once) break;
      ++turn;
    }
    last_read_ = turn->first;
    const ReadChunkJob job = turn->second.front();
    turn->second.pop_front();
    if (turn->second.empty()) reads_.erase(turn);
    ++reading_[job.requester];
    const auto blob = blobs_.find(job.blob);
    if (blob != blobs_.end()) out_.Spend(blob->second.row.file().chunk_bytes(), now);
    hooks_.run(job);
  }
}

void BlobSync::OnChunkRead(const ChunkRead& read, absl::Time now) {
  if (const auto it = reading_.find(read.requester); it != reading_.end()) {
    if (--it->second == 0) reading_.erase(it);
  }
  if (absl::IsDataLoss(read.status)) FoundDamaged(read.blob, {read.index});
  if (Link* link = LinkOf(read.requester)) {
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
  ReadMore(now);
}

// ---- again

absl::Status BlobSync::Check(const BlobId& blob, uint32_t percent) {
  const auto it = blobs_.find(blob);
  if (it == blobs_.end() || !it->second.row.verified()) {
    return absl::FailedPreconditionError("the file is not here in full [NOT_ARRIVED]");
  }
  if (checks_.contains(blob)) return absl::OkStatus();  // one runs already
  const uint64_t count = it->second.row.file().chunk_count();
  Checking check;
  check.percent = std::min<uint32_t>(percent, 100);
  check.total = count;
  if (check.percent < 100) {
    check.total = std::max<uint64_t>(1, count * check.percent / 100);
    std::set<uint64_t> drawn;
    while (drawn.size() < check.total) {
      uint64_t dice = 0;
      context_.entropy.Fill({reinterpret_cast<uint8_t*>(&dice), sizeof dice});
      drawn.insert(dice % count);
    }
    check.sample.assign(drawn.begin(), drawn.end());
  }
  checks_.emplace(blob, std::move(check));
  check_order_.push_back(blob);
  if (check_order_.size() == 1) CheckMore();
  return absl::OkStatus();
}

// The next piece of the check whose turn it is; one piece at a time.
void BlobSync::CheckMore() {
  if (check_under_way_ || check_order_.empty()) return;
  const BlobId& id = check_order_.front();
  Checking& check = checks_.at(id);
  CheckChunksJob job{id, {}};
  while (job.indices.size() < kChunksPerCheck && check.next < check.total) {
    job.indices.push_back(check.sample.empty() ? check.next : check.sample[check.next]);
    ++check.next;
  }
  check_under_way_ = true;
  hooks_.run(std::move(job));
}

void BlobSync::OnChunksChecked(const ChunksChecked& checked, absl::Time now) {
  check_under_way_ = false;
  const auto it = checks_.find(checked.blob);
  if (it == checks_.end()) return CheckMore();
  Checking& check = it->second;
  check.checked += checked.checked;
  check.damaged.insert(check.damaged.end(), checked.damaged.begin(), checked.damaged.end());
  if (!checked.status.ok() || check.next >= check.total) {
    EndCheck(checked, check, now);
    checks_.erase(it);
    std::erase(check_order_, checked.blob);
  }
  CheckMore();
}

void BlobSync::EndCheck(const ChunksChecked& last, const Checking& check, absl::Time now) {
  Blob& blob = blobs_[last.blob];
  const bool gone = absl::IsNotFound(last.status);
  const bool told = last.status.ok() || gone;
  const uint64_t damaged = gone ? blob.row.file().chunk_count() : check.damaged.size();
  blob.row.set_checked_at(told ? absl::ToUnixSeconds(now) : 0);
  blob.row.set_checked_percent(told ? check.percent : 0);
  blob.row.set_checked_damaged(static_cast<uint32_t>(damaged));
  // All of it was read: what was wrong when it was last looked at may have been the reading.
  if (last.status.ok() && check.sample.empty()) blob.row.clear_damaged_chunks();
  Save(last.blob, blob);
  if (!last.status.ok()) {
    refusals_.Record(context_.self, false, v1::REFUSAL_CODE_STORAGE,
                     "a file that was here can no longer be read", now);
  }
  if (gone) {
    Refetch(last.blob, blob);
  } else {  // what was found before a failure counts as well
    FoundDamaged(last.blob, check.damaged);
    Requeue(last.blob, blob);
  }
}

void BlobSync::FoundDamaged(const BlobId& id, const std::vector<uint64_t>& chunks) {
  const auto it = blobs_.find(id);
  if (it == blobs_.end() || !it->second.row.verified()) return;
  Blob& blob = it->second;
  auto& known = *blob.row.mutable_damaged_chunks();
  const int before = known.size();
  for (const uint64_t chunk : chunks) {
    if (std::find(known.begin(), known.end(), chunk) != known.end()) continue;
    if (known.size() >= kDamagedMax) return Refetch(id, blob);
    known.Add(chunk);
  }
  if (known.size() == before) return;
  Stop(id);  // what is fetched follows from the list
  Save(id, blob);
  Requeue(id, blob);
}

void BlobSync::MendedOne(const BlobId& id, Blob& blob, uint64_t index) {
  auto& damaged = *blob.row.mutable_damaged_chunks();
  const auto it = std::find(damaged.begin(), damaged.end(), index);
  if (it == damaged.end()) return;
  damaged.erase(it);
  Save(id, blob);
}

}  // namespace entente::sync

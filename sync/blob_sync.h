// Evidence files between nodes: who may have which file, what is still missing, who is asked.
//
// Pure bookkeeping: chunk bytes pass through as file jobs (sync/effects.h). Each chunk is verified
// against the blob id in the pool before it is kept; a wrong one blames its sender and leaves the
// good copy alone. A holder serves a file only to a body in the audience of an entry naming it.
// Protocol §11.
//
// A file is fetched by itself when it is small enough, otherwise when people ask for it; what is
// urgent goes first, and among equals the smaller file. A few files are fetched at once, each from
// up to three holders. Who received a file tells only its author; so others in the audience are
// tried with a single chunk of a large one, and who delivers it is asked for more.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "entente/v1/storage.pb.h"
#include "sync/bandwidth.h"
#include "sync/context.h"
#include "sync/effects.h"
#include "sync/entry_types.h"
#include "sync/file_fetch.h"
#include "sync/file_options.h"
#include "sync/limits.h"
#include "sync/link.h"
#include "sync/refusals.h"

namespace entente::sync {

class BlobSync {
 public:
  struct Hooks {
    std::function<void(Link&, v1::Frame)> send;
    std::function<std::vector<Link*>()> links;
    std::function<void(FileJob)> run;
    std::function<void(const v1::FileRef&)> verified;  // a fetched file is here in full
  };

  BlobSync(Context& context, Refusals& refusals, FileOptions options, Hooks hooks)
      : context_(context),
        refusals_(refusals),
        options_(options),
        hooks_(std::move(hooks)),
        in_(options.bytes_per_second_in),
        out_(options.bytes_per_second_out) {}

  absl::Status Load();

  // An entry names files: its audience may have them, and this node may want them.
  void Learn(const OpenedEntry& entry);
  // The record that named them is erased. The files that no other record names are forgotten: their
  // chunks are to be removed by the caller.
  std::vector<BlobId> Forget(const std::string& record);
  // A local upload: the bytes are here already.
  void AddLocal(const v1::FileRef& file);

  void OnWantChunks(Link& link, const v1::WantChunks& want, absl::Time now);
  void OnChunk(Link& link, const v1::Chunk& chunk, absl::Time now);
  // True: whoever was only tried has not got the file, which nobody needs to hear of.
  bool OnRefused(Link& link, const v1::Refused& refused);
  void OnChunkRead(const ChunkRead& read, absl::Time now);
  void OnChunkWritten(const ChunkWritten& written, absl::Time now);
  void OnBlobVerified(const BlobVerified& verified, absl::Time now);
  void OnChunksChecked(const ChunksChecked& checked, absl::Time now);
  void OnLinkGone(const PartyId& peer);
  // A peer reported files it has received in full.
  void OnReceived(const PartyId& peer, const v1::Cosign& cosign);

  // Asks for what is missing wherever a link can serve it.
  void Fetch(absl::Time now);
  absl::Time NextTimeout() const;
  // Nothing waits longer than it would have from `now` on.
  void ClockSetBack(absl::Time now);

  // ---- what people say
  // NotFound: no such file here.
  absl::Status Wish(const BlobId& blob, v1::FileWish wish, int32_t priority);
  // Reads again what is held: all of it, or so many percent of its chunks, drawn by chance. What is
  // no longer what it was is fetched again from others. A check does not outlive the process.
  // FailedPrecondition: it is not here in full.
  absl::Status Check(const BlobId& blob, uint32_t percent);

  // ---- what people ask
  struct Progress {
    enum class State { kHere, kWaiting, kFetching, kPaused, kOnRequest, kVerifying, kDamaged };
    State state = State::kWaiting;
    uint64_t chunks_here = 0;
    uint64_t bytes_per_second = 0;  // lately; 0 when it does not move
    std::vector<PartyId> sources;   // that are asked just now
    uint64_t checked = 0;           // chunks, of a check that runs
    uint64_t to_check = 0;          // 0: none runs
  };
  Progress ProgressOf(const BlobId& blob, absl::Time now) const;
  const v1::BlobRow* Find(const BlobId& blob) const;
  bool ReceivedBy(const BlobId& blob, const PartyId& party) const;
  // Blob ids that were received in full and that `author` named.
  std::vector<std::string> ReceivedFrom(const PartyId& author) const;

 private:
  static constexpr absl::Duration kFirstRest = absl::Seconds(5);
  // In what order files are fetched: urgent, asked for, small.
  using Place = std::tuple<int32_t, int, uint64_t, BlobId>;
  // What the entries of one record that name a file say of it.
  struct Naming {
    std::map<PartyId, std::set<JitId>> allowed;  // who is in the audience of one of them
    std::set<PartyId> authors;
  };
  struct Blob {
    v1::BlobRow row;
    std::map<std::string, Naming> named_by;   // record id
    std::set<PartyId> delivered;              // sources that have handed out some of it
    std::set<PartyId> failed;                 // sources that had nothing, until the next round
    absl::Duration patience = kChunkTimeout;  // with a stream; grows with every answer that is late
    absl::Duration rest = kFirstRest;         // before the next round; grows with every round
    std::optional<Place> place;               // in queue_
    bool verifying = false;
  };
  // What is fetched just now.
  struct Active {
    FileFetch fetch;
    std::map<PartyId, absl::Time> deadlines;  // by source
    bool mends = false;
    absl::Time measured;  // since then
    uint64_t bytes = 0;   // so many have come
    uint64_t rate = 0;
  };
  // A check that runs or waits for its turn.
  struct Checking {
    std::vector<uint64_t> sample;  // empty: all
    uint64_t total = 0;
    uint64_t next = 0;  // place in the sample, or chunk
    uint64_t checked = 0;
    uint32_t percent = 100;
    std::vector<uint64_t> damaged;
  };

  void Save(const BlobId& id, const Blob& blob);
  bool Allows(const Blob& blob, const PartyId& party) const;
  static bool IsAuthor(const Blob& blob, const PartyId& party);
  // Its place in the queue follows from its row; to be called when that has changed.
  void Requeue(const BlobId& id, Blob& blob);
  bool Lacks(const Blob& blob) const;
  Link* LinkOf(const PartyId& peer) const;
  absl::Duration PatienceWith(const Blob& blob, const Link& link) const;
  std::vector<Link*> SourcesFor(const BlobId& id, const Blob& blob) const;
  bool HasIt(const BlobId& id, const Blob& blob, const PartyId& peer) const;
  void DropLateSources(absl::Time now);
  void DropSource(const BlobId& id, const PartyId& source, bool failed);
  void MakeWay();
  bool NextRound(const BlobId& id, Blob& blob, absl::Time now);
  void Start(const BlobId& id, Blob& blob, absl::Time now);
  void AskAll(const BlobId& id, Active& active, absl::Time now);
  void Stop(const BlobId& id) { active_.erase(id); }
  void Measure(Active& active, uint64_t bytes, absl::Time now);
  void MendedOne(const BlobId& id, Blob& blob, uint64_t index);
  void EndCheck(const ChunksChecked& last, const Checking& check, absl::Time now);
  void FoundDamaged(const BlobId& id, const std::vector<uint64_t>& chunks);
  void Refetch(const BlobId& id, Blob& blob);
  void ReadMore(absl::Time now);
  void CheckMore();

  Context& context_;
  Refusals& refusals_;
  const FileOptions options_;
  Hooks hooks_;
  std::map<BlobId, Blob> blobs_;
  std::map<std::string, std::set<BlobId>> files_of_;  // by record id
  std::set<Place> queue_;
  std::map<BlobId, Active> active_;
  std::map<BlobId, absl::Time> resting_;  // everybody has failed: when the next round begins
  Bandwidth in_;
  Bandwidth out_;
  // Chunks that peers have asked for: waiting, and how many are being read for each.
  std::map<PartyId, std::deque<ReadChunkJob>> reads_;
  std::map<PartyId, size_t> reading_;
  PartyId last_read_;
  std::map<BlobId, Checking> checks_;
  std::deque<BlobId> check_order_;
  bool check_under_way_ = false;
  absl::Time now_seen_ = absl::InfinitePast();
};

}  // namespace entente::sync

// Evidence files between nodes: who may have which file, what is still missing, who is asked.
//
// Pure bookkeeping: chunk bytes pass through as file jobs (sync/effects.h). Each chunk is verified
// against the blob id in the pool before it is kept; a wrong one blames its sender and leaves the
// good copy alone. A holder serves a file only to a body in the audience of an entry naming it.
// Protocol §11.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "entente/v1/storage.pb.h"
#include "sync/context.h"
#include "sync/effects.h"
#include "sync/entry_types.h"
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

  // `answer_by_parcel`: how long a chunk that comes by parcel may take.
  BlobSync(Context& context, Refusals& refusals, uint64_t auto_fetch_bytes,
           absl::Duration answer_by_parcel, Hooks hooks)
      : context_(context),
        refusals_(refusals),
        auto_fetch_bytes_(auto_fetch_bytes),
        answer_by_parcel_(answer_by_parcel),
        hooks_(std::move(hooks)) {}

  absl::Status Load();

  // An entry names files: its audience may have them, and this node may want them.
  void Learn(const OpenedEntry& entry);
  // A local upload: the bytes are here already.
  void AddLocal(const v1::FileRef& file);

  void OnWantChunks(Link& link, const v1::WantChunks& want, absl::Time now);
  void OnChunk(Link& link, const v1::Chunk& chunk, absl::Time now);
  void OnRefused(Link& link, const std::string& subject);
  void OnChunkRead(const ChunkRead& read, absl::Time now);
  void OnChunkWritten(const ChunkWritten& written, absl::Time now);
  void OnBlobVerified(const BlobVerified& verified, absl::Time now);
  void OnLinkGone(const PartyId& peer);
  // A peer reported files it has received in full.
  void OnReceived(const PartyId& peer, const v1::Cosign& cosign);

  // Asks for what is missing wherever a link can serve it.
  void Fetch(absl::Time now);
  absl::Time NextTimeout() const;
  // Nothing waits longer than it would have from `now` on.
  void ClockSetBack(absl::Time now);

  const v1::BlobRow* Find(const BlobId& blob) const;
  bool ReceivedBy(const BlobId& blob, const PartyId& party) const;
  // Blob ids that were received in full and that `author` named.
  std::vector<std::string> ReceivedFrom(const PartyId& author) const;

 private:
  struct Blob {
    v1::BlobRow row;
    std::map<PartyId, std::set<JitId>> allowed;  // who is in the audience of an entry naming it
    std::set<PartyId> authors;
    bool fetching = false;
    PartyId source;
    uint64_t asked_to = 0;       // chunks below this have been asked for
    std::set<uint64_t> arrived;  // kept out of order, at or above next_chunk
    std::set<PartyId> failed;    // sources that had nothing, until the next round
    absl::Time deadline = absl::InfiniteFuture();
    bool verifying = false;
  };

  void Save(const BlobId& id, const Blob& blob);
  bool Wanted(const Blob& blob) const;
  bool Allows(const Blob& blob, const PartyId& party) const;
  Link* SourceFor(const Blob& blob) const;
  void Ask(const BlobId& id, Blob& blob, Link& link, absl::Time now);
  Link* LinkOf(const PartyId& peer) const;

  Context& context_;
  Refusals& refusals_;
  uint64_t auto_fetch_bytes_;
  absl::Duration answer_by_parcel_;
  Hooks hooks_;
  std::map<BlobId, Blob> blobs_;
  size_t active_ = 0;
};

}  // namespace entente::sync

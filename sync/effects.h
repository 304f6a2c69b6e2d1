// What goes into the core and what comes out of it. Together with Engine::Step (node/core/engine.h)
// this is the whole seam between the mind and the hands of a node.
//
// The driver carries effects out IN THIS ORDER, and may merge those of several steps as long as the
// order holds:
//   1. `writes`     one atomic, synced commit; if it fails the process stops (storage errors are
//   fatal)
//   2. answers      to local callers (node/core/engine.h)
//   3. `anchors`    appended to the signing anchor file and synced, before any frame leaves
//   4. `frames`, `parcels`, `links`    to peers and relays
//   5. `file_jobs`  for the pool; their results come back as Input
//   6. `wake_up`    the next time Step wants to be called with nothing else to say
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "entente/v1/file.pb.h"
#include "entente/v1/peer.pb.h"
#include "sync/kv.h"

namespace entente::sync {

// One stream between two nodes, numbered by the transport, never reused within a process.
using SessionId = uint64_t;

// A head that is about to leave this node, recorded outside the database so that a rolled-back
// database is noticed before it can fork its own log. Design §6.
struct AnchorRecord {
  LogId log;
  uint32_t incarnation = 0;
  uint64_t size = 0;
  Hash root;
  bool operator==(const AnchorRecord&) const = default;
};

// The newest reading key that was announced rides in the anchor file as a record of this
// incarnation number: log = zero, size = its number, root = the public key.
inline constexpr uint32_t kBoxKeyAnchor = UINT32_MAX - 2;

// The newest incarnation that was begun likewise, before anything was signed in it: size = its
// number. The log is no log: all ones.
inline constexpr uint32_t kLifeAnchor = UINT32_MAX - 3;

struct FrameOut {
  SessionId session = 0;
  v1::Frame frame;
};

// A sealed parcel for one node, to be deposited at a relay (or written to a disk).
struct ParcelOut {
  PartyId peer;
  uint64_t seq = 0;
  std::string parcel;
};

struct CloseSession {
  SessionId session = 0;
  std::string reason;
};

// ---- file jobs: everything that touches chunk files happens in the pool.

struct ReadChunkJob {  // answered by ChunkRead
  BlobId blob;
  uint64_t index = 0;
  PartyId requester;
};
struct WriteChunkJob {  // verify against the blob id, then keep; answered by ChunkWritten
  BlobId blob;
  uint64_t index = 0;
  uint64_t count = 0;
  std::string sealed;
  std::vector<Hash> path;
  PartyId sender;
};
struct VerifyBlobJob {  // open every chunk, compare the plaintext SHA-256; answered by BlobVerified
  v1::FileRef file;
};
struct AdoptUploadJob {  // a finished local upload becomes a blob that is kept
  BlobId blob;
};
struct CheckChunksJob {  // read again what is held; answered by ChunksChecked
  BlobId blob;
  std::vector<uint64_t> indices;
};
// Removes files, and rewrites the store where rows were deleted or replaced, so that nothing of
// them is on this disk any more; answered by Erased.
struct EraseJob {
  uint64_t id = 0;
  std::vector<BlobId> files;
  std::vector<std::pair<std::string, std::string>> ranges;  // of keys: [from, to)
};
using FileJob = std::variant<ReadChunkJob, WriteChunkJob, VerifyBlobJob, AdoptUploadJob,
                             CheckChunksJob, EraseJob>;

struct Effects {
  WriteBatch writes;
  std::vector<AnchorRecord> anchors;
  std::vector<FrameOut> frames;
  std::vector<ParcelOut> parcels;
  std::vector<CloseSession> closes;
  std::vector<FileJob> file_jobs;
  absl::Time wake_up = absl::InfiniteFuture();
};

// ---- inputs

struct SessionOpened {
  SessionId session = 0;
  PartyId peer;          // whose pinned key the TLS handshake proved
  Hash peer_spki;        // that key
  bool dialled = false;  // this side opened the connection
};
struct SessionClosed {
  SessionId session = 0;
  std::string reason;
};
struct FrameReceived {
  SessionId session = 0;
  v1::Frame frame;
};
struct ParcelReceived {
  std::string parcel;
};
struct ParcelDeposited {  // the relay has it, or why not
  PartyId peer;
  uint64_t seq = 0;
  absl::Status status;
};
struct ChunkRead {
  BlobId blob;
  uint64_t index = 0;
  PartyId requester;
  absl::Status status;
  uint64_t count = 0;
  std::string sealed;
  std::vector<Hash> path;
};
struct ChunkWritten {
  BlobId blob;
  uint64_t index = 0;
  PartyId sender;
  absl::Status status;  // DataLoss: the chunk does not belong to the blob
};
struct BlobVerified {
  BlobId blob;
  absl::Status status;  // DataLoss: the plaintext is not what the entry promises
};
struct ChunksChecked {
  BlobId blob;
  uint64_t checked = 0;
  std::vector<uint64_t> damaged;  // of them, no longer what they were
  absl::Status status;            // NotFound: the file itself is gone
};
struct Erased {
  uint64_t id = 0;
  absl::Status status;
};
struct Tick {};

using Input =
    std::variant<SessionOpened, SessionClosed, FrameReceived, ParcelReceived, ParcelDeposited,
                 ChunkRead, ChunkWritten, BlobVerified, ChunksChecked, Erased, Tick>;

}  // namespace entente::sync

// Bounds that a peer cannot push us past. Each is checked before anything is allocated for it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace entente::sync {

// A batch is what one signature and one synced write cover; 1 MiB keeps gRPC efficient (measured:
// larger messages gain nothing) and the memory of a session small.
inline constexpr size_t kBatchBytesMax = 1 << 20;
inline constexpr size_t kBatchEntriesMax = 4096;

// Orders to erase that one batch may rest on: a signature is checked for each.
inline constexpr int kOrdersPerBatch = 64;
// Positions that one order names: it fits into an entry with room to spare.
inline constexpr size_t kPositionsPerOrder = 8192;

// One entry: long texts fit, files do not belong here.
inline constexpr size_t kEntryBytesMax = 256 * 1024;

// What a Want may ask for at once, and how many logs are asked for at once: bounds what waits in
// a session's send queue.
inline constexpr uint32_t kWantBudgetBytes = 4 << 20;
inline constexpr size_t kWantsInFlightMax = 8;

// Entries pushed live that the peer has not acknowledged yet. Beyond it the peer pulls.
inline constexpr size_t kPushBytesMax = 4 << 20;

// Work that one peer may cause without bringing anything (peer_budget.h), in units of about 50 µs:
// a burst, and what comes back per second. An honest peer's digests, heads, wants and repeated
// pushes come to a few units a second, after a long partition to a few hundred; a reconnecting one
// to a hundred a second. The rest ends the work of a peer that has used it up.
inline constexpr int64_t kPeerWorkMax = 20'000;
inline constexpr int64_t kPeerWorkPerSecond = 1'000;
inline constexpr absl::Duration kPeerRest = absl::Seconds(10);
inline constexpr int64_t kWorkOfFrame = 1;
inline constexpr int64_t kWorkOfDigests = 10;    // hashes over every log the peer may know
inline constexpr int64_t kHeadsPerUnit = 4;      // each may need a tree at another size
inline constexpr int64_t kWorkOfBoxKeys = 100;   // mailboxes are derived anew, maybe epochs begun
inline constexpr int64_t kWorkOfWant = 20;       // up to 4 MiB are read and sent
inline constexpr int64_t kWorkOfSession = 20;    // greetings are signed
inline constexpr int64_t kWorkOfRefusal = 50;    // a signature was checked, and a row written
inline constexpr int64_t kWorkOfGarbage = 1000;  // no program of ours sends that

// Files: chunks asked for and not yet kept, per link. A parcel link has long round trips.
inline constexpr uint32_t kChunksInFlight = 8;
inline constexpr uint32_t kChunksInFlightByParcel = 48;
// Holders that one file is fetched from at once, and how far ahead of the first chunk missing.
inline constexpr size_t kFileSourcesMax = 3;
inline constexpr uint64_t kFetchSpread = 96;
// Chunks that one peer has asked for and that are being read, and that wait to be read.
inline constexpr size_t kReadsPerPeer = 8;
inline constexpr size_t kReadsWaitingMax = 8 * kChunksInFlightByParcel;
// Chunks that are read again in one job, so that a check of a large file leaves room for others.
inline constexpr size_t kChunksPerCheck = 64;

// A JIT whose agreement is not in force here: room for the signing round and no more, counted from
// the beginning of each log, so that a body that has lost its database finds the agreement again
// however much has been written since.
inline constexpr uint64_t kEntriesBeforeAgreement = 1024;
inline constexpr size_t kLogsBeforeAgreement = 1024;  // of one author
inline constexpr size_t kLogsPerJit = 100'000;
inline constexpr size_t kHeadsPerFrame = 4096;

// Logs that one peer has named and of which nothing has come yet; the next one replaces them.
inline constexpr size_t kAnnouncedLogsMax = kHeadsPerFrame;
inline constexpr size_t kMembersMax = 64;

inline constexpr uint64_t kFileChunksMax = uint64_t{1} << 32;  // 4 PiB of 1 MiB chunks

// A new epoch at least this often, so that a stolen box key goes blind.
inline constexpr absl::Duration kEpochLife = absl::Hours(7 * 24);

// Own logs that are sealed anew in one step when a key was given up in haste, and the pause between
// two such steps: 16 audiences of 40 bodies take about 0.1 s.
inline constexpr size_t kRekeysPerStep = 16;
inline constexpr absl::Duration kRekeyPause = absl::Milliseconds(50);

// How often it is looked whether a key given up in haste is still needed.
inline constexpr absl::Duration kOldKeyCheckInterval = absl::Seconds(10);

// Anti-entropy: how often two connected nodes compare digests with nothing else to say, and how
// soon after something was admitted that a third party may lack.
inline constexpr absl::Duration kDigestInterval = absl::Seconds(30);
inline constexpr absl::Duration kDigestDelay = absl::Seconds(1);
inline constexpr absl::Duration kIdleParcelInterval = absl::Minutes(30);

// An answer by parcel: both ways at the pace of the relay, and the looking. Whoever asks again
// sooner is answered twice, with files and all.
inline constexpr absl::Duration kAnswerByParcel = absl::Minutes(15);

// The same as settings of a node: a federation on narrow lines compares less often.
struct Pace {
  absl::Duration digests = kDigestInterval;
  absl::Duration idle_parcels = kIdleParcelInterval;
  absl::Duration answer_by_parcel = kAnswerByParcel;

  absl::Duration Compare(bool by_parcel) const { return by_parcel ? idle_parcels : digests; }
  absl::Duration Answer(bool by_parcel) const { return by_parcel ? answer_by_parcel : digests; }

  // For a node that sends a parcel at most every `cadence`.
  Pace WithParcelsEvery(absl::Duration cadence) const {
    return {digests, std::max(idle_parcels, cadence),
            std::max(answer_by_parcel, 2 * cadence + absl::Minutes(5))};
  }
};

// After this long no copy of a disk is left that was made before an erasure, unless the operator
// says otherwise.
inline constexpr absl::Duration kBackupsKept = absl::Hours(30 * 24);

inline constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);
inline constexpr absl::Duration kChunkTimeout = absl::Seconds(20);

// Observed entries: at most one per audience in this time for each of its members, and one a day in
// the widest audience of a JIT as a sign of life.
inline constexpr absl::Duration kObservedInterval = absl::Minutes(1);
inline constexpr absl::Duration kHeartbeatInterval = absl::Hours(24);
inline constexpr absl::Duration kObservedRetry = absl::Hours(1);

// A member that cannot open an epoch is given its keys by the author at once, and by each further
// holder this much later than the one before, so that one of them is enough. Tried again when
// nothing came of it. A log of two whose present epoch the other cannot open gets a new one at most
// this often, so that a member who says so without end costs little.
inline constexpr absl::Duration kRepairStagger = absl::Minutes(2);
inline constexpr absl::Duration kRepairRetry = absl::Hours(6);
inline constexpr absl::Duration kRepairEpochInterval = absl::Minutes(1);
inline constexpr size_t kGrantKeysMax = 4096;
inline constexpr size_t kRepairsWaitingMax = 1024;

// A peer's clock further ahead than this is flagged, never refused: refusing by our own clock would
// make members diverge.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(10);
// Nor does a stamp further ahead than this move the clock of whoever reads it.
inline constexpr absl::Duration kForeignClockAheadMax = absl::Hours(24);

inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr uint32_t kSchemaVersion = 1;

}  // namespace entente::sync

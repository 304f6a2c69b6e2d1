// Bounds that a peer cannot push us past. Each is checked before anything is allocated for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace entente::sync {

// A batch is what one signature and one synced write cover; 1 MiB keeps gRPC efficient (measured:
// larger messages gain nothing) and the memory of a session small.
inline constexpr size_t kBatchBytesMax = 1 << 20;
inline constexpr size_t kBatchEntriesMax = 4096;

// One entry: long texts fit, files do not belong here.
inline constexpr size_t kEntryBytesMax = 256 * 1024;

// What a Want may ask for at once, and how many logs are asked for at once: bounds what waits in
// a session's send queue.
inline constexpr uint32_t kWantBudgetBytes = 4 << 20;
inline constexpr size_t kWantsInFlightMax = 8;

// Entries pushed live that the peer has not acknowledged yet. Beyond it the peer pulls.
inline constexpr size_t kPushBytesMax = 4 << 20;

// Files: chunks asked for and not yet kept, per link. A parcel link has long round trips.
inline constexpr uint32_t kChunksInFlight = 8;
inline constexpr uint32_t kChunksInFlightByParcel = 48;

// Logs of a JIT whose agreement is not in force here: room for the signing round and no more.
inline constexpr uint64_t kEntriesBeforeAgreement = 1024;
inline constexpr size_t kLogsPerJit = 100'000;
inline constexpr size_t kHeadsPerFrame = 4096;
inline constexpr size_t kMembersMax = 64;

inline constexpr uint64_t kFileChunksMax = uint64_t{1} << 32;  // 4 PiB of 1 MiB chunks

// A new epoch at least this often, so that a stolen box key goes blind.
inline constexpr absl::Duration kEpochLife = absl::Hours(7 * 24);

// Anti-entropy: how often two connected nodes compare digests with nothing else to say, and how
// soon after something was admitted that a third party may lack.
inline constexpr absl::Duration kDigestInterval = absl::Seconds(30);
inline constexpr absl::Duration kDigestDelay = absl::Seconds(1);
inline constexpr absl::Duration kIdleParcelInterval = absl::Minutes(30);

inline constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);
inline constexpr absl::Duration kChunkTimeout = absl::Seconds(20);
inline constexpr absl::Duration kChunkTimeoutByParcel = absl::Minutes(15);

// Observed entries: at most one per audience in this time for each of its members, and one a day in
// the widest audience of a JIT as a sign of life.
inline constexpr absl::Duration kObservedInterval = absl::Minutes(1);
inline constexpr absl::Duration kHeartbeatInterval = absl::Hours(24);
inline constexpr absl::Duration kObservedRetry = absl::Hours(1);

// A peer's clock further ahead than this is flagged, never refused: refusing by our own clock would
// make members diverge.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(10);

inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr uint32_t kSchemaVersion = 1;

}  // namespace entente::sync

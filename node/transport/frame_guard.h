// What arrives from a peer, looked at before it becomes a message: whoever has a pinned key may
// still send two megabytes of empty elements, or of empty fields in one element, which as objects
// would take a hundred times as much. Here the bytes are walked once, without allocating anything.
//
// Pure. Design §10.12. Tests: tests/node/transport/frame_guard_test.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "entente/v1/peer.pb.h"

namespace entente::transport {

// The largest message between nodes: a batch or a chunk of 1 MiB with room for what frames it.
inline constexpr int kPeerMessageBytesMax = 2 << 20;
// Fields of one frame down to its elements: sync/limits.h allows 4096 heads or entries, and the
// rest is edge hashes.
inline constexpr size_t kFrameFieldsMax = 8192;
// Fields inside the elements of one frame, all together: 4096 heads have nine each, and later
// versions may add some.
inline constexpr size_t kElementFieldsMax = 65'536;

// Whether `message`, an ExchangeRequest or -Response, is worth parsing: not too large, well-formed
// down to the fields of its elements, not too many of either, and without groups, which nest. What
// is bytes in the schema, a body or a sealed chunk, is not looked into.
bool WorthParsing(std::string_view message);

// The frame of a message (both kinds have it as field 1); nothing when it is not one.
std::optional<v1::Frame> ParseFrame(const std::string& message);
// The message around a frame.
std::string SerializeFrame(v1::Frame frame);

}  // namespace entente::transport

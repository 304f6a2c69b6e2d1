#include "node/transport/frame_guard.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "google/protobuf/descriptor.h"

namespace entente::transport {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Message → frame → the one kind of frame, whose fields are the elements. What is deeper is inside.
constexpr int kElementDepth = 3;

struct Counts {
  size_t fields = 0;  // down to the elements
  size_t inside = 0;  // of elements
};

enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// The varint at the front, taken off; nothing when it does not end.
std::optional<uint64_t> TakeVarint(std::string_view* bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// The length of the value behind a tag; what stands before the value is taken off.
std::optional<uint64_t> ValueLength(uint64_t type, std::string_view* bytes) {
  switch (type) {
    case kVarint:
      return TakeVarint(bytes).has_value() ? std::optional<uint64_t>(0) : std::nullopt;
    case kFixed64:
      return 8;
    case kFixed32:
      return 4;
    case kBytes:
      return TakeVarint(bytes);
    default:
      return std::nullopt;  // a group, or no wire type at all
  }
}

// What `type` keeps under a tag as a message of its own; null for bytes that stay bytes.
const Descriptor* MessageBehind(const Descriptor* type, uint64_t tag) {
  if ((tag & 7) != kBytes) return nullptr;
  const FieldDescriptor* field = type->FindFieldByNumber(static_cast<int>(tag >> 3));
  return field == nullptr ? nullptr : field->message_type();
}

// Goes as deep as the messages of the schema, which contain none of their own kind.
bool Walk(std::string_view bytes, const Descriptor* type, int depth, Counts* counts) {
  const bool inside = depth > kElementDepth;
  size_t* const count = inside ? &counts->inside : &counts->fields;
  const size_t max = inside ? kElementFieldsMax : kFrameFieldsMax;
  while (!bytes.empty()) {
    const std::optional<uint64_t> tag = TakeVarint(&bytes);
    if (!tag.has_value() || ++*count > max) return false;
    // The parser cuts a larger tag down to 32 bits, and would see another field than this.
    if (*tag > std::numeric_limits<uint32_t>::max()) return false;
    const std::optional<uint64_t> length = ValueLength(*tag & 7, &bytes);
    if (!length.has_value() || *length > bytes.size()) return false;
    const Descriptor* message = MessageBehind(type, *tag);
    if (message != nullptr && !Walk(bytes.substr(0, *length), message, depth + 1, counts)) {
      return false;
    }
    bytes.remove_prefix(*length);
  }
  return true;
}

}  // namespace

bool WorthParsing(std::string_view message) {
  Counts counts;
  return message.size() <= kPeerMessageBytesMax &&
         Walk(message, v1::ExchangeRequest::descriptor(), 1, &counts);
}

std::optional<v1::Frame> ParseFrame(const std::string& message) {
  v1::ExchangeRequest parsed;
  if (!WorthParsing(message) || !parsed.ParseFromString(message) || !parsed.has_frame()) {
    return std::nullopt;
  }
  return std::move(*parsed.mutable_frame());
}

std::string SerializeFrame(v1::Frame frame) {
  v1::ExchangeRequest message;
  *message.mutable_frame() = std::move(frame);
  return message.SerializeAsString();
}

}  // namespace entente::transport

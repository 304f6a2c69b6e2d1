#include "crypto/parcel_seal.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/parcel_header.h"
#include "crypto/secret.h"

namespace entente::crypto {
namespace {

constexpr size_t kPushBytes = 64 << 10;
constexpr size_t kPushOverhead = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr size_t kStreamHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr size_t kKeyBoxBytes = 64 + kSealedBoxOverhead;
constexpr size_t kFixedBytes = kParcelHeaderBytes + kKeyBoxBytes + kStreamHeader;

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

// Content bytes (length, body, padding) that a parcel of `total` bytes carries.
constexpr size_t ContentBytes(size_t total) {
  const size_t stream = total - kFixedBytes;
  const size_t full = stream / (kPushBytes + kPushOverhead);
  const size_t rest = stream - full * (kPushBytes + kPushOverhead);
  return full * kPushBytes + (rest > kPushOverhead ? rest - kPushOverhead : 0);
}

// A last push too small to carry anything would leave a parcel short of its bucket. The sizes are
// such that this never occurs.
constexpr bool EveryBucketIsExact() {
  for (const size_t bucket : kParcelBuckets) {
    const size_t rest = (bucket - kFixedBytes) % (kPushBytes + kPushOverhead);
    if (rest != 0 && rest <= kPushOverhead) return false;
  }
  return true;
}
static_assert(EveryBucketIsExact());

std::string ContextHash(const PartyId& recipient, const KeyId& key_id, bool shared) {
  return shared ? H("parcel", {recipient.view(), key_id.view(), "shared"}).str()
                : H("parcel", {recipient.view(), key_id.view()}).str();
}

// The key of the stream, from the parcel key and the secret the two ends share, if any.
Secret32 StreamKey(const Secret32& parcel_key, const Secret32* shared) {
  return shared == nullptr ? parcel_key.Clone() : K(*shared, "parcel", {parcel_key.view()});
}

// What the box of a parcel holds: the stream's key.
absl::StatusOr<Secret32> OpenKeyBox(const BoxKeyPair& key, const PartyId& me, std::string_view box,
                                    const Secret32* shared) {
  const absl::StatusOr<SecretBytes> plain = key.Open(box);
  if (!plain.ok()) return plain.status();
  const std::string_view context = plain->view().substr(32);
  const Secret32 parcel_key = *Secret32::From(plain->view().substr(0, 32));
  if (EqualInConstantTime(context, ContextHash(me, key.id(), /*shared=*/false))) {
    return StreamKey(parcel_key, nullptr);
  }
  if (!EqualInConstantTime(context, ContextHash(me, key.id(), /*shared=*/true))) {
    return absl::UnauthenticatedError("a parcel key made for another node");
  }
  if (shared == nullptr) {
    return absl::FailedPreconditionError(
        "a parcel sealed with a shared secret that this node does not hold [NO_SHARED_SECRET]");
  }
  return StreamKey(parcel_key, shared);
}

}  // namespace

const size_t kParcelBodyBytesMax = ContentBytes(kParcelBuckets.back()) - 4;

absl::StatusOr<std::string> SealParcel(const BoxPublicKey& to, const KeyId& key_id,
                                       const PartyId& recipient, const MailboxId& mailbox,
                                       std::string_view body, Entropy& entropy,
                                       const Secret32* shared) {
  const auto bucket = std::find_if(kParcelBuckets.begin(), kParcelBuckets.end(), [&](size_t size) {
    return ContentBytes(size) >= 4 + body.size();
  });
  if (bucket == kParcelBuckets.end()) {
    return absl::InvalidArgumentError("more than one parcel holds");
  }
  std::string content;
  content.reserve(ContentBytes(*bucket));
  AppendU32(&content, static_cast<uint32_t>(body.size()));
  content.append(body);
  content.resize(ContentBytes(*bucket), '\0');

  std::string out;
  out.reserve(*bucket);
  AppendU8(&out, 1);
  AppendU8(&out, static_cast<uint8_t>(bucket - kParcelBuckets.begin()));
  out.append(mailbox.view());
  const std::string header = out;
  const Secret32 parcel_key = entropy.Draw<Secret32>();
  const SecretBytes key_plain(
      Cat(parcel_key.view(), ContextHash(recipient, key_id, shared != nullptr)));
  const absl::StatusOr<std::string> key_box = SealBox(to, key_plain.view());
  if (!key_box.ok()) return key_box.status();
  out.append(*key_box);

  crypto_secretstream_xchacha20poly1305_state state;
  std::string stream_header(kStreamHeader, '\0');
  const Secret32 stream_key = StreamKey(parcel_key, shared);
  crypto_secretstream_xchacha20poly1305_init_push(&state, Raw(stream_header), stream_key.data());
  out.append(stream_header);
  std::string push(kPushBytes + kPushOverhead, '\0');
  for (size_t at = 0; at < content.size(); at += kPushBytes) {
    const std::string_view piece = std::string_view(content).substr(at, kPushBytes);
    const bool last = at + piece.size() == content.size();
    unsigned long long written = 0;
    crypto_secretstream_xchacha20poly1305_push(
        &state, Raw(push), &written, Raw(piece), piece.size(), Raw(header), header.size(),
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
             : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
    out.append(push, 0, static_cast<size_t>(written));
  }
  WipeMemory(&state, sizeof(state));
  return out;
}

absl::StatusOr<std::string> OpenParcel(const BoxKeyPair& key, const PartyId& me,
                                       std::string_view parcel, const Secret32* shared) {
  const absl::StatusOr<ParcelHeader> header = ParseParcelHeader(parcel);
  if (!header.ok()) return header.status();
  const std::string_view header_bytes = parcel.substr(0, kParcelHeaderBytes);
  const absl::StatusOr<Secret32> stream_key =
      OpenKeyBox(key, me, parcel.substr(kParcelHeaderBytes, kKeyBoxBytes), shared);
  if (!stream_key.ok()) return stream_key.status();
  crypto_secretstream_xchacha20poly1305_state state;
  std::string_view rest = parcel.substr(kParcelHeaderBytes + kKeyBoxBytes);
  if (crypto_secretstream_xchacha20poly1305_init_pull(&state, Raw(rest), stream_key->data()) != 0) {
    return absl::UnauthenticatedError("a parcel with a malformed stream");
  }
  rest.remove_prefix(kStreamHeader);
  std::string content;
  content.reserve(ContentBytes(parcel.size()));
  std::string piece(kPushBytes, '\0');
  unsigned char tag = 0;
  while (!rest.empty()) {
    const std::string_view push = rest.substr(0, kPushBytes + kPushOverhead);
    unsigned long long opened = 0;
    if (push.size() < kPushOverhead ||
        crypto_secretstream_xchacha20poly1305_pull(&state, Raw(piece), &opened, &tag, Raw(push),
                                                   push.size(), Raw(header_bytes),
                                                   header_bytes.size()) != 0) {
      WipeMemory(&state, sizeof(state));
      return absl::UnauthenticatedError("a parcel that has been altered");
    }
    content.append(piece, 0, static_cast<size_t>(opened));
    rest.remove_prefix(push.size());
    const unsigned char expected = rest.empty() ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                                : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    if (tag != expected) {
      WipeMemory(&state, sizeof(state));
      return absl::UnauthenticatedError("a parcel that has been cut or extended");
    }
  }
  WipeMemory(&state, sizeof(state));
  const absl::StatusOr<uint32_t> length = ByteReader(content).ReadU32();
  if (!length.ok() || *length > content.size() - 4 ||
      content.find_first_not_of('\0', 4 + *length) != std::string::npos) {
    return absl::UnauthenticatedError("a parcel with malformed padding");
  }
  return content.substr(4, *length);
}

}  // namespace entente::crypto

// Sealing and opening parcels. Protocol §10.
//
//   header ‖ sealed box(parcel key ‖ H("parcel", recipient, key id)) ‖ secretstream header ‖ pushes
//
// The content is u32 length ‖ body ‖ zeros, cut into pushes of 64 KiB, the last one TAG_FINAL, so
// that a cut parcel does not open; with a secret that both ends hold, the stream's key is
// K(shared, "parcel", parcel key) and the hash in the box names it ("shared"), so that a parcel
// looks the same from outside; the total is exactly one of the bucket sizes. The header is
// bound as additional data of every push.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/box.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace entente::crypto {

// The largest body that fits the largest bucket.
extern const size_t kParcelBodyBytesMax;

// InvalidArgument: body too large, or a recipient key of low order.
absl::StatusOr<std::string> SealParcel(const BoxPublicKey& to, const KeyId& key_id,
                                       const PartyId& recipient, const MailboxId& mailbox,
                                       std::string_view body, Entropy& entropy,
                                       const Secret32* shared = nullptr);

// InvalidArgument: not a parcel, or not of exactly its bucket's size. Unauthenticated: not for this
// key and party, or altered anywhere. FailedPrecondition: sealed with a shared secret that was not
// given.
absl::StatusOr<std::string> OpenParcel(const BoxKeyPair& key, const PartyId& me,
                                       std::string_view parcel, const Secret32* shared = nullptr);

}  // namespace entente::crypto

// One member's copy of an epoch seed. Protocol §5.
//
// Plaintext: seed ‖ H("slot", log, epoch, party, key id, author card). The context is compared
// after opening, so that a slot copied into another log, epoch or author's log is refused (unknown
// key share). Boxes have one fixed length, checked before opening.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/box.h"
#include "crypto/bytes.h"
#include "crypto/secret.h"
#include "crypto/value_seal.h"

namespace entente::crypto {

inline constexpr size_t kSlotBytes = 64 + kSealedBoxOverhead;
// With a shared secret: the plaintext is sealed under it first, then boxed.
inline constexpr size_t kSecretSlotBytes = kSlotBytes + kValueOverhead;

struct SlotContext {
  LogId log;
  uint32_t epoch = 0;
  PartyId party;
  KeyId key_id;
  Hash author_card;
};

absl::StatusOr<std::string> SealSlot(const SlotContext& context, const Secret32& seed,
                                     const BoxPublicKey& to);
// Unauthenticated when it does not open with this key or was made for another place.
absl::StatusOr<Secret32> OpenSlot(const SlotContext& context, const BoxKeyPair& key,
                                  std::string_view box);

// The same for a member with whom the author shares a secret, slot form 2: inside the box the
// plaintext is sealed under K(shared, "slot-psk", context…), so that breaking X25519 does not open
// it, and neither does the secret alone.
absl::StatusOr<std::string> SealSecretSlot(const SlotContext& context, const Secret32& seed,
                                           const BoxPublicKey& to, const Secret32& shared,
                                           Entropy& entropy);
absl::StatusOr<Secret32> OpenSecretSlot(const SlotContext& context, const BoxKeyPair& key,
                                        const Secret32& shared, std::string_view box);

}  // namespace entente::crypto

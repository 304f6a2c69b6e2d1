#include "crypto/slot.h"

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

Hash ContextHash(const SlotContext& context) {
  std::string number;
  AppendU32(&number, context.epoch);
  return H("slot", {context.log.view(), number, context.party.view(), context.key_id.view(),
                    context.author_card.view()});
}

Secret32 InnerKey(const SlotContext& context, const Secret32& shared) {
  std::string number;
  AppendU32(&number, context.epoch);
  return K(shared, "slot-psk",
           {"slot", context.log.view(), number, context.party.view(), context.key_id.view(),
            context.author_card.view()});
}

absl::StatusOr<Secret32> SeedIn(const SlotContext& context, std::string_view plain) {
  if (!EqualInConstantTime(plain.substr(32), ContextHash(context).view())) {
    return absl::UnauthenticatedError("a slot that was made for another place");
  }
  return Secret32::From(plain.substr(0, 32));
}

}  // namespace

absl::StatusOr<std::string> SealSlot(const SlotContext& context, const Secret32& seed,
                                     const BoxPublicKey& to) {
  const SecretBytes plain(Cat(seed.view(), ContextHash(context).view()));
  return SealBox(to, plain.view());
}

absl::StatusOr<Secret32> OpenSlot(const SlotContext& context, const BoxKeyPair& key,
                                  std::string_view box) {
  if (box.size() != kSlotBytes) return absl::InvalidArgumentError("a slot of impossible size");
  const absl::StatusOr<SecretBytes> plain = key.Open(box);
  if (!plain.ok()) return plain.status();
  return SeedIn(context, plain->view());
}

absl::StatusOr<std::string> SealSecretSlot(const SlotContext& context, const Secret32& seed,
                                           const BoxPublicKey& to, const Secret32& shared,
                                           Entropy& entropy) {
  const SecretBytes plain(Cat(seed.view(), ContextHash(context).view()));
  // The nonce is random: a node set back to an older state may seal another seed at this place.
  return SealBox(to, SealValue(InnerKey(context, shared), "", plain.view(), entropy));
}

absl::StatusOr<Secret32> OpenSecretSlot(const SlotContext& context, const BoxKeyPair& key,
                                        const Secret32& shared, std::string_view box) {
  if (box.size() != kSecretSlotBytes)
    return absl::InvalidArgumentError("a slot of impossible size");
  const absl::StatusOr<SecretBytes> sealed = key.Open(box);
  if (!sealed.ok()) return sealed.status();
  absl::StatusOr<std::string> opened = OpenValue(InnerKey(context, shared), "", sealed->view());
  if (!opened.ok()) {
    return absl::UnauthenticatedError("a slot that does not open with this shared secret");
  }
  const SecretBytes plain(*std::move(opened));
  return SeedIn(context, plain.view());
}

}  // namespace entente::crypto

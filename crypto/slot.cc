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
  if (!EqualInConstantTime(plain->view().substr(32), ContextHash(context).view())) {
    return absl::UnauthenticatedError("a slot that was made for another place");
  }
  return Secret32::From(plain->view().substr(0, 32));
}

}  // namespace entente::crypto

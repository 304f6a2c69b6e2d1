// B2, B12 and N9: parcels that are forged, cut, altered, somebody else's, or years old.
#include <utility>

#include "crypto/hash.h"
#include "crypto/parcel_header.h"
#include "crypto/parcel_seal.h"
#include "sync/card_book.h"
#include "sync/mailbox.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

// From the key of its card, which whoever trusts the card knows.
sync::MailboxPair Mailboxes(Turncoat& self) {
  return *sync::DeriveMailboxes(self.self().who.keys->box, self.self().who.party,
                                self.pen().KeyOf(self.victim().who), self.victim().who.party);
}

std::string Sealed(Turncoat& self, const std::string& inside) {
  const BoxPublicKey key = self.pen().KeyOf(self.victim().who);
  return *crypto::SealParcel(key, crypto::BoxKeyId(key), self.victim().who.party,
                             Mailboxes(self).outgoing.id, inside, self.world().entropy());
}

// A parcel with one batch; `change` alters what is then signed, `spoil` what was.
template <class Change, class Spoil>
std::string Packed(Turncoat& self, const Change& change, const Spoil& spoil) {
  v1::ParcelBody body;
  body.set_from(self.self().who.party.str());
  body.set_to(self.victim().who.party.str());
  body.set_seq(1'000'000 + self.world().Pick(1'000'000));
  body.set_sender_card(crypto::Sha256(self.self().who.signed_card.card()).str());
  *body.add_frames()->mutable_batch() = self.pen().Whole(self.Log(1));
  change(body);
  v1::SignedParcel parcel;
  parcel.set_body(body.SerializeAsString());
  parcel.set_signature(crypto::SignStatement(self.self().who.keys->statement,
                                             crypto::Purpose::parcel, JitId(),
                                             crypto::Sha256(parcel.body()).view())
                           .str());
  spoil(parcel);
  return Sealed(self, parcel.SerializeAsString());
}

void Same(v1::ParcelBody&) {}
void Signed(v1::SignedParcel&) {}

const Behaviour kRows[] = {
    {"a good parcel", "N9", Must::kTake, kNone,
     [](Turncoat& self) { self.Parcel(Packed(self, Same, Signed)); }},
    {"one parcel three times", "B2 N9", Must::kTake, kNone,
     [](Turncoat& self) {
       const std::string parcel = Packed(self, Same, Signed);
       for (int i = 0; i < 3; ++i) self.Parcel(parcel);
     }},
    {"parcel with a false signature", "B1", Must::kIgnore, kNone,
     [](Turncoat& self) {
       self.Parcel(Packed(
           self, Same, [](v1::SignedParcel& parcel) { parcel.mutable_signature()->back() ^= 1; }));
     }},
    {"parcel in another's name", "B1", Must::kIgnore, kNone,
     [](Turncoat& self) {
       self.Parcel(Packed(
           self, [&](v1::ParcelBody& body) { body.set_from(self.victim().who.party.str()); },
           Signed));
     }},
    {"parcel for somebody else", "B2", Must::kIgnore, kNone,
     [](Turncoat& self) {
       self.Parcel(Packed(
           self, [&](v1::ParcelBody& body) { body.set_to(self.self().who.party.str()); }, Signed));
     }},
    {"parcel cut in half", "N9", Must::kIgnore, kNone,
     [](Turncoat& self) {
       std::string parcel = Packed(self, Same, Signed);
       parcel.resize(parcel.size() / 2);
       self.Parcel(parcel);
     }},
    {"parcel with one bit altered", "N8 B1", Must::kIgnore, kNone,
     [](Turncoat& self) {
       std::string parcel = Packed(self, Same, Signed);
       const size_t at = crypto::kParcelHeaderBytes + self.world().Pick(parcel.size() - 40);
       parcel[at] ^= 4;
       self.Parcel(parcel);
     }},
    {"noise of a parcel's size", "B12", Must::kIgnore, kNone,
     [](Turncoat& self) {
       std::string noise = self.world().entropy().Bytes(4096);
       noise[0] = 1;
       noise[1] = 0;
       self.Parcel(noise);
     }},
    {"sealed noise in a parcel", "B12", Must::kIgnore, kNone,
     [](Turncoat& self) { self.Parcel(Sealed(self, self.world().entropy().Bytes(900))); }},
};

}  // namespace

std::span<const Behaviour> ParcelBehaviours() { return kRows; }

}  // namespace entente::sim

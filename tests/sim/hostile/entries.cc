// B1, B2, B3: forged, replayed, reordered, cut and altered entries and heads.
#include <utility>

#include "crypto/entry_header.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

// A whole good log of three notes, changed by `change` before it is sent.
template <class Change>
void Altered(Turncoat& self, const Change& change) {
  v1::Batch batch = self.pen().Whole(self.Log(3));
  change(batch);
  self.Say(batch);
}

// The line of the signature still names its key; one bit of the signature itself is another.
void SpoilSignature(std::string* note) {
  const size_t begin = note->rfind(' ') + 1;
  const size_t end = note->rfind('\n');
  std::string line = *Base64Decode(std::string_view(*note).substr(begin, end - begin));
  line.back() = static_cast<char>(line.back() ^ 1);
  note->replace(begin, end - begin, Base64Encode(line));
}

void Swap(v1::Batch& batch, int a, int b) { batch.mutable_entries()->SwapElements(a, b); }

constexpr v1::RefusalCode kBad = v1::REFUSAL_CODE_BAD_PROOF;
constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

const Behaviour kRows[] = {
    {"forged head signature", "B1", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [&](v1::Batch& batch) {
         const auto head = crypto::ParseCheckpoint(
             batch.head_note().substr(0, batch.head_note().find("\n\n") + 1));
         batch.set_head_note(
             crypto::SignCheckpoint(*head, crypto::SigningKey::Generate(self.world().entropy())));
       });
     }},
    {"head under the right key's name", "B1", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [](v1::Batch& batch) { SpoilSignature(batch.mutable_head_note()); });
     }},
    {"head signed by the cosign key", "B1 B11", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [&](v1::Batch& batch) {
         const auto head = crypto::ParseCheckpoint(
             batch.head_note().substr(0, batch.head_note().find("\n\n") + 1));
         batch.set_head_note(crypto::SignCheckpoint(*head, self.self().who.keys->cosign));
       });
     }},
    {"log in another's name", "B1", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [&](v1::Batch& batch) {
         batch.mutable_head()->set_author(self.third().who.party.str());
         batch.mutable_head()->set_author_card(
             crypto::Sha256(self.third().who.signed_card.card()).str());
       });
     }},
    {"altered entry", "B1 B3", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self,
               [](v1::Batch& batch) { batch.mutable_entries(2)->mutable_body()->back() ^= 1; });
     }},
    {"dropped entry", "B3", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [](v1::Batch& batch) { batch.mutable_entries()->DeleteSubrange(1, 1); });
     }},
    {"swapped entries", "B3", Must::kRefuse, kBad,
     [](Turncoat& self) { Altered(self, [](v1::Batch& batch) { Swap(batch, 1, 2); }); }},
    {"inserted entry", "B3", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [](v1::Batch& batch) { *batch.add_entries() = batch.entries(2); });
     }},
    {"cut batch without its edge", "B3", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [](v1::Batch& batch) { batch.mutable_entries()->RemoveLast(); });
     }},
    {"altered edge", "B3", Must::kRefuse, kBad,
     [](Turncoat& self) {
       const PenLog log = self.Log(4);
       v1::Batch batch = self.pen().Part(log, 0, 2, log.size());
       batch.mutable_edge(0)->back() ^= 1;
       self.Say(batch);
     }},
    {"edge of no hash", "B3", Must::kRefuse, v1::REFUSAL_CODE_MALFORMED,
     [](Turncoat& self) {
       const PenLog log = self.Log(4);
       v1::Batch batch = self.pen().Part(log, 0, 2, log.size());
       batch.mutable_edge(0)->resize(7);
       self.Say(batch);
     }},
    {"head shorter than its entries", "B3", Must::kRefuse, kBad,
     [](Turncoat& self) {
       const PenLog log = self.Log(3);
       v1::Batch batch = self.pen().Whole(log);
       batch.set_head_note(self.pen().SignedHead(log, 2));
       self.Say(batch);
     }},
    {"head rolled back", "B3", Must::kTake, kNone,
     [](Turncoat& self) {
       const PenLog log = self.Log(3);
       self.Say(self.pen().Whole(log));
       self.Say(self.pen().Part(log, 0, 2, 2));
     }},
    {"same batch twice", "B2", Must::kTake, kNone,
     [](Turncoat& self) {
       const v1::Batch batch = self.pen().Whole(self.Log(2));
       for (int i = 0; i < 3; ++i) self.Say(batch);
     }},
    {"entries of another log", "B2", Must::kRefuse, v1::REFUSAL_CODE_EPOCH_INCOMPLETE,
     [](Turncoat& self) {
       v1::Batch batch = self.pen().Whole(self.Log(2));
       *batch.mutable_entries() = self.pen().Whole(self.Log(2)).entries();
       self.Say(batch);
     }},
    {"sealed entry moved to another log", "B2", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       // The log is good and signed; the entry was sealed for another place.
       PenLog log = self.Log(0);
       const PenLog other = self.Log(1);
       self.pen().Raw(log, crypto::kSealed, other.bodies[1]);
       self.Say(self.pen().Whole(log));
     }},
    {"of another JIT", "B2", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [&](v1::Batch& batch) {
         batch.mutable_head()->set_jit_id(self.world().entropy().Bytes(32));
       });
     }},
    {"of another incarnation", "B2", Must::kRefuse, kBad,
     [](Turncoat& self) {
       Altered(self, [](v1::Batch& batch) { batch.mutable_head()->set_incarnation(77); });
     }},
    {"ids of no length", "B1", Must::kRefuse, v1::REFUSAL_CODE_MALFORMED,
     [](Turncoat& self) {
       Altered(self, [](v1::Batch& batch) { batch.mutable_head()->set_author("me"); });
     }},
    {"card that nobody trusts", "B1", Must::kRefuse, v1::REFUSAL_CODE_UNTRUSTED_CARD,
     [](Turncoat& self) {
       Altered(self, [&](v1::Batch& batch) {
         batch.mutable_head()->set_author_card(self.world().entropy().Bytes(32));
       });
     }},
    {"gap", "B3", Must::kIgnore, kNone,
     [](Turncoat& self) {
       const PenLog log = self.Log(3);
       self.Say(self.pen().Part(log, 2, log.size(), log.size()));
     }},
};

}  // namespace

std::span<const Behaviour> EntryBehaviours() { return kRows; }

}  // namespace entente::sim

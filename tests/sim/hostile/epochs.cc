// B7: keys that do not fit, keys for some, keys for nobody; and what one text can be made to show.
#include <utility>

#include "crypto/entry_header.h"
#include "crypto/key_tree.h"
#include "crypto/slot.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr v1::RefusalCode kIncomplete = v1::REFUSAL_CODE_EPOCH_INCOMPLETE;
constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

// A log whose epoch `change` spoils, with one note under it.
template <class Change>
void Spoiled(Turncoat& self, const Change& change) {
  std::vector<const Identity*> readers = {&self.victim().who};
  if (&self.third() != &self.victim()) readers.push_back(&self.third().who);
  PenLog log = self.pen().Begin(self.jit(), readers);
  self.pen().Epoch(log, [&](v1::Epoch& epoch) { change(epoch, log); });
  self.pen().Seal(log, self.Note());
  self.Say(self.pen().Whole(log));
}

v1::Slot* SlotOf(Turncoat& self, v1::Epoch& epoch, const Node& node) {
  const KeyId key = crypto::BoxKeyId(self.pen().KeyOf(node.who));
  for (v1::Slot& slot : *epoch.mutable_slots()) {
    if (slot.party() == node.who.party.view() && slot.key_id() == key.view()) {
      return &slot;
    }
  }
  return epoch.mutable_slots(0);
}

const Behaviour kRows[] = {
    {"no slot for one member", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) { epoch.mutable_slots()->RemoveLast(); });
     }},
    {"no slot for the reader at all", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         for (int i = epoch.slots_size() - 1; i >= 0; --i) {
           if (epoch.slots(i).party() == self.victim().who.party.view()) {
             epoch.mutable_slots()->DeleteSubrange(i, 1);
           }
         }
       });
     }},
    {"slot that stands twice", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) { *epoch.add_slots() = epoch.slots(0); });
     }},
    {"slot of an unknown form", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         SlotOf(self, epoch, self.victim())->set_alg(v1::SLOT_ALGORITHM_X_WING);
       });
     }},
    {"slot of another length", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         SlotOf(self, epoch, self.victim())->mutable_box()->push_back('x');
       });
     }},
    {"no commitment", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [](v1::Epoch& epoch, PenLog&) { epoch.clear_seed_commit(); });
     }},
    {"commitment to another seed", "B7", Must::kLock, kNone,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         epoch.set_seed_commit(self.world().entropy().Bytes(32));
       });
     }},
    {"another key for one member", "B7", Must::kLock, kNone,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog& log) {
         const Node& node = self.victim();
         SlotOf(self, epoch, node)
             ->set_box(
                 *crypto::SealSlot({log.id, epoch.epoch(), node.who.party,
                                    crypto::BoxKeyId(self.pen().KeyOf(node.who)), log.author_card},
                                   *crypto::Secret32::From(self.world().entropy().Bytes(32)),
                                   self.pen().KeyOf(node.who)));
       });
     }},
    {"slot copied from another log", "B7 B2", Must::kLock, kNone,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog& log) {
         const Node& node = self.victim();
         const PenLog other = self.pen().Begin(self.jit(), {&node.who});
         SlotOf(self, epoch, node)
             ->set_box(
                 *crypto::SealSlot({other.id, epoch.epoch(), node.who.party,
                                    crypto::BoxKeyId(self.pen().KeyOf(node.who)), log.author_card},
                                   *crypto::Secret32::From(log.seed), self.pen().KeyOf(node.who)));
       });
     }},
    {"slot of noise", "B7", Must::kLock, kNone,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         SlotOf(self, epoch, self.victim())
             ->set_box(self.world().entropy().Bytes(crypto::kSlotBytes));
       });
     }},
    {"slots exchanged", "B7", Must::kLock, kNone,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         std::swap(*SlotOf(self, epoch, self.victim())->mutable_box(),
                   *SlotOf(self, epoch, self.self())->mutable_box());
       });
     }},
    {"epoch out of its place", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) { Spoiled(self, [](v1::Epoch& epoch, PenLog&) { epoch.set_epoch(5); }); }},
    {"epoch that starts elsewhere", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [](v1::Epoch& epoch, PenLog&) { epoch.set_first_index(0); });
     }},
    {"key tree of another depth", "B7", Must::kRefuse, kIncomplete,
     [](Turncoat& self) { Spoiled(self, [](v1::Epoch& epoch, PenLog&) { epoch.set_depth(3); }); }},
    {"salt of another audience", "B7 B8", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [&](v1::Epoch& epoch, PenLog&) {
         epoch.set_audience_salt(self.world().entropy().Bytes(16));
       });
     }},
    {"entry before any epoch", "B7", Must::kRefuse, v1::REFUSAL_CODE_MALFORMED,
     [](Turncoat& self) {
       PenLog log = self.pen().Begin(self.jit(), {&self.victim().who});
       self.pen().Raw(log, crypto::kSealed, self.world().entropy().Bytes(400));
       self.Say(self.pen().Whole(log));
     }},
    {"entry of an unknown type", "B12 B13", Must::kRefuse, v1::REFUSAL_CODE_MALFORMED,
     [](Turncoat& self) {
       PenLog log = self.Log(0);
       self.pen().Raw(log, 9, self.world().entropy().Bytes(400));
       self.Say(self.pen().Whole(log));
     }},
    {"seal that commits to another key", "B7", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       // Somewhere there may be a key under which it reads: the commitment is checked first.
       PenLog log = self.Log(0);
       PenLog scratch = log;
       self.pen().Seal(scratch, self.Note());
       std::string body = scratch.bodies.back();
       body.replace(24, 32, self.world().entropy().Bytes(32));
       self.pen().Raw(log, crypto::kSealed, body);
       self.Say(self.pen().Whole(log));
     }},
    {"epoch nested ten thousand deep", "B12", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       PenLog log = self.pen().Begin(self.jit(), {&self.victim().who});
       self.pen().Raw(log, crypto::kEpoch, std::string(10'000, '\x7b'));
       self.Say(self.pen().Whole(log));
     }},
    {"epoch with a thousand slots", "B12", Must::kRefuse, kIncomplete,
     [](Turncoat& self) {
       Spoiled(self, [](v1::Epoch& epoch, PenLog&) {
         while (epoch.slots_size() < 1000) *epoch.add_slots() = epoch.slots(0);
       });
     }},
};

}  // namespace

std::span<const Behaviour> EpochBehaviours() { return kRows; }

}  // namespace entente::sim

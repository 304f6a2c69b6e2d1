// B4 and B6: different truths for different members, and truths for some members only. What becomes
// of them shows at the end of a run: a proof at everybody (checkers/forks_are_proven.cc), and every
// entry at every member that any honest member was given.
#include <utility>

#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

// Two branches that part after `common` notes; one to each of two members.
void Fork(Turncoat& self, int common, int here, int there) {
  PenLog left = self.Log(common);
  PenLog right = left;
  for (int i = 0; i < here; ++i) self.pen().Seal(left, self.Note());
  for (int i = 0; i < there; ++i) self.pen().Seal(right, self.Note());
  self.Say(self.pen().Whole(left));
  if (&self.third() != &self.victim()) self.SayTo(self.third(), self.pen().Whole(right));
}

const Behaviour kRows[] = {
    {"two heads of one size", "B4", Must::kAnything, kNone,
     [](Turncoat& self) { Fork(self, 1, 1, 1); }},
    {"two heads of two sizes", "B4", Must::kAnything, kNone,
     [](Turncoat& self) { Fork(self, 2, 1, 4); }},
    {"a fork at the first entry", "B4", Must::kAnything, kNone,
     [](Turncoat& self) { Fork(self, 0, 3, 1); }},
    {"both branches to one member", "B4", Must::kAnything, kNone,
     [](Turncoat& self) {
       PenLog left = self.Log(1);
       PenLog right = left;
       self.pen().Seal(left, self.Note());
       self.pen().Seal(right, self.Note());
       self.Say(self.pen().Whole(left));
       self.Say(self.pen().Whole(right));
     }},
    {"tells one member alone", "B6", Must::kTake, kNone,
     [](Turncoat& self) { self.Say(self.pen().Whole(self.Log(2))); }},
    {"keeps its tail back", "B6", Must::kTake, kNone,
     [](Turncoat& self) {
       const PenLog log = self.Log(6);
       self.Say(self.pen().Part(log, 0, 4, log.size()));
     }},
    {"promises more than it gives", "B6 B14", Must::kIgnore, kNone,
     [](Turncoat& self) {
       const PenLog log = self.Log(3);
       v1::Frame frame;
       *frame.mutable_heads()->add_heads() = self.pen().Head(log, log.size());
       frame.mutable_heads()->mutable_heads(0)->set_size(1'000'000);
       self.Say(frame);
     }},
};

}  // namespace

std::span<const Behaviour> ForkBehaviours() { return kRows; }

}  // namespace entente::sim

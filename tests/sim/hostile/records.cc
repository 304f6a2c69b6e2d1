// B8: changes to records that its rules do not let their author make. The victim shows the record
// before and after; nothing of it may be otherwise.
#include <algorithm>
#include <optional>
#include <utility>

#include "entente/v1/records.pb.h"
#include "node/model/kinds.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

bool Reads(const v1::RecordView& view, const Node& node) {
  return std::find(view.audience().begin(), view.audience().end(), node.code()) !=
         view.audience().end();
}

// Evidence of somebody else that a node shows; `wanted` says which will do.
template <class Wanted>
std::optional<v1::RecordView> Evidence(Turncoat& self, Node& node, const Wanted& wanted) {
  for (v1::RecordView& view : self.RecordsOfOthers(node)) {
    if (view.has_evidence() && wanted(view)) return std::move(view);
  }
  self.NothingToDo();
  return std::nullopt;
}

// A change to that record, in a log of its own for the victim and the third.
template <class Change>
void ChangeIt(Turncoat& self, const v1::RecordView& view, const Change& change) {
  PenLog log = self.Log(0);
  v1::EntryBody body = self.Note();
  body.clear_create();
  body.set_kind(model::kEvidenceKind);
  body.set_record_id(*Unhex(view.id()));
  change(body);
  self.pen().Seal(log, body);
  self.Say(self.pen().Whole(log));
}

const Behaviour kRows[] = {
    {"amends what another owns", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       const auto view = Evidence(self, self.victim(), [](const v1::RecordView&) { return true; });
       if (!view.has_value()) return;
       v1::EvidenceItem item = view->evidence();
       item.set_title("something else");
       ChangeIt(self, *view, [&](v1::EntryBody& body) {
         body.mutable_amend()->set_record(item.SerializeAsString());
         body.mutable_amend()->add_fields(v1::EvidenceItem::kTitleFieldNumber);
       });
     }},
    {"releases what another owns", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       const auto view = Evidence(self, self.victim(), [&](const v1::RecordView& shown) {
         return !Reads(shown, self.self()) || !Reads(shown, self.third());
       });
       if (!view.has_value()) return;
       ChangeIt(self, *view, [&](v1::EntryBody& body) {
         v1::Release& release = *body.mutable_release();
         release.set_record_id(body.record_id());
         release.mutable_snapshot()->set_record(view->evidence().SerializeAsString());
         release.add_added(self.self().who.party.str());
       });
     }},
    {"moves what another owns", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       const auto view = Evidence(self, self.victim(), [](const v1::RecordView& shown) {
         return shown.state() == "REGISTERED" || shown.state() == "RELEASED";
       });
       if (!view.has_value()) return;
       ChangeIt(self, *view, [&](v1::EntryBody& body) {
         body.set_justification("none");
         body.mutable_transition()->set_from(view->state() == "RELEASED"
                                                 ? v1::EVIDENCE_STATE_RELEASED
                                                 : v1::EVIDENCE_STATE_REGISTERED);
         body.mutable_transition()->set_to(v1::EVIDENCE_STATE_RESTRICTED);
       });
     }},
    {"opens a record under another's id", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       const auto view = Evidence(self, self.third(), [&](const v1::RecordView& shown) {
         return !Reads(shown, self.victim());
       });
       if (!view.has_value()) return;
       const bool as_evidence = self.world().Pick(2) == 0;
       const v1::EntryBody note = self.Note();
       ChangeIt(self, *view, [&](v1::EntryBody& body) {
         *body.mutable_create() = note.create();
         if (as_evidence) {
           body.mutable_create()->set_record(view->evidence().SerializeAsString());
         } else {
           body.set_kind(model::kNoteKind);
         }
       });
     }},
    {"names to some what only others may see", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       if (&self.third() == &self.victim()) return self.NothingToDo();
       // The victim alone holds the first log, and the third is told of it in the second.
       PenLog narrow = self.pen().Begin(self.jit(), {&self.victim().who});
       self.pen().Epoch(narrow);
       v1::EntryBody body = self.Note();
       self.pen().Seal(narrow, body);
       self.Say(self.pen().Whole(narrow));
       self.Mark();
       PenLog log = self.Log(0);
       v1::Note note;
       note.set_text(self.Text());
       v1::Ref& ref = *body.mutable_own_prev();
       ref.set_log_id(narrow.id.str());
       ref.set_index(narrow.size() - 1);
       ref.set_leaf(narrow.leaves.back().str());
       body.set_hlc(body.hlc() + 1);
       body.mutable_amend()->set_record(note.SerializeAsString());
       body.mutable_amend()->add_fields(v1::Note::kTextFieldNumber);
       self.pen().Seal(log, body);
       self.Say(self.pen().Whole(log));
     }},
};

}  // namespace

std::span<const Behaviour> RecordBehaviours() { return kRows; }

}  // namespace entente::sim

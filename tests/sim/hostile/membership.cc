// B5, B8, B9, B10, B17: who may be in an audience, what an entry rests on, when it was made, and
// statements about agreements.
#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "entente/v1/records.pb.h"
#include "sync/record_id.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

// A good log with one note that `change` has altered before it was sealed.
template <class Change>
void OneNote(Turncoat& self, const Change& change) {
  PenLog log = self.Log(0);
  v1::EntryBody body = self.Note();
  change(body);
  self.pen().Seal(log, body);
  self.Say(self.pen().Whole(log));
}

void Texted(Turncoat& self, const std::string& around) {
  OneNote(self, [&](v1::EntryBody& body) {
    v1::Note note;
    note.ParseFromString(body.create().record());
    note.set_text(around + note.text());
    body.mutable_create()->set_record(note.SerializeAsString());
  });
}

std::string RandomHash(Turncoat& self) { return self.world().entropy().Bytes(32); }

// A statement in a log of its own, before everybody who listens.
void State(Turncoat& self, const std::string& purpose, const std::string& payload) {
  PenLog log = self.Log(0);
  self.pen().Seal(log, self.pen().StatementOf(self.jit(), purpose, payload, self.now()));
  self.Say(self.pen().Whole(log));
  self.SayTo(self.third(), self.pen().Whole(log));
}

// A successor of the version in force that all its signers could sign, proposed by hand.
std::string Rival(Turncoat& self, PenLog& log) {
  v1::Proposal proposal;
  proposal.set_prev(self.agreement());
  proposal.set_version(self.in_force().version() + 1);
  proposal.set_kind(v1::PROPOSAL_KIND_AGREEMENT);
  v1::Agreement text = self.in_force().agreement();
  text.set_purpose(Cat("As one of us alone wants it ", Hex(self.world().entropy().Bytes(8))));
  proposal.set_text(text.SerializeAsString());
  std::set<PartyId> required;
  for (const v1::SignerState& signer : self.in_force().signers()) {
    required.insert(self.world().node(signer.code()).who.party);
  }
  for (const PartyId& party : required) proposal.add_required(party.str());
  v1::EntryBody body;
  body.set_schema(1);
  body.set_user("somebody");
  body.set_proposal(proposal.SerializeAsString());
  self.pen().Seal(log, body);
  return crypto::Sha256(body.proposal()).str();
}

const Behaviour kRows[] = {
    {"audience without the reader", "B8", Must::kRefuse, v1::REFUSAL_CODE_BAD_AUDIENCE,
     [](Turncoat& self) {
       PenLog log = self.pen().Begin(self.jit(), {});
       self.pen().Epoch(log);
       self.pen().Seal(log, self.Note());
       self.Say(self.pen().Whole(log));
     }},
    {"audience with a stranger", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       PenLog log =
           self.pen().Begin(self.jit(), {&self.victim().who}, {*PartyId::From(RandomHash(self))});
       self.pen().Epoch(log);
       self.pen().Seal(log, self.Note());
       self.Say(self.pen().Whole(log));
     }},
    {"rests on no agreement", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) { OneNote(self, [](v1::EntryBody& body) { body.clear_agreement(); }); }},
    {"rests on an agreement not in force", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       OneNote(self, [&](v1::EntryBody& body) { body.set_agreement(RandomHash(self)); });
     }},
    {"made before the period", "B5", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       OneNote(self, [](v1::EntryBody& body) {
         body.set_hlc(static_cast<uint64_t>(absl::ToUnixMillis(absl::FromUnixSeconds(1))) << 16);
       });
     }},
    {"made in 2099", "B5", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       OneNote(self, [](v1::EntryBody& body) { body.set_hlc(uint64_t{4'070'908'800'000} << 16); });
     }},
    {"made at the end of all time", "B5", Must::kNoEffect, kNone,
     [](Turncoat& self) { OneNote(self, [](v1::EntryBody& body) { body.set_hlc(UINT64_MAX); }); }},
    {"based on what does not exist", "B5", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       OneNote(self, [&](v1::EntryBody& body) {
         v1::Ref* ref = body.add_based_on();
         ref->set_log_id(RandomHash(self));
         ref->set_index(3);
         ref->set_leaf(RandomHash(self));
       });
     }},
    {"kind of a later version", "B13 P3", Must::kNoEffect, kNone,
     [](Turncoat& self) { OneNote(self, [](v1::EntryBody& body) { body.set_kind(4711); }); }},
    {"record parsed as another kind", "B11", Must::kNoEffect, kNone,
     [](Turncoat& self) { OneNote(self, [](v1::EntryBody& body) { body.set_kind(5); }); }},
    {"record id of no length", "B13", Must::kNoEffect, kNone,
     [](Turncoat& self) { OneNote(self, [](v1::EntryBody& body) { body.set_record_id("x"); }); }},
    {"sealed noise", "B13", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       OneNote(self, [&](v1::EntryBody& body) {
         body.mutable_create()->set_record(self.world().entropy().Bytes(300));
       });
     }},
    {"text that turns direction", "B17", Must::kNoEffect, kNone,
     [](Turncoat& self) { Texted(self, "invoice\u202Efdp.exe "); }},
    {"text with control characters", "B17", Must::kNoEffect, kNone,
     [](Turncoat& self) { Texted(self, std::string("a\0b\x1b[2J", 7)); }},
    {"unknown fields inside the seal", "B13 P3", Must::kTake, kNone,
     [](Turncoat& self) {
       OneNote(self, [](v1::EntryBody& body) {
         body.GetReflection()->MutableUnknownFields(&body)->AddLengthDelimited(900, "of tomorrow");
       });
     }},
    {"signs and refuses one proposal", "B10", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       State(self, "sign", self.agreement());
       State(self, "refuse", self.agreement());
     }},
    {"confirms two rivals", "B10", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       for (int i = 0; i < 2; ++i) {
         PenLog log = self.Log(0);
         const std::string rival = Rival(self, log);
         for (const char* purpose : {"sign", "confirm"}) {
           self.pen().Seal(log, self.pen().StatementOf(self.jit(), purpose, rival, self.now()));
         }
         self.Say(self.pen().Whole(log));
         self.SayTo(self.third(), self.pen().Whole(log));
       }
     }},
    {"confirms what nobody proposed", "B10", Must::kNoEffect, kNone,
     [](Turncoat& self) { State(self, "confirm", RandomHash(self)); }},
    {"statement under another purpose", "B1 B11", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       PenLog log = self.Log(0);
       v1::EntryBody body =
           self.pen().StatementOf(self.jit(), "sign", self.agreement(), self.now());
       body.mutable_statement()->set_purpose("confirm");
       self.pen().Seal(log, body);
       self.Say(self.pen().Whole(log));
     }},
    {"statement in another's name", "B1 B10", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       PenLog log = self.Log(0);
       v1::EntryBody body =
           self.pen().StatementOf(self.jit(), "refuse", self.agreement(), self.now());
       body.mutable_statement()->set_signer_card(
           crypto::Sha256(self.third().who.signed_card.card()).str());
       self.pen().Seal(log, body);
       self.Say(self.pen().Whole(log));
     }},
    {"excludes somebody alone", "B8 B10", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       v1::Exclusion exclusion;
       exclusion.set_party(self.third().who.party.str());
       exclusion.set_reason("none");
       exclusion.set_agreement(self.agreement());
       State(self, "exclude", exclusion.SerializeAsString());
     }},
    {"closes another's log", "B8", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       PenLog log = self.Log(0);
       v1::EntryBody body;
       body.set_schema(1);
       body.mutable_close()->set_log_id(RandomHash(self));
       body.mutable_close()->set_size(1);
       body.mutable_close()->set_root(RandomHash(self));
       self.pen().Seal(log, body);
       self.Say(self.pen().Whole(log));
     }},
    {"claims to have seen what is not", "B14", Must::kNoEffect, kNone,
     [](Turncoat& self) {
       PenLog log = self.Log(0);
       v1::EntryBody body;
       body.set_schema(1);
       v1::Seen* seen = body.mutable_observed()->add_seen();
       seen->set_log_id(log.id.str());
       seen->set_size(uint64_t{1} << 40);
       seen->set_root(RandomHash(self));
       seen->set_opened(UINT64_MAX);
       self.pen().Seal(log, body);
       self.Say(self.pen().Whole(log));
     }},
    {"three hundred lawful notes", "B18", Must::kTake, kNone,
     [](Turncoat& self) {
       PenLog log = self.Log(1);
       const v1::EntryBody body = self.Note();
       for (int i = 0; i < 300; ++i) {
         v1::EntryBody next = body;
         next.mutable_create()->set_blind_key(self.world().entropy().Bytes(32));
         next.set_record_id(sync::RecordIdOf(self.jit(), next.kind(), self.self().who.party,
                                             next.create().blind_key())
                                .str());
         self.pen().Seal(log, next);
       }
       self.Say(self.pen().Whole(log));
     }},
};

}  // namespace

std::span<const Behaviour> MembershipBehaviours() { return kRows; }

}  // namespace entente::sim

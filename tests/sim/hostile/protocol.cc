// B11, B12, B13, B14, B16 and N5: greetings, sizes, questions and receipts.
#include <algorithm>
#include <utility>

#include "crypto/entry_header.h"
#include "crypto/signing.h"
#include "entente/v1/storage.pb.h"
#include "sync/limits.h"
#include "tests/sim/hostile/turncoat.h"

namespace entente::sim {
namespace {

constexpr v1::RefusalCode kNone = v1::REFUSAL_CODE_UNSPECIFIED;

v1::Frame WantOf(const std::string& log, uint64_t from) {
  v1::Frame frame;
  frame.mutable_want()->set_log_id(log);
  frame.mutable_want()->set_from(from);
  frame.mutable_want()->set_to(from + 10);
  frame.mutable_want()->set_budget_bytes(1 << 20);
  return frame;
}

// A log of the victim's that the turncoat is not in the audience of; noise when there is none.
std::string ForeignLog(Turncoat& self) {
  for (const auto& [key, value] : self.victim().disk.kv.rows()) {
    v1::LogRow row;
    if (key[0] != 'l' || !row.ParseFromString(value) || row.members_size() == 0) continue;
    const auto& members = row.members();
    if (std::find(members.begin(), members.end(), self.self().who.party.view()) == members.end()) {
      return key.substr(1);
    }
  }
  return self.world().entropy().Bytes(32);
}

// Of a file that the victim has and this body may not have, as far as there is one.
std::string FileForOthers(Turncoat& self) {
  for (const v1::RecordView& view : self.RecordsOfOthers(self.victim())) {
    const auto& readers = view.audience();
    if (std::find(readers.begin(), readers.end(), self.self().code()) != readers.end()) continue;
    for (const v1::FileView& file : view.files()) {
      if (file.state() != "here") continue;
      self.world().counters().Hit("asked for a file of others");
      return *Unhex(file.blob());
    }
  }
  return self.world().entropy().Bytes(32);
}

const Behaviour kRows[] = {
    {"asks for a log that is not there", "B16", Must::kRefuse, v1::REFUSAL_CODE_NOT_HERE,
     [](Turncoat& self) { self.Say(WantOf(self.world().entropy().Bytes(32), 0)); }},
    {"asks for a log that is not for it", "B16", Must::kRefuse, v1::REFUSAL_CODE_NOT_HERE,
     [](Turncoat& self) { self.Say(WantOf(ForeignLog(self), 0)); }},
    {"asks beyond the end of a log", "B16", Must::kRefuse, v1::REFUSAL_CODE_NOT_HERE,
     [](Turncoat& self) {
       const PenLog log = self.Log(1);
       self.Say(WantOf(log.id.str(), uint64_t{1} << 60));
     }},
    {"asks for a file that is not for it", "B16", Must::kRefuse, v1::REFUSAL_CODE_NOT_HERE,
     [](Turncoat& self) {
       v1::Frame frame;
       frame.mutable_want_chunks()->set_blob_id(FileForOthers(self));
       frame.mutable_want_chunks()->set_count(1);
       self.Say(frame);
     }},
    {"4097 entries in a batch", "B12", Must::kRefuse, v1::REFUSAL_CODE_TOO_BIG,
     [](Turncoat& self) {
       v1::Batch batch = self.pen().Whole(self.Log(1));
       const v1::BatchEntry entry = batch.entries(1);
       while (batch.entries_size() <= static_cast<int>(sync::kBatchEntriesMax)) {
         *batch.add_entries() = entry;
       }
       self.Say(batch);
     }},
    {"entry beyond 256 KiB", "B12", Must::kRefuse, v1::REFUSAL_CODE_TOO_BIG,
     [](Turncoat& self) {
       PenLog log = self.Log(0);
       self.pen().Raw(log, crypto::kSealed, self.world().entropy().Bytes(sync::kEntryBytesMax + 1));
       self.Say(self.pen().Whole(log));
     }},
    {"4097 heads in a frame", "B12", Must::kRefuse, v1::REFUSAL_CODE_TOO_BIG,
     [](Turncoat& self) {
       v1::Frame frame;
       const PenLog log = self.Log(0);
       for (size_t i = 0; i <= sync::kHeadsPerFrame; ++i) {
         *frame.mutable_heads()->add_heads() = self.pen().Head(log, 1);
       }
       self.Say(frame);
     }},
    {"65537 digests in a frame", "B12", Must::kRefuse, v1::REFUSAL_CODE_TOO_BIG,
     [](Turncoat& self) {
       v1::Frame frame;
       for (int i = 0; i < 65537; ++i) frame.mutable_digests()->add_jits();
       self.Say(frame);
     }},
    {"flood before an agreement", "B12", Must::kRefuse, v1::REFUSAL_CODE_BUDGET,
     [](Turncoat& self) {
       PenLog log =
           self.pen().Begin(*JitId::From(self.world().entropy().Bytes(32)), {&self.victim().who});
       self.pen().Epoch(log);
       const std::string body = self.world().entropy().Bytes(400);
       for (uint64_t i = 0; i <= sync::kEntriesBeforeAgreement; ++i) {
         self.pen().Raw(log, crypto::kSealed, body);
       }
       self.Say(self.pen().Whole(log));
     }},
    {"a frame of tomorrow", "B13 P3", Must::kIgnore, kNone,
     [](Turncoat& self) {
       v1::Frame frame;
       frame.GetReflection()->MutableUnknownFields(&frame)->AddLengthDelimited(99, "later");
       self.Say(frame);
     }},
    {"unknown fields around a batch", "B13 P3", Must::kTake, kNone,
     [](Turncoat& self) {
       v1::Batch batch = self.pen().Whole(self.Log(1));
       batch.GetReflection()->MutableUnknownFields(&batch)->AddVarint(500, 1);
       batch.mutable_head()
           ->GetReflection()
           ->MutableUnknownFields(batch.mutable_head())
           ->AddVarint(501, 2);
       self.Say(batch);
     }},
    {"receipt with a false signature", "B14", Must::kRefuse, v1::REFUSAL_CODE_BAD_PROOF,
     [](Turncoat& self) {
       const PenLog log = self.Log(1);
       self.Say(self.pen().Whole(log));
       self.Mark();
       v1::Frame frame;
       frame.mutable_cosign()->set_log_id(log.id.str());
       frame.mutable_cosign()->set_size(2);
       frame.mutable_cosign()->set_cosignature("— nobody AAAA\n");
       self.Say(frame);
     }},
    {"receipt for more than there is", "B14", Must::kIgnore, kNone,
     [](Turncoat& self) {
       v1::Frame frame;
       frame.mutable_cosign()->set_log_id(ForeignLog(self));
       frame.mutable_cosign()->set_size(uint64_t{1} << 50);
       self.Say(frame);
     }},
    {"accuses without a proof", "B4", Must::kIgnore, kNone,
     [](Turncoat& self) {
       for (const auto& [key, value] : self.self().disk.kv.rows()) {
         if (key[0] != 'l') continue;
         v1::Frame frame;
         frame.mutable_fork()->set_log_id(key.substr(1));
         v1::ForkProof proof;
         proof.set_note_a("entente/v1/x\n1\nAAAA\n\n");
         proof.set_note_b("entente/v1/x\n2\nAAAA\n\n");
         frame.mutable_fork()->set_proof(proof.SerializeAsString());
         self.Say(frame);
       }
     }},
    {"chunks that nobody asked for", "B12", Must::kIgnore, kNone,
     [](Turncoat& self) {
       v1::Frame frame;
       frame.mutable_chunk()->set_blob_id(self.world().entropy().Bytes(32));
       frame.mutable_chunk()->set_count(UINT64_MAX);
       frame.mutable_chunk()->set_index(UINT64_MAX);
       frame.mutable_chunk()->set_sealed(std::string(1 << 20, 'c'));
       for (int i = 0; i < 20; ++i) self.Say(frame);
     }},
    {"a flood of pings", "B12", Must::kIgnore, kNone,
     [](Turncoat& self) {
       v1::Frame frame;
       frame.mutable_ping()->set_token(1);
       for (int i = 0; i < 500; ++i) self.Say(frame);
     }},
    {"speaks before it greets", "B1 N5", Must::kHangUp, kNone,
     [](Turncoat& self) { self.Say(self.pen().Whole(self.Log(1))); }},
    {"another body's card", "B1 N7", Must::kHangUp, kNone,
     [](Turncoat& self) {
       self.Greet([&](v1::Hello& hello) {
         hello.set_signed_card(self.victim().who.signed_card.SerializeAsString());
       });
     }},
    {"a version that nobody speaks", "P3", Must::kHangUp, kNone,
     [](Turncoat& self) {
       self.Greet([](v1::Hello& hello) {
         hello.set_version_min(7);
         hello.set_version_max(9);
       });
     }},
    {"a nonce of no length", "B1", Must::kHangUp, kNone,
     [](Turncoat& self) { self.Greet([](v1::Hello& hello) { hello.set_nonce("short"); }); }},
    {"an altered card", "B1", Must::kHangUp, kNone,
     [](Turncoat& self) {
       self.Greet([](v1::Hello& hello) { hello.mutable_signed_card()->at(40) ^= 1; });
     }},
    {"a proof from another session", "B2", Must::kHangUp, kNone,
     [](Turncoat& self) {
       self.Greet(nullptr, [&](v1::HelloProof& proof) {
         proof.set_signature(crypto::SignStatement(self.self().who.keys->statement,
                                                   crypto::Purpose::hello, JitId(), "yesterday")
                                 .str());
       });
     }},
    {"a proof by the log key", "B11", Must::kHangUp, kNone,
     [](Turncoat& self) {
       self.Greet(nullptr, [&](v1::HelloProof& proof) {
         proof.set_signature(self.self().who.keys->log.Sign("hello").str());
       });
     }},
    {"never greets", "N5", Must::kHangUp, kNone,
     [](Turncoat& self) {
       // What a slow-loris does; the time limit of the greeting ends it.
       const absl::Time until = self.now() + sync::kHandshakeTimeout + absl::Seconds(2);
       self.world().RunUntil(until);
     }},
};

}  // namespace

std::span<const Behaviour> ProtocolBehaviours() { return kRows; }

}  // namespace entente::sim

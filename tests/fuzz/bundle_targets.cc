// Bundles for a court, from a body that holds real keys and signs whatever it likes.
#include <memory>
#include <string>
#include <utility>

#include "entente/v1/bundle.pb.h"
#include "node/bundle/bag.h"
#include "node/bundle/contents.h"
#include "node/bundle/proof_signature.h"
#include "tests/fuzz/targets.h"
#include "tests/sim/opening.h"

namespace entente::fuzz {
namespace {

// A federation in which XA has shared an item with XB and exports it.
struct Exporter {
  sim::World world{sim::World::Setup{}};
  sim::Ledger ledger{world};
  sim::Acts acts{world, ledger};
  v1::BundleProof proof;

  Exporter() {
    for (auto& node : world.nodes()) node->Boot();
    Promise(sim::OpenJit(world, acts), "a federation that does not open");
    auto add = std::make_shared<v1::AddEvidenceRequest>();
    add->mutable_item()->set_title("Ledger");
    add->mutable_item()->set_kind(v1::EVIDENCE_KIND_DOCUMENT);
    add->mutable_item()->set_measure("search");
    add->add_audience("XB");
    sim::Node& xa = world.node("XA");
    std::string ref;
    world.Call(xa, "/entente.v1.EvidenceService/AddEvidence", add,
               [&](const core::Answer& answer, const sim::Rows&) {
                 ref =
                     dynamic_cast<const v1::AddEvidenceResponse&>(*answer.response).record().ref();
               },
               {world.Upload(xa, "ledger.pdf", "%PDF")});
    world.RunFor(absl::Minutes(3));
    auto make = std::make_shared<v1::MakeBundleRequest>();
    make->add_records(ref);
    make->set_purpose("trial");
    world.Call(xa, "/entente.v1.BundleService/MakeBundle", make,
               [&](const core::Answer& answer, const sim::Rows&) {
                 const auto& made = dynamic_cast<const v1::MakeBundleResponse&>(*answer.response);
                 for (const v1::BundleText& text : made.texts()) {
                   if (text.path() == bundle::kProofPath) proof.ParseFromString(text.content());
                 }
               });
    Promise(proof.logs_size() > 0, "a bundle that was not made");
  }
};

}  // namespace

Target BundleTarget() {
  auto exporter = std::make_shared<Exporter>();
  Target target;
  target.seeds = {exporter->proof.SerializeAsString()};
  for (int log = 0; log < exporter->proof.logs_size(); ++log) {
    v1::BundleProof fewer = exporter->proof;
    fewer.mutable_logs()->DeleteSubrange(log, 1);
    target.seeds.push_back(fewer.SerializeAsString());
  }
  target.run = [exporter](std::string_view bytes) {
    v1::BundleProof proof;
    if (!proof.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    const auto jit = JitId::From(proof.jit_id());
    const auto party = PartyId::From(proof.exporter());
    if (!jit.ok() || !party.ok()) return;
    const std::string signature =
        bundle::SignProof(exporter->world.node("XA").who.keys->statement, *jit, *party, bytes);
    const auto opened = bundle::OpenedBundle::Open(bytes, signature);
    if (!opened.ok()) return;
    Promise(!(*opened)->records().empty(), "a bundle about nothing");
    for (const model::Record* record : (*opened)->records()) {
      Promise((*opened)->model().Fold(*record).exists, "an item that nobody registered");
    }
    for (const auto& [id, log] : (*opened)->logs()) {
      Promise(!log.entries.empty() && log.entries.back().ref.index < log.size,
              "entries beyond the head that covers them");
    }
    const auto again = bundle::OpenedBundle::Open(bytes, signature);
    Promise(again.ok() && bundle::Contents(**opened, bytes, signature) ==
                              bundle::Contents(**again, bytes, signature),
            "a bundle that reads differently the second time");
  };
  return target;
}

Target ExportSignatureTarget() {
  const auto key = std::make_shared<crypto::SigningKey>(
      crypto::SigningKey::FromSeed(*crypto::Secret32::From("0123456789abcdef0123456789abcdef")));
  const JitId jit = *JitId::From(std::string(32, 'j'));
  const PartyId party = *PartyId::From(std::string(32, 'p'));
  Target target;
  target.seeds = {bundle::SignProof(*key, jit, party, "the proof"),
                  bundle::SignProof(*key, jit, party, "")};
  target.run = [key, seeds = target.seeds](std::string_view bytes) {
    const auto parsed = bundle::ParseProofSignature(bytes);
    if (!parsed.ok() || !bundle::VerifyProofSignature(*parsed, key->public_key()).ok()) return;
    // The party is no part of what is signed; the proof names it once more.
    for (const std::string& seed : seeds) {
      const auto good = bundle::ParseProofSignature(seed);
      if (good->digest == parsed->digest && good->jit == parsed->jit) return;
    }
    Promise(false, "a signature over what was never signed");
  };
  return target;
}

}  // namespace entente::fuzz

// Cards, proofs, votes and the frames of a stream.
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "sync/agreement.h"
#include "sync/card_book.h"
#include "sync/fork.h"
#include "sync/schema.h"
#include "tests/fuzz/targets.h"
#include "tests/sync/federation.h"

namespace entente::fuzz {
namespace {

sync::Federation& Cast() {
  static auto* federation = new sync::Federation({"XA", "XB"});
  return *federation;
}

}  // namespace

Target CardTarget() {
  const PartyId party = Cast()["XA"].party;
  const std::string good = Cast()["XA"].signed_card;
  return {{good}, [party, good](std::string_view bytes) {
            const auto card = sync::VerifyCard(bytes);
            // Only the party itself can make a card of its own; this one made exactly one.
            v1::SignedCard original;
            original.ParseFromString(good);
            Promise(
                !card.ok() || card->party != party || card->hash == crypto::Sha256(original.card()),
                "a forged card");
          }};
}

// The contents are hostile, the party's signature over them is good.
Target CardInsideTarget() {
  const sync::Body& body = Cast()["XA"];
  const crypto::SigningKey* root = &body.root.root;
  return {{body.card.SerializeAsString()}, [root](std::string_view bytes) {
            v1::SignedCard outer;
            outer.set_card(std::string(bytes));
            outer.set_signature(
                crypto::SignStatement(*root, crypto::Purpose::card, JitId(), bytes).str());
            const std::string signed_card = outer.SerializeAsString();
            const auto card = sync::VerifyCard(signed_card);
            if (!card.ok()) return;
            Promise(card->party.view() == root->public_key().view(), "a card of another party");
            sync::CardBook book;
            sync::WriteBatch writes;
            Promise(book.Trust(signed_card, &writes).ok(), "a good card that nobody can trust");
            // Beside the party's other card: only two of one number are a fork.
            const auto alarm = book.LearnFork({Cast()["XA"].signed_card, signed_card}, &writes);
            Promise(!alarm.ok() || card->card.seq() == Cast()["XA"].card.seq(),
                    "an alarm about two cards that follow each other");
            for (const v1::BoxKey& key : {card->card.box_key(), card->card.recovery_box_key()}) {
              Promise(crypto::SealBox(*BoxPublicKey::From(key.public_key()), "seed").ok(),
                      "a trusted card that nothing can be sealed to");
            }
          }};
}

// Three signers, one hostile, whose proposals and statements come in any order: at most one
// successor of a version is ever in force here.
Target DecisionsTarget() {
  v1::Proposal good;
  const JitId jit = *JitId::From(std::string(32, 'J'));
  good.set_prev(sync::GenesisOf(jit, v1::PROPOSAL_KIND_AGREEMENT).str());
  good.set_version(1);
  good.set_kind(v1::PROPOSAL_KIND_AGREEMENT);
  for (const char party : {'a', 'b', 'c'}) good.add_required(std::string(32, party));
  const std::string first = good.SerializeAsString();
  good.set_text("another");
  const std::string second = good.SerializeAsString();
  // Below 0x40 a proposal, above it a statement: text, signer and word follow from the value.
  return {{std::string("\x00\x01\x42\x46\x52\x56\x40\x44\x48\x50\x54", 11), first, second},
          [=](std::string_view bytes) {
            sync::DecisionChain chain(jit, v1::PROPOSAL_KIND_AGREEMENT);
            const sync::Members all = {*PartyId::From(std::string(32, 'a')),
                                       *PartyId::From(std::string(32, 'b')),
                                       *PartyId::From(std::string(32, 'c'))};
            const PartyId self = *all.begin();
            const std::vector<std::string> texts = {first, second, std::string(bytes)};
            std::map<Hash, Hash> locks;
            uint64_t hlc = 0;
            for (const char c : bytes.substr(0, 24)) {
              const auto code = static_cast<unsigned char>(c);
              const std::string& text = texts[code % 3];
              const PartyId signer = *std::next(all.begin(), 1 + (code >> 2) % 2);
              const std::string payload = crypto::Sha256(text).str();
              constexpr std::string_view kWords[] = {"sign", "refuse", "confirm", "exclude"};
              if (code < 0x40) {
                chain.AddProposal(signer, "ada", ++hlc, all, text);
              } else {
                chain.AddStatement(signer, kWords[code >> 3 & 3], payload, "ada", ++hlc);
              }
              chain.Evaluate([&](const v1::Proposal&,
                                 const sync::ProposalState*) -> absl::StatusOr<std::set<PartyId>> {
                return all;
              });
              for (const auto& [hash, proposal] : std::map(chain.all())) {
                if (chain.MaySign(self, hash).ok() && code % 2 == 0) {
                  chain.AddStatement(self, "sign", hash.view(), "", ++hlc);
                }
              }
              const auto lock = [&](const Hash& prev) -> std::optional<Hash> {
                return locks.contains(prev) ? std::optional(locks[prev]) : std::nullopt;
              };
              for (const Hash& hash : chain.ToConfirm(self, lock)) {
                const Hash prev = *Hash::From(chain.Find(hash)->proposal.prev());
                Promise(locks.emplace(prev, hash).first->second == hash, "two confirmations");
                chain.AddStatement(self, "confirm", hash.view(), "", ++hlc);
              }
              std::set<std::string> prevs;
              for (const auto& [hash, proposal] : chain.all()) {
                Promise(!proposal.InForce() || prevs.insert(proposal.proposal.prev()).second,
                        "two successors in force");
              }
            }
          }};
}

// Two heads of ONE tree, both signed by its author: nobody can make a fork of them, whatever
// ranges are put beside. A head of another tree makes a proof, and only with its own ranges.
Target ForkProofTarget() {
  const sync::Body& body = Cast()["XA"];
  const crypto::SigningKey* key = &body.keys->log;
  const LogId log = *LogId::From(std::string(32, 'L'));
  std::vector<Hash> leaves;
  for (int i = 0; i < 20; ++i) leaves.push_back(crypto::Sha256(std::to_string(i)));
  const crypto::VectorMerkleSource tree(leaves);
  std::vector<std::string> notes;
  v1::ForkProof honest;
  for (const uint64_t size : {0u, 1u, 5u, 8u, 13u, 20u}) {
    const crypto::Checkpoint head{crypto::LogOrigin(log), size,
                                  *crypto::RangeFrom(tree, 0, size)->Root()};
    notes.push_back(crypto::SignCheckpoint(head, *key));
  }
  const std::string alien =
      crypto::SignCheckpoint({crypto::LogOrigin(log), 5, crypto::Sha256("another tree")}, *key);
  honest.set_note_a(alien);
  honest.set_note_b(notes.back());
  const crypto::CompactRange left = *crypto::RangeFrom(tree, 0, 5);
  const crypto::CompactRange mid = *crypto::RangeFrom(tree, 5, 20);
  for (const Hash& hash : left.hashes()) honest.add_left(hash.str());
  for (const Hash& hash : mid.hashes()) honest.add_mid(hash.str());
  Promise(sync::VerifyFork(honest, log, key->public_key()).ok(), "a good proof");
  return {
      {honest.SerializeAsString()}, [=](std::string_view bytes) {
        v1::ForkProof proof;
        if (!proof.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
        const auto as_sent = sync::VerifyFork(proof, log, key->public_key());
        const std::string other = Base64Encode(crypto::Sha256("another tree").view());
        Promise(
            !as_sent.ok() || Cat(proof.note_a(), proof.note_b()).find(other) != std::string::npos,
            "a fork without a second tree");
        const size_t a = bytes.size() % notes.size();
        const size_t b = a + proof.left_size() % (notes.size() - a);
        proof.set_note_a(notes[a]);
        proof.set_note_b(notes[b]);
        Promise(!sync::VerifyFork(proof, log, key->public_key()).ok(), "a fork made of one tree");
      }};
}

// A ready session between two nodes; the receiver is fed altered frames. It may refuse what it
// likes, but never shows an entry that its author did not write.
Target FrameTarget() {
  auto federation = std::make_shared<sync::Federation>(std::vector<std::string>{"XA", "XB"});
  sync::Federation& f = *federation;
  auto seeds = std::make_shared<std::vector<std::string>>();
  f.on_frame = [seeds](sync::Body&, sync::Body& to, v1::Frame& frame) {
    if (to.code == "XB") seeds->push_back(frame.SerializeAsString());
    return true;
  };
  f.TrustAll();
  const auto all = std::make_shared<std::set<std::string>>();
  for (int i = 0; i < 5; ++i) {
    const std::string text = "text " + std::to_string(i);
    all->insert(text);
    Promise(f.Write(f["XA"], {"XA", "XB"}, text).ok(), "writing");
  }
  f.Connect(f["XA"], f["XB"]);
  f.Settle();
  const std::vector<std::string> found = *seeds;
  // The receiver forgets and hears nothing but greetings, so that altered batches meet an empty
  // log.
  f["XB"].disk.rows().clear();
  sync::WriteBatch rows;
  for (const char* code : {"XA", "XB"}) {
    rows.Put(sync::schema::Card(f[code].party), f[code].signed_card);
  }
  Promise(f["XB"].disk.Commit(rows).ok(), "cards");
  f.on_frame = [](sync::Body&, sync::Body& to, v1::Frame& frame) {
    return to.code != "XB" || frame.has_hello() || frame.has_hello_proof();
  };
  f.Start(f["XB"]);
  auto session = std::make_shared<sync::SessionId>(f.Connect(f["XA"], f["XB"]) + 1);
  f.Settle();
  return {found, [federation, session, all](std::string_view bytes) {
            sync::Federation& world = *federation;
            v1::Frame frame;
            if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
            world.Feed(world["XB"], sync::Input(sync::FrameReceived{*session, frame}));
            world.Settle();
            for (const std::string& text : world["XB"].TextsOf(world["XA"])) {
              Promise(all->contains(text), "an entry that nobody wrote");
            }
            if (world["XB"].replica->Connected(world["XA"].party)) return;
            world.Start(world["XB"]);
            *session = world.Connect(world["XA"], world["XB"]) + 1;
            world.Settle();
          }};
}

}  // namespace entente::fuzz

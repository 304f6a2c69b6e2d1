#include "tests/vectors/vectors.h"

#include <string_view>

#include "crypto/anchor.h"
#include "crypto/body_seal.h"
#include "crypto/box.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/entry_header.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/ids.h"
#include "crypto/key_tree.h"
#include "crypto/keystore.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/parcel_seal.h"
#include "crypto/signing.h"
#include "crypto/slot.h"
#include "crypto/words.h"
#include "sync/box_keys.h"
#include "sync/mailbox.h"
#include "sync/shared_secrets.h"

namespace entente {
namespace {

using crypto::Secret32;

// 32 bytes that count up from `first`.
std::string Counting(uint8_t first, size_t n = 32) {
  std::string out(n, '\0');
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<char>(first + i);
  return out;
}
Secret32 SecretFrom(uint8_t first) { return *Secret32::From(Counting(first)); }

class Maker {
 public:
  Vectors Make() {
    Labels();
    Identities();
    Entries();
    Keys();
    Heads();
    Files();
    Parcel();
    BoxKeyStatement();
    Secrets();
    Anchor();
    Grants();
    return std::move(out_);
  }

 private:
  void Put(std::string name, std::string_view bytes) {
    out_.emplace_back(std::move(name), std::string(bytes));
  }

  void Labels() {
    Put("label.h", crypto::H("example", {"one", "", "three"}).view());
    Put("label.k", crypto::K(SecretFrom(0), "example", {"one"}).view());
    const crypto::KeyAndCommit both = crypto::K64(SecretFrom(0), "example", {"one"});
    Put("label.k64", Cat(both.key.view(), both.commit.view()));
  }

  void Identities() {
    const crypto::SigningKey key = crypto::SigningKey::FromSeed(SecretFrom(1));
    Put("statement.seed", SecretFrom(1).view());
    Put("statement.public", key.public_key().view());
    Put("statement.bytes", crypto::StatementBytes(crypto::Purpose::sign, jit_, "payload"));
    Put("statement.signature",
        crypto::SignStatement(key, crypto::Purpose::sign, jit_, "payload").view());
    Put("words.party", a_.view());
    Put("words.text", crypto::WordString(a_));
    Put("ids.salt", Counting(0x80, 16));
    audience_ = *crypto::ComputeAudienceId(jit_, Counting(0x80, 16), {a_, b_});
    Put("ids.audience", audience_.view());
    log_ = crypto::ComputeLogId(jit_, key.public_key(), audience_, 1);
    Put("ids.log", log_.view());
  }

  void Entries() {
    crypto::EntryHeader header{1, crypto::kSealed, 1, 1, 0, log_, Hash()};
    const Secret32 key = SecretFrom(0x10);
    const std::string body = *crypto::SealBody(key, header, "a short text", entropy_);
    Put("body.key", key.view());
    Put("body.plain", "a short text");
    Put("body.sealed", body);
    Put("body.header", header.Encode());
    Put("body.leaf", crypto::LeafHash(header).view());
  }

  void Keys() {
    const Secret32 seed = SecretFrom(0x20);
    Put("tree.seed", seed.view());
    Put("tree.leaf0", crypto::Subtree(seed, crypto::kTreeDepth, 0).view());
    Put("tree.leaf12345", crypto::Subtree(seed, crypto::kTreeDepth, 12345).view());
    Put("tree.right_half", crypto::Subtree(seed, 1, 1).view());
    Put("tree.commit", crypto::SeedCommit(log_, 1, seed).view());
    const crypto::BoxKeyPair box = crypto::BoxKeyPair::FromSecret(SecretFrom(0x30));
    Put("slot.secret", box.secret().view());
    Put("slot.public", box.public_key().view());
    Put("slot.key_id", box.id().view());
    const crypto::SlotContext context{log_, 1, b_, box.id(), *Hash::From(Counting(0x70))};
    Put("slot.author_card", context.author_card.view());
    Put("slot.box", *crypto::SealSlot(context, seed, box.public_key()));
  }

  void Heads() {
    std::vector<Hash> leaves;
    for (uint8_t i = 0; i < 5; ++i) leaves.push_back(crypto::Sha256(Counting(i)));
    const crypto::VectorMerkleSource tree(leaves);
    const Hash root = *crypto::RangeFrom(tree, 0, 5)->Root();
    Put("merkle.root5", root.view());
    std::string edge;
    const crypto::CompactRange range = *crypto::RangeFrom(tree, 1, 5);
    for (const Hash& hash : range.hashes()) edge.append(hash.view());
    Put("merkle.range1to5", edge);
    const crypto::SigningKey key = crypto::SigningKey::FromSeed(SecretFrom(1));
    const std::string note = crypto::SignCheckpoint({crypto::LogOrigin(log_), 5, root}, key);
    Put("head.note", note);
    const crypto::SigningKey cosigner = crypto::SigningKey::FromSeed(SecretFrom(2));
    Put("head.cosigner_public", cosigner.public_key().view());
    Put("head.cosignature", crypto::CosignLine(note, b_, cosigner, 1'800'000'000));
  }

  void Files() {
    const Secret32 key = SecretFrom(0x40);
    const std::string content = Counting(0, 200) + Counting(0, 200);
    const crypto::FileSealer sealer(key, content.size(), 256);
    const std::string first = *sealer.SealChunk(0, content.substr(0, 256));
    const std::string last = *sealer.SealChunk(1, content.substr(256));
    Put("file.key", key.view());
    Put("file.plain", content);
    Put("file.commit", sealer.commit().view());
    Put("file.chunk0", first);
    Put("file.chunk1", last);
    Put("file.blob_id", crypto::NodeHash(crypto::ChunkLeaf(first), crypto::ChunkLeaf(last)).view());
  }

  void Parcel() {
    const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy_);
    crypto::NodeKeys keys = *crypto::GenerateNodeKeys(root, "XA", entropy_);
    keys.box = crypto::BoxKeyPair::FromSecret(SecretFrom(0x50));
    const crypto::BoxKeyPair peer_box = crypto::BoxKeyPair::FromSecret(SecretFrom(0x30));
    const sync::MailboxPair pair = *sync::DeriveMailboxes(keys.box, a_, peer_box.public_key(), b_);
    Put("mailbox.secret", keys.box.secret().view());
    Put("mailbox.id", pair.outgoing.id.view());
    Put("mailbox.deposit_seed", pair.outgoing.deposit_seed);
    const std::string body = Counting(0, 250);
    Put("parcel.body", body);
    Put("parcel.sealed", *crypto::SealParcel(peer_box.public_key(), peer_box.id(), b_,
                                             pair.outgoing.id, body, entropy_));
  }

  void BoxKeyStatement() {
    const crypto::SigningKey statement = crypto::SigningKey::FromSeed(SecretFrom(0x60));
    const crypto::BoxKeyPair box = crypto::BoxKeyPair::FromSecret(SecretFrom(0x30));
    v1::BoxKeyNotice notice;
    notice.set_party(b_.str());
    notice.set_card(Counting(0x70));
    notice.set_seq(1'800'000'000);
    notice.mutable_key()->set_id(box.id().str());
    notice.mutable_key()->set_public_key(box.public_key().str());
    notice.mutable_key()->set_not_after(1'807'776'000);
    notice.set_created(1'800'000'000);
    notice.set_emergency(true);
    const v1::SignedBoxKey signed_key = sync::SignBoxKey(notice, statement);
    Put("box_key.public", statement.public_key().view());
    Put("box_key.notice", signed_key.notice());
    Put("box_key.signature", signed_key.signature());
  }

  // What a shared secret adds: the notice, a slot of form 2, a parcel.
  void Secrets() {
    const Secret32 shared = SecretFrom(0x60);
    const crypto::BoxKeyPair box = crypto::BoxKeyPair::FromSecret(SecretFrom(0x30));
    const crypto::SlotContext context{log_, 1, b_, box.id(), *Hash::From(Counting(0x70))};
    Put("secret.shared", shared.view());
    Put("secret.notice", crypto::K(shared, "slot-psk", {"held", a_.view(), b_.view()}).view());
    Put("secret.slot",
        *crypto::SealSecretSlot(context, SecretFrom(0x20), box.public_key(), shared, entropy_));
    Put("secret.parcel",
        *crypto::SealParcel(box.public_key(), box.id(), b_, *MailboxId::From(Counting(0xD0)),
                            "under a shared secret", entropy_, &shared));
    Put("secret.file", sync::EncodeSecretFile({a_, b_, shared.Clone()}));
  }

  void Anchor() {
    const crypto::AnchoredHead first{log_, 5, crypto::Sha256("a root")};
    const crypto::AnchoredHead second{LogId(), 1, crypto::Sha256("another root")};
    const crypto::AnchorTree tree(SecretFrom(0x33), {first, second});
    const crypto::AnchorOpening opening = *tree.Open(0);
    std::string place;
    AppendU32(&place, opening.position);
    std::string path;
    for (const Hash& hash : opening.path) path.append(hash.view());
    Put("anchor.secret", SecretFrom(0x33).view());
    Put("anchor.head_root", first.root.view());
    Put("anchor.root", tree.root().view());
    Put("anchor.position", place);
    Put("anchor.salt", opening.salt);
    Put("anchor.path", path);
  }

  // The nodes that a grant of leaves 3 to 6 hands out, from left to right.
  void Grants() {
    const Secret32 seed = SecretFrom(0x20);
    std::string nodes;
    for (const crypto::TreePosition& position : crypto::CoverLeaves({3, 4, 5, 6})) {
      AppendU32(&nodes, position.depth);
      AppendU32(&nodes, position.prefix);
      nodes.append(crypto::Subtree(seed, position.depth, position.prefix).view());
    }
    Put("grant.nodes", nodes);
  }

  const JitId jit_ = *JitId::From(Counting(0xC0));
  const PartyId a_ = *PartyId::From(Counting(0xA0));
  const PartyId b_ = *PartyId::From(Counting(0xB0));
  AudienceId audience_;
  LogId log_;
  SeededEntropy entropy_{1};
  Vectors out_;
};

}  // namespace

Vectors ComputeVectors() {
  SeededEntropy library_draws(2);
  crypto::InstallSeededRandombytes(&library_draws);
  Vectors out = Maker().Make();
  crypto::InstallSeededRandombytes(nullptr);
  return out;
}

std::string FormatVectors(const Vectors& vectors) {
  std::string out =
      "# Worked values of docs/protocol.md: name, bytes in hexadecimal. Written by write_vectors;\n"
      "# checked by vectors_test.cc and, without our code, by verify.py.\n";
  for (const auto& [name, bytes] : vectors) out += Cat(name, " ", Hex(bytes), "\n");
  return out;
}

}  // namespace entente

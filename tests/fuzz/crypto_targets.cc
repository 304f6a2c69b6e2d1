// Seals, notes, trees, key files: bytes that meet crypto first.
#include <memory>
#include <string>
#include <utility>

#include "crypto/body_seal.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/keystore.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/parcel_header.h"
#include "crypto/parcel_seal.h"
#include "crypto/slot.h"
#include "crypto/tls_identity.h"
#include "tests/fuzz/targets.h"

namespace entente::fuzz {
namespace {

const crypto::Secret32& Key() {
  static const crypto::Secret32 key = *crypto::Secret32::From(std::string(32, 'k'));
  return key;
}

const LogId kLog = *LogId::From(std::string(32, 'L'));

}  // namespace

Target BodyTarget() {
  SeededEntropy entropy(1);
  crypto::EntryHeader header{1, crypto::kSealed, 3, 9, 0, kLog, Hash()};
  const std::string good = *crypto::SealBody(Key(), header, "a short text", entropy);
  return {{good}, [=](std::string_view bytes) {
            Promise(bytes == good || !crypto::OpenBody(Key(), header, bytes).ok(),
                    "an altered body opened");
            // Under a header that describes these very bytes: the seal alone decides.
            crypto::EntryHeader theirs = header;
            theirs.body_size = static_cast<uint32_t>(bytes.size());
            theirs.body_hash = crypto::Sha256(bytes);
            Promise(bytes == good || !crypto::OpenBody(Key(), theirs, bytes).ok(),
                    "a body that nobody sealed opened");
          }};
}

Target CertificateTarget() {
  SeededEntropy entropy(1);
  const crypto::TlsIdentity identity = *crypto::GenerateTlsIdentity(entropy, "XA");
  return {{identity.certificate_pem, identity.certificate_pem + identity.certificate_pem},
          [](std::string_view bytes) { static_cast<void>(crypto::SpkiSha256(bytes)); }};
}

Target CheckpointTarget() {
  SeededEntropy entropy(1);
  const crypto::SigningKey key = crypto::SigningKey::Generate(entropy);
  const Hash root = *Hash::From(std::string(32, 'R'));
  const std::string note = crypto::SignCheckpoint({crypto::LogOrigin(kLog), 42, root}, key);
  const std::string line = crypto::CosignLine(note, PartyId(), key, 7);
  const PublicKey public_key = key.public_key();
  return {{note, crypto::AppendSignatureLine(note, line), line}, [=](std::string_view bytes) {
            const auto head = crypto::VerifyCheckpointNote(bytes, kLog, public_key);
            Promise(!head.ok() || (head->size == 42 && head->root == root), "a forged head");
            const auto read = crypto::ParseCheckpoint(bytes);
            Promise(!read.ok() || crypto::CheckpointText(*read) == bytes,
                    "two spellings of one checkpoint");
            const auto time = crypto::VerifyCosignLine(note, bytes, PartyId(), public_key);
            Promise(!time.ok() || *time == 7, "a forged receipt");
          }};
}

// The text is hostile, the log's signature over it is good.
Target CheckpointInsideTarget() {
  SeededEntropy entropy(1);
  auto key = std::make_shared<crypto::SigningKey>(crypto::SigningKey::Generate(entropy));
  const crypto::Checkpoint good{crypto::LogOrigin(kLog), 42, *Hash::From(std::string(32, 'R'))};
  const std::string shape = crypto::SignCheckpoint(good, *key);
  const std::string line_start = shape.substr(shape.find("\n\n") + 2);
  const std::string name = line_start.substr(0, line_start.rfind(' ') + 1);
  const std::string id =
      Base64Decode(line_start.substr(name.size(), line_start.size() - name.size() - 1))
          ->substr(0, 4);
  return {{crypto::CheckpointText(good)}, [=](std::string_view text) {
            const std::string signature = Cat(id, key->Sign(text).view());
            const std::string note = Cat(text, "\n", name, Base64Encode(signature), "\n");
            const auto head = crypto::VerifyCheckpointNote(note, kLog, key->public_key());
            Promise(!head.ok() || crypto::CheckpointText(*head) == text,
                    "a head that was read as another");
          }};
}

Target FileChunksTarget() {
  const std::string plain(2500, 'p');
  const crypto::FileSealer sealer(Key(), plain.size(), 1000);
  std::vector<std::string> seeds;
  for (uint64_t i = 0; i < 3; ++i) {
    seeds.push_back(*sealer.SealChunk(i, plain.substr(i * 1000, 1000)));
  }
  const std::string commit = sealer.commit().str();
  return {seeds, [=](std::string_view bytes) {
            const auto opener = crypto::FileOpener::Create(Key(), 2500, 1000, commit);
            for (uint64_t i = 0; i < 3; ++i) {
              const auto opened = opener->OpenChunk(i, bytes);
              Promise(!opened.ok() || bytes == seeds[i], "an altered chunk opened");
            }
            static_cast<void>(crypto::FileOpener::Create(Key(), bytes.size(), 1000, bytes));
          }};
}

// The whole file. A good sum is put under it, so that what lies behind the sum is reached; costs
// within bounds are left out, because deriving a key takes a tenth of a second.
Target KeystoreTarget() {
  std::string good = "ENTKEYS1";
  AppendU64(&good, 2);
  AppendU64(&good, 1);  // below the floor
  good += std::string(300, 's');
  return {{good, "ENTROOT1" + good.substr(8)}, [](std::string_view bytes) {
            static_cast<void>(crypto::OpenKeystore(bytes.substr(0, 40), "correct horse battery"));
            const std::string mended = Cat(bytes, crypto::Sha256(bytes).view());
            ByteReader reader(bytes.substr(std::min<size_t>(8, bytes.size())));
            const auto ops = reader.ReadU64(), mem = reader.ReadU64();
            if (ops.ok() && mem.ok() && *ops >= 2 && *ops <= 64 && *mem >= 64u << 20 &&
                *mem <= uint64_t{4} << 30) {
              return;
            }
            Promise(!crypto::OpenKeystore(mended, "correct horse battery").ok(), "a made-up file");
            Promise(!crypto::OpenPartyRoot(mended, "correct horse battery").ok(), "a made-up file");
          }};
}

Target KeystoreInsideTarget() {
  SeededEntropy entropy(1);
  const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy);
  const crypto::NodeKeys keys = *crypto::GenerateNodeKeys(root, "XA", entropy);
  return {{std::string(crypto::EncodeNodeKeys(keys).view())}, [](std::string_view bytes) {
            const auto read = crypto::DecodeNodeKeys(bytes);
            Promise(!read.ok() || crypto::EncodeNodeKeys(*read).view() == bytes,
                    "two spellings of one set of keys");
          }};
}

// Proofs and compact ranges of a tree of 1000 leaves: no bytes prove what is not in it.
Target MerkleTarget() {
  std::vector<Hash> leaves;
  for (int i = 0; i < 1000; ++i) leaves.push_back(crypto::Sha256(std::to_string(i)));
  const auto tree = std::make_shared<crypto::VectorMerkleSource>(leaves);
  const Hash root = *crypto::RangeFrom(*tree, 0, 1000)->Root();
  const Hash old_root = *crypto::RangeFrom(*tree, 0, 300)->Root();
  const auto bytes_of = [](uint16_t a, uint16_t b, const std::vector<Hash>& hashes) {
    std::string out;
    AppendU16(&out, a);
    AppendU16(&out, b);
    for (const Hash& hash : hashes) out += hash.view();
    return out;
  };
  const auto inclusion = *crypto::InclusionProof(*tree, 7, 1000);
  const auto consistency = *crypto::ConsistencyProof(*tree, 300, 1000);
  return {{bytes_of(7, 1000, inclusion), bytes_of(300, 1000, consistency)},
          [=](std::string_view bytes) {
            ByteReader reader(bytes);
            const auto a = reader.ReadU16(), b = reader.ReadU16();
            if (!a.ok() || !b.ok()) return;
            std::vector<Hash> hashes;
            for (auto raw = reader.ReadBytes(32); raw.ok(); raw = reader.ReadBytes(32)) {
              hashes.push_back(*Hash::From(*raw));
            }
            Promise(!crypto::VerifyInclusion(leaves[7], *a, 1000, hashes, root).ok() ||
                        (*a == 7 && hashes == inclusion),
                    "a leaf proven where it is not");
            Promise(!crypto::VerifyInclusion(crypto::Sha256("alien"), *a, *b, hashes, root).ok(),
                    "a leaf proven that is in no tree");
            Promise(!crypto::VerifyConsistency(*a, 1000, old_root, root, hashes).ok() ||
                        (*a == 300 && hashes == consistency),
                    "an old tree proven of another size");
            auto range = crypto::CompactRange::From(*a, *b, hashes);
            if (range.ok() && *a == 0) static_cast<void>(range->Root());
            if (range.ok()) range->Append(leaves[0]);
          }};
}

Target ParcelTarget() {
  auto entropy = std::make_shared<SeededEntropy>(1);
  auto key = std::make_shared<crypto::BoxKeyPair>(crypto::BoxKeyPair::Generate(*entropy));
  const std::string good =
      *crypto::SealParcel(key->public_key(), key->id(), PartyId(), MailboxId(), "a body", *entropy);
  return {{good}, [key, good](std::string_view bytes) {
            static_cast<void>(crypto::ParseParcelHeader(bytes));
            const auto body = crypto::OpenParcel(*key, PartyId(), bytes);
            Promise(!body.ok() || bytes == good, "an altered parcel opened");
          }};
}

// A box that opens, with anything in it: only the seed that was sealed for this very place counts.
Target SlotInsideTarget() {
  SeededEntropy entropy(1);
  auto key = std::make_shared<crypto::BoxKeyPair>(crypto::BoxKeyPair::Generate(entropy));
  const crypto::SlotContext here{kLog, 1, PartyId(), key->id(), Hash()};
  const std::string box = *crypto::SealSlot(here, Key(), key->public_key());
  const std::string plain = std::string(key->Open(box)->view());
  return {{plain}, [=](std::string_view bytes) {
            const auto sealed = crypto::SealBox(key->public_key(), bytes);
            const auto seed = crypto::OpenSlot(here, *key, *sealed);
            Promise(!seed.ok() || bytes.substr(32) == plain.substr(32), "a slot of another place");
            static_cast<void>(crypto::OpenSlot(here, *key, bytes));
          }};
}

Target UserKeyTarget() {
  SeededEntropy entropy(1);
  return {{crypto::EncodeUserKeyFile({"Ada", "XA", crypto::SigningKey::Generate(entropy)})},
          [](std::string_view bytes) {
            const auto key = crypto::ParseUserKeyFile(bytes);
            Promise(!key.ok() || crypto::EncodeUserKeyFile(*key) == bytes,
                    "two spellings of a user key");
          }};
}

}  // namespace entente::fuzz

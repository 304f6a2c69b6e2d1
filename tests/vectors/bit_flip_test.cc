// One bit, anywhere, of anything that is signed or sealed: refused. And so is a byte less or more.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/body_seal.h"
#include "crypto/box.h"
#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/keystore.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/parcel_seal.h"
#include "crypto/slot.h"
#include "crypto/value_seal.h"
#include "gtest/gtest.h"
#include "node/store/anchor_file.h"
#include "sync/card_book.h"
#include "sync/fork.h"
#include "sync/mailbox.h"
#include "tests/node/store/store_test_util.h"
#include "tests/sync/federation.h"

namespace entente {
namespace {

using Accepts = std::function<bool(std::string_view)>;

struct Golden {
  std::string bytes;
  Accepts accepts;
  // A byte behind the end is what an interrupted write leaves, and is passed over.
  bool open_end = false;
};

const JitId kJit = *JitId::From(std::string(32, 'J'));
const LogId kLog = *LogId::From(std::string(32, 'L'));
const Hash kRoot = *Hash::From(std::string(32, 'R'));

const crypto::Secret32& Key() {
  static const crypto::Secret32 key = *crypto::Secret32::From(std::string(32, 'k'));
  return key;
}
const crypto::SigningKey& Signer() {
  static const crypto::SigningKey key = crypto::SigningKey::FromSeed(Key().Clone());
  return key;
}
const crypto::BoxKeyPair& Reader() {
  static const crypto::BoxKeyPair key = crypto::BoxKeyPair::FromSecret(Key().Clone());
  return key;
}
sync::Federation& Cast() {
  static auto* federation = [] {
    auto* out = new sync::Federation({"XA", "XB"});
    out->TrustAll();
    return out;
  }();
  return *federation;
}

std::string Joined(const std::vector<Hash>& hashes) {
  std::string out;
  for (const Hash& hash : hashes) out += hash.view();
  return out;
}
std::vector<Hash> Split(std::string_view bytes) {
  std::vector<Hash> out;
  for (; bytes.size() >= 32; bytes.remove_prefix(32)) {
    out.push_back(*Hash::From(bytes.substr(0, 32)));
  }
  if (!bytes.empty()) out.emplace_back();  // half a hash is one that is wrong
  return out;
}

// ---- signed

Golden Card() {
  return {Cast()["XA"].signed_card,
          [](std::string_view bytes) { return sync::VerifyCard(bytes).ok(); }};
}

// signature ‖ payload, for one purpose.
Golden Statement(crypto::Purpose purpose) {
  const std::string payload = "what is stated";
  return {Cat(crypto::SignStatement(Signer(), purpose, kJit, payload).view(), payload),
          [purpose](std::string_view bytes) {
            return crypto::VerifyStatement(Signer().public_key(), purpose, kJit, bytes.substr(64),
                                           bytes.substr(0, 64))
                .ok();
          }};
}

// The room a statement belongs to is signed with it.
Golden StatementJit() {
  const std::string signature =
      crypto::SignStatement(Signer(), crypto::Purpose::sign, kJit, "payload").str();
  return {kJit.str(), [signature](std::string_view bytes) {
            const auto jit = JitId::From(bytes);
            return jit.ok() && crypto::VerifyStatement(Signer().public_key(), crypto::Purpose::sign,
                                                       *jit, "payload", signature)
                                   .ok();
          }};
}

Golden Exclusion() {
  v1::Exclusion exclusion;
  exclusion.set_party(std::string(32, 'x'));
  exclusion.set_reason("a reason");
  exclusion.set_agreement(std::string(32, 'v'));
  exclusion.add_finals()->set_log_id(kLog.str());
  const std::string payload = exclusion.SerializeAsString();
  return {
      Cat(crypto::SignStatement(Signer(), crypto::Purpose::exclude, kJit, payload).view(), payload),
      [](std::string_view bytes) {
        return crypto::VerifyStatement(Signer().public_key(), crypto::Purpose::exclude, kJit,
                                       bytes.substr(64), bytes.substr(0, 64))
            .ok();
      }};
}

Golden Head() {
  return {crypto::SignCheckpoint({crypto::LogOrigin(kLog), 42, kRoot}, Signer()),
          [](std::string_view bytes) {
            return crypto::VerifyCheckpointNote(bytes, kLog, Signer().public_key()).ok();
          }};
}

Golden Cosignature() {
  const std::string note = crypto::SignCheckpoint({crypto::LogOrigin(kLog), 42, kRoot}, Signer());
  return {crypto::CosignLine(note, PartyId(), Signer(), 7), [note](std::string_view bytes) {
            return crypto::VerifyCosignLine(note, bytes, PartyId(), Signer().public_key()).ok();
          }};
}

// What a cosignature is over.
Golden CosignedText() {
  const std::string text = crypto::CheckpointText({crypto::LogOrigin(kLog), 42, kRoot});
  const std::string line = crypto::CosignLine(text, PartyId(), Signer(), 7);
  return {text, [line](std::string_view bytes) {
            return crypto::VerifyCosignLine(bytes, line, PartyId(), Signer().public_key()).ok();
          }};
}

Golden ForkProof() {
  std::vector<Hash> leaves;
  for (int i = 0; i < 9; ++i) leaves.push_back(crypto::Sha256(std::to_string(i)));
  const crypto::VectorMerkleSource tree(leaves);
  v1::ForkProof proof;
  proof.set_note_a(crypto::SignCheckpoint({crypto::LogOrigin(kLog), 5, kRoot}, Signer()));
  proof.set_note_b(crypto::SignCheckpoint(
      {crypto::LogOrigin(kLog), 9, *crypto::RangeFrom(tree, 0, 9)->Root()}, Signer()));
  const crypto::CompactRange left = *crypto::RangeFrom(tree, 0, 5);
  const crypto::CompactRange mid = *crypto::RangeFrom(tree, 5, 9);
  for (const Hash& hash : left.hashes()) proof.add_left(hash.str());
  for (const Hash& hash : mid.hashes()) proof.add_mid(hash.str());
  return {proof.SerializeAsString(), [](std::string_view bytes) {
            v1::ForkProof read;
            return read.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
                   sync::VerifyFork(read, kLog, Signer().public_key()).ok();
          }};
}

// ---- sealed

crypto::EntryHeader HeaderFor(std::string_view body) {
  return {1, crypto::kSealed, 3, 9, static_cast<uint32_t>(body.size()), kLog, crypto::Sha256(body)};
}

std::string SealedBody() {
  SeededEntropy entropy(1);
  crypto::EntryHeader header = HeaderFor("");
  return *crypto::SealBody(Key(), header, "a short text", entropy);
}

// Under a header that describes the altered bytes: the seal alone decides.
Golden Body() {
  return {SealedBody(), [](std::string_view bytes) {
            return crypto::OpenBody(Key(), HeaderFor(bytes), bytes).ok();
          }};
}

// The seal binds where an entry stands: type, epoch, index, size and log.
Golden HeaderPart() {
  const std::string body = SealedBody();
  return {HeaderFor(body).Part(), [body](std::string_view part) {
            if (part.size() != crypto::kHeaderPartBytes) return false;
            ByteReader reader(part);
            crypto::EntryHeader header = HeaderFor(body);
            header.version = *reader.ReadU8();
            header.type = *reader.ReadU8();
            const uint16_t reserved = *reader.ReadU16();
            header.epoch = *reader.ReadU32();
            header.index = *reader.ReadU64();
            header.body_size = *reader.ReadU32();
            header.log_id = *LogId::From(*reader.ReadBytes(32));
            return reserved == 0 && crypto::OpenBody(Key(), header, body).ok();
          }};
}

Golden Slot() {
  const crypto::SlotContext here{kLog, 1, PartyId(), Reader().id(), kRoot};
  return {*crypto::SealSlot(here, Key(), Reader().public_key()),
          [here](std::string_view bytes) { return crypto::OpenSlot(here, Reader(), bytes).ok(); }};
}

Golden Box() {
  return {*crypto::SealBox(Reader().public_key(), "a secret"),
          [](std::string_view bytes) { return Reader().Open(bytes).ok(); }};
}

Golden Parcel() {
  SeededEntropy entropy(1);
  return {
      *crypto::SealParcel(Reader().public_key(), Reader().id(), PartyId(), MailboxId(), "a body",
                          entropy),
      [](std::string_view bytes) { return crypto::OpenParcel(Reader(), PartyId(), bytes).ok(); }};
}

// What a parcel carries, altered by somebody who can seal to its recipient.
Golden ParcelInside() {
  const sync::Body& from = Cast()["XA"];
  sync::Body& to = Cast()["XB"];
  v1::ParcelBody body;
  body.set_from(from.party.str());
  body.set_to(to.party.str());
  body.set_seq(1);
  body.set_sender_card(from.replica->cards().Find(from.party)->hash.str());
  v1::SignedParcel parcel;
  parcel.set_body(body.SerializeAsString());
  parcel.set_signature(crypto::SignStatement(from.keys->statement, crypto::Purpose::parcel, JitId(),
                                             crypto::Sha256(parcel.body()).view())
                           .str());
  const MailboxId mailbox =
      sync::DeriveMailboxes(from.keys->box, from.party, to.keys->box.public_key(), to.party)
          ->outgoing.id;
  auto entropy = std::make_shared<SeededEntropy>(1);
  return {parcel.SerializeAsString(), [&to, mailbox, entropy](std::string_view bytes) {
            const auto sealed = crypto::SealParcel(to.keys->box.public_key(), to.keys->box.id(),
                                                   to.party, mailbox, bytes, *entropy);
            return to.replica->ImportParcel(*sealed, Cast().now).ok();
          }};
}

Golden Chunk(uint64_t index) {
  const std::string plain(300, 'p');
  const auto sealer = std::make_shared<crypto::FileSealer>(Key(), plain.size(), 200);
  return {*sealer->SealChunk(index, plain.substr(index * 200, 200)),
          [sealer, index](std::string_view bytes) {
            return crypto::FileOpener::Create(Key(), 300, 200, sealer->commit().view())
                ->OpenChunk(index, bytes)
                .ok();
          }};
}

Golden FileCommitment() {
  const crypto::FileSealer sealer(Key(), 300, 200);
  return {sealer.commit().str(), [](std::string_view bytes) {
            return crypto::FileOpener::Create(Key(), 300, 200, bytes).ok();
          }};
}

Golden StoredValue() {
  SeededEntropy entropy(1);
  return {crypto::SealValue(Key(), "row", "value", entropy),
          [](std::string_view bytes) { return crypto::OpenValue(Key(), "row", bytes).ok(); }};
}

// Deriving a key takes a tenth of a second, so only the file as it was written gets that far.
constexpr std::string_view kPassphrase = "correct horse battery";
Golden Keystore() {
  SeededEntropy entropy(1);
  const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy);
  return {*crypto::SealKeystore(*crypto::GenerateNodeKeys(root, "XA", entropy), kPassphrase,
                                crypto::Argon2Cost::kInteractive, entropy),
          [](std::string_view bytes) { return crypto::OpenKeystore(bytes, kPassphrase).ok(); }};
}
Golden RootFile() {
  SeededEntropy entropy(1);
  return {*crypto::SealPartyRoot(crypto::GeneratePartyRoot(entropy), kPassphrase,
                                 crypto::Argon2Cost::kInteractive, entropy),
          [](std::string_view bytes) { return crypto::OpenPartyRoot(bytes, kPassphrase).ok(); }};
}

// ---- chained and proven

Golden Anchor() {
  const auto dir = std::make_shared<store::TempDir>();
  const std::string path = *dir / "anchor";
  SeededEntropy entropy(1);
  EXPECT_TRUE(store::AnchorFile::Create(path, entropy).ok());
  const auto file = *store::AnchorFile::Open(path, entropy);
  const std::vector<sync::AnchorRecord> records = {{kLog, 1, 5, kRoot},
                                                   {*LogId::From(kRoot.view()), 1, 6, kRoot}};
  EXPECT_TRUE(file->Append(records).ok());
  return {store::ReadRaw(path),
          [dir, path, records](std::string_view bytes) {
            store::WriteRaw(path, bytes);
            SeededEntropy again(2);
            const auto read = store::AnchorFile::Open(path, again);
            // A record cut short is a write that never finished; what stands is what was written.
            return read.ok() && (*read)->Load().size() == records.size();
          },
          /*open_end=*/true};
}

Golden Inclusion() {
  std::vector<Hash> leaves;
  for (int i = 0; i < 13; ++i) leaves.push_back(crypto::Sha256(std::to_string(i)));
  const crypto::VectorMerkleSource tree(leaves);
  const Hash root = *crypto::RangeFrom(tree, 0, 13)->Root();
  return {Joined(*crypto::InclusionProof(tree, 5, 13)), [=](std::string_view bytes) {
            return crypto::VerifyInclusion(leaves[5], 5, 13, Split(bytes), root).ok();
          }};
}

Golden Consistency() {
  std::vector<Hash> leaves;
  for (int i = 0; i < 13; ++i) leaves.push_back(crypto::Sha256(std::to_string(i)));
  const crypto::VectorMerkleSource tree(leaves);
  const Hash old_root = *crypto::RangeFrom(tree, 0, 5)->Root();
  const Hash new_root = *crypto::RangeFrom(tree, 0, 13)->Root();
  return {Joined(*crypto::ConsistencyProof(tree, 5, 13)), [=](std::string_view bytes) {
            return crypto::VerifyConsistency(5, 13, old_root, new_root, Split(bytes)).ok();
          }};
}

// ---- a batch on its way in: `part` chooses what is altered

using Part = std::function<std::string*(v1::Batch&)>;

// A receiver that knows both bodies and holds nothing of the log yet.
Golden InBatch(const Part& part) {
  const auto federation = std::make_shared<sync::Federation>(std::vector<std::string>{"XA", "XB"});
  sync::Federation& f = *federation;
  f.TrustAll();
  for (const char* text : {"one", "two", "three"}) {
    EXPECT_TRUE(f.Write(f["XA"], {"XA", "XB"}, text).ok());
  }
  v1::Batch batch = f.WholeLog(f["XA"], {"XA", "XB"});
  // The last entry stays behind, so that an edge ties the others to the signed head.
  const uint64_t last = static_cast<uint64_t>(batch.entries_size()) - 1;
  const auto* log = f.FindLog(f["XA"], f["XA"], {"XA", "XB"});
  batch.mutable_entries()->RemoveLast();
  batch.add_edge(f["XA"].replica->logs().EdgeToHead(*log, last)->hashes()[0].str());
  // They greet each other and say nothing else.
  f.on_frame = [](sync::Body&, sync::Body&, v1::Frame& frame) {
    return frame.has_hello() || frame.has_hello_proof();
  };
  const auto session = std::make_shared<sync::SessionId>(f.Connect(f["XA"], f["XB"]) + 1);
  f.Settle();
  return {*part(batch), [=](std::string_view bytes) {
            sync::Federation& world = *federation;
            // Who sent what had to be refused is cut, and later left outside for a while: a
            // process that just started has nothing against it.
            if (!world["XB"].replica->Connected(world["XA"].party)) {
              world.Start(world["XB"]);
              *session = world.Connect(world["XA"], world["XB"]) + 1;
              world.Settle();
            }
            v1::Frame frame;
            *frame.mutable_batch() = batch;
            *part(*frame.mutable_batch()) = std::string(bytes);
            world.Feed(world["XB"], sync::Input(sync::FrameReceived{*session, frame}));
            world.Settle();
            return world.FindLog(world["XB"], world["XA"], {"XA", "XB"}) != nullptr;
          }};
}

struct Named {
  const char* name;
  std::function<Golden()> make;
};

std::vector<Named> Table() {
  std::vector<Named> out = {
      {"card", Card},
      {"statement_jit", StatementJit},
      {"exclusion", Exclusion},
      {"head", Head},
      {"cosignature", Cosignature},
      {"cosigned_text", CosignedText},
      {"fork_proof", ForkProof},
      {"body", Body},
      {"header_part", HeaderPart},
      {"slot", Slot},
      {"box", Box},
      {"parcel", Parcel},
      {"parcel_inside", ParcelInside},
      {"chunk_first", [] { return Chunk(0); }},
      {"chunk_last", [] { return Chunk(1); }},
      {"file_commitment", FileCommitment},
      {"stored_value", StoredValue},
      {"keystore", Keystore},
      {"root_file", RootFile},
      {"anchor", Anchor},
      {"inclusion", Inclusion},
      {"consistency", Consistency},
      {"batch_epoch",
       [] { return InBatch([](v1::Batch& b) { return b.mutable_entries(0)->mutable_body(); }); }},
      {"batch_entry",
       [] { return InBatch([](v1::Batch& b) { return b.mutable_entries(1)->mutable_body(); }); }},
      {"batch_head", [] { return InBatch([](v1::Batch& b) { return b.mutable_head_note(); }); }},
      {"batch_edge", [] { return InBatch([](v1::Batch& b) { return b.mutable_edge(0); }); }},
      {"batch_log_id",
       [] { return InBatch([](v1::Batch& b) { return b.mutable_head()->mutable_log_id(); }); }},
      {"batch_audience", [] {
         return InBatch([](v1::Batch& b) { return b.mutable_head()->mutable_audience_id(); });
       }}};
  for (int i = 0; i <= static_cast<int>(crypto::Purpose::export_); ++i) {
    const auto purpose = static_cast<crypto::Purpose>(i);
    static std::vector<std::string> names(64);
    names[i] = "statement_" + std::string(crypto::PurposeName(purpose));
    for (char& c : names[i]) c = c == '-' ? '_' : c;
    out.push_back({names[i].c_str(), [purpose] { return Statement(purpose); }});
  }
  return out;
}

class BitFlipTest : public testing::TestWithParam<Named> {};

TEST_P(BitFlipTest, IsRefusedAnywhere) {
  const Golden golden = GetParam().make();
  ASSERT_FALSE(golden.bytes.empty());
  std::string bytes = golden.bytes;
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const char mask = static_cast<char>(1 << bit % 8);
    bytes[bit / 8] ^= mask;
    ASSERT_FALSE(golden.accepts(bytes)) << "byte " << bit / 8 << " of " << bytes.size();
    bytes[bit / 8] ^= mask;
  }
  EXPECT_FALSE(golden.accepts(bytes.substr(0, bytes.size() - 1)));
  if (!golden.open_end) {
    EXPECT_FALSE(golden.accepts(bytes + '\0'));
    EXPECT_FALSE(golden.accepts(bytes + 'x'));
  }
  EXPECT_TRUE(golden.accepts(bytes)) << "what was not altered must be accepted";
}

INSTANTIATE_TEST_SUITE_P(Golden, BitFlipTest, testing::ValuesIn(Table()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace entente

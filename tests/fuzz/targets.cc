#include "tests/fuzz/targets.h"

#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "crypto/file_chunks.h"
#include "crypto/hash.h"
#include "crypto/keystore.h"
#include "crypto/note.h"
#include "crypto/parcel_seal.h"
#include "node/model/record.h"
#include "node/relay/relay_store.h"
#include "node/service/card_file.h"
#include "sync/card_book.h"
#include "sync/schema.h"
#include "tests/sync/federation.h"

namespace entente::fuzz {
namespace {

void Promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "fuzz: broken promise: %s\n", what);
  std::abort();
}

const crypto::Secret32& Key() {
  static const crypto::Secret32 key = *crypto::Secret32::From(std::string(32, 'k'));
  return key;
}

sync::Federation& Cast() {
  static auto* federation = new sync::Federation({"XA", "XB"});
  return *federation;
}

Target CardTarget() {
  const PartyId party = Cast()["XA"].party;
  const std::string good = Cast()["XA"].signed_card;
  return {"card", {good}, [party, good](std::string_view bytes) {
            const auto card = sync::VerifyCard(bytes);
            // Only the party itself can make a card of its own; this one made exactly one.
            v1::SignedCard original;
            original.ParseFromString(good);
            Promise(
                !card.ok() || card->party != party || card->hash == crypto::Sha256(original.card()),
                "a forged card");
          }};
}

Target CardFileTarget() {
  return {"card_file",
          {*service::EncodeCardFile(Cast()["XA"].signed_card)},
          [](std::string_view bytes) { static_cast<void>(service::ParseCardFile(bytes)); }};
}

Target CheckpointTarget() {
  SeededEntropy entropy(1);
  const crypto::SigningKey key = crypto::SigningKey::Generate(entropy);
  const LogId log = *LogId::From(std::string(32, 'L'));
  const Hash root = *Hash::From(std::string(32, 'R'));
  const std::string note = crypto::SignCheckpoint({crypto::LogOrigin(log), 42, root}, key);
  const std::string line = crypto::CosignLine(note, PartyId(), key, 7);
  const PublicKey public_key = key.public_key();
  return {"checkpoint",
          {note, crypto::AppendSignatureLine(note, line), line},
          [=](std::string_view bytes) {
            const auto head = crypto::VerifyCheckpointNote(bytes, log, public_key);
            Promise(!head.ok() || (head->size == 42 && head->root == root), "a forged head");
            static_cast<void>(crypto::ParseCheckpoint(bytes));
            static_cast<void>(crypto::VerifyCosignLine(note, bytes, PartyId(), public_key));
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
  return {"file_chunks", seeds, [=](std::string_view bytes) {
            const auto opener = crypto::FileOpener::Create(Key(), 2500, 1000, commit);
            for (uint64_t i = 0; i < 3; ++i) {
              const auto opened = opener->OpenChunk(i, bytes);
              Promise(!opened.ok() || bytes == seeds[i], "an altered chunk opened");
            }
            static_cast<void>(crypto::FileOpener::Create(Key(), bytes.size(), 1000, bytes));
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
  return {"frame", found, [federation, session, all](std::string_view bytes) {
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

Target KeystoreTarget() {
  SeededEntropy entropy(1);
  const crypto::PartyRoot root = crypto::GeneratePartyRoot(entropy);
  const crypto::NodeKeys keys = *crypto::GenerateNodeKeys(root, "XA", entropy);
  return {"keystore",
          {std::string(crypto::EncodeNodeKeys(keys).view())},
          [](std::string_view bytes) { static_cast<void>(crypto::DecodeNodeKeys(bytes)); }};
}

Target ParcelTarget() {
  auto entropy = std::make_shared<SeededEntropy>(1);
  auto key = std::make_shared<crypto::BoxKeyPair>(crypto::BoxKeyPair::Generate(*entropy));
  const std::string good =
      *crypto::SealParcel(key->public_key(), key->id(), PartyId(), MailboxId(), "a body", *entropy);
  return {"parcel", {good}, [key, good](std::string_view bytes) {
            const auto body = crypto::OpenParcel(*key, PartyId(), bytes);
            Promise(!body.ok() || bytes == good, "an altered parcel opened");
          }};
}

// An entry of a peer as the record engine sees it: decoded, folded, shown.
Target RecordTarget() {
  std::vector<std::string> seeds;
  v1::Task task;
  task.set_title("Bank data");
  task.set_kind(v1::TASK_KIND_BANK_DATA);
  task.set_to_party(std::string(32, 'b'));
  v1::EntryBody body;
  body.set_kind(model::kTaskKind);
  body.set_agreement(std::string(32, 'v'));
  body.mutable_create()->set_record(task.SerializeAsString());
  seeds.push_back(body.SerializeAsString());
  body.mutable_transition()->set_to(v1::TASK_STATE_ACCEPTED);
  seeds.push_back(body.SerializeAsString());
  body.mutable_release()->mutable_snapshot()->set_record(task.SerializeAsString());
  body.mutable_release()->mutable_snapshot()->add_events()->set_event("event");
  seeds.push_back(body.SerializeAsString());
  body.mutable_event()->set_event(std::string(20, 'e'));
  seeds.push_back(body.SerializeAsString());
  body.mutable_amend()->add_fields(1);
  seeds.push_back(body.SerializeAsString());
  auto kinds = std::make_shared<model::KindRegistry>();
  auto agreement = std::make_shared<v1::Agreement>();
  agreement->set_period_to(INT64_MAX);
  for (const char party : {'a', 'b'}) {
    agreement->add_bodies()->set_party(std::string(32, party));
  }
  return {"record", seeds, [=](std::string_view bytes) {
            const PartyId a = *PartyId::From(std::string(32, 'a'));
            const auto audience = std::make_shared<sync::Members>(sync::Members{a});
            for (const uint32_t kind : {4u, 5u, 3u, 7u, 8u, 2u}) {
              model::Record record(RecordId(), kind, JitId());
              uint64_t index = 0;
              for (const std::string_view entry : {std::string_view(seeds[0]), bytes}) {
                const Hash leaf = crypto::Sha256(entry);
                record.Add({{LogId(), ++index, leaf}, a, audience, std::string(entry)});
              }
              static_cast<void>(record.Fold(
                  {*kinds, [&](const Hash&) -> const v1::Agreement* { return agreement.get(); }}));
            }
          }};
}

Target RelayTableTarget() {
  relay::Table table;
  table.nodes[PartyId()] = {PartyId(), Hash(), 1};
  table.mailboxes[MailboxId()] = {MailboxId(), PartyId(), Hash(), 20000};
  return {"relay_table", {relay::EncodeTable(table)}, [](std::string_view bytes) {
            const auto read = relay::ParseTable(bytes);
            Promise(!read.ok() || relay::EncodeTable(*read) == bytes, "two spellings of a table");
          }};
}

Target TextTarget() {
  return {"text",
          {"plain", "pay\xE2\x80\xAEgpj", "Ελλάδα 日本 🙂", "a\x1b[2Jb"},
          [](std::string_view bytes) {
            const std::string clean = model::CleanForDisplay(bytes);
            Promise(model::CheckText(clean, SIZE_MAX, true).ok(), "cleaned text is not clean");
            static_cast<void>(Base64Decode(bytes));
            static_cast<void>(Unhex(bytes));
          }};
}

Target UserKeyTarget() {
  SeededEntropy entropy(1);
  return {"user_key",
          {crypto::EncodeUserKeyFile({"Ada", "XA", crypto::SigningKey::Generate(entropy)})},
          [](std::string_view bytes) {
            const auto key = crypto::ParseUserKeyFile(bytes);
            Promise(!key.ok() || crypto::EncodeUserKeyFile(*key) == bytes,
                    "two spellings of a user key");
          }};
}

using Maker = Target (*)();
constexpr std::pair<std::string_view, Maker> kMakers[] = {
    {"card", CardTarget},
    {"card_file", CardFileTarget},
    {"checkpoint", CheckpointTarget},
    {"file_chunks", FileChunksTarget},
    {"frame", FrameTarget},
    {"keystore", KeystoreTarget},
    {"parcel", ParcelTarget},
    {"record", RecordTarget},
    {"relay_table", RelayTableTarget},
    {"text", TextTarget},
    {"user_key", UserKeyTarget},
};

}  // namespace

std::vector<std::string> TargetNames() {
  std::vector<std::string> out;
  for (const auto& [name, make] : kMakers) out.emplace_back(name);
  return out;
}

Target FindTarget(std::string_view name) {
  for (const auto& [known, make] : kMakers) {
    if (known == name) return make();
  }
  Promise(false, "no such target");
  return {};
}

}  // namespace entente::fuzz

#include "tests/sim/hostile/pen.h"

#include <algorithm>

#include "crypto/body_seal.h"
#include "crypto/hash.h"
#include "crypto/ids.h"
#include "crypto/key_tree.h"
#include "crypto/note.h"
#include "crypto/slot.h"
#include "entente/v1/records.pb.h"
#include "node/model/kinds.h"
#include "sync/entry_codec.h"
#include "sync/hlc.h"
#include "sync/record_id.h"

namespace entente::sim {
namespace {

constexpr uint32_t kFirstIncarnation = 1u << 20;

std::vector<PartyId> Sorted(const PenLog& log) {
  std::vector<PartyId> out = log.strangers;
  for (const Identity* member : log.members) out.push_back(member->party);
  std::sort(out.begin(), out.end());
  return out;
}

void AddSlot(const PenLog& log, uint32_t epoch, const PartyId& party, const KeyId& id,
             const BoxPublicKey& key, v1::Epoch* out) {
  v1::Slot* slot = out->add_slots();
  slot->set_party(party.str());
  slot->set_key_id(id.str());
  slot->set_alg(v1::SLOT_ALGORITHM_X25519);
  slot->set_box(*crypto::SealSlot({log.id, epoch, party, id, log.author_card},
                                  *crypto::Secret32::From(log.seed), key));
}

}  // namespace

BoxPublicKey Pen::KeyOf(const Identity& member) const {
  const auto it = newest_.find(member.party);
  return it == newest_.end() ? member.keys->box.public_key() : it->second;
}

PenLog Pen::Begin(const JitId& jit, const std::vector<const Identity*>& readers,
                  const std::vector<PartyId>& strangers) {
  PenLog log;
  log.jit = jit;
  log.members = {&self_};
  log.members.insert(log.members.end(), readers.begin(), readers.end());
  log.strangers = strangers;
  log.author_card = crypto::Sha256(self_.signed_card.card());
  log.incarnation = kFirstIncarnation + next_incarnation_++;
  log.salt = entropy_.Bytes(16);
  log.audience = *crypto::ComputeAudienceId(jit, log.salt, Sorted(log));
  log.id = crypto::ComputeLogId(jit, self_.keys->log.public_key(), log.audience, log.incarnation);
  return log;
}

void Pen::Epoch(PenLog& log, const std::function<void(v1::Epoch&)>& change) {
  log.seed = entropy_.Bytes(32);
  v1::Epoch epoch;
  epoch.set_epoch(log.epoch + 1);
  epoch.set_seed_commit(
      crypto::SeedCommit(log.id, epoch.epoch(), *crypto::Secret32::From(log.seed)).str());
  epoch.set_depth(crypto::kTreeDepth);
  epoch.set_first_index(log.size() + 1);
  epoch.set_audience_salt(log.salt);
  for (const Identity* member : log.members) {
    for (const BoxPublicKey& key : {KeyOf(*member), member->root.recovery.public_key()}) {
      AddSlot(log, epoch.epoch(), member->party, crypto::BoxKeyId(key), key, &epoch);
    }
  }
  for (const PartyId& stranger : log.strangers) {
    for (int i = 0; i < 2; ++i) {
      const crypto::BoxKeyPair key = crypto::BoxKeyPair::Generate(entropy_);
      AddSlot(log, epoch.epoch(), stranger, key.id(), key.public_key(), &epoch);
    }
  }
  if (change != nullptr) change(epoch);
  log.epoch = epoch.epoch();
  Raw(log, crypto::kEpoch, epoch.SerializeAsString());
  log.epoch_first = log.size();
}

void Pen::Raw(PenLog& log, uint32_t type, std::string bytes) {
  log.leaves.push_back(crypto::LeafHash(
      sync::HeaderOf(log.id, log.size(), static_cast<uint8_t>(type), log.epoch, bytes)));
  log.types.push_back(type);
  log.bodies.push_back(std::move(bytes));
}

void Pen::Seal(PenLog& log, const v1::EntryBody& body) {
  crypto::EntryHeader header;
  header.type = crypto::kSealed;
  header.epoch = log.epoch;
  header.index = log.size();
  header.log_id = log.id;
  const crypto::Secret32 key = crypto::EntryKeys(*crypto::Secret32::From(log.seed))
                                   .Key(static_cast<uint32_t>(log.size() - log.epoch_first));
  Raw(log, crypto::kSealed, *crypto::SealBody(key, header, body.SerializeAsString(), entropy_));
}

v1::EntryBody Pen::Note(const JitId& jit, const std::string& text, const std::string& agreement,
                        absl::Time when) {
  v1::Note note;
  note.set_text(text);
  v1::EntryBody body;
  body.set_schema(1);
  body.set_kind(model::kNoteKind);
  body.set_hlc(sync::HlcFromTime(when));
  body.set_user("somebody");
  body.set_agreement(agreement);
  body.mutable_create()->set_record(note.SerializeAsString());
  body.mutable_create()->set_blind_key(entropy_.Bytes(32));
  body.set_record_id(
      sync::RecordIdOf(jit, model::kNoteKind, self_.party, body.create().blind_key()).str());
  return body;
}

v1::EntryBody Pen::StatementOf(const JitId& jit, const std::string& purpose,
                               const std::string& payload, absl::Time when) {
  v1::EntryBody body;
  body.set_schema(1);
  body.set_hlc(sync::HlcFromTime(when));
  body.set_user("somebody");
  v1::Statement* statement = body.mutable_statement();
  statement->set_purpose(purpose);
  statement->set_payload(payload);
  statement->set_signer_card(crypto::Sha256(self_.signed_card.card()).str());
  statement->set_signature(
      crypto::SignStatement(self_.keys->statement, *crypto::ParsePurpose(purpose), jit, payload)
          .str());
  return body;
}

Hash Pen::RootAt(const PenLog& log, uint64_t size) const {
  crypto::CompactRange range = crypto::CompactRange::Empty(0);
  for (uint64_t i = 0; i < size; ++i) range.Append(log.leaves[i]);
  return *range.Root();
}

std::string Pen::SignedHead(const PenLog& log, uint64_t size) const {
  return crypto::SignCheckpoint({crypto::LogOrigin(log.id), size, RootAt(log, size)},
                                self_.keys->log);
}

v1::Head Pen::Head(const PenLog& log, uint64_t size) const {
  v1::Head head;
  head.set_log_id(log.id.str());
  head.set_size(size);
  head.set_root(RootAt(log, size).str());
  head.set_jit_id(log.jit.str());
  head.set_author(self_.party.str());
  head.set_author_card(log.author_card.str());
  head.set_incarnation(log.incarnation);
  head.set_audience_salt(log.salt);
  head.set_audience_id(log.audience.str());
  return head;
}

v1::Batch Pen::Part(const PenLog& log, uint64_t from, uint64_t to, uint64_t head) const {
  v1::Batch batch;
  *batch.mutable_head() = Head(log, head);
  batch.set_from(from);
  batch.set_head_note(SignedHead(log, head));
  for (uint64_t i = from; i < to; ++i) {
    v1::BatchEntry* entry = batch.add_entries();
    entry->set_type(log.types[i]);
    entry->set_body(log.bodies[i]);
  }
  const crypto::VectorMerkleSource tree(
      std::vector<Hash>(log.leaves.begin(), log.leaves.begin() + static_cast<int64_t>(head)));
  const auto edge = crypto::RangeFrom(tree, to, head);
  if (edge.ok()) {
    for (const Hash& hash : edge->hashes()) batch.add_edge(hash.str());
  }
  return batch;
}

}  // namespace entente::sim

// Keys, originals and proofs that bodies hand each other: key statements, secrets made in person,
// grants, and what opens an anchor.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "crypto/box.h"
#include "crypto/entry_header.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "sync/anchors.h"
#include "sync/box_keys.h"
#include "sync/card_book.h"
#include "sync/grants.h"
#include "sync/shared_secrets.h"
#include "tests/fuzz/targets.h"
#include "tests/sync/federation.h"

namespace entente::fuzz {
namespace {

template <class Message>
bool Parse(std::string_view bytes, Message* message) {
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// XA has written two texts for XB, and on the next day an anchor.
struct Written {
  Written() : f({"XA", "XB"}) {
    f.TrustAll();
    f.all_parties = {"XA", "XB"};
    for (const char* text : {"one", "two"}) {
      Promise(f.Write(f["XA"], {"XA", "XB"}, text).ok(), "writing");
    }
    sync::Replica& replica = *f["XA"].replica;
    const sync::LogState& log = *f.FindLog(f["XA"], f["XA"], {"XA", "XB"});
    entry = {log.id, 1, replica.logs().Read(log, 1)->leaf};
    f.Pass(replica.anchors().NextDue(f.now) - f.now + absl::Minutes(1));
    grant = sync::MakeGrants(replica.logs(), replica.epoch_keys(), log, {1, 2}, "a basis")->front();
    const std::vector<sync::Original> originals = *sync::VerifyGrant(grant, log_key());
    for (const sync::Original& original : originals) texts.insert(original.body_bytes);
    proof = *replica.anchors().Prove(f.jit, entry);
    Promise(texts.size() == 2 && sync::VerifyExistence(proof, log_key()).ok(), "a good proof");
  }
  const crypto::SigningKey& key() { return f["XA"].keys->log; }
  const PublicKey& log_key() { return key().public_key(); }

  sync::Federation f;
  sync::EntryRef entry;
  v1::Grant grant;
  std::set<std::string> texts;
  v1::ExistenceProof proof;
};

// The author itself is hostile: each entry alone is a log whose head it signs.
v1::Grant SignedAgain(v1::Grant grant, const crypto::SigningKey& key) {
  if (grant.entries_size() == 0) return grant;
  v1::Proven* first = grant.mutable_entries(0);
  first->clear_path();
  std::string& header = *first->mutable_header();
  header.resize(crypto::kHeaderBytes);
  header.replace(header.size() - 32, 32, crypto::Sha256(first->body()).view());
  while (grant.entries_size() > 1) grant.mutable_entries()->RemoveLast();
  if (const auto log = LogId::From(grant.log_id()); log.ok()) {
    const Hash root = crypto::Sha256(Cat(std::string(1, '\0'), header));
    grant.set_head_note(crypto::SignCheckpoint({crypto::LogOrigin(*log), 1, root}, key));
  }
  return grant;
}

}  // namespace

// A SignedBoxKey as it comes; and its notice, made to fit and well signed.
Target BoxKeyTarget() {
  auto f = std::make_shared<sync::Federation>(std::vector<std::string>{"XA", "XB"});
  const auto card = std::make_shared<sync::TrustedCard>(*sync::VerifyCard((*f)["XA"].signed_card));
  v1::BoxKeyNotice notice;
  notice.set_party(card->party.str());
  notice.set_card(card->hash.str());
  notice.set_seq(1);
  *notice.mutable_key() = (*f)["XB"].card.box_key();
  notice.set_created(1'800'000'000);
  const v1::SignedBoxKey good = sync::SignBoxKey(notice, (*f)["XA"].keys->statement);
  Promise(sync::VerifyBoxKey(good, *card).ok(), "a good statement");
  return {{good.SerializeAsString(), notice.SerializeAsString()}, [=](std::string_view bytes) {
            v1::SignedBoxKey as_sent;
            if (Parse(bytes, &as_sent) && sync::VerifyBoxKey(as_sent, *card).ok()) {
              Promise(as_sent.notice() == good.notice(), "a key that its owner never announced");
            }
            v1::BoxKeyNotice theirs;
            if (!Parse(bytes, &theirs)) return;
            theirs.set_party(card->party.str());
            theirs.set_card(card->hash.str());
            if (const auto key = BoxPublicKey::From(theirs.key().public_key()); key.ok()) {
              theirs.mutable_key()->set_id(crypto::BoxKeyId(*key).str());
            }
            const auto read =
                sync::VerifyBoxKey(sync::SignBoxKey(theirs, (*f)["XA"].keys->statement), *card);
            Promise(!read.ok() ||
                        crypto::SealBox(*BoxPublicKey::From(read->key().public_key()), "seed").ok(),
                    "an announced key that nothing can be sealed to");
          }};
}

// What opens an anchor: nobody proves an entry, or a day, that is not in it.
Target ExistenceTarget() {
  auto written = std::make_shared<Written>();
  const uint64_t hlc = sync::VerifyExistence(written->proof, written->log_key())->anchor_hlc;
  return {{written->proof.SerializeAsString()}, [written, hlc](std::string_view bytes) {
            v1::ExistenceProof proof;
            if (!Parse(bytes, &proof)) return;
            const auto proven = sync::VerifyExistence(proof, written->log_key());
            Promise(!proven.ok() ||
                        (proven->entry.leaf == written->entry.leaf && proven->anchor_hlc == hlc),
                    "an entry proven that no anchor covers");
            // The anchor is the honest one, all else is theirs.
            *proof.mutable_anchor() = written->proof.anchor();
            const auto opened = sync::VerifyExistence(proof, written->log_key());
            Promise(!opened.ok() || opened->entry.leaf == written->entry.leaf,
                    "an anchor that opens to something else");
            *proof.mutable_anchor() = SignedAgain(proof.anchor(), written->key());
            static_cast<void>(sync::VerifyExistence(proof, written->log_key()));
          }};
}

// A grant of somebody else's entries; and one whose author signs what suits it.
Target GrantTarget() {
  auto written = std::make_shared<Written>();
  return {{written->grant.SerializeAsString(), written->proof.anchor().SerializeAsString()},
          [written](std::string_view bytes) {
            v1::Grant grant;
            if (!Parse(bytes, &grant)) return;
            const auto read = sync::VerifyGrant(grant, written->log_key());
            for (size_t i = 0; read.ok() && i < read->size(); ++i) {
              const sync::Original& original = (*read)[i];
              Promise(written->texts.contains(original.body_bytes) || original.body.has_anchor(),
                      "an original that its author did not write");
            }
            const auto own =
                sync::VerifyGrant(SignedAgain(grant, written->key()), written->log_key());
            Promise(!own.ok() || (own->size() == 1 && own->front().log_size == 1),
                    "more originals than entries");
          }};
}

Target SecretFileTarget() {
  const sync::SecretFile good = {*PartyId::From(std::string(32, 'a')),
                                 *PartyId::From(std::string(32, 'b')),
                                 *crypto::Secret32::From(std::string(32, 's'))};
  return {{sync::EncodeSecretFile(good)}, [](std::string_view bytes) {
            const auto read = sync::ParseSecretFile(bytes);
            Promise(!read.ok() || sync::EncodeSecretFile(*read) == bytes,
                    "two spellings of a shared secret");
          }};
}

}  // namespace entente::fuzz

#include "tests/sync/federation.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "crypto/tls_identity.h"
#include "sync/admission.h"
#include "sync/limits.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "federation: %s\n", status.ToString().c_str());
  std::abort();
}

}  // namespace

std::vector<std::string> Body::TextsOf(const Body& author) const {
  std::vector<std::string> out;
  for (const OpenedEntry& entry : opened) {
    if (entry.author == author.party) out.push_back(entry.body.justification());
  }
  return out;
}

Federation::Federation(const std::vector<std::string>& codes, uint64_t seed)
    : now(absl::FromUnixSeconds(1'800'000'000)), entropy(seed) {
  for (const std::string& code : codes) MakeBody(code);
  for (auto& [code, body] : bodies_) Start(*body);
}

void Federation::MakeBody(const std::string& code) {
  auto body = std::make_unique<Body>(code, crypto::GeneratePartyRoot(entropy));
  body->keys =
      std::make_shared<crypto::NodeKeys>(*crypto::GenerateNodeKeys(body->root, code, entropy));
  body->party = body->keys->party;
  body->spki = *crypto::SpkiSha256(body->keys->tls.certificate_pem);
  v1::NodeCard& card = body->card;
  card.set_party(body->party.str());
  card.set_code(code);
  card.set_name("Authority of " + code);
  card.set_kind(v1::BODY_KIND_MEMBER_STATE_AUTHORITY);
  card.set_country(code);
  card.set_seq(1);
  card.set_issued(absl::ToUnixSeconds(now));
  card.set_log_key(body->keys->log.public_key().str());
  card.set_cosign_key(body->keys->cosign.public_key().str());
  card.set_statement_key(body->keys->statement.public_key().str());
  card.set_tls_spki_sha256(body->spki.str());
  card.mutable_box_key()->set_id(body->keys->box.id().str());
  card.mutable_box_key()->set_public_key(body->keys->box.public_key().str());
  card.mutable_recovery_box_key()->set_id(body->root.recovery.id().str());
  card.mutable_recovery_box_key()->set_public_key(body->root.recovery.public_key().str());
  if (code[0] != 'R') card.add_addresses("127.0.0.1:1");
  card.set_relay_only(code[0] == 'R');
  card.add_relays()->set_address("127.0.0.1:2");
  card.mutable_relays(0)->set_tls_spki_sha256(std::string(32, 'r'));
  card.set_max_schema(kSchemaVersion);
  body->signed_card = SignCard(card, body->root.root);
  WriteBatch rows;
  rows.Put(schema::Card(body->party), body->signed_card);
  Must(body->disk.Commit(rows));
  bodies_[code] = std::move(body);
}

void Federation::Start(Body& body, bool anchor_missing) {
  Disconnect(body);
  body.replica.reset();
  body.overlay = std::make_unique<OverlayKv>(body.disk);
  ReplicaOptions options;
  options.self = body.party;
  options.keys = body.keys;
  options.relay_immediate = true;
  options.box_key_terms = box_key_terms;
  options.agreement_in_force = [this, &body](const JitId&) { return agreement_in_force(body); };
  options.all_parties = [this](const JitId&, absl::Time) { return MembersOf(all_parties); };
  options.agreements.current = [](const JitId&) { return Hash(); };
  options.agreements.signers = [this](const JitId&, const Hash&) { return signers; };
  body.replica = std::make_unique<Replica>(std::move(options), *body.overlay, entropy);
  body.opened.clear();
  Must(body.replica->Load(body.anchors, anchor_missing));
  Must(body.replica->ReplayAll(now));
  Must(body.replica->Start(now));
  Finish(body);
}

void Federation::LoseDatabase(Body& body, bool anchor_missing) {
  Disconnect(body);
  body.replica.reset();
  body.disk = MemoryKv();
  WriteBatch rows;
  rows.Put(schema::Card(body.party), body.signed_card);
  Must(body.disk.Commit(rows));
  if (anchor_missing) body.anchors.clear();
  Start(body, anchor_missing);
  for (auto& [code, other] : bodies_) {
    if (other.get() != &body) Trust(body, *other);
  }
}

void Federation::Renew(Body& body, const Renewing& how) {
  Disconnect(body);
  body.replica.reset();
  absl::StatusOr<crypto::NodeKeys> fresh =
      crypto::RenewNodeKeys(*body.keys, body.code, how.keep_tls, entropy);
  Must(fresh.status());
  const absl::StatusOr<Renewal> renewal =
      PlanRenewal(body.disk, *body.keys, *fresh, body.root.root, now, how.compromised_since);
  Must(renewal.status());
  Become(body, *std::move(fresh), *renewal);
}

void Federation::Become(Body& body, crypto::NodeKeys fresh, const Renewal& renewal) {
  Must(body.disk.Commit(renewal.rows));
  body.keys = std::make_shared<crypto::NodeKeys>(std::move(fresh));
  body.signed_card = renewal.signed_card;
  body.card = VerifyCard(body.signed_card)->card;
  body.spki = *crypto::SpkiSha256(body.keys->tls.certificate_pem);
  Start(body);
}

void Federation::Recover(Body& body, const std::vector<std::string>& others) {
  std::vector<std::string> cards;
  for (const std::string& code : others) {
    cards.push_back(bodies_.at(code)->replica->PortableCard(body.party).SerializeAsString());
  }
  absl::StatusOr<crypto::NodeKeys> fresh = crypto::GenerateNodeKeys(body.root, body.code, entropy);
  Must(fresh.status());
  const absl::StatusOr<Renewal> recovery =
      PlanRecovery(cards, *fresh, body.root.root, v1::NodeCard(), now);
  Must(recovery.status());
  Disconnect(body);
  body.replica.reset();
  body.disk = MemoryKv();
  body.anchors.clear();
  Become(body, *std::move(fresh), *recovery);
  for (auto& [code, other] : bodies_) {
    if (other.get() == &body) continue;
    Trust(body, *other);
    Trust(*other, body);
  }
}

void Federation::TrustAll() {
  for (auto& [a, who] : bodies_) {
    for (auto& [b, whom] : bodies_) {
      if (who != whom) Trust(*who, *whom);
    }
  }
}

void Federation::Trust(Body& who, const Body& whom) {
  Must(who.replica->TrustCard(whom.signed_card, now).status());
  Finish(who);
}

SessionId Federation::Connect(Body& a, Body& b) {
  const SessionId at_a = next_session_++, at_b = next_session_++;
  sessions_[{&a, at_a}] = {&b, at_b};
  sessions_[{&b, at_b}] = {&a, at_a};
  Feed(a, Input(SessionOpened{at_a, b.party, b.spki, true}));
  Feed(b, Input(SessionOpened{at_b, a.party, a.spki, false}));
  return at_a;
}

void Federation::Disconnect(Body& a) {
  for (const auto& [end, other] : std::map(sessions_)) {
    if (end.first != &a) continue;
    sessions_.erase(end);
    sessions_.erase(other);
    if (a.replica != nullptr) Feed(a, Input(SessionClosed{end.second, "cut"}));
    Feed(*other.first, Input(SessionClosed{other.second, "cut"}));
  }
}

void Federation::Feed(Body& body, const Input& input) {
  Must(body.replica->Handle(now, input));
  Finish(body);
}

void Federation::Finish(Body& body) {
  const absl::StatusOr<std::vector<std::string>> erased = body.replica->CarryOutErasures(now);
  Must(erased.status());
  body.erased.insert(body.erased.end(), erased->begin(), erased->end());
  absl::StatusOr<Effects> effects = body.replica->Finish(now);
  Must(effects.status());
  Must(body.disk.Commit(effects->writes));
  body.overlay->Forget();
  for (OpenedEntry& entry : body.replica->TakeOpened()) body.opened.push_back(std::move(entry));
  for (const AnchorRecord& record : effects->anchors) body.anchors.push_back(record);
  for (FrameOut& out : effects->frames) {
    const auto it = sessions_.find({&body, out.session});
    if (it == sessions_.end()) continue;
    wire_.push_back({&body, it->second.first, it->second.second, std::move(out.frame)});
  }
  for (const FileJob& job : effects->file_jobs) {
    const auto* erase = std::get_if<EraseJob>(&job);
    if (erase == nullptr) continue;
    body.erase_jobs.push_back(*erase);
    if (erase_at_once) Feed(body, Input(Erased{erase->id, erase_answer}));
  }
  for (ParcelOut& parcel : effects->parcels) body.parcels.push_back(std::move(parcel));
  for (const CloseSession& close : effects->closes) {
    const auto it = sessions_.find({&body, close.session});
    if (it == sessions_.end()) continue;
    const auto other = it->second;
    sessions_.erase(it);
    sessions_.erase(other);
    Feed(*other.first, Input(SessionClosed{other.second, close.reason}));
  }
}

absl::Status Federation::Carry(Body& from, Body& to) {
  absl::Status status;
  for (const ParcelOut& parcel : std::exchange(from.parcels, {})) {
    if (parcel.peer != to.party) continue;
    status.Update(to.replica->ImportParcel(parcel.parcel, now).status());
    Feed(to, Input(Tick{}));
  }
  return status;
}

void Federation::Settle() {
  while (!wire_.empty()) {
    Wire next = std::move(wire_.front());
    wire_.pop_front();
    if (on_frame && !on_frame(*next.from, *next.to, next.frame)) continue;
    if (!sessions_.contains({next.to, next.id})) continue;
    Feed(*next.to, Input(FrameReceived{next.id, std::move(next.frame)}));
  }
}

void Federation::Pass(absl::Duration time) {
  now += time;
  for (auto& [code, body] : bodies_) Feed(*body, Input(Tick{}));
  Settle();
}

Members Federation::MembersOf(const std::vector<std::string>& codes) const {
  Members out;
  for (const std::string& code : codes) out.insert(bodies_.at(code)->party);
  return out;
}

absl::Status Federation::Write(Body& author, const std::vector<std::string>& audience,
                               const std::string& text) {
  v1::EntryBody body;
  body.set_schema(kSchemaVersion);
  body.set_record_id(entropy.Bytes(16));
  body.set_justification(text);
  return WriteBody(author, audience, std::move(body)).status();
}

absl::StatusOr<EntryRef> Federation::WriteBody(Body& author,
                                               const std::vector<std::string>& audience,
                                               v1::EntryBody body) {
  Draft draft;
  draft.jit = jit;
  draft.audience = MembersOf(audience);
  draft.body = std::move(body);
  absl::StatusOr<EntryRef> ref = author.replica->AppendOne(now, std::move(draft));
  Finish(author);
  return ref;
}

const LogState* Federation::FindLog(const Body& holder, const Body& author,
                                    const std::vector<std::string>& audience) const {
  const Members members = MembersOf(audience);
  for (const auto& [id, log] : holder.replica->logs().all()) {
    if (log.author == author.party && log.members == members) return &log;
  }
  return nullptr;
}

v1::Batch Federation::WholeLog(Body& author, const std::vector<std::string>& audience) {
  const LogState* log = FindLog(author, author, audience);
  if (log == nullptr) Must(absl::NotFoundError("no such log"));
  absl::StatusOr<v1::Batch> batch = BuildBatch(author.replica->logs(), *log, 0, kBatchBytesMax);
  Must(batch.status());
  return *std::move(batch);
}

}  // namespace entente::sync

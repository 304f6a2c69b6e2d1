#include "sync/anchors.h"

#include <algorithm>
#include <utility>

#include "sync/grants.h"
#include "sync/hlc.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

constexpr int64_t kDaySeconds = 24 * 3600;

int64_t DayOf(absl::Time time) { return absl::ToUnixSeconds(time) / kDaySeconds; }

absl::StatusOr<crypto::AnchoredHead> HeadAt(const LogBook& logs, const LogState& log,
                                            uint64_t size) {
  const absl::StatusOr<crypto::CompactRange> range = logs.RangeAt(log, size);
  if (!range.ok()) return range.status();
  return crypto::AnchoredHead{log.id, size, *range->Root()};
}

}  // namespace

void Anchors::Learn(const OpenedEntry& entry) {
  if (entry.author != context_.self) return;
  const int64_t day = DayOf(TimeFromHlc(entry.body.hlc()));
  Jit& jit = jits_[entry.jit];
  jit.first_day = std::min(jit.first_day, day);
  if (entry.body.has_anchor()) jit.last_day = std::max(jit.last_day, day);
}

std::vector<JitId> Anchors::Due(absl::Time now) {
  const int64_t today = DayOf(now);
  std::vector<JitId> out;
  for (auto& [id, jit] : jits_) {
    if (today <= std::max(jit.first_day, jit.last_day)) continue;
    jit.last_day = today;
    out.push_back(id);
  }
  return out;
}

absl::Time Anchors::NextDue(absl::Time now) const {
  if (jits_.empty()) return absl::InfiniteFuture();
  return absl::FromUnixSeconds((DayOf(now) + 1) * kDaySeconds);
}

absl::StatusOr<Anchors::Made> Anchors::Make(const JitId& jit, const Members& audience) {
  const auto secret = context_.entropy.Draw<crypto::Secret32>();
  std::vector<crypto::AnchoredHead> heads;
  Made made;
  for (const auto& [id, log] : context_.logs.all()) {
    if (log.jit != jit || log.author != context_.self || log.size == 0) continue;
    if (heads.size() >= crypto::kAnchorLeavesMax) break;
    heads.push_back({log.id, log.size, log.Root()});
    v1::AnchoredHead* head = made.row.add_heads();
    head->set_log_id(log.id.str());
    head->set_size(log.size);
  }
  const crypto::AnchorTree tree(secret, heads);
  made.row.set_secret(std::string(secret.view()));
  made.row.set_leaves(tree.leaves());
  made.draft.jit = jit;
  made.draft.audience = audience;
  v1::Anchor* anchor = made.draft.body.mutable_anchor();
  anchor->set_root(tree.root().str());
  anchor->set_leaves(tree.leaves());
  return made;
}

void Anchors::Keep(const JitId& jit, absl::Time now, v1::AnchorRow row, const EntryRef& ref) {
  row.set_log_id(ref.log.str());
  row.set_index(ref.index);
  context_.store.Put(schema::Anchor(jit, static_cast<uint32_t>(DayOf(now))),
                     row.SerializeAsString());
}

absl::StatusOr<crypto::AnchorTree> Anchors::TreeOf(const v1::AnchorRow& row) const {
  const absl::StatusOr<crypto::Secret32> secret = crypto::Secret32::From(row.secret());
  if (!secret.ok()) return absl::DataLossError("a stored anchor is damaged");
  std::vector<crypto::AnchoredHead> heads;
  for (const v1::AnchoredHead& item : row.heads()) {
    const absl::StatusOr<LogId> id = LogId::From(item.log_id());
    const LogState* log = id.ok() ? context_.logs.Find(*id) : nullptr;
    if (log == nullptr || log->size < item.size()) {
      return absl::DataLossError("a stored anchor names more than is held here");
    }
    const absl::StatusOr<crypto::AnchoredHead> head = HeadAt(context_.logs, *log, item.size());
    if (!head.ok()) return head.status();
    heads.push_back(*head);
  }
  return crypto::AnchorTree(*secret, heads);
}

absl::StatusOr<v1::ExistenceProof> Anchors::Prove(const JitId& jit, const EntryRef& entry) const {
  v1::AnchorRow row;
  size_t number = 0;
  bool found = false;
  const absl::Status scan = context_.store.Scan(
      schema::Anchor(jit, 0), schema::Anchor(jit, UINT32_MAX),
      [&](std::string_view, std::string_view value) {
        if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) return true;
        const auto head = std::find_if(row.heads().begin(), row.heads().end(), [&](const auto& h) {
          return h.log_id() == entry.log.view() && h.size() > entry.index;
        });
        found = head != row.heads().end();
        number = static_cast<size_t>(head - row.heads().begin());
        return !found;
      });
  if (!scan.ok()) return scan;
  const LogState* log = context_.logs.Find(entry.log);
  const absl::StatusOr<LogId> anchor_log = LogId::From(row.log_id());
  const LogState* all = anchor_log.ok() ? context_.logs.Find(*anchor_log) : nullptr;
  if (!found || log == nullptr || all == nullptr) {
    return absl::NotFoundError("no anchor covers this entry yet");
  }
  const absl::StatusOr<crypto::AnchorTree> tree = TreeOf(row);
  if (!tree.ok()) return tree.status();
  const absl::StatusOr<crypto::AnchorOpening> opening = tree->Open(number);
  if (!opening.ok()) return opening.status();
  const uint64_t size = row.heads(static_cast<int>(number)).size();
  const absl::StatusOr<crypto::AnchoredHead> head = HeadAt(context_.logs, *log, size);
  if (!head.ok()) return head.status();
  absl::StatusOr<std::vector<v1::Grant>> anchor =
      MakeGrants(context_.logs, keys_, *all, {row.index()}, "");
  if (!anchor.ok()) return anchor.status();
  absl::StatusOr<v1::Proven> proven =
      sync::Prove(context_.logs, *log, entry.index, size, /*with_body=*/false);
  if (!proven.ok()) return proven.status();
  v1::ExistenceProof out;
  out.set_jit_id(jit.str());
  out.set_author(context_.self.str());
  *out.mutable_anchor() = std::move(anchor->front());
  out.set_position(opening->position);
  out.set_salt(opening->salt);
  out.set_log_id(entry.log.str());
  out.set_size(size);
  out.set_root(head->root.str());
  for (const Hash& hash : opening->path) out.add_path(hash.str());
  *out.mutable_entry() = *std::move(proven);
  return out;
}

absl::StatusOr<ProvenExistence> VerifyExistence(const v1::ExistenceProof& proof,
                                                const PublicKey& author_log_key) {
  const absl::StatusOr<std::vector<Original>> anchor = VerifyGrant(proof.anchor(), author_log_key);
  if (!anchor.ok()) return anchor.status();
  const absl::StatusOr<LogId> log = LogId::From(proof.log_id());
  const absl::StatusOr<Hash> root = Hash::From(proof.root());
  if (anchor->size() != 1 || !anchor->front().body.has_anchor() || !log.ok() || !root.ok()) {
    return absl::InvalidArgumentError("not a proof of existence: it opens no anchor");
  }
  const v1::Anchor& said = anchor->front().body.anchor();
  const absl::StatusOr<Hash> anchor_root = Hash::From(said.root());
  if (!anchor_root.ok()) return anchor_root.status();
  crypto::AnchorOpening opening{proof.position(), proof.salt(), {}};
  for (const std::string& raw : proof.path()) {
    const absl::StatusOr<Hash> hash = Hash::From(raw);
    if (!hash.ok()) return hash.status();
    opening.path.push_back(*hash);
  }
  if (absl::Status s =
          crypto::VerifyAnchor(*anchor_root, said.leaves(), {*log, proof.size(), *root}, opening);
      !s.ok()) {
    return s;
  }
  const absl::StatusOr<ProvenHeader> entry = VerifyProven(proof.entry(), proof.size(), *root);
  if (!entry.ok()) return entry.status();
  if (entry->log != *log) {
    return absl::UnauthenticatedError("a proof for an entry of another log than was anchored");
  }
  return ProvenExistence{
      anchor->front().body.hlc(), anchor->front().ref, {entry->log, entry->index, entry->leaf}};
}

}  // namespace entente::sync

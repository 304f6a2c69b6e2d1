#include "sync/proven_log.h"

#include <algorithm>
#include <utility>

#include "crypto/ids.h"
#include "crypto/note.h"
#include "sync/grants.h"

namespace entente::sync {
namespace {

// A proof is read by people's tools: parts of a few megabytes, however many entries there are.
constexpr size_t kGrantOfProofBytesMax = 8 << 20;

absl::StatusOr<v1::BundleReceipt> ProveReceipt(const LogBook& logs, const LogState& log,
                                               const PartyId& party, const Receipt& receipt) {
  v1::BundleReceipt out;
  out.set_party(party.str());
  out.set_size(receipt.size);
  out.set_cosignature(receipt.cosignature);
  const absl::StatusOr<crypto::CompactRange> range = logs.RangeAt(log, receipt.size);
  if (!range.ok()) return range.status();
  const absl::StatusOr<Hash> root = range->Root();
  if (!root.ok()) return root.status();
  out.set_root(root->str());
  if (receipt.size == log.size) return out;
  const auto path = logs.Consistency(log, receipt.size, log.size);
  if (!path.ok()) return path.status();
  for (const Hash& hash : *path) out.add_consistency(hash.str());
  return out;
}

absl::StatusOr<Members> ParseMembers(const v1::BundleLog& log, const CardBook& cards) {
  Members out;
  for (const std::string& raw : log.members()) {
    const absl::StatusOr<PartyId> party = PartyId::From(raw);
    if (!party.ok() || (!out.empty() && !(*out.rbegin() < *party))) {
      return absl::InvalidArgumentError("a log whose readers are no list of bodies");
    }
    if (cards.Find(*party) == nullptr) {
      return absl::InvalidArgumentError("a log with a reader whose card is not in the bundle");
    }
    out.insert(*party);
  }
  return out;
}

absl::StatusOr<Cosigned> VerifyReceipt(const v1::BundleReceipt& receipt, const ProvenLog& log,
                                       const CardBook& cards) {
  const absl::StatusOr<PartyId> party = PartyId::From(receipt.party());
  const absl::StatusOr<Hash> root = Hash::From(receipt.root());
  if (!party.ok() || !root.ok() || receipt.size() == 0 || receipt.size() > log.size) {
    return absl::InvalidArgumentError("a receipt that is malformed");
  }
  std::vector<Hash> path;
  for (const std::string& raw : receipt.consistency()) {
    const absl::StatusOr<Hash> hash = Hash::From(raw);
    if (!hash.ok()) return absl::InvalidArgumentError("a receipt with a path that is none");
    path.push_back(*hash);
  }
  const bool same = receipt.size() == log.size;
  if (same ? (*root != log.root || !path.empty())
           : !crypto::VerifyConsistency(receipt.size(), log.size, *root, log.root, path).ok()) {
    return absl::UnauthenticatedError("a receipt for another log than the one in the bundle");
  }
  const std::string text =
      crypto::CheckpointText({crypto::LogOrigin(log.id), receipt.size(), *root});
  for (const TrustedCard* card : cards.ChainOf(*party)) {
    const absl::StatusOr<uint64_t> time =
        crypto::VerifyCosignLine(text, receipt.cosignature(), *party, card->cosign_key);
    if (time.ok()) return Cosigned{receipt.size(), static_cast<int64_t>(*time)};
  }
  return absl::UnauthenticatedError("a receipt that the body it names did not sign");
}

absl::Status VerifyEntries(const v1::BundleLog& in, const JitId& jit, const TrustedCard& card,
                           ProvenLog* out) {
  for (const v1::Grant& grant : in.originals()) {
    if (grant.log_id() != out->id.view()) {
      return absl::UnauthenticatedError("entries of another log than their author's own");
    }
    if (grant.head_note() != in.originals(0).head_note()) {
      return absl::InvalidArgumentError("entries under several heads");
    }
    const absl::StatusOr<crypto::Checkpoint> head =
        crypto::VerifyCheckpointNote(grant.head_note(), out->id, card.log_key);
    if (!head.ok()) return absl::UnauthenticatedError("a head that its author did not sign");
    out->size = head->size;
    out->root = head->root;
    absl::StatusOr<std::vector<Original>> originals = VerifyGrant(grant, card.log_key);
    if (!originals.ok()) return originals.status();
    for (Original& original : *originals) {
      if (!out->entries.empty() && original.ref.index <= out->entries.back().ref.index) {
        return absl::InvalidArgumentError("entries out of their order");
      }
      OpenedEntry entry;
      entry.jit = jit;
      entry.author = out->author;
      entry.ref = original.ref;
      entry.audience = out->audience;
      entry.body = std::move(original.body);
      entry.body_bytes = std::move(original.body_bytes);
      out->entries.push_back(std::move(entry));
    }
  }
  if (out->entries.empty()) return absl::InvalidArgumentError("a log without entries");
  out->head_note = in.originals(0).head_note();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::BundleLog> ProveLog(const LogBook& logs, EpochKeys& keys, const LogState& log,
                                       const std::set<uint64_t>& indexes) {
  auto grants = MakeGrants(logs, keys, log, indexes, "", kGrantOfProofBytesMax);
  if (!grants.ok()) return grants.status();
  v1::BundleLog out;
  out.set_author(log.author.str());
  out.set_card(log.author_card.str());
  out.set_incarnation(log.incarnation);
  out.set_audience_salt(log.salt);
  for (const PartyId& member : log.members) out.add_members(member.str());
  for (v1::Grant& grant : *grants) *out.add_originals() = std::move(grant);
  for (const auto& [party, receipt] : log.receipts) {
    if (receipt.cosignature.empty() || receipt.size == 0 || receipt.size > log.size) continue;
    absl::StatusOr<v1::BundleReceipt> proven = ProveReceipt(logs, log, party, receipt);
    if (!proven.ok()) return proven.status();
    *out.add_receipts() = *std::move(proven);
  }
  return out;
}

absl::StatusOr<ProvenLog> VerifyProvenLog(const v1::BundleLog& log, const JitId& jit,
                                          const CardBook& cards) {
  ProvenLog out;
  const absl::StatusOr<PartyId> author = PartyId::From(log.author());
  const TrustedCard* card = author.ok() ? cards.FindOf(*author, log.card()) : nullptr;
  if (card == nullptr) {
    return absl::InvalidArgumentError("a log whose author's card is not in the bundle");
  }
  absl::StatusOr<Members> members = ParseMembers(log, cards);
  if (!members.ok()) return members.status();
  if (!members->contains(*author)) {
    return absl::InvalidArgumentError("a log that its author does not read");
  }
  const auto audience = crypto::ComputeAudienceId(
      jit, log.audience_salt(), std::vector<PartyId>(members->begin(), members->end()));
  if (!audience.ok()) return audience.status();
  out.id = crypto::ComputeLogId(jit, card->log_key, *audience, log.incarnation());
  out.author = *author;
  out.card = card->hash;
  out.audience = *std::move(members);
  if (absl::Status s = VerifyEntries(log, jit, *card, &out); !s.ok()) return s;
  for (const v1::BundleReceipt& receipt : log.receipts()) {
    const absl::StatusOr<Cosigned> cosigned = VerifyReceipt(receipt, out, cards);
    if (!cosigned.ok()) return cosigned.status();
    if (!out.receipts.emplace(*PartyId::From(receipt.party()), *cosigned).second) {
      return absl::InvalidArgumentError("two receipts of one body");
    }
    if (cosigned->size == out.size) out.cosignatures.push_back(receipt.cosignature());
  }
  if (log.has_effect_size()) out.effect_size = log.effect_size();
  out.effect_code = log.effect_code();
  return out;
}

}  // namespace entente::sync

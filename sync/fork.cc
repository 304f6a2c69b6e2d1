#include "sync/fork.h"

#include <utility>
#include <vector>

#include "crypto/note.h"

namespace entente::sync {
namespace {

absl::StatusOr<crypto::CompactRange> RangeOf(
    uint64_t begin, uint64_t end, const google::protobuf::RepeatedPtrField<std::string>& raw) {
  if (static_cast<size_t>(raw.size()) != crypto::CompactRangeHashCount(begin, end)) {
    return absl::InvalidArgumentError("a fork proof with a range of the wrong length");
  }
  std::vector<Hash> hashes;
  for (const std::string& item : raw) {
    const absl::StatusOr<Hash> hash = Hash::From(item);
    if (!hash.ok()) return absl::InvalidArgumentError("a fork proof with a malformed hash");
    hashes.push_back(*hash);
  }
  return crypto::CompactRange::From(begin, end, std::move(hashes));
}

}  // namespace

absl::StatusOr<v1::ForkProof> ProveFork(const LogBook& logs, const LogState& log,
                                        std::string_view theirs, const PublicKey& log_key) {
  const absl::StatusOr<crypto::Checkpoint> other =
      crypto::VerifyCheckpointNote(theirs, log.id, log_key);
  if (!other.ok()) return other.status();
  if (log.size != log.head_size || other->size > log.size) {
    return absl::FailedPreconditionError("the log is not held up to the size of that head");
  }
  const absl::StatusOr<crypto::CompactRange> left = logs.RangeAt(log, other->size);
  if (!left.ok()) return left.status();
  if (*left->Root() == other->root) {
    return absl::FailedPreconditionError("the two heads are of one tree");
  }
  const absl::StatusOr<crypto::CompactRange> mid = logs.EdgeToHead(log, other->size);
  if (!mid.ok()) return mid.status();
  v1::ForkProof proof;
  proof.set_note_a(std::string(theirs));
  proof.set_note_b(log.head_note);
  for (const Hash& hash : left->hashes()) proof.add_left(hash.str());
  for (const Hash& hash : mid->hashes()) proof.add_mid(hash.str());
  return proof;
}

absl::StatusOr<Fork> VerifyFork(const v1::ForkProof& proof, const LogId& log,
                                const PublicKey& log_key) {
  const auto a = crypto::VerifyCheckpointNote(proof.note_a(), log, log_key);
  if (!a.ok()) return a.status();
  const auto b = crypto::VerifyCheckpointNote(proof.note_b(), log, log_key);
  if (!b.ok()) return b.status();
  if (a->size > b->size) {
    return absl::InvalidArgumentError("a fork proof whose first head is the longer one");
  }
  absl::StatusOr<crypto::CompactRange> left = RangeOf(0, a->size, proof.left());
  if (!left.ok()) return left.status();
  const absl::StatusOr<crypto::CompactRange> mid = RangeOf(a->size, b->size, proof.mid());
  if (!mid.ok()) return mid.status();
  if (*left->Root() == a->root) {
    return absl::InvalidArgumentError("a fork proof whose heads are of one tree");
  }
  if (absl::Status s = left->AppendRange(*mid); !s.ok()) return s;
  if (*left->Root() != b->root) {
    return absl::InvalidArgumentError("a fork proof whose ranges are not those of its head");
  }
  return Fork{a->size, b->size};
}

}  // namespace entente::sync

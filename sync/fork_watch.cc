#include "sync/fork_watch.h"

#include <utility>

#include "crypto/note.h"
#include "sync/schema.h"

namespace entente::sync {

const PublicKey* ForkWatch::LogKey(const LogState& log) const {
  const TrustedCard* card = context_.cards.FindByHash(log.author_card);
  return card == nullptr ? nullptr : &card->log_key;
}

absl::Status ForkWatch::Load() {
  absl::Status failure;
  const absl::Status scan =
      context_.store.Scan("p", "q", [&](std::string_view key, std::string_view value) {
        const absl::StatusOr<LogId> id = LogId::From(key.substr(1));
        LogState* log = id.ok() ? context_.logs.Find(*id) : nullptr;
        const PublicKey* log_key = log == nullptr ? nullptr : LogKey(*log);
        v1::ForkProof proof;
        if (log_key == nullptr ||
            !proof.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          failure = absl::DataLossError("a stored fork proof is damaged");
          return false;
        }
        const absl::StatusOr<Fork> fork = VerifyFork(proof, log->id, *log_key);
        if (!fork.ok()) {
          failure = absl::DataLossError("a stored fork proof does not hold");
          return false;
        }
        Mark(*log, *fork);
        return true;
      });
  return scan.ok() ? failure : scan;
}

void ForkWatch::Mark(LogState& log, const Fork& fork) {
  log.fork = fork;
  const PublicKey* key = LogKey(log);
  if (log.author == context_.self && log.incarnation == context_.incarnation && key != nullptr &&
      *key == context_.keys->log.public_key()) {
    context_.cloned = true;
  }
  hooks_.forked(log);
}

void ForkWatch::Send(Link& link, const LogState& log, const v1::ForkProof& proof) {
  v1::Frame frame;
  frame.mutable_fork()->set_log_id(log.id.str());
  frame.mutable_fork()->set_proof(proof.SerializeAsString());
  hooks_.send(link, std::move(frame));
}

void ForkWatch::Greet(Link& link) {
  for (const auto& [id, log] : context_.logs.all()) Show(link, log);
}

void ForkWatch::Show(Link& link, const LogState& log) {
  if (!log.fork.has_value() || !context_.Shares(log, link.peer)) return;
  const auto row = context_.store.Get(schema::Fork(log.id));
  v1::ForkProof proof;
  if (row.ok() && row->has_value() && proof.ParseFromString(**row)) Send(link, log, proof);
}

void ForkWatch::Suspect(Link& link, const LogState& log) {
  if (log.fork.has_value() || log.size != log.head_size || log.head_note.empty()) return;
  if (!context_.Shares(log, link.peer)) return;
  v1::ForkProof challenge;
  challenge.set_note_a(log.head_note);
  Send(link, log, challenge);
}

absl::Status ForkWatch::OnAlarm(Link& link, const v1::ForkAlarm& alarm, absl::Time now) {
  const absl::StatusOr<LogId> id = LogId::From(alarm.log_id());
  LogState* log = id.ok() ? context_.logs.Find(*id) : nullptr;
  v1::ForkProof proof;
  // Of a log that is not shared with the peer, nothing is said and nothing is learned.
  if (log == nullptr || !context_.Shares(*log, link.peer) || log->fork.has_value() ||
      !proof.ParseFromString(alarm.proof())) {
    return absl::OkStatus();
  }
  const PublicKey* key = LogKey(*log);
  if (key == nullptr) return absl::OkStatus();
  if (proof.note_b().empty()) return Challenged(link, *log, proof, *key, now);
  const absl::StatusOr<Fork> fork = VerifyFork(proof, log->id, *key);
  if (!fork.ok()) {
    refusals_.Record(link.peer, /*by_peer=*/false, v1::REFUSAL_CODE_BAD_PROOF,
                     std::string(ToStd(fork.status().message())), now);
    return absl::OkStatus();
  }
  Keep(*log, proof, *fork, now);
  return absl::OkStatus();
}

absl::Status ForkWatch::Challenged(Link& link, LogState& log, const v1::ForkProof& challenge,
                                   const PublicKey& key, absl::Time now) {
  const auto theirs = crypto::VerifyCheckpointNote(challenge.note_a(), log.id, key);
  if (!theirs.ok() || log.size != log.head_size) return absl::OkStatus();
  if (theirs->size > log.size) {
    Suspect(link, log);  // the longer tree makes the proof
    return absl::OkStatus();
  }
  const absl::StatusOr<v1::ForkProof> proof =
      ProveFork(context_.logs, log, challenge.note_a(), key);
  if (absl::IsFailedPrecondition(proof.status())) return absl::OkStatus();  // one tree after all
  if (!proof.ok()) return proof.status();
  Keep(log, *proof, {theirs->size, log.head_size}, now);
  return absl::OkStatus();
}

void ForkWatch::Keep(LogState& log, const v1::ForkProof& proof, const Fork& fork, absl::Time now) {
  context_.store.Put(schema::Fork(log.id), proof.SerializeAsString());
  refusals_.Record(log.author, /*by_peer=*/false, v1::REFUSAL_CODE_FORK,
                   "it signed two versions of one log; the proof is kept", now);
  Mark(log, fork);
  for (Link* link : hooks_.links()) {
    if (context_.Shares(log, link->peer)) Send(*link, log, proof);
  }
}

}  // namespace entente::sync

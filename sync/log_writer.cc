#include "sync/log_writer.h"

#include <algorithm>
#include <utility>

#include "crypto/body_seal.h"
#include "crypto/ids.h"
#include "crypto/note.h"
#include "sync/entry_codec.h"
#include "sync/hlc.h"
#include "sync/limits.h"

namespace entente::sync {

absl::StatusOr<std::vector<OpenedEntry>> LogWriter::Append(absl::Time now,
                                                           std::vector<Draft> drafts,
                                                           Effects* effects) {
  if (absl::Status s = Check(drafts); !s.ok()) return s;
  std::vector<OpenedEntry> out;
  std::set<LogId> touched;
  for (Draft& draft : drafts) {
    LogState& log = LogFor(draft.jit, draft.audience);
    if (absl::Status s = EnsureEpoch(now, log); !s.ok()) return s;
    absl::StatusOr<OpenedEntry> entry = AppendOne(now, log, std::move(draft.body));
    if (!entry.ok()) return entry.status();
    touched.insert(log.id);
    out.push_back(*std::move(entry));
  }
  for (const LogId& id : touched) {
    if (absl::Status s = SignHead(*context_.logs.Find(id), effects); !s.ok()) return s;
  }
  return out;
}

absl::Status LogWriter::Check(const std::vector<Draft>& drafts) const {
  if (context_.cloned) {
    return absl::FailedPreconditionError(
        "another node signs with this node's keys (a copy of it, or a thief), so nothing more is "
        "written here [CLONED]\n  Next: stop the other one, then give this node new keys: entente "
        "node renew");
  }
  for (const Draft& draft : drafts) {
    if (!draft.audience.contains(context_.self)) {
      return absl::InvalidArgumentError("an audience must contain this body itself [BAD_AUDIENCE]");
    }
    if (draft.audience.size() > kMembersMax) {
      return absl::InvalidArgumentError("an audience has at most 64 bodies [BAD_AUDIENCE]");
    }
    for (const PartyId& member : draft.audience) {
      if (context_.cards.Find(member) == nullptr) {
        return absl::FailedPreconditionError(
            "a body of this audience has no trusted card here; trust its card first "
            "[CARD_NOT_TRUSTED]");
      }
      if (context_.exclusions->Stopped(draft.jit, member)) {
        return absl::FailedPreconditionError(
            Cat(context_.cards.Find(member)->card.code(),
                " is excluded or suspended, so nothing more is addressed to it [EXCLUDED]\n  Next: "
                "leave it out of --audience, or see: entente agreement show"));
      }
    }
    const size_t bytes = draft.body.ByteSizeLong();
    if (bytes + 1024 > kEntryBytesMax) {
      return absl::InvalidArgumentError(
          Cat("this record has ", std::to_string(bytes),
              " bytes of text; 250 000 is the most one entry holds. Put long material into a file "
              "[TOO_BIG]"));
    }
  }
  return absl::OkStatus();
}

LogState& LogWriter::LogFor(const JitId& jit, const Members& members) {
  // Two authors may have made two ids for one set of bodies: later writes prefer the smallest.
  const LogState* sibling = nullptr;
  for (const auto& [id, log] : context_.logs.all()) {
    if (log.jit != jit || log.members != members) continue;
    if (sibling == nullptr || log.audience < sibling->audience) sibling = &log;
  }
  const std::string salt =
      sibling != nullptr ? sibling->salt : context_.entropy.Bytes(kAudienceSaltBytes);
  const AudienceId audience =
      *crypto::ComputeAudienceId(jit, salt, std::vector<PartyId>(members.begin(), members.end()));
  const PublicKey& log_key = context_.keys->log.public_key();
  const LogId id = crypto::ComputeLogId(jit, log_key, audience, context_.incarnation);
  if (LogState* known = context_.logs.Find(id)) return *known;
  LogState log;
  log.id = id;
  log.jit = jit;
  log.author = context_.self;
  log.author_card = context_.cards.Find(context_.self)->hash;
  log.incarnation = context_.incarnation;
  log.audience = audience;
  log.salt = salt;
  log.members = members;
  return context_.logs.Add(std::move(log));
}

absl::Status LogWriter::EnsureEpoch(absl::Time now, LogState& log) {
  if (log.epoch > 0) {
    const bool full = log.size - log.epoch_first >= crypto::kTreeLeaves;
    const bool old = now - absl::FromUnixSeconds(log.epoch_started) >= kEpochLife;
    if (!full && !old) {
      const absl::StatusOr<StoredEntry> stored = context_.logs.Read(log, log.epoch_first - 1);
      if (!stored.ok()) return stored.status();
      v1::Epoch epoch;
      if (epoch.ParseFromString(stored->body) && EpochStillCurrent(context_, log, epoch)) {
        return absl::OkStatus();
      }
    }
  }
  crypto::Secret32 seed;
  absl::StatusOr<std::string> body = MakeEpoch(context_, log, log.size + 1, &seed);
  if (!body.ok()) return body.status();
  const uint32_t epoch = log.epoch + 1;
  const crypto::EntryHeader header = HeaderOf(log.id, log.size, crypto::kEpoch, epoch, *body);
  if (absl::Status s =
          context_.logs.Append(log, crypto::kEpoch, epoch, crypto::LeafHash(header), *body);
      !s.ok()) {
    return s;
  }
  keys_.Keep(log.id, epoch, seed);
  log.epoch = epoch;
  log.epoch_first = log.size;
  log.epoch_started = absl::ToUnixSeconds(now);
  return absl::OkStatus();
}

absl::StatusOr<OpenedEntry> LogWriter::AppendOne(absl::Time now, LogState& log,
                                                 v1::EntryBody body) {
  last_hlc_ = NextHlc(last_hlc_, now);
  body.set_hlc(last_hlc_);
  body.set_schema(kSchemaVersion);
  OpenedEntry out;
  out.body_bytes = body.SerializeAsString();
  out.body = std::move(body);
  absl::StatusOr<crypto::Secret32> key =
      keys_.EntryKey(log.id, log.epoch, static_cast<uint32_t>(log.size - log.epoch_first));
  if (!key.ok()) return key.status();
  crypto::EntryHeader header;
  header.type = crypto::kSealed;
  header.epoch = log.epoch;
  header.index = log.size;
  header.log_id = log.id;
  absl::StatusOr<std::string> sealed =
      crypto::SealBody(*key, header, out.body_bytes, context_.entropy);
  if (!sealed.ok()) return sealed.status();
  const Hash leaf = crypto::LeafHash(header);
  out.jit = log.jit;
  out.author = log.author;
  out.ref = {log.id, log.size, leaf};
  out.audience = log.members;
  if (absl::Status s = context_.logs.Append(log, crypto::kSealed, log.epoch, leaf, *sealed);
      !s.ok()) {
    return s;
  }
  return out;
}

absl::Status LogWriter::SignHead(LogState& log, Effects* effects) {
  const Hash root = log.Root();
  log.head_note =
      crypto::SignCheckpoint({crypto::LogOrigin(log.id), log.size, root}, context_.keys->log);
  log.head_size = log.size;
  log.head_edge = crypto::CompactRange::Empty(log.size);
  log.opened = log.size;
  context_.logs.Save(log);
  effects->anchors.push_back({log.id, log.incarnation, log.size, root});
  return absl::OkStatus();
}

}  // namespace entente::sync

#include "sync/log_writer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "crypto/body_seal.h"
#include "crypto/ids.h"
#include "crypto/note.h"
#include "sync/entry_codec.h"
#include "sync/hlc.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

// What hlc and schema level add to a draft.
constexpr size_t kStampBytes = 16;

}  // namespace

absl::StatusOr<std::vector<OpenedEntry>> LogWriter::Append(absl::Time now,
                                                           std::vector<Draft> drafts,
                                                           Effects* effects) {
  if (absl::Status s = Check(drafts); !s.ok()) return s;
  std::vector<OpenedEntry> out;
  std::set<LogId> touched;
  for (Draft& draft : drafts) {
    const absl::StatusOr<LogState*> own = LogFor(draft.jit, draft.audience);
    if (!own.ok()) return own.status();
    LogState& log = **own;
    if (absl::Status s = EnsureEpoch(now, log); !s.ok()) return s;
    touched.insert(log.id);
    absl::StatusOr<OpenedEntry> entry = AppendOne(now, log, std::move(draft.body));
    if (!entry.ok()) return entry.status();
    Observe(*entry, now);  // what one act writes for several audiences keeps its order
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
    // Padding counts: what its author seals, no reader may find too large.
    if (crypto::SealedBodySize(bytes + kStampBytes) > kEntryBytesMax) {
      return absl::InvalidArgumentError(
          Cat("this record has ", std::to_string(bytes),
              " bytes of text; 250 000 is the most one entry holds. Put long material into a file "
              "[TOO_BIG]"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<LogState*> LogWriter::LogFor(const JitId& jit, const Members& members) {
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
  if (LogState* known = context_.logs.Find(id)) {
    if (known->frozen || known->members != members) {
      return absl::FailedPreconditionError(
          "the log that this would be written to came from elsewhere; another node may be signing "
          "with this node's keys [CLONED]\n  Next: stop the other one, then: entente node renew");
    }
    return known;
  }
  LogState log;
  log.id = id;
  log.jit = jit;
  log.author = context_.self;
  log.author_card = context_.cards.Find(context_.self)->hash;
  log.incarnation = context_.incarnation;
  log.audience = audience;
  log.salt = salt;
  log.members = members;
  return &context_.logs.Add(std::move(log));
}

absl::Status LogWriter::EnsureEpoch(absl::Time now, LogState& log) {
  if (log.epoch > 0) {
    const bool full = log.size - log.epoch_first >= crypto::kTreeLeaves;
    const bool old = now - absl::FromUnixSeconds(log.epoch_started) >= kEpochLife;
    if (!full && !old && !log.renew_epoch) {
      const absl::StatusOr<bool> behind = NewestEpochIsBehind(context_, log);
      if (!behind.ok()) return behind.status();
      if (!*behind) return absl::OkStatus();
    }
  }
  return AppendEpoch(now, log);
}

absl::Status LogWriter::BeginEpoch(absl::Time now, LogState& log, Effects* effects) {
  if (absl::Status s = AppendEpoch(now, log); !s.ok()) return s;
  return SignHead(log, effects);
}

absl::Status LogWriter::AppendEpoch(absl::Time now, LogState& log) {
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
  log.renew_epoch = false;
  return absl::OkStatus();
}

void LogWriter::Observe(const OpenedEntry& entry, absl::Time now) {
  if (entry.author != context_.self &&
      TimeFromHlc(entry.body.hlc()) > now + kForeignClockAheadMax) {
    return;
  }
  uint64_t& last = last_hlc_[{entry.jit, entry.audience}];
  last = std::max(last, entry.body.hlc());
}

uint64_t LogWriter::LastHlc(const JitId& jit, const Members& readers) const {
  uint64_t out = 0;
  for (auto it = last_hlc_.lower_bound({jit, {}}); it != last_hlc_.end() && it->first.first == jit;
       ++it) {
    const Members& audience = it->first.second;
    if (it->second > out &&
        std::includes(audience.begin(), audience.end(), readers.begin(), readers.end())) {
      out = it->second;
    }
  }
  return out;
}

absl::StatusOr<OpenedEntry> LogWriter::AppendOne(absl::Time now, LogState& log,
                                                 v1::EntryBody body) {
  body.set_hlc(NextHlc(LastHlc(log.jit, log.members), now));
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

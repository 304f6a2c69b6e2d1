// Anti-entropy between two nodes: digests, heads, wants, batches, receipts. Protocol §9.
//
// Works on links and does not know whether they are streams or parcels. All state about the other
// side is a guess that the next heads correct, so lost, repeated and reordered frames cost time and
// nothing else. Bounds are checked before anything is allocated; a bad frame is refused with a
// typed code that both sides keep.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sync/admission.h"
#include "sync/context.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"
#include "sync/link.h"
#include "sync/refusals.h"

namespace entente::sync {

class Exchange {
 public:
  struct Hooks {
    std::function<void(Link&, v1::Frame)> send;
    std::function<std::vector<Link*>()> links;             // ready ones
    std::function<void(OpenedEntry)> opened;               // an entry became readable
    std::function<bool(const JitId&)> agreement_in_force;  // false: room for signing and no more
    std::function<std::vector<std::string>(const PartyId&)> received_blobs_for;
    std::function<void(const PartyId&, const v1::Cosign&, absl::Time)> receipt;
    std::function<absl::Status(const LogState&)> grown;      // more of a log is held
    std::function<void(Link&, const LogState&)> other_tree;  // the peer's differs from ours
    std::function<void(Link&, const LogState&)> served;      // the peer asked for it and has it
    std::function<uint64_t(const LogState&)> effect_size;    // of a forked log the part that stands
  };

  Exchange(Context& context, EpochKeys& keys, Refusals& refusals, Pace pace, Hooks hooks)
      : context_(context),
        keys_(keys),
        refusals_(refusals),
        pace_(pace),
        admission_(context, keys),
        hooks_(std::move(hooks)) {}

  absl::Status Start(Link& link, absl::Time now);
  absl::Status Handle(Link& link, const v1::Frame& frame, absl::Time now);
  absl::Status RunTimers(Link& link, absl::Time now);

  // An own log has grown: push it to those who should have it.
  absl::Status Push(const LogState& log);
  // All of a log that `link` is not known to have, without waiting for receipts.
  absl::Status PushAll(Link& link, const LogState& log);
  // Tells `peer` again what of its own logs is durable here, for instance after a file arrived.
  void SendReceipts(const PartyId& peer);
  // Tells `peer` again how far `log` is read here, whoever wrote it.
  void SendReceipt(const PartyId& peer, const LogId& log);

  // Opens entries [from, size) of a log and hands them up. Sets log.opened.
  absl::Status OpenEntries(LogState& log, uint64_t from);

  // An epoch that was locked has been given its keys: hands up what has become readable in it,
  // moves log.opened on and tells the others.
  absl::Status OpenEpoch(LogState& log, uint32_t epoch, absl::Time now);

  // Digest over the logs of `jit` that `peer` may know.
  absl::StatusOr<std::map<JitId, Hash>> DigestsFor(const PartyId& peer) const;

 private:
  absl::Status OnDigests(Link& link, const v1::Digests& digests, absl::Time now);
  absl::Status OnHeads(Link& link, const v1::Heads& heads, absl::Time now);
  absl::Status OnWant(Link& link, const v1::Want& want, absl::Time now);
  absl::Status OnBatch(Link& link, const v1::Batch& batch, absl::Time now);
  absl::Status OnCosign(Link& link, const v1::Cosign& cosign, absl::Time now);
  absl::StatusOr<bool> CosignHolds(const PartyId& peer, const LogState& log,
                                   const v1::Cosign& cosign) const;
  void OnRefused(Link& link, const v1::Refused& refused, absl::Time now);

  absl::Status SendDigests(Link& link, bool reply);
  absl::Status CompareHead(Link& link, const LogState& log, const v1::Head& head);
  void SendHeads(Link& link, const std::set<JitId>& jits);
  void SendLaggingHeads(Link& link);
  void AskForKeys(Link& link);
  void QueueWant(Link& link, const LogId& log);
  void SendWants(Link& link);
  void Refuse(Link& link, const Refusal& refusal, const std::string& subject, uint64_t position,
              absl::Time now);
  void SendCosign(Link& link, const LogState& log, bool with_files = false);
  absl::Status CosignAndTell(LogState& log, absl::Time now);
  absl::Status PushTo(Link& link, const LogState& log);
  // How much of each log of `jit` may be kept: everything once an agreement is in force here.
  uint64_t Allowed(const JitId& jit) const;
  bool WithinSigningBudget(const v1::Batch& batch) const;
  bool Shared(const LogState& log, const PartyId& peer) const {
    return log.size > 0 && context_.Shares(log, peer);
  }

  Context& context_;
  EpochKeys& keys_;
  Refusals& refusals_;
  const Pace pace_;
  Admission admission_;
  Hooks hooks_;
};

}  // namespace entente::sync

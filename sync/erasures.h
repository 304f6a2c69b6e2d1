// Erasure: what the owner of a record has ordered erased is deleted here, key and all, and this
// node says so with its name. Protocol §12.
//
// An Erase entry names the positions of a record's entries, one signed order for each log, and
// shows by the record's blind key that its author is the owner. Every holder then, in one write
// with the entry itself: deletes the bodies, the Epoch entries that their keys could be learned
// from again, and the rows of files that nothing else names; and punctures the key tree, so that
// what is kept of the epoch opens the other entries and no longer these. Only afterwards, from a
// job of the pool, the chunks go and the store rewrites its files; and only when that is done does
// the node sign that it is destroyed.
//
// An order is carried out as far as its targets are what it says: entries of that record. What
// turns out to be something else is left alone and the order's author is blamed. What cannot be
// read here waits for its key for a while, which those who have carried the order out cannot give
// any more. Entries of an erased record that come later are kept from the layers above at once; the
// owner, when it gets one, orders it erased as well.
//
// Grants that handed keys of a punctured epoch to a member hold what was just forgotten: their
// author orders them erased in turn.
//
// Derived from entries at every start, but for how far each order has come (OrderRow).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/entry.pb.h"
#include "entente/v1/storage.pb.h"
#include "sync/context.h"
#include "sync/effects.h"
#include "sync/entry_types.h"
#include "sync/epoch.h"
#include "sync/erasure_order.h"
#include "sync/refusals.h"

namespace entente::sync {

class Erasures {
 public:
  struct Hooks {
    std::function<uint64_t(const LogState&)> effect_size;  // of a log the part that counts
    // Files that were named by this record and by no other, no longer known from now on.
    std::function<std::vector<BlobId>(const std::string& record)> forget_files;
    std::function<bool(const BlobId&)> knows_file;
    // An entry of this node that handed out keys is erased.
    std::function<void(const v1::Grant&, const Members&)> taken_back;
    std::function<void(EraseJob)> run;
  };

  Erasures(Context& context, EpochKeys& keys, Refusals& refusals, absl::Duration backups_kept,
           Hooks hooks)
      : context_(context),
        keys_(keys),
        refusals_(refusals),
        backups_kept_(backups_kept),
        hooks_(std::move(hooks)) {}

  // One order for each log that holds some of `entries`, signed by this node. The Epoch entries
  // that opened them are added. InvalidArgument: more entries in one log than an order names.
  absl::StatusOr<ErasureOrders> MakeOrders(const std::set<EntryRef>& entries) const;

  // Every opened entry passes here first. True: it goes no further, because it belongs to a record
  // that is erased, or speaks of keys alone.
  bool Takes(const OpenedEntry& entry);
  // More of a log is here, or more of it can be read.
  void Grown(const LogId& log);
  // What was known of an erased record by the layers above, as far as it is not erased yet.
  void Remains(const std::string& record, const std::set<EntryRef>& entries);

  // Deletes what is to be deleted and can be. An error is a damaged store.
  absl::Status CarryOut(absl::Time now);
  // Records that have been erased since the last call.
  std::vector<std::string> TakeErased() { return std::exchange(erased_now_, {}); }
  absl::Status OnErased(const Erased& done, absl::Time now);

  // What this node has to say now: that it has destroyed, or what else is to be erased.
  struct Due {
    Draft draft;
    std::optional<EntryRef> act;  // the Erase that it answers
    std::vector<Hash> confirms;   // orders
  };
  absl::StatusOr<std::vector<Due>> TakeDue(absl::Time now);
  // It has been written.
  absl::Status Confirmed(const Due& due);
  // It could not be written.
  void Postpone(absl::Time until);
  absl::Time NextDue() const { return next_due_; }

 private:
  struct Act {  // one Erase entry
    JitId jit;
    PartyId author;
    Members audience;
    v1::EntryBody body;
    std::vector<ErasureOrder> orders;
    std::set<Hash> open;  // orders with something still to do here
    // Until then what cannot be read here is left alone; afterwards the order is taken at its word,
    // as where its targets come without their bodies.
    absl::Time unread_until = absl::InfinitePast();
  };
  enum class Target { kErased, kWaiting, kOther };
  struct Gone {
    uint64_t entries = 0;                           // that lost their bodies here
    std::map<uint32_t, std::set<uint32_t>> leaves;  // whose keys are to go, by epoch
  };

  void Learn(const OpenedEntry& entry);
  bool HasEffect(const EntryRef& act) const;
  bool IsOrdered(const EntryRef& entry) const;
  absl::Status CarryOutAct(Act& act, const EntryRef& ref, absl::Time now);
  // False: something of it has still to come or to become readable.
  absl::StatusOr<bool> CarryOutOrder(const Act& act, const ErasureOrder& order, absl::Time now);
  absl::StatusOr<Target> EraseOne(const Act& act, const LogState& log, uint64_t index,
                                  const Hash& order, absl::Time now, Gone* gone);
  void RemoveAgain(const v1::OrderRow& row);
  static bool IsMeant(const Act& act, const OpenedEntry& target);
  absl::Status EraseEpochs(LogState& log, const ErasureOrder& order);
  absl::Status FindOwnGrants();
  absl::StatusOr<bool> Reaches(const LogState& log, const v1::Grant& grant,
                               const std::set<uint64_t>& places) const;
  void StartJob();
  absl::Status Confirm(const EntryRef& ref, absl::Time now, std::vector<Due>* out);
  absl::Status OrderMore(const JitId& jit, const v1::EntryBody& like,
                         const std::set<EntryRef>& entries, std::vector<Due>* out);

  Context& context_;
  EpochKeys& keys_;
  Refusals& refusals_;
  const absl::Duration backups_kept_;
  Hooks hooks_;
  std::map<EntryRef, Act> acts_;
  std::map<std::string, EntryRef> erased_;            // record → its newest Erase
  std::map<LogId, std::set<uint64_t>> ordered_;       // positions that any order names
  std::set<EntryRef> to_do_;                          // acts to look at
  std::map<LogId, std::set<EntryRef>> waiting_;       // acts that wait for more of a log
  std::set<std::pair<absl::Time, EntryRef>> unread_;  // acts with targets that cannot be read here
  std::set<EntryRef> unconfirmed_;                    // acts that are done here
  std::vector<std::string> erased_now_;
  std::map<std::string, std::set<EntryRef>> owed_;  // of own erased records, not ordered yet
  // Own entries that hand out keys, by the log that these open; logs where all were looked at.
  std::map<LogId, std::map<EntryRef, v1::Grant>> own_key_grants_;
  std::set<LogId> looked_at_;
  std::set<EntryRef> owed_grants_;  // to be erased as well
  std::set<Hash> deleted_;          // orders whose traces are to be removed from the disk
  std::map<uint64_t, std::set<Hash>> jobs_;
  uint64_t next_job_ = 1;
  absl::Time next_job_at_ = absl::InfinitePast();
  absl::Time next_due_ = absl::InfiniteFuture();
  absl::Time not_before_ = absl::InfinitePast();
  bool news_ = false;
};

}  // namespace entente::sync

// One record: the entries that speak of it, and the view they fold to.
//
// The fold is a pure function of the SET of entries: they are put into canonical order (cause, then
// hlc, then log and index) and applied by the kind's annotations. No rule lets a clock pick a
// winner: owned records are their writer's chain, two-sided work is one register per body and a
// total table, events only grow. A change that breaks a rule stays, marked refused, without effect;
// changes of one field that did not see each other are both kept and shown. Protocol §7.3, §7.4,
// §8.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/bytes.h"
#include "entente/v1/client.pb.h"
#include "entente/v1/entry.pb.h"
#include "entente/v1/records.pb.h"
#include "node/model/directory.h"
#include "node/model/kinds.h"
#include "sync/entry_types.h"
#include "sync/grants.h"

namespace entente::model {

// An entry as the record keeps it: compact, decoded when folded.
struct RecordEntry {
  sync::EntryRef ref;
  PartyId author;
  std::shared_ptr<const sync::Members> audience;
  std::string body_bytes;
};

struct RefusedChange {
  Hash leaf;
  std::string code;  // BAD_REF, NOT_PERMITTED, BAD_STATE, OUT_OF_PERIOD, SCHEMA, DISPUTED
  std::string detail;
};

struct CustodyItem {
  v1::CustodyEvent event;
  PartyId author;
  std::string user;
  Hash leaf;  // of the entry that carries it
  uint64_t hlc = 0;
};

struct HistoryStep {
  uint64_t hlc = 0;
  PartyId author;
  std::string user;
  std::string what;
  std::string refused;
  Hash leaf;
  std::optional<PartyId> to;  // handed on as signed: to this body
};

// Facts that the owner has put right.
struct Correction {
  uint64_t hlc = 0;
  std::string user;
  std::string reason;
  std::vector<std::string> fields;
  Hash leaf;
};

// An entry that the owner has handed on as it was signed, verified.
struct HandedOn {
  sync::Original original;
  PartyId author;
};

// One Erase of the owner: who is to carry it out, and what they are to confirm.
struct ErasureAct {
  sync::EntryRef ref;
  sync::Members audience;
  std::set<Hash> orders;
};

struct Destruction {
  v1::Destroyed destroyed;
  v1::Statement statement;  // as it was signed
  PartyId author;
};

// All that is left of a record that was erased.
struct Erasure {
  uint64_t hlc = 0;
  std::string user;
  std::string basis;
  std::vector<ErasureAct> acts;
  std::vector<v1::SignedErasureOrder> orders;
  std::vector<Destruction> destroyed;
};

// What one body has done to two-sided work.
struct Register {
  uint32_t state = 0;
  std::vector<uint32_t> past;  // every value it has had, 0 first
};

struct Folded {
  bool exists = false;
  bool waiting = false;  // some entry names one that is not here yet
  PartyId owner;
  std::optional<PartyId> executor;
  sync::Members audience;  // of the newest create or release
  std::unique_ptr<google::protobuf::Message> record;
  uint32_t state = 0;
  bool crossed = false;  // a withdrawal and an execution that did not see each other
  std::string blind_key;
  uint64_t created_hlc = 0;
  uint64_t changed_hlc = 0;
  Hash created_leaf;
  std::string created_user;
  std::vector<v1::FileRef> files;
  std::vector<CustodyItem> custody;
  std::vector<Correction> corrections;
  std::optional<Erasure> erasure;
  std::vector<RefusedChange> refused;
  std::vector<HistoryStep> history;
  std::vector<HandedOn> originals;                            // by their own time
  std::map<std::string, std::vector<std::string>> conflicts;  // field → values
  std::map<PartyId, Register> registers;
  std::map<std::string, std::vector<std::pair<Hash, PartyId>>> field_writers;
};

// Entries [0, size) of a log have effect; those behind are shown, refused with this code.
struct EffectLimit {
  uint64_t size = UINT64_MAX;
  std::string_view code;
  std::string_view detail;
};

// The rules an entry is held against: the agreement version it cites, and where its log ends.
struct FoldContext {
  const KindRegistry& kinds;
  std::function<const v1::Agreement*(const Hash& version)> agreement;
  std::function<EffectLimit(const LogId& log)> limit = [](const LogId&) { return EffectLimit{}; };
  // The entries of a grant by `author`, verified to a head it signed.
  std::function<absl::StatusOr<std::vector<sync::Original>>(const PartyId& author,
                                                            const v1::Grant& grant)>
      originals = [](const PartyId&, const v1::Grant&) {
        return absl::StatusOr<std::vector<sync::Original>>(
            absl::UnavailableError("nothing to verify an original with"));
      };
};

// Whether `party` has taken note of the correction of that entry.
bool HasNoted(const Folded& folded, const Hash& correction, const PartyId& party);

// Whether it says that a record is erased, or that somebody has destroyed it: what stays of it.
inline bool SpeaksOfErasure(const v1::EntryBody& body) {
  return body.has_erase() || body.has_statement();
}

class Record {
 public:
  Record(RecordId id, uint32_t kind, JitId jit) : id_(id), kind_(kind), jit_(jit) {}

  const RecordId& id() const { return id_; }
  uint32_t kind() const { return kind_; }
  const JitId& jit() const { return jit_; }
  const std::vector<RecordEntry>& entries() const { return entries_; }

  // False when the entry is known already.
  bool Add(RecordEntry entry);
  // The record is erased: only what says so stays. Returns the others.
  std::set<sync::EntryRef> Forget();
  Folded Fold(const FoldContext& context) const;

  // References for a new entry by `self` to `audience`: the own last entry and the newest of
  // others, as far as rule Δ4 lets them be named (their audience contains the new entry's).
  void FillRefs(const PartyId& self, const sync::Members& audience, v1::EntryBody* body) const;

 private:
  RecordId id_;
  uint32_t kind_;
  JitId jit_;
  std::vector<RecordEntry> entries_;
};

// ---- two-sided work: what both sides see, from what each has done. Total: every pair has a value.
struct TaskPicture {
  uint32_t state = v1::TASK_STATE_SENT;
  bool crossed = false;
};
TaskPicture TaskTable(uint32_t requester, uint32_t executor);

}  // namespace entente::model

// The records of a node: takes opened entries in, gives views out.
//
// One way in: Apply. Entries that cite an agreement version not yet in force wait and are applied
// when it is. Nothing here is stored; everything is derived from signed entries at every start.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entente/v1/client.pb.h"
#include "node/model/directory.h"
#include "node/model/erasure_views.h"
#include "node/model/kinds.h"
#include "node/model/record.h"
#include "sync/entry_types.h"

namespace entente::model {

class Model {
 public:
  // How a file named by a record stands on this node ("here", "waiting", "damaged", bytes).
  struct FileStatus {
    std::string state = "waiting";
    uint64_t bytes_here = 0;
  };
  // What the model asks of the replica below it.
  struct Surroundings {
    std::function<FileStatus(const v1::FileRef&)> file_status;
    std::function<EffectLimit(const LogId&)> effect_limit;
    std::function<absl::StatusOr<std::vector<sync::Original>>(const PartyId&, const v1::Grant&)>
        originals;
    Reached reached = [](const sync::EntryRef&, const PartyId&) { return false; };
  };

  Model(const PartyId& self, const KindRegistry& kinds, const Directory& directory,
        Surroundings surroundings);

  // ---- in
  void AgreementInForce(const JitId& jit, const Hash& version, const v1::Agreement& agreement);
  // Records whose view may have changed.
  std::vector<RecordId> Apply(const sync::OpenedEntry& entry);

  // The record is erased: nothing of it is kept but that it was. Entries that were known of it.
  std::set<sync::EntryRef> Forget(const RecordId& id);

  // ---- out
  const Record* Find(const RecordId& id) const;
  // By reference or hex id. NotFound for what is not here or not for us; InvalidArgument lists the
  // ids when a reference stands for several.
  absl::StatusOr<const Record*> Resolve(std::string_view text) const;
  absl::StatusOr<const Record*> ResolveKind(std::string_view text, uint32_t kind) const;
  Folded Fold(const Record& record) const;
  v1::RecordView View(const Record& record, absl::Time now) const;
  // When an item is to be reviewed, and as a rule erased: by its own date, or so many months after
  // the end of the period as the agreement says. 0: neither says.
  int64_t KeepUntil(const JitId& jit, const v1::EvidenceItem& item) const;
  std::vector<v1::HistoryItem> History(const Record& record) const;
  // An entry of `record` as its author signed it, in full, its references by name.
  v1::OriginalView ViewOriginal(const Record& record, const v1::EntryBody& body,
                                const sync::EntryRef& ref, const PartyId& author) const;
  // The fields of a record in words, and what else they name; nothing else of the view is set.
  v1::OriginalView ViewFields(const google::protobuf::Message& record) const;
  // Newest last; at most `limit` records after `after`.
  std::vector<const Record*> List(const JitId* jit, uint32_t kind, size_t limit = SIZE_MAX,
                                  const RecordId* after = nullptr) const;
  size_t Count(uint32_t kind) const;
  size_t size() const { return records_.size(); }

  std::string RefOf(const Record& record) const;
  std::string CodeOf(const PartyId& party) const { return directory_.CodeOf(party); }
  std::vector<std::string> CodesOf(const sync::Members& members) const;

  // ---- changes, for clients that follow along
  struct Change {
    uint64_t token;
    RecordId id;
  };
  std::vector<Change> ChangesAfter(uint64_t token, size_t limit) const;
  uint64_t last_change() const { return next_token_ - 1; }

  // ---- what commands need
  const v1::Agreement* AgreementByHash(const Hash& version) const;
  // Version in force and its text; nullopt before everybody has confirmed.
  struct Current {
    Hash version;
    const v1::Agreement* agreement;
  };
  std::optional<Current> CurrentAgreement(const JitId& jit) const;
  std::optional<RecordId> ByIdempotencyKey(const std::string& key) const;
  // The card that stands for a record, found by its blinded reference.
  const Record* CardOf(const Record& record) const;
  // What has effect in some log has changed: its records count as changed.
  void LimitsChanged();
  // Records that name a file, for receipts and downloads.
  std::vector<const Record*> RecordsNaming(const BlobId& blob) const;
  absl::StatusOr<v1::Strategy> StrategyDraft(const JitId& jit, const std::string& ref) const;
  std::vector<v1::StrategyView> StrategyDrafts(const JitId& jit) const;

  const PartyId& self() const { return self_; }
  const KindRegistry& kinds() const { return kinds_; }
  const Directory& directory() const { return directory_; }

 private:
  bool Take(const sync::OpenedEntry& entry, RecordId* id);
  bool AddTo(Record& record, const sync::OpenedEntry& entry);
  void NoteChange(const RecordId& id);
  std::shared_ptr<const sync::Members> Intern(const sync::Members& members);

  PartyId self_;
  const KindRegistry& kinds_;
  const Directory& directory_;
  Surroundings surroundings_;
  FoldContext fold_context_;

  std::map<RecordId, Record> records_;
  std::map<uint32_t, std::vector<RecordId>> by_kind_;  // in order of arrival
  std::multimap<std::string, RecordId> by_ref_;
  std::map<std::string, RecordId> by_key_;                    // own idempotency keys
  std::map<std::string, std::set<RecordId>> cards_by_blind_;  // blinded reference → cards
  // Changes to what has not begun here: nobody but its owner can say what kind of record it is.
  std::map<RecordId, std::vector<sync::OpenedEntry>> unfounded_;
  std::multimap<BlobId, RecordId> by_blob_;
  std::map<Hash, v1::Agreement> agreements_;
  std::map<JitId, Hash> current_;
  std::map<Hash, std::vector<sync::OpenedEntry>> waiting_;
  std::map<sync::Members, std::shared_ptr<const sync::Members>> audiences_;

  uint64_t next_token_ = 1;
  std::map<uint64_t, RecordId> changes_;
  std::map<RecordId, uint64_t> change_of_;
  std::map<LogId, uint64_t> limits_;  // of logs that are limited, as last looked at
};

// K(blind key, "blind", record id): how a card names its record to those who hold it.
std::string BlindedRecord(const std::string& blind_key, const RecordId& id);

}  // namespace entente::model

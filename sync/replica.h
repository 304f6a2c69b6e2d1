// The replicated half of a node: own and others' logs, links to peers, parcels, files.
//
// Pure: time comes in as `now`, chance through Entropy, storage through OverlayKv; what has to
// happen in the world comes out as Effects (sync/effects.h has the order). One thread steps it.
// The layer above learns of every entry that becomes readable through TakeOpened, its own included:
// there is no other way in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sync/anchors.h"
#include "sync/blob_sync.h"
#include "sync/box_keys.h"
#include "sync/contacts.h"
#include "sync/context.h"
#include "sync/effects.h"
#include "sync/epoch.h"
#include "sync/erasures.h"
#include "sync/exchange.h"
#include "sync/fork_watch.h"
#include "sync/grants.h"
#include "sync/key_repair.h"
#include "sync/link.h"
#include "sync/log_writer.h"
#include "sync/mailbox.h"
#include "sync/observations.h"
#include "sync/parcels.h"
#include "sync/peer_budget.h"
#include "sync/proven_log.h"
#include "sync/refusals.h"
#include "sync/revocation.h"
#include "sync/shared_secrets.h"

namespace entente::sync {

struct ReplicaOptions {
  PartyId self;
  std::shared_ptr<const crypto::NodeKeys> keys;
  absl::Duration relay_cadence = absl::Minutes(5);
  bool relay_immediate = false;
  Pace pace;
  FileOptions files;
  BoxKeyTerms box_key_terms;
  absl::Duration backups_kept = kBackupsKept;  // longest life of a copy of this node's disks
  std::function<bool(const JitId&)> agreement_in_force;
  // Who reads the log of all parties while the JIT runs; empty otherwise.
  std::function<Members(const JitId&, absl::Time)> all_parties;
  Exclusions::Agreements agreements;
};

enum class Route { kNone, kDirect, kRelay };

// Which way two bodies talk, from their cards alone, so that both ends agree.
Route RouteBetween(const v1::NodeCard& a, const v1::NodeCard& b);
// Of two nodes that talk directly, the one that opens the connection.
bool Dials(const TrustedCard& self, const TrustedCard& peer);

enum class DeliveryState { kQueued, kAtRelay, kStored, kVerified };

class Replica {
 public:
  Replica(ReplicaOptions options, OverlayKv& store, Entropy& entropy);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Loads what the store holds. `anchors` tells which heads have left this node; when the store is
  // behind them, or the anchor is missing, own logs are frozen and a new incarnation begins.
  absl::Status Load(const std::vector<AnchorRecord>& anchors, bool anchor_missing);
  // Hands every readable entry of every log to TakeOpened; once, after Load.
  absl::Status ReplayAll(absl::Time now);
  // After the replay: parcel roads say hello, the local clock counts.
  absl::Status Start(absl::Time now);

  absl::Status Handle(absl::Time now, const Input& input);
  absl::StatusOr<std::vector<EntryRef>> Append(absl::Time now, std::vector<Draft> drafts);
  absl::StatusOr<EntryRef> AppendOne(absl::Time now, Draft draft);
  absl::StatusOr<bool> TrustCard(std::string_view signed_card, absl::Time now);
  void AddLocalFile(const v1::FileRef& file) { blobs_->AddLocal(file); }

  // Draws a new reading key and announces it. In an emergency everything sealed to older ones is
  // sealed anew at once, here and by all who hear it. FailedPrecondition [CLONED].
  absl::Status RotateBoxKey(absl::Time now, bool emergency);

  // For a parcel on a disk: everything `peer` lacks as far as this node knows.
  absl::Status ExportParcels(const PartyId& peer, absl::Time now, std::vector<std::string>* out);
  absl::StatusOr<Parcels::Opened> ImportParcel(std::string_view parcel, absl::Time now);

  // At the end of a step: timers, parcels, the next wake-up, and everything collected since.
  absl::StatusOr<Effects> Finish(absl::Time now);
  std::vector<OpenedEntry> TakeOpened();
  // Deletes what has been ordered erased (sync/erasures.h). Records that are gone since the last
  // call; what the layer above still knows of them it reports by EraseRemains.
  absl::StatusOr<std::vector<std::string>> CarryOutErasures(absl::Time now);
  void EraseRemains(const std::string& record, const std::set<EntryRef>& entries) {
    erasures_->Remains(record, entries);
  }
  // Orders for Erases of this node.
  absl::StatusOr<ErasureOrders> MakeErasureOrders(const std::set<EntryRef>& entries) const {
    return erasures_->MakeOrders(entries);
  }
  std::vector<v1::FileRef> TakeReceivedFiles();
  bool TakePeersChanged();
  // A fork, or an acknowledgement after one, has moved what has effect.
  bool TakeEffectsChanged();

  // A secret shared with `peer`, made here or brought from there; used once both ends hold it.
  absl::Status SetSharedSecret(const PartyId& peer, const crypto::Secret32& secret, absl::Time now);
  void DropSharedSecret(const PartyId& peer);
  const SharedSecrets& shared_secrets() const { return secrets_; }

  // That an own entry existed on the day of an anchor.
  const Anchors& anchors() const { return anchors_; }
  // When this node first told all readers of `log` that it holds this very entry. InfinitePast: it
  // does not hold it, or has not said so yet.
  absl::Time AcknowledgedSince(const LogId& id, uint64_t index, const Hash& leaf) const;

  // ---- what people ask about
  const CardBook& cards() const { return cards_; }
  const LogBook& logs() const { return logs_; }
  const BlobSync& blobs() const { return *blobs_; }
  BlobSync& blobs() { return *blobs_; }
  const Refusals& refusals() const { return refusals_; }
  uint32_t incarnation() const { return context_.incarnation; }
  bool Connected(const PartyId& peer) const;
  bool InSync(const PartyId& peer) const;
  absl::Time LastContact(const PartyId& peer) const;
  Route RouteTo(const PartyId& peer) const;
  DeliveryState Delivery(const EntryRef& ref, const PartyId& peer) const;
  uint64_t WaitingFor(const PartyId& peer) const;
  uint64_t OnlyHere() const;
  // Entries [0, n) of a log that have effect; all unless its author has forked it.
  uint64_t EffectSize(const LogId& log) const;
  // Where the log of an excluded body ends; UINT64_MAX for all others.
  uint64_t FinalSize(const LogId& log) const;
  // Where a log ends whose author has given up the keys; UINT64_MAX for all others.
  uint64_t RevokedSize(const LogId& log) const;
  const Exclusions& exclusions() const { return exclusions_; }
  // Agreements have changed, or the anchor file remembers an exclusion signed here.
  void RefreshExclusions();
  void AddStopLock(const Hash& lock) { exclusions_.AddLock(lock); }
  const Observations& observations() const { return observations_; }
  const KeyRepair& key_repair() const { return key_repair_; }
  // Another node signs with this one's keys: a clone, or a thief.
  bool cloned() const { return context_.cloned; }
  EpochKeys& epoch_keys() { return epoch_keys_; }
  const BoxKeys& box_keys() const { return box_keys_; }
  // A card with all that others need to follow it: the earlier ones, and the newest key statement.
  v1::SignedCard PortableCard(const PartyId& party) const;
  // Logs whose newest epoch is sealed to an older key of somebody: own ones, or those of others.
  absl::StatusOr<uint64_t> RekeyDebt(bool own) const;
  // Own entries as Grants for a new reader, and the entries of a Grant as `author` signed them.
  absl::StatusOr<std::vector<v1::Grant>> MakeGrants(const std::vector<EntryRef>& entries,
                                                    std::string_view basis);
  absl::StatusOr<std::vector<Original>> Originals(const PartyId& author,
                                                  const v1::Grant& grant) const;
  // Entries of any author for somebody who has no node (sync/proven_log.h), by log id.
  absl::StatusOr<std::vector<v1::BundleLog>> ProveEntries(const std::set<EntryRef>& entries);

 private:
  void SetTime(absl::Time now);
  absl::Status CheckAnchors(const std::vector<AnchorRecord>& anchors, bool anchor_missing);
  absl::Status HandleInput(absl::Time now, const Input& input);
  void OnSessionOpened(const SessionOpened& opened, absl::Time now);
  void OnSessionClosed(SessionId session);
  absl::Status OnFrame(SessionId session, const v1::Frame& frame, absl::Time now);
  absl::Status OnReadyFrame(Link& link, const v1::Frame& frame, absl::Time now);
  absl::Status OnPaidFrame(Link& link, const v1::Frame& frame, absl::Time now);
  uint64_t ProgressOf(const PartyId& peer, const v1::Frame& frame) const;
  void SpendWork(const PartyId& peer, SessionId session, int64_t units, absl::Time now);
  absl::Status OnParcel(std::string_view parcel, absl::Time now);
  void OnDeposited(const ParcelDeposited& deposited);
  void SayWhatKeysAreKnown(Link& link);
  absl::Status StartLink(Link& link, absl::Time now);
  absl::Status UpdateParcelLinks(absl::Time now);
  void Opened(OpenedEntry entry);
  absl::Status WriteObservations(absl::Time now);
  absl::Status OpenRepaired(absl::Time now);
  absl::Status OpenEpochs(const std::vector<KeyRepair::Unlocked>& unlocked, absl::Time now);
  absl::Status RetrySlots(absl::Time now);
  absl::Status WriteRepairs(absl::Time now);
  absl::Status WriteErasures(absl::Time now);
  absl::Status SettleErasedEpochs(absl::Time now);
  absl::Status WriteAnchors(absl::Time now);
  void TellSecret(const PartyId& peer);
  absl::Status WriteCloses(absl::Time now);
  absl::Status FlushParcels(absl::Time now);
  void CloseLink(SessionId session, std::string reason);
  // replica_keys.cc: cards and keys over a node's life.
  void SpreadCardForks(absl::Time now);
  void ShowCardForks(Link& link);
  void ShowCardFork(Link& link, const PartyId& party);
  void OnCardAlarm(Link& link, const v1::CardAlarm& alarm, absl::Time now);
  void SendBoxKeys(Link& link);
  void OnBoxKeys(Link& link, const v1::BoxKeys& frame, absl::Time now);
  absl::Status MindKeys(absl::Time now);
  absl::Status ResignReceipts(absl::Time now);
  absl::Status RekeyWhatIsDue(absl::Time now);
  bool OldKeysNeeded() const;
  bool IsLive(const LogState& log) const;
  void Send(Link& link, v1::Frame frame);
  std::vector<Link*> ReadyLinks();
  Link* DirectLink(const PartyId& peer);
  const Link* AnyLink(const PartyId& peer) const;
  uint64_t HeldBy(const LogState& log, const PartyId& peer) const;
  uint64_t OpenedBy(const LogState& log, const PartyId& peer) const;

  ReplicaOptions options_;
  OverlayKv& store_;
  CardBook cards_;
  LogBook logs_;
  Refusals refusals_;
  Exclusions exclusions_;
  Revocations revocations_;
  SharedSecrets secrets_;
  Context context_;
  BoxKeys box_keys_;
  EpochKeys epoch_keys_;
  LogWriter writer_;
  Parcels parcels_;
  Observations observations_;
  KeyRepair key_repair_;
  Anchors anchors_;
  Contacts contacts_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<ForkWatch> fork_watch_;
  std::unique_ptr<BlobSync> blobs_;
  std::unique_ptr<Erasures> erasures_;
  std::set<LogId> unsettled_;  // more of them is here, and some of their epochs are locked

  std::map<SessionId, Link> sessions_;
  std::map<PartyId, Link> parcel_links_;
  std::map<PartyId, PeerBudget> budgets_;
  std::map<PartyId, std::map<LogId, uint64_t>> at_relay_;

  absl::Time now_ = absl::InfinitePast();  // of the step under way
  Effects effects_;
  std::vector<OpenedEntry> opened_;
  std::vector<v1::FileRef> received_files_;
  bool peers_changed_ = false;
  BoxKeys::Anchored anchored_key_;
  uint32_t anchored_life_ = 1;  // the newest incarnation that the anchor file names
  bool keys_dirty_ = true;      // somebody's keys have changed since they were looked at
  absl::Time next_key_check_ = absl::InfinitePast();
  absl::Time next_old_key_check_ = absl::InfinitePast();
  bool any_fork_ = false;
  bool effects_changed_ = false;
  absl::Status damage_;  // of the store, found where no status can be returned
};

}  // namespace entente::sync

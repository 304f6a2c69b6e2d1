// Everything a node knows, in one place: the replica below, the records above, the people beside.
// Command handlers (node/core/*_commands.h) are functions over it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/core/decisions.h"
#include "node/core/engine.h"
#include "node/model/directory.h"
#include "node/model/kinds.h"
#include "node/model/model.h"
#include "sync/kv.h"
#include "sync/replica.h"

namespace entente::core {

struct State {
  State(Config config_in, std::shared_ptr<const crypto::NodeKeys> keys_in,
        const sync::KvReader& store, Entropy& entropy_in);

  // Appends drafts that a plan or a decision made, and learns them like any other entry.
  absl::Status Append(absl::Time now, std::vector<sync::Draft> drafts);
  // Takes what became readable into decisions and records, and says what must be confirmed, until
  // nothing new comes of it.
  absl::Status Absorb(absl::Time now);
  void RefreshDirectory();

  const sync::TrustedCard& OwnCard() const { return *replica.cards().Find(self); }
  std::string CodeOf(const PartyId& party) const;
  // The body under a code that a person typed. NotFound names the codes there are.
  absl::StatusOr<PartyId> BodyByCode(std::string_view code) const;
  absl::StatusOr<sync::Members> BodiesByCode(const std::vector<std::string>& codes) const;
  // How far the entries of a log have effect, and why no further.
  model::EffectLimit LimitOf(const LogId& log) const;
  // The JIT a person named by hex id or code name; the only one when the text is empty.
  absl::StatusOr<JitId> JitByText(std::string_view text) const;

  Config config;
  std::shared_ptr<const crypto::NodeKeys> keys;
  PartyId self;
  sync::OverlayKv overlay;
  Entropy& entropy;
  sync::Replica replica;
  model::KindRegistry kinds;
  model::Directory directory;
  Decisions decisions;
  model::Model model;
  std::map<std::string, Engine::User> users;
  std::map<Hash, Hash> confirm_locks;  // predecessor → what this node confirmed, from the anchor
  std::vector<sync::AnchorRecord> fresh_locks;   // to be anchored with this step
  std::map<std::string, Hash> proposals_by_key;  // idempotency key → own proposal
  std::vector<std::string> warnings;

 private:
  model::Model::FileStatus StatusOf(const v1::FileRef& file) const;
  // Leaves out of the drafts' audiences whoever this node no longer writes to; what a person
  // addresses to somebody by name stays as it is, and is refused.
  void LeaveOutStopped(std::vector<sync::Draft>* drafts) const;
  void RefreshExclusions();
  absl::Status Learn(const sync::OpenedEntry& entry, absl::Time now);
  absl::Status ForgetErased(absl::Time now);
  absl::Status ConfirmWhatIsDue(absl::Time now);
  absl::Status AcknowledgeFiles(absl::Time now);
};

// Signed exclusions ride in the anchor file as records of this incarnation number: log = the lock
// (sync/exclusion.h), size = 1.
inline constexpr uint32_t kExclusionLock = UINT32_MAX - 1;
// Confirm locks ride in the anchor file as records of this incarnation number: log = predecessor,
// size = 1, root = the proposal confirmed.
inline constexpr uint32_t kConfirmLock = UINT32_MAX;

}  // namespace entente::core

// The mind of a node: replication (sync) and records (model) behind one pure function.
//
//   StatusOr<Effects> Engine::Step(now, input)
//
// The daemon and the simulator run this same code. Engine sees no clock, thread, socket, file or
// random source but those it is handed. Not thread-safe: one thread steps it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "entente/v1/card.pb.h"
#include "entente/v1/client.pb.h"
#include "sync/box_keys.h"
#include "sync/effects.h"
#include "sync/file_options.h"
#include "sync/kv.h"
#include "sync/limits.h"

namespace google::protobuf {
class Message;
}

namespace entente::core {

// Who calls, as the service layer established it. An empty user is the node itself.
struct Caller {
  std::string user;
  v1::Role role = v1::ROLE_UNSPECIFIED;
};

// A file that the ingest pool has already hashed, sealed and written; AddEvidence names it.
struct UploadedFile {
  std::string upload_id;
  v1::FileRef file;
};

// One call of the client API. `method` is the full gRPC name, "/entente.v1.TaskService/AcceptTask".
struct Command {
  uint64_t call = 0;
  Caller caller;
  std::string method;
  std::shared_ptr<const google::protobuf::Message> request;
  std::vector<UploadedFile> uploads;  // resolved by the service layer
};

struct Answer {
  uint64_t call = 0;
  absl::Status status;
  std::shared_ptr<google::protobuf::Message> response;  // when status is ok
};

using Input = std::variant<sync::Input, Command>;

struct Effects : sync::Effects {
  std::vector<Answer> answers;
  bool peers_changed = false;  // trusted cards or routes changed: transport should look again
};

// Settings of a node that are neither secret nor in the database.
struct Config {
  v1::NodeCard card;  // own card, decoded
  v1::SignedCard signed_card;
  absl::Duration relay_cadence = absl::Minutes(5);
  bool relay_immediate = false;                      // action-day mode: parcels leave at once
  sync::FileOptions files;                           // which are fetched unasked, and how fast
  sync::BoxKeyTerms box_key_terms;                   // how long reading keys are used and kept
  absl::Duration backups_kept = sync::kBackupsKept;  // the longest life of a copy of its disks
  sync::Pace pace;  // how often nodes with nothing to say compare what they hold
};

class Engine {
 public:
  // Opens the replicated state found in `store`. `anchors` is what the signing anchor file holds;
  // `anchor_missing` says there was no such file although the store is not empty.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(
      Config config, std::shared_ptr<const crypto::NodeKeys> keys, const sync::KvReader& store,
      const std::vector<sync::AnchorRecord>& anchors, bool anchor_missing, Entropy& entropy,
      absl::Time now);

  ~Engine();

  // One step. An error means the core itself cannot go on (damaged store); bad input from a peer or
  // a user is never an error here but an answer or a refusal.
  absl::StatusOr<Effects> Step(absl::Time now, const Input& input);

  // The driver has committed all writes handed out so far.
  void Committed();

  // ---- what the edge needs to know to do its work; valid after each Step.
  struct Peer {
    PartyId party;
    std::string code;
    Hash tls_spki;
    std::vector<std::string> addresses;
    bool dial = false;  // this node should open the connection
    bool through_relay = false;
    std::vector<v1::RelayRoute> relays;  // the peer's relays, where parcels for it are deposited
    MailboxId deposit_mailbox;           // mailbox of (recipient = peer, sender = self)
    std::string deposit_seed;            // 32-byte Ed25519 seed of that mailbox's deposit TLS key
    struct OwnMailbox {  // of (recipient = self, sender = peer), one per pair of keys in use
      MailboxId id;
      std::string deposit_seed;  // to compute which key may deposit into it
    };
    std::vector<OwnMailbox> own_mailboxes;
  };
  std::vector<Peer> Peers() const;

  // Users who may sign in, by name; the first is made at node init.
  struct User {
    std::string name;
    v1::Role role;
    PublicKey key;
  };
  std::vector<User> Users() const;

  // Grows with every visible change: tells waiting clients to look again.
  uint64_t LastChange() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace entente::core

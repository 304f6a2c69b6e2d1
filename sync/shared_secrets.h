// Secrets shared with single other bodies, exchanged in person: what keeps slots and parcels closed
// to somebody who records them today and breaks X25519 later. Protocol §6.
//
// Each end holds 32 random bytes. A node seals with them only after the other end has shown, by a
// notice that both can compute and nobody else, that it holds the same; and stops when the other
// says that it no longer does. Opening needs no such agreement: what is held is tried.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/bytes.h"
#include "crypto/keystore.h"
#include "crypto/secret.h"
#include "entente/v1/peer.pb.h"
#include "sync/kv.h"

namespace entente::sync {

// What one body makes and carries to the other: a small text file.
//   entente-shared-secret-1
//   from: party id in hexadecimal
//   to: the same
//   secret: base64
struct SecretFile {
  PartyId from;
  PartyId to;
  crypto::Secret32 secret;
};
std::string EncodeSecretFile(const SecretFile& file);
// InvalidArgument unless it is exactly what EncodeSecretFile writes.
absl::StatusOr<SecretFile> ParseSecretFile(std::string_view text);

class SharedSecrets {
 public:
  SharedSecrets(const PartyId& self, OverlayKv& store, const crypto::Secret32& storage_key);

  absl::Status Load();
  void Set(const PartyId& peer, const crypto::Secret32& secret, absl::Time now);
  void Drop(const PartyId& peer);

  // To open with. Null: none.
  const crypto::Secret32* Held(const PartyId& peer) const;
  // To seal with: held, and the other end has shown that it holds it too.
  const crypto::Secret32* InUse(const PartyId& peer) const;
  // For this node's own slots in epochs that have slots of this form: only its keystore has it.
  const crypto::Secret32& Own() const { return own_; }

  // What this node tells `peer` about the secret of the two.
  v1::Frame Notice(const PartyId& peer, bool reply) const;
  // True when `peer` should be told in turn.
  bool OnNotice(const PartyId& peer, const v1::SecretNotice& notice);

 private:
  struct Shared {
    crypto::Secret32 secret;
    bool confirmed = false;
    int64_t since = 0;
  };
  void Save(const PartyId& peer, const Shared& shared);

  PartyId self_;
  OverlayKv& store_;
  crypto::Secret32 own_;
  std::map<PartyId, Shared> shared_;
};

}  // namespace entente::sync

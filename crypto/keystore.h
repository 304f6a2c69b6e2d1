// The keys of a node, of a party root and of a user, and the files they live in.
//
//   keystore file: magic "ENTKEYS1" | u64 opslimit | u64 memlimit | salt[16] | nonce[24] | sealed
//   sealed = XChaCha20-Poly1305 under Argon2id(passphrase, salt, limits), ad = everything before
//
// The party root file has the same shape and another magic. Cost parameters below a floor are
// refused, so that nobody can plant a file that is cheap to guess. Protocol §3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/box.h"
#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"
#include "crypto/signing.h"
#include "crypto/tls_identity.h"

namespace entente::crypto {

struct NodeKeys {
  PartyId party;
  SigningKey log;        // heads and nothing else
  SigningKey cosign;     // receipts and nothing else
  SigningKey statement;  // statements and nothing else
  BoxKeyPair box;
  BoxPublicKey recovery;  // the private half stays with the party root
  TlsIdentity tls;
  Secret32 storage;  // everything at rest
};

struct PartyRoot {
  SigningKey root;
  BoxKeyPair recovery;
};

enum class Argon2Cost { kInteractive, kModerate };

// Fresh keys of a node under `root`.
absl::StatusOr<NodeKeys> GenerateNodeKeys(const PartyRoot& root, std::string_view common_name,
                                          Entropy& entropy);
PartyRoot GeneratePartyRoot(Entropy& entropy);

absl::StatusOr<std::string> SealKeystore(const NodeKeys& keys, std::string_view passphrase,
                                         Argon2Cost cost, Entropy& entropy);
// PermissionDenied: wrong passphrase (or an altered file: the two cannot be told apart).
// DataLoss: not a keystore, or cut. InvalidArgument: cost parameters out of bounds.
absl::StatusOr<NodeKeys> OpenKeystore(std::string_view file, std::string_view passphrase);

absl::StatusOr<std::string> SealPartyRoot(const PartyRoot& root, std::string_view passphrase,
                                          Argon2Cost cost, Entropy& entropy);
absl::StatusOr<PartyRoot> OpenPartyRoot(std::string_view file, std::string_view passphrase);

// What a person signs in with: a small text file that stays with the person.
struct UserKey {
  std::string user;
  std::string body;  // code, for people's eyes
  SigningKey key;
};
std::string EncodeUserKeyFile(const UserKey& key);
absl::StatusOr<UserKey> ParseUserKeyFile(std::string_view text);

}  // namespace entente::crypto

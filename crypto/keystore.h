// The keys of a node, of a party root and of a user, and the files they live in.
//
//   keystore file: magic "ENTKEYS1" | u64 opslimit | u64 memlimit | salt[16] | nonce[24] | sealed |
//                  SHA-256 of everything before
//   sealed = XChaCha20-Poly1305 under Argon2id(passphrase, salt, limits), ad = everything before it
//
// The party root file has the same shape and the magic "ENTROOT1". The hash at the end tells damage
// from a wrong passphrase; against someone who alters the file on purpose the seal protects. Cost
// parameters below a floor are refused, so that nobody can plant a file that is cheap to guess, and
// above a ceiling, so that nobody can plant one that never opens. Protocol §3.
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
// Fresh keys for a node that already has some: all but the storage key, and with `keep_tls` all but
// that and the TLS key.
absl::StatusOr<NodeKeys> RenewNodeKeys(const NodeKeys& before, std::string_view common_name,
                                       bool keep_tls, Entropy& entropy);
// The same keys with another reading key in its place: what the keystore held of it is destroyed.
NodeKeys WithoutBoxKey(const NodeKeys& keys, Entropy& entropy);

absl::StatusOr<std::string> SealKeystore(const NodeKeys& keys, std::string_view passphrase,
                                         Argon2Cost cost, Entropy& entropy);
// PermissionDenied: wrong passphrase (or a file altered by someone who also mended its hash).
// DataLoss: damaged, cut or no keystore. InvalidArgument: cost parameters out of bounds.
// ResourceExhausted: too little memory for Argon2id.
absl::StatusOr<NodeKeys> OpenKeystore(std::string_view file, std::string_view passphrase);

absl::StatusOr<std::string> SealPartyRoot(const PartyRoot& root, std::string_view passphrase,
                                          Argon2Cost cost, Entropy& entropy);
absl::StatusOr<PartyRoot> OpenPartyRoot(std::string_view file, std::string_view passphrase);

// What lies inside the seal: party ‖ log, cosign and statement seeds ‖ box secret ‖ recovery key ‖
// storage key, 32 bytes each ‖ u32 length and text of the TLS certificate, the same of its key.
SecretBytes EncodeNodeKeys(const NodeKeys& keys);
absl::StatusOr<NodeKeys> DecodeNodeKeys(std::string_view plain);  // DataLoss

// What a person signs in with: a small text file that stays with the person. Neither name holds a
// line break; one that did would make a file that does not parse.
struct UserKey {
  std::string user;
  std::string body;  // code, for people's eyes
  SigningKey key;
};
std::string EncodeUserKeyFile(const UserKey& key);
// InvalidArgument unless it is exactly what EncodeUserKeyFile writes.
absl::StatusOr<UserKey> ParseUserKeyFile(std::string_view text);

}  // namespace entente::crypto

#include "crypto/keystore.h"

#include <sodium.h>

#include <utility>

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

constexpr std::string_view kNodeMagic = "ENTKEYS1";
constexpr std::string_view kRootMagic = "ENTROOT1";
constexpr size_t kSaltBytes = crypto_pwhash_argon2id_SALTBYTES;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kPreambleBytes = 8 + 8 + 8 + kSaltBytes + kNonceBytes;
constexpr size_t kNodeFields = 7;  // of 32 bytes each, before the TLS identity
constexpr size_t kCheckBytes = Hash::kSize;
constexpr size_t kFileBytesMax = 64 * 1024;
constexpr uint64_t kOpsFloor = crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE;
constexpr uint64_t kMemFloor = crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE;
constexpr uint64_t kOpsCeiling = 64;
constexpr uint64_t kMemCeiling = uint64_t{4} << 30;

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Raw(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

absl::StatusOr<Secret32> PassphraseKey(std::string_view passphrase, std::string_view salt,
                                       uint64_t ops, uint64_t mem) {
  Secret32 key;
  if (crypto_pwhash_argon2id(key.data(), Secret32::kSize, passphrase.data(), passphrase.size(),
                             Raw(salt), ops, mem, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError(
        "there is not enough memory to derive the key from the passphrase");
  }
  return key;
}

absl::StatusOr<std::string> SealSecrets(std::string_view magic, const SecretBytes& plain,
                                        std::string_view passphrase, Argon2Cost cost,
                                        Entropy& entropy) {
  if (passphrase.size() < 12) {
    return absl::InvalidArgumentError(
        "the passphrase is too short: use at least 12 characters [WEAK_PASSPHRASE]");
  }
  const bool interactive = cost == Argon2Cost::kInteractive;
  const uint64_t ops = interactive ? kOpsFloor : crypto_pwhash_argon2id_OPSLIMIT_MODERATE;
  const uint64_t mem = interactive ? kMemFloor : crypto_pwhash_argon2id_MEMLIMIT_MODERATE;
  std::string out(magic);
  AppendU64(&out, ops);
  AppendU64(&out, mem);
  const std::string salt = entropy.Bytes(kSaltBytes);
  const std::string nonce = entropy.Bytes(kNonceBytes);
  out.append(salt).append(nonce);
  const absl::StatusOr<Secret32> key = PassphraseKey(passphrase, salt, ops, mem);
  if (!key.ok()) return key.status();
  std::string sealed(plain.view().size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(Raw(sealed), nullptr, Raw(plain.view()),
                                             plain.view().size(), Raw(out), out.size(), nullptr,
                                             Raw(nonce), key->data());
  out.append(sealed);
  out.append(Sha256(out).view());
  return out;
}

absl::StatusOr<SecretBytes> OpenSecrets(std::string_view magic, std::string_view file,
                                        std::string_view passphrase) {
  if (file.size() < kPreambleBytes + kTagBytes + kCheckBytes || file.size() > kFileBytesMax ||
      !file.starts_with(magic)) {
    return absl::DataLossError("this is not a key file of the expected kind, or it has been cut");
  }
  const std::string_view check = file.substr(file.size() - kCheckBytes);
  file.remove_suffix(kCheckBytes);
  if (Sha256(file).view() != check) {
    return absl::DataLossError("the key file is damaged; restore it from its backup");
  }
  ByteReader reader(file.substr(magic.size()));
  const uint64_t ops = *reader.ReadU64();
  const uint64_t mem = *reader.ReadU64();
  if (ops < kOpsFloor || ops > kOpsCeiling || mem < kMemFloor || mem > kMemCeiling) {
    return absl::InvalidArgumentError(
        "the key file asks for passphrase costs outside the allowed range; it has been altered");
  }
  const std::string_view salt = *reader.ReadBytes(kSaltBytes);
  const std::string_view nonce = *reader.ReadBytes(kNonceBytes);
  const absl::StatusOr<Secret32> key = PassphraseKey(passphrase, salt, ops, mem);
  if (!key.ok()) return key.status();
  const std::string_view sealed = file.substr(kPreambleBytes);
  const std::string_view ad = file.substr(0, kPreambleBytes);
  std::string plain(sealed.size() - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Raw(plain), nullptr, nullptr, Raw(sealed),
                                                 sealed.size(), Raw(ad), ad.size(), Raw(nonce),
                                                 key->data()) != 0) {
    return absl::PermissionDeniedError(
        "the passphrase does not open this key file (or the file has been altered) "
        "[WRONG_PASSPHRASE]");
  }
  return SecretBytes(std::move(plain));
}

void AppendPem(std::string* out, std::string_view pem) {
  AppendU32(out, static_cast<uint32_t>(pem.size()));
  out->append(pem);
}

absl::StatusOr<std::string_view> ReadPem(ByteReader& reader) {
  const absl::StatusOr<uint32_t> size = reader.ReadU32();
  if (!size.ok()) return size.status();
  return reader.ReadBytes(*size);
}

absl::Status Malformed() { return absl::DataLossError("the key file's contents are malformed"); }

}  // namespace

PartyRoot GeneratePartyRoot(Entropy& entropy) {
  return {SigningKey::Generate(entropy), BoxKeyPair::Generate(entropy)};
}

absl::StatusOr<NodeKeys> GenerateNodeKeys(const PartyRoot& root, std::string_view common_name,
                                          Entropy& entropy) {
  absl::StatusOr<TlsIdentity> tls = GenerateTlsIdentity(entropy, common_name);
  if (!tls.ok()) return tls.status();
  return NodeKeys{*PartyId::From(root.root.public_key().view()),
                  SigningKey::Generate(entropy),
                  SigningKey::Generate(entropy),
                  SigningKey::Generate(entropy),
                  BoxKeyPair::Generate(entropy),
                  root.recovery.public_key(),
                  *std::move(tls),
                  entropy.Draw<Secret32>()};
}

absl::StatusOr<NodeKeys> RenewNodeKeys(const NodeKeys& before, std::string_view common_name,
                                       bool keep_tls, Entropy& entropy) {
  TlsIdentity tls{before.tls.certificate_pem, before.tls.private_key_pem.Clone()};
  if (!keep_tls) {
    absl::StatusOr<TlsIdentity> fresh = GenerateTlsIdentity(entropy, common_name);
    if (!fresh.ok()) return fresh.status();
    tls = *std::move(fresh);
  }
  return NodeKeys{before.party,
                  SigningKey::Generate(entropy),
                  SigningKey::Generate(entropy),
                  SigningKey::Generate(entropy),
                  BoxKeyPair::Generate(entropy),
                  before.recovery,
                  std::move(tls),
                  before.storage.Clone()};
}

NodeKeys WithoutBoxKey(const NodeKeys& keys, Entropy& entropy) {
  return NodeKeys{keys.party,
                  SigningKey::FromSeed(keys.log.seed().Clone()),
                  SigningKey::FromSeed(keys.cosign.seed().Clone()),
                  SigningKey::FromSeed(keys.statement.seed().Clone()),
                  BoxKeyPair::Generate(entropy),
                  keys.recovery,
                  {keys.tls.certificate_pem, keys.tls.private_key_pem.Clone()},
                  keys.storage.Clone()};
}

SecretBytes EncodeNodeKeys(const NodeKeys& keys) {
  std::string plain;
  // In one piece: growing would leave copies behind that nobody wipes.
  plain.reserve(kNodeFields * 32 + 8 + keys.tls.certificate_pem.size() +
                keys.tls.private_key_pem.view().size());
  plain.append(keys.party.view());
  for (const SigningKey* key : {&keys.log, &keys.cosign, &keys.statement}) {
    plain.append(key->seed().view());
  }
  plain.append(keys.box.secret().view());
  plain.append(keys.recovery.view());
  plain.append(keys.storage.view());
  AppendPem(&plain, keys.tls.certificate_pem);
  AppendPem(&plain, keys.tls.private_key_pem.view());
  return SecretBytes(std::move(plain));
}

absl::StatusOr<NodeKeys> DecodeNodeKeys(std::string_view plain) {
  ByteReader reader(plain);
  const absl::StatusOr<std::string_view> fixed = reader.ReadBytes(kNodeFields * 32);
  if (!fixed.ok()) return Malformed();
  const auto field = [&](size_t i) { return fixed->substr(32 * i, 32); };
  const absl::StatusOr<std::string_view> certificate = ReadPem(reader);
  if (!certificate.ok()) return Malformed();
  const absl::StatusOr<std::string_view> private_key = ReadPem(reader);
  if (!private_key.ok() || !reader.done()) return Malformed();
  return NodeKeys{*PartyId::From(field(0)),
                  SigningKey::FromSeed(*Secret32::From(field(1))),
                  SigningKey::FromSeed(*Secret32::From(field(2))),
                  SigningKey::FromSeed(*Secret32::From(field(3))),
                  BoxKeyPair::FromSecret(*Secret32::From(field(4))),
                  *BoxPublicKey::From(field(5)),
                  {std::string(*certificate), SecretBytes(std::string(*private_key))},
                  *Secret32::From(field(6))};
}

absl::StatusOr<std::string> SealKeystore(const NodeKeys& keys, std::string_view passphrase,
                                         Argon2Cost cost, Entropy& entropy) {
  return SealSecrets(kNodeMagic, EncodeNodeKeys(keys), passphrase, cost, entropy);
}

absl::StatusOr<NodeKeys> OpenKeystore(std::string_view file, std::string_view passphrase) {
  const absl::StatusOr<SecretBytes> plain = OpenSecrets(kNodeMagic, file, passphrase);
  if (!plain.ok()) return plain.status();
  return DecodeNodeKeys(plain->view());
}

absl::StatusOr<std::string> SealPartyRoot(const PartyRoot& root, std::string_view passphrase,
                                          Argon2Cost cost, Entropy& entropy) {
  SecretBytes plain(Cat(root.root.seed().view(), root.recovery.secret().view()));
  return SealSecrets(kRootMagic, plain, passphrase, cost, entropy);
}

absl::StatusOr<PartyRoot> OpenPartyRoot(std::string_view file, std::string_view passphrase) {
  const absl::StatusOr<SecretBytes> plain = OpenSecrets(kRootMagic, file, passphrase);
  if (!plain.ok()) return plain.status();
  if (plain->view().size() != 64) return Malformed();
  return PartyRoot{SigningKey::FromSeed(*Secret32::From(plain->view().substr(0, 32))),
                   BoxKeyPair::FromSecret(*Secret32::From(plain->view().substr(32)))};
}

std::string EncodeUserKeyFile(const UserKey& key) {
  return Cat("entente-user-key-1\nuser: ", key.user, "\nbody: ", key.body,
             "\nkey: ", Base64Encode(key.key.seed().view()), "\n");
}

absl::StatusOr<UserKey> ParseUserKeyFile(std::string_view text) {
  const absl::Status malformed =
      absl::InvalidArgumentError("this is not a user key file [NOT_A_USER_KEY]");
  const auto take = [&text](std::string_view label, std::string_view* value) {
    if (!text.starts_with(label)) return false;
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    *value = text.substr(label.size(), end - label.size());
    text.remove_prefix(end + 1);
    return true;
  };
  std::string_view first;
  std::string_view user;
  std::string_view body;
  std::string_view key;
  if (!take("entente-user-key-1", &first) || !take("user: ", &user) || !take("body: ", &body) ||
      !take("key: ", &key) || !first.empty() || user.empty() || !text.empty()) {
    return malformed;
  }
  absl::StatusOr<std::string> raw = Base64Decode(key);
  if (!raw.ok()) return malformed;
  const SecretBytes seed_bytes(*std::move(raw));
  absl::StatusOr<Secret32> seed = Secret32::From(seed_bytes.view());
  if (!seed.ok()) return malformed;
  return UserKey{std::string(user), std::string(body), SigningKey::FromSeed(*std::move(seed))};
}

}  // namespace entente::crypto

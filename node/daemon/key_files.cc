#include "node/daemon/key_files.h"

#include <optional>
#include <utility>

#include "entente/v1/storage.pb.h"
#include "node/daemon/node_files.h"
#include "node/store/file_io.h"
#include "node/store/keystore_file.h"
#include "sync/card_book.h"
#include "sync/schema.h"

namespace entente::daemon {
namespace {

absl::StatusOr<crypto::NodeKeys> OpenFile(const std::string& path, std::string_view passphrase) {
  const absl::StatusOr<crypto::SecretBytes> sealed = store::ReadSecretFile(path);
  if (!sealed.ok()) return sealed.status();
  absl::StatusOr<crypto::NodeKeys> keys = crypto::OpenKeystore(sealed->view(), passphrase);
  if (!keys.ok()) {
    return absl::Status(keys.status().code(), Cat(path, ": ", ToStd(keys.status().message())));
  }
  return keys;
}

absl::Status Write(const std::string& path, const crypto::NodeKeys& keys,
                   std::string_view passphrase, Entropy& entropy) {
  const absl::StatusOr<std::string> sealed =
      crypto::SealKeystore(keys, passphrase, crypto::Argon2Cost::kModerate, entropy);
  if (!sealed.ok()) return sealed.status();
  return store::WriteSecretFile(path, *sealed, store::Overwrite::kReplace);
}

absl::StatusOr<bool> IsDestroyed(const sync::KvReader& store, const crypto::BoxKeyPair& key) {
  const auto stored = store.Get(sync::schema::OwnBoxKey(key.id()));
  if (!stored.ok()) return stored.status();
  v1::OwnBoxKeyRow row;
  return stored->has_value() && row.ParseFromString(**stored) && row.destroyed();
}

}  // namespace

absl::StatusOr<crypto::NodeKeys> OpenKeys(const std::string& data_dir,
                                          std::string_view passphrase) {
  return OpenFile(PathIn(data_dir, kKeystoreFile), passphrase);
}

absl::StatusOr<crypto::NodeKeys> SettleKeys(const std::string& data_dir,
                                            std::string_view passphrase, crypto::NodeKeys opened,
                                            const sync::KvReader& store, Entropy& entropy) {
  const std::string beside = PathIn(data_dir, kFreshKeystoreFile);
  if (store::Exists(beside)) {
    const absl::StatusOr<std::optional<std::string>> row =
        store.Get(sync::schema::Card(opened.party));
    if (!row.ok()) return row.status();
    if (!row->has_value()) return absl::DataLossError("the node's own card is missing");
    const absl::StatusOr<sync::TrustedCard> card = sync::VerifyCard(**row);
    if (!card.ok()) return absl::DataLossError("the node's own card is damaged");
    absl::Status settled;
    if (card->statement_key == opened.statement.public_key()) {
      settled = store::RemoveFile(beside);  // the renewal never took place
    } else {
      absl::StatusOr<crypto::NodeKeys> fresh = OpenFile(beside, passphrase);
      if (!fresh.ok()) return fresh.status();
      opened = *std::move(fresh);
      settled = TakeFromBeside(data_dir);
    }
    if (!settled.ok()) return settled;
  }
  const absl::StatusOr<bool> destroyed = IsDestroyed(store, opened.box);
  if (!destroyed.ok()) return destroyed.status();
  if (*destroyed) {
    opened = crypto::WithoutBoxKey(opened, entropy);
    const absl::Status written =
        Write(PathIn(data_dir, kKeystoreFile), opened, passphrase, entropy);
    if (!written.ok()) return written;
  }
  return opened;
}

absl::Status PutBeside(const std::string& data_dir, std::string_view passphrase,
                       const crypto::NodeKeys& fresh, Entropy& entropy) {
  return Write(PathIn(data_dir, kFreshKeystoreFile), fresh, passphrase, entropy);
}

absl::Status TakeFromBeside(const std::string& data_dir) {
  return store::RenameDurably(PathIn(data_dir, kFreshKeystoreFile),
                              PathIn(data_dir, kKeystoreFile));
}

}  // namespace entente::daemon
